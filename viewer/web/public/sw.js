/**
 * The page's worker: shows push messages, puts them away when somebody has answered, and tells the service of both.
 *
 * A message says no name and no case. It is shown under its tag, so that the end of an alert takes the place of the alert;
 * what ends is shown without a sound and put away a little later, since a browser wants each message to be shown.
 */
const PUT_AWAY_MS = 4000;
const RECEIPTS = "/api/v1/receipts/push";
const CONTACTS = "/api/v1/me/contacts/webpush";
const BOARD = "/";
const UNREADABLE = {
  title: "有一条消息 · A message",
  body: "请打开值班台。\nOpen the board.",
  tag: "unreadable",
  ref: null,
  silent: false,
  close: false,
};

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("push", (event) => event.waitUntil(received(read(event.data))));
self.addEventListener("notificationclick", (event) => event.waitUntil(opened(event.notification)));
self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(subscribeAgain(event)));

function read(data) {
  try {
    const message = data.json();
    return typeof message?.title === "string" && typeof message.tag === "string" ? message : UNREADABLE;
  } catch {
    return UNREADABLE;
  }
}

async function received(message) {
  const alarm = message.kind === "alert" || message.kind === "exhausted";
  await self.registration.showNotification(message.title, {
    body: message.body,
    tag: message.tag,
    silent: message.silent === true,
    // The same alert once more is heard once more; its end is not.
    renotify: message.silent !== true,
    requireInteraction: alarm,
    data: { ref: message.ref },
  });
  await tell(message.ref, "delivered");
  if (message.close === true) setTimeout(() => putAway(message.tag), PUT_AWAY_MS);
}

async function putAway(tag) {
  for (const shown of await self.registration.getNotifications({ tag })) shown.close();
}

async function opened(notification) {
  notification.close();
  const [pages] = await Promise.all([
    self.clients.matchAll({ type: "window", includeUncontrolled: true }),
    tell(notification.data?.ref, "seen"),
  ]);
  const page = pages.find((each) => "focus" in each);
  if (page) await page.focus();
  else await self.clients.openWindow(BOARD);
}

/** Without the person's session, or without a line, nothing is told: then the service goes by what else it knows. */
async function tell(ref, status) {
  if (typeof ref !== "string") return;
  await post(RECEIPTS, { ref, status });
}

/** The browser has changed its address by itself. */
async function subscribeAgain(event) {
  const options = event.oldSubscription?.options;
  if (!options) return;
  const subscription = event.newSubscription ?? (await self.registration.pushManager.subscribe(options));
  await post(CONTACTS, subscription.toJSON());
}

async function post(path, body) {
  try {
    await fetch(path, {
      method: "POST",
      credentials: "same-origin",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    // No line: a message is shown all the same.
  }
}
