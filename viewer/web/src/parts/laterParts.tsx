/** Paper, signing and printing are loaded with the first ECG that is opened: no other page waits for them. */
import { lazily } from "./lazily";

const part = { part: true };

export const LaterPaper = lazily(() => import("./Paper").then(({ Paper }) => Paper), part);
export const LaterLivePaper = lazily(() => import("./LivePaper").then(({ LivePaper }) => LivePaper), part);
export const SignFormLater = lazily(() => import("./SignForm").then(({ SignForm }) => SignForm), part);
export const ReportMenuLater = lazily(
  () => import("./ReportMenu").then(({ ReportMenu }) => ReportMenu),
  part,
);
