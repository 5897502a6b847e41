/** Signing and printing are loaded with the first ECG that is opened: no other page waits for them. */
import type { ComponentProps } from "preact";
import { later } from "./laterPaper";

export const SignFormLater = later<ComponentProps<typeof import("./SignForm").SignForm>>(() =>
  import("./SignForm").then(({ SignForm }) => SignForm),
);
export const ReportMenuLater = later<ComponentProps<typeof import("./ReportMenu").ReportMenu>>(() =>
  import("./ReportMenu").then(({ ReportMenu }) => ReportMenu),
);
