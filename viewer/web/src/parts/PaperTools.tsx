/** Choices above the paper: layout, how near, and folded away what recorders have as knobs. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { LayoutId } from "../paper/layout";
import { GAINS, SPEEDS } from "../paper/scale";
import { cabrera, layoutWanted, pace } from "../state/paper";
import { truePxPerMm } from "../state/screen";
import { type TextKey, t } from "../texts";
import { Calibrate } from "./Calibrate";

const LAYOUTS: readonly (readonly [LayoutId, TextKey])[] = [
  ["rhythm", "layoutRhythm"],
  ["two", "layoutTwo"],
  ["column", "layoutColumn"],
  ["eighteen", "layoutEighteen"],
  ["strip", "layoutStrip"],
  ["median", "layoutMedian"],
];

interface Props {
  layout: LayoutId;
  /** A running stream has one layout. */
  fixed: boolean;
  /** What the paper says of itself: speed, gain, filter, size. */
  says: string;
  calipers: boolean;
  onCalipers(): void;
  zoomBy(steps: number): void;
  zoomTo(wanted: "fit" | "true"): void;
}

export function PaperTools(props: Props): JSX.Element {
  const [measuring, setMeasuring] = useState(false);
  const isTrue = truePxPerMm() !== null;
  return (
    <div class="paper-tools">
      {!props.fixed && (
        <fieldset class="choice" aria-label={t("layouts")}>
          {LAYOUTS.map(([id, name]) => (
            <button
              type="button"
              key={id}
              class="switch"
              aria-pressed={props.layout === id}
              data-testid={`layout-${id}`}
              onClick={() => {
                layoutWanted.value = id;
              }}
            >
              {t(name)}
            </button>
          ))}
        </fieldset>
      )}
      <fieldset class="choice" aria-label={t("zoomWords")}>
        <Tool words={t("zoomOut")} sign="−" onClick={() => props.zoomBy(-1)} />
        <Tool words={t("zoomIn")} sign="+" onClick={() => props.zoomBy(1)} />
        <Tool words={t("zoomFit")} sign="↔" onClick={() => props.zoomTo("fit")} />
        {isTrue && (
          <button type="button" class="switch" data-testid="zoom-true" onClick={() => props.zoomTo("true")}>
            {t("zoomTrue")}
          </button>
        )}
        <button
          type="button"
          class="switch"
          aria-pressed={props.calipers}
          aria-keyshortcuts="C"
          data-testid="calipers"
          onClick={props.onCalipers}
        >
          {t("calipers")}
        </button>
      </fieldset>
      <details class="paper-knobs">
        <summary class="num muted" data-testid="paper-says">
          {props.says}
        </summary>
        <Knobs calibrate={() => setMeasuring(true)} />
      </details>
      {measuring && <Calibrate done={() => setMeasuring(false)} />}
    </div>
  );
}

function Tool(props: { words: string; sign: string; onClick(): void }): JSX.Element {
  return (
    <button type="button" class="switch" aria-label={props.words} title={props.words} onClick={props.onClick}>
      <span aria-hidden="true">{props.sign}</span>
    </button>
  );
}

function Knobs({ calibrate }: { calibrate(): void }): JSX.Element {
  const { mmPerS, mmPerMv } = pace.value;
  return (
    <div class="paper-knob-row">
      <fieldset class="choice" aria-label={t("speed")}>
        {SPEEDS.map((n) => (
          <button
            type="button"
            key={n}
            class="switch num"
            aria-pressed={mmPerS === n}
            data-testid={`speed-${n}`}
            onClick={() => {
              pace.value = { mmPerS: n, mmPerMv };
            }}
          >
            {t("mmPerS", { n })}
          </button>
        ))}
      </fieldset>
      <fieldset class="choice" aria-label={t("gain")}>
        {GAINS.map((n) => (
          <button
            type="button"
            key={n}
            class="switch num"
            aria-pressed={mmPerMv === n}
            data-testid={`gain-${n}`}
            onClick={() => {
              pace.value = { mmPerS, mmPerMv: n };
            }}
          >
            {t("mmPerMv", { n })}
          </button>
        ))}
      </fieldset>
      <button
        type="button"
        class="switch"
        aria-pressed={cabrera.value}
        title={t("cabreraHint")}
        data-testid="cabrera"
        onClick={() => {
          cabrera.value = !cabrera.value;
        }}
      >
        {t("cabrera")}
      </button>
      <button type="button" class="switch" data-testid="calibrate" onClick={calibrate}>
        {t("calibrate")}
      </button>
    </div>
  );
}
