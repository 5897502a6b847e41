/** This browser as a channel: whether it can take push messages, and whether it does. */
import { signal } from "@preact/signals";
import type { NewContact } from "../wireDuty";
import { attempt } from "./acts";
import { call, post } from "./api";

const WORKER = "/sw.js";
/** Which contact this browser is; kept here, as the service shows nobody an address. */
const KEPT = "pushContact";

export type PushState = "asking" | "impossible" | "denied" | "off" | "on";

export const pushState = signal<PushState>("asking");

const store = typeof localStorage === "undefined" ? null : localStorage;

/** Browsers give push only to pages that came over HTTPS, or from this machine. */
const able = (): boolean =>
  typeof navigator !== "undefined" &&
  "serviceWorker" in navigator &&
  "PushManager" in globalThis &&
  "Notification" in globalThis;

async function present(): Promise<PushSubscription | null> {
  const registration = await navigator.serviceWorker.getRegistration("/");
  return (await registration?.pushManager.getSubscription()) ?? null;
}

/** `known`: the ids of the person's contacts, of which this browser may be one. */
export async function lookAtPush(known: readonly string[]): Promise<void> {
  if (!able()) pushState.value = "impossible";
  else if (Notification.permission === "denied") pushState.value = "denied";
  else {
    const here = await present();
    const kept = store?.getItem(KEPT) ?? null;
    pushState.value = here !== null && kept !== null && known.includes(kept) ? "on" : "off";
  }
}

/** Ask the person, then the browser, then tell the service. False where one of them refused. */
export async function turnPushOn(pushKey: string): Promise<boolean> {
  return attempt("push", async () => {
    if ((await Notification.requestPermission()) !== "granted") {
      pushState.value = "denied";
      return undefined;
    }
    await navigator.serviceWorker.register(WORKER, { scope: "/" });
    const { pushManager } = await navigator.serviceWorker.ready;
    let subscription: PushSubscription;
    try {
      const options = { userVisibleOnly: true, applicationServerKey: keyBytes(pushKey) };
      subscription = await pushManager.subscribe(options);
    } catch {
      // The browser's maker has no push service here, or it was not reached.
      pushState.value = "impossible";
      return undefined;
    }
    const { contact } = await post<NewContact>("/me/contacts/webpush", subscription.toJSON());
    store?.setItem(KEPT, contact.id);
    pushState.value = "on";
    return undefined;
  });
}

export async function turnPushOff(): Promise<boolean> {
  return attempt("push", async () => {
    const kept = store?.getItem(KEPT);
    await (await present())?.unsubscribe();
    if (kept) await call<undefined>("DELETE", `/me/contacts/${encodeURIComponent(kept)}`);
    store?.removeItem(KEPT);
    pushState.value = "off";
    return undefined;
  });
}

/** The 65 bytes of a key from their base64url. */
export function keyBytes(base64url: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(text, (one) => one.charCodeAt(0));
}
