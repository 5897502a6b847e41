/** The tour: the real parts of the pages with a sample case. What is pressed in it never reaches the service. */
import type { JSX } from "preact";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { keepWaveform } from "../paper/waveform";
import { nowMs } from "../state/clock";
import { chooseTourSeen } from "../state/prefs";
import { go } from "../state/route";
import { homeOf } from "../state/session";
import { testTone } from "../state/sound";
import "../styles/tour.css";
import { type TextKey, t } from "../texts";
import { tt } from "../textsTour";
import { BEGINNING, SAMPLE_ECG, sampleAnalysis, sampleRow, sampleWaveform } from "../tour/sample";
import { progressAt, type Step, stepsOf } from "../tour/steps";
import type { Me, Row } from "../wire";
import { CaseHead } from "./CaseHead";
import { RowItem } from "./CaseRow";
import { Paper } from "./Paper";
import { Tasks } from "./Tasks";
import { useKeydown } from "./useKeydown";

const BUTTONS: Record<string, TextKey> = {
  ack: "ack",
  "open-green": "openGreen",
  "task-accept-sample": "accept",
  "task-done-sample": "done",
};

export function Tour({ who }: { who: Me }): JSX.Element {
  const steps = stepsOf(who.user.role);
  const [index, setIndex] = useState(0);
  const begunMs = useMemo(() => nowMs.value ?? Date.now(), []);
  const step = steps[index] as Step;
  const leave = (): void => {
    chooseTourSeen(who.user.id);
    go(homeOf(who.user.role));
  };
  const move = (by: number): void => {
    if (index + by >= steps.length) leave();
    else setIndex(Math.max(0, index + by));
  };
  useKeydown((event) => {
    if (event.key === "Escape") leave();
    else if (event.key === "ArrowRight") move(1);
    else if (event.key === "ArrowLeft") move(-1);
    else return;
    event.preventDefault();
  });
  const row = sampleRow(who, begunMs, progressAt(steps, index, BEGINNING));
  return (
    <main class="page tour" data-testid="tour">
      <p class="tour-mark" data-testid="tour-mark">
        <b>{tt("mark")}</b> <span>{tt("markHint")}</span>
      </p>
      <Stage step={step} row={row} pressed={() => move(1)} />
      <section class="card tour-card" aria-live="polite">
        <p class="muted num" data-testid="tour-step">
          {tt("step", { n: index + 1, of: steps.length })}
        </p>
        <p class="tour-says">{tt(step.says)}</p>
        {step.press && <p class="info">☝ {tt("pressIt", { what: t(BUTTONS[step.press] ?? "ack") })}</p>}
        {step.view === "sound" && <Sound />}
        <p class="acts">
          <button type="button" class="act act-strong" data-testid="tour-next" onClick={() => move(1)}>
            {tt(index + 1 === steps.length ? "finish" : "next")}
          </button>
          {index > 0 && (
            <button type="button" class="act act-plain" data-testid="tour-back" onClick={() => move(-1)}>
              {tt("back")}
            </button>
          )}
          <button type="button" class="act act-plain" data-testid="tour-leave" onClick={leave}>
            {tt("leave")}
          </button>
        </p>
      </section>
    </main>
  );
}

/** Catches every press, from the first moment on, before the parts inside hear of it: only the one that the step asks for means anything. */
function Stage({ step, row, pressed }: { step: Step; row: Row; pressed: () => void }): JSX.Element | null {
  const stage = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = stage.current;
    if (!element) return;
    const caught = (event: Event): void => {
      if ((event.target as Element).closest(".paper-tools")) return; // the layouts of the paper are the browser's own
      event.preventDefault();
      event.stopImmediatePropagation();
      const name = (event.target as Element).closest("[data-testid]")?.getAttribute("data-testid");
      if (event.type === "click" && step.press !== undefined && name === step.press) pressed();
    };
    for (const kind of ["click", "submit"]) element.addEventListener(kind, caught, { capture: true });
    return () => {
      for (const kind of ["click", "submit"]) element.removeEventListener(kind, caught, { capture: true });
    };
  });
  if (step.view === "words" || step.view === "sound") return null;
  return (
    <div class="tour-stage" ref={stage} data-testid="tour-stage">
      <View step={step} row={row} />
    </div>
  );
}

function View({ step, row }: { step: Step; row: Row }): JSX.Element {
  const wave = useMemo(sampleWaveform, []);
  const analysis = useMemo(sampleAnalysis, []);
  useMemo(() => keepWaveform(SAMPLE_ECG, wave), [wave]);
  switch (step.view) {
    case "board":
      return (
        <ul class="rows">
          <RowItem row={row} near selected={false} open={() => undefined} />
        </ul>
      );
    case "ecg":
      return <Paper wave={wave} analysis={analysis} />;
    case "tasks":
      return <Tasks tasks={row.tasks} />;
    default:
      return (
        <>
          <CaseHead row={row} detail={null} />
          {row.tasks.length > 0 && <Tasks tasks={row.tasks} />}
        </>
      );
  }
}

function Sound(): JSX.Element {
  const [said, setSaid] = useState("");
  return (
    <p class="acts">
      <button
        type="button"
        class="act act-plain act-big"
        data-testid="tour-sound"
        onClick={async () => setSaid(tt((await testTone()) ? "soundHeard" : "soundNone"))}
      >
        ♪ {tt("soundPlay")}
      </button>
      <span role="status" data-testid="tour-sound-said">
        {said}
      </span>
    </p>
  );
}
