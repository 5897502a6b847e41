/** Background Sync: the browser wakes the worker when there is a network again, whether a page is open or not. */
import { sendAll } from "../state/outbox";
import { alone, askService, browserStore, CHANNEL, SYNC_TAG } from "../state/outboxStore";
import type { Scope, SyncLike } from "./scope";

const ME_WITHIN_MS = 20_000;

export function sendWhenOnline(scope: Scope): void {
  scope.addEventListener("sync", (event: SyncLike) => {
    if (event.tag === SYNC_TAG) event.waitUntil(send());
  });
}

/** Rejects where the network went away again: then the browser tries once more by itself. */
async function send(): Promise<void> {
  if ((await browserStore.all()).every((one) => one.refused !== null)) return;
  const answer = await askService("/api/v1/me", { method: "GET" }, ME_WITHIN_MS);
  // Nobody is signed in: what waits goes out after the next signing in, by the page.
  if (answer.status === 401) return;
  if (!answer.ok) throw new Error(`expected /me to answer 200, got ${answer.status}`);
  const { user } = (await answer.json()) as { user: { id: string } };
  let stopped: number | null = null;
  await alone(async () => {
    ({ stopped } = await sendAll(user.id, browserStore, askService));
  });
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage("changed");
  channel.close();
  if (stopped !== null && stopped !== 401) throw new Error(`sent in part: ${stopped}`);
}
