/** Starts the pages. */
import { render } from "preact";
import { App } from "./App";
import { askFor } from "./pages";
import { trouble } from "./state/acts";
import { Problem } from "./state/api";
import { startTicking } from "./state/clock";
import { mindWaiting } from "./state/mindWaiting";
import { keepPrefs } from "./state/prefs";
import { followLinks, route } from "./state/route";
import { keepMe, loadDemo, loadMe, me, remember } from "./state/session";
import { unlockOnGesture } from "./state/sound";
import "./styles/base.css";
import "./styles/acts.css";
import "./styles/frame.css";
import "./styles/drill.css";

const AGAIN_MS = 3000;
/** On a line that is there and carries nothing, the page opens with who was here last. */
const SLOW_MS = 2000;

const root = document.getElementById("app");
if (root === null) {
  throw new Error("index.html: expected an element with the id app, found none");
}
keepPrefs();
followLinks();
unlockOnGesture();
startTicking();
keepMe();
askFor(route.value.page);
render(<App />, root);
mindWaiting();
void begin();

/** The service may still be starting, or there is no network: ask until it answers. */
async function begin(): Promise<void> {
  const slow = setTimeout(() => me.value === undefined && remember(), SLOW_MS);
  try {
    await Promise.all([loadDemo(), loadMe()]);
    trouble.value = null;
  } catch (failure) {
    if (!(failure instanceof Problem)) throw failure;
    // With who was here last the page opens, and says by itself that there is no line; else nobody is here.
    if (me.value === undefined && !remember()) me.value = null;
    if (me.value === null) trouble.value = failure;
    setTimeout(() => void begin(), AGAIN_MS);
  } finally {
    clearTimeout(slow);
  }
}
