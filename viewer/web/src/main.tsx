/** Starts the pages. */
import { render } from "preact";
import { App } from "./App";
import { trouble } from "./state/acts";
import { Problem } from "./state/api";
import { startTicking } from "./state/clock";
import { keepPrefs } from "./state/prefs";
import { followLinks } from "./state/route";
import { keepMe, loadDemo, loadMe } from "./state/session";
import { unlockOnGesture } from "./state/sound";
import "./styles/acts.css";
import "./styles/base.css";
import "./styles/board.css";
import "./styles/ecg.css";
import "./styles/case.css";
import "./styles/care.css";
import "./styles/drill.css";
import "./styles/duty.css";
import "./styles/roster.css";
import "./styles/rules.css";
import "./styles/tasks.css";

const AGAIN_MS = 3000;

const root = document.getElementById("app");
if (root === null) {
  throw new Error("index.html: expected an element with the id app, found none");
}
keepPrefs();
followLinks();
unlockOnGesture();
startTicking();
keepMe();
render(<App />, root);
void begin();

/** The service may still be starting: ask until it answers. */
async function begin(): Promise<void> {
  try {
    await Promise.all([loadDemo(), loadMe()]);
    trouble.value = null;
  } catch (failure) {
    if (!(failure instanceof Problem)) throw failure;
    trouble.value = failure;
    setTimeout(() => void begin(), AGAIN_MS);
  }
}
