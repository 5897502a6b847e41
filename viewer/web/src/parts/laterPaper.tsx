/** The paper is loaded with the first ECG that is opened: no other page waits for it. */
import type { ComponentProps, FunctionComponent, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Problem } from "../state/api";
import { t } from "../texts";

const loadPaper = () => import("./Paper");
const loadLivePaper = () => import("./LivePaper");

/** A part that comes over the net; what came once is there at once. */
export function later<P extends object>(load: () => Promise<FunctionComponent<P>>): FunctionComponent<P> {
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
          <button type="button" class="switch" onClick={() => setLost(false)}>
            ↻
          </button>
        </p>
      );
    const Part = held;
    return Part ? <Part {...props} /> : <p class="muted">{t("loading")}</p>;
  };
}

export const LaterPaper = later<ComponentProps<typeof import("./Paper").Paper>>(() =>
  loadPaper().then(({ Paper }) => Paper),
);
export const LaterLivePaper = later<ComponentProps<typeof import("./LivePaper").LivePaper>>(() =>
  loadLivePaper().then(({ LivePaper }) => LivePaper),
);
