/** Signing and printing are loaded with the first ECG that is opened: no other page waits for them. */
import type { ComponentProps, FunctionComponent, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Problem } from "../state/api";
import { t } from "../texts";

/** A part that comes over the net; what came once is there at once. */
function later<P extends object>(load: () => Promise<FunctionComponent<P>>): FunctionComponent<P> {
  let held: FunctionComponent<P> | null = null;
  return (props: P): JSX.Element => {
    const [, again] = useState(0);
    const [lost, setLost] = useState(false);
    useEffect(() => {
      if (held || lost) return;
      let gone = false;
      load().then(
        (part) => {
          held = part;
          if (!gone) again((n) => n + 1);
        },
        () => !gone && setLost(true),
      );
      return () => {
        gone = true;
      };
    }, [lost]);
    if (lost)
      return (
        <p class="trouble">
          {new Problem(0, "network", {}).words}{" "}
          <button type="button" class="act act-plain" onClick={() => setLost(false)}>
            {t("signAgain")}
          </button>
        </p>
      );
    const Part = held;
    return Part ? <Part {...props} /> : <p class="muted">{t("loading")}</p>;
  };
}

export const SignFormLater = later<ComponentProps<typeof import("./SignForm").SignForm>>(() =>
  import("./SignForm").then(({ SignForm }) => SignForm),
);
export const ReportMenuLater = later<ComponentProps<typeof import("./ReportMenu").ReportMenu>>(() =>
  import("./ReportMenu").then(({ ReportMenu }) => ReportMenu),
);
