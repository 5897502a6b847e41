/** Whether anything waits in this browser: only then is the sender loaded on pages that do not need it otherwise. */

const HINT = "waiting";
const store = typeof localStorage === "undefined" ? null : localStorage;

export function hintWaiting(any: boolean): void {
  if (any) store?.setItem(HINT, "yes");
  else store?.removeItem(HINT);
}

export function mindWaiting(): void {
  if (store?.getItem(HINT)) void import("./waiting").then((sender) => sender.startWaiting());
}
