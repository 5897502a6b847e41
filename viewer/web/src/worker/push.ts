/**
 * Push messages: shown, put away when somebody has answered, and the service is told of both.
 *
 * A message says no name and no case. It is shown under its tag, so that the end of an alert takes the place of the alert;
 * what ends is shown without a sound and put away a little later, since a browser wants each message to be shown.
 */
import type { Extendable, PushLike, Scope, Shown, SubscriptionLike } from "./scope";

const PUT_AWAY_MS = 4000;
const RECEIPTS = "/api/v1/receipts/push";
const CONTACTS = "/api/v1/me/contacts/webpush";
const BOARD = "/";

interface Message {
  title: string;
  body?: string;
  tag: string;
  ref?: unknown;
  silent?: boolean;
  close?: boolean;
  kind?: string;
}

const UNREADABLE: Message = {
  title: "有一条消息 · A message",
  body: "请打开值班台。\nOpen the board.",
  tag: "unreadable",
  ref: null,
  silent: false,
  close: false,
};

interface ClickLike extends Extendable {
  notification: Shown;
}

interface ChangeLike extends Extendable {
  oldSubscription?: SubscriptionLike | null;
  newSubscription?: SubscriptionLike | null;
}

export function listenToPush(scope: Scope): void {
  scope.addEventListener("push", (event: PushLike) => event.waitUntil(received(scope, read(event.data))));
  scope.addEventListener("notificationclick", (event: ClickLike) =>
    event.waitUntil(opened(scope, event.notification)),
  );
  scope.addEventListener("pushsubscriptionchange", (event: ChangeLike) =>
    event.waitUntil(subscribeAgain(scope, event)),
  );
}

function read(data: PushLike["data"]): Message {
  try {
    const message = data?.json() as Partial<Message> | undefined;
    return typeof message?.title === "string" && typeof message.tag === "string"
      ? (message as Message)
      : UNREADABLE;
  } catch {
    return UNREADABLE;
  }
}

async function received(scope: Scope, message: Message): Promise<void> {
  const alarm = message.kind === "alert" || message.kind === "exhausted";
  await scope.registration.showNotification(message.title, {
    body: message.body,
    tag: message.tag,
    silent: message.silent === true,
    // The same alert once more is heard once more; its end is not.
    renotify: message.silent !== true,
    requireInteraction: alarm,
    data: { ref: message.ref },
  });
  await tell(message.ref, "delivered");
  if (message.close === true) setTimeout(() => void putAway(scope, message), PUT_AWAY_MS);
}

/** Only the message itself: an alert that rings again has taken its place under the same tag. */
async function putAway(scope: Scope, { tag, ref }: Message): Promise<void> {
  for (const shown of await scope.registration.getNotifications({ tag }))
    if (shown.data?.ref === ref) shown.close();
}

async function opened(scope: Scope, notification: Shown): Promise<void> {
  notification.close();
  const [pages] = await Promise.all([
    scope.clients.matchAll({ type: "window", includeUncontrolled: true }),
    tell(notification.data?.ref, "seen"),
  ]);
  const page = pages.find((each) => each.focus !== undefined);
  if (page?.focus) await page.focus();
  else await scope.clients.openWindow(BOARD);
}

/** Without the person's session, or without a line, nothing is told: then the service goes by what else it knows. */
async function tell(ref: unknown, status: "delivered" | "seen"): Promise<void> {
  if (typeof ref !== "string") return;
  await post(RECEIPTS, { ref, status });
}

/** The browser has changed its address by itself. */
async function subscribeAgain(scope: Scope, event: ChangeLike): Promise<void> {
  const options = event.oldSubscription?.options;
  if (!options) return;
  const subscription = event.newSubscription ?? (await scope.registration.pushManager.subscribe(options));
  await post(CONTACTS, subscription.toJSON());
}

async function post(path: string, body: object): Promise<void> {
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
