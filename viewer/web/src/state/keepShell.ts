/** The worker that opens this page without a network is asked for once the page stands, never before. */

const WORKER = "/sw.js";
/** Its files must not compete with the first sight of the page on a thin line. */
const AFTER_MS = 3000;

let asked = false;

export function keepShell(): void {
  if (asked || typeof navigator === "undefined" || !("serviceWorker" in navigator)) return;
  asked = true;
  setTimeout(() => {
    // Where a browser refuses it, the page works as before: with a network.
    void navigator.serviceWorker.register(WORKER, { scope: "/" }).catch(() => undefined);
  }, AFTER_MS);
}
