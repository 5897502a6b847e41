/** The worker, served at /sw.js: push messages, the page without a network, and what waits to be sent. */
import { listenToPush } from "./push";
import type { Scope } from "./scope";
import { sendWhenOnline } from "./send";
import { keepShell } from "./shell";

const scope = self as unknown as Scope;
keepShell(scope);
listenToPush(scope);
sendWhenOnline(scope);
