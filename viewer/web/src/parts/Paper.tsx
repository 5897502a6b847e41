/** The sheet of ECG paper: layouts of one true proportion, evidence in blue, calipers, an earlier ECG beneath. */
import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { pictureOf } from "../paper/draw";
import { beatsIn, type EarlierBeats, medianPicture, medianScene, panelSize } from "../paper/drawMedian";
import type { EarlierTrace } from "../paper/earlier";
import { exchanged, type Swap } from "../paper/exchange";
import { type Facts, factsOf } from "../paper/facts";
import { wordWidth } from "../paper/label";
import { type LayoutId, PAGE_S, sheet, suitableLayout } from "../paper/layout";
import { fitPxPerMm, zoomed } from "../paper/scale";
import { fitted, type Scene, sceneOf } from "../paper/scene";
import { boxesOfMedian, boxesOfSheet } from "../paper/traceBox";
import type { Waveform } from "../paper/waveform";
import { cabrera, layoutWanted, pace, zoom } from "../state/paper";
import { lang } from "../state/prefs";
import { quantities } from "../state/quantities";
import { truePxPerMm } from "../state/screen";
import { t } from "../texts";
import type { Analysis } from "../wire";
import { CaliperList, Calipers } from "./Calipers";
import { Changes, EarlierChoice, type EarlierShown } from "./Earlier";
import { PaperTools } from "./PaperTools";
import { PaperView, type Shown } from "./PaperView";
import { footerText, notesOf, type PaperNotes, sizeText } from "./paperNotes";
import { useCalipers } from "./useCalipers";
import "../styles/paper.css";

const NARROW_PX = 560;
const FIRST_ROOM_PX = 800;

/** A running stream: its newest moment is at the right edge. */
export interface Running {
  follow: boolean;
  /** In seconds of the waveform: up to here it is as it was when it was shown last. */
  sameUpToS: number;
  /** On which levels the strips hang, so that they stay where they are. */
  middles: ReadonlyMap<string, number>;
}

interface Props {
  wave: Waveform;
  analysis: Analysis | null;
  /** Whose earlier ECGs may be laid beneath; left out for a running stream. */
  ecgId?: string;
  running?: Running;
}

export function Paper({ wave: recorded, analysis, ecgId, running }: Props): JSX.Element {
  const [roomPx, setRoomPx] = useState(FIRST_ROOM_PX);
  const [startS, setStartS] = useState(0);
  const [undone, setUndone] = useState(false);
  const [chosen, setChosen] = useState<EarlierShown | null>(null);
  const ratio = useRatio();
  const calipers = useCalipers();
  const frame = useRef<HTMLDivElement>(null);
  const swap: Swap | null = analysis?.corrected?.swap ?? null;
  const put = useMemo(() => (swap ? exchanged(recorded, swap) : null), [recorded, swap?.join()]);
  const corrected = undone && put !== null;
  const wave = corrected ? put : recorded;
  // An earlier trace belongs beneath what was recorded, not beneath what was made of it.
  const earlier = corrected ? null : chosen;
  const facts = useMemo(() => factsOf(analysis, corrected), [analysis, corrected]);
  const layout: LayoutId = running
    ? "strip"
    : (layoutWanted.value ?? suitableLayout(wave.leads, roomPx < NARROW_PX));
  const truly = truePxPerMm();
  const more = corrected && swap ? t("exchangedSays", { a: swap[0], b: swap[1] }) : null;

  const made = useMemo(
    () =>
      make({ wave, facts, layout, startS, roomPx, ratio, earlier, more, running: running ?? null, truly }),
    [
      ratio,
      wave,
      facts,
      layout,
      startS,
      roomPx,
      earlier,
      more,
      truly,
      pace.value,
      cabrera.value,
      zoom.value,
      lang.value,
      quantities.value,
    ],
  );

  const zoomTo = (wanted: number | "fit" | "true"): void => {
    zoom.value = wanted;
  };
  const add = (): void => {
    const element = frame.current?.querySelector<HTMLElement>(".paper-frame");
    if (element) calipers.add(made.shown.boxes, element);
    element?.focus();
  };
  return (
    <div class="paper" ref={frame}>
      <PaperTools
        layout={layout}
        fixed={running !== undefined}
        says={made.notes.footer}
        calipers={calipers.state.on}
        onCalipers={calipers.toggle}
        zoomBy={(steps) => zoomTo(zoomed(made.pxPerMm, steps))}
        zoomTo={zoomTo}
      />
      {put !== null && swap && <Exchange swap={swap} undone={undone} choose={setUndone} />}
      {wave.durationS > PAGE_S + 0.5 && layout !== "strip" && layout !== "median" && (
        <Pages wave={wave} startS={startS} choose={setStartS} />
      )}
      {ecgId !== undefined && <EarlierChoice ecgId={ecgId} choose={setChosen} overlaid={made.overlaid} />}
      {made.empty && <p class="muted">{t("noMedian")}</p>}
      <PaperView
        shown={made.shown}
        pxPerMm={made.pxPerMm}
        label={t("paperLabel", { leads: wave.leads.join(" ") })}
        zoomTo={zoomTo}
        onRoom={setRoomPx}
        atEnd={running?.follow === true}
        onKey={(event, element) => calipers.onKey(event, made.shown.boxes, element)}
      >
        <Calipers {...calipers.state} boxes={made.shown.boxes} change={calipers.change} />
      </PaperView>
      <CaliperList {...calipers.state} change={calipers.change} add={add} />
      {chosen && <Changes serial={chosen.serial} />}
    </div>
  );
}

/** The line to the first new sample begins a little before it. */
const LINE_REACH_PX = 4;

interface MakeOf {
  wave: Waveform;
  facts: Facts;
  layout: LayoutId;
  startS: number;
  roomPx: number;
  /** Pixels of the screen for one of the page. */
  ratio: number;
  earlier: EarlierShown | null;
  more: string | null;
  running: Running | null;
  truly: number | null;
}

interface Made {
  shown: Shown;
  pxPerMm: number;
  notes: PaperNotes;
  /** Nothing could be drawn. */
  empty: boolean;
  /** The earlier ECG is on the paper; null where none was wanted. */
  overlaid: boolean | null;
}

function make(of: MakeOf): Made {
  return of.layout === "median" ? makeMedian(of) : makeSheet(of, of.layout);
}

/** What the reader wants, or null for what fits; true size fits, too, while the screen is not calibrated. */
const wantedPxPerMm = (truly: number | null): number | null =>
  zoom.value === "fit" ? null : zoom.value === "true" ? truly : zoom.value;

function makeSheet(of: MakeOf, layout: Exclude<LayoutId, "median">): Made {
  const { wave, facts, roomPx, ratio, truly } = of;
  const wanted = {
    startS: of.startS,
    durationS: wave.durationS,
    pace: pace.value,
    cabrera: cabrera.value,
  };
  // A full strip is never squeezed into the room: it is as near as ten seconds of it would be.
  const paperMm = layout === "strip" ? PAGE_S * pace.value.mmPerS : sheet(layout, wave.leads, wanted).widthMm;
  const pxPerMm = wantedPxPerMm(truly) ?? fitPxPerMm(roomPx, paperMm);
  const notes = notesOf(facts, footerText(pace.value, wave, sizeText(pxPerMm, truly), of.more));
  const common = {
    wave,
    pxPerMm,
    ratio,
    notes,
    namesBeside: layout === "strip",
    widthOf: wordWidth,
    earlier: earlierTrace(of.earlier, facts),
    ...(of.running ? { middles: of.running.middles } : {}),
  };
  const at = (room: { headMm: number; footMm: number }): Scene =>
    sceneOf({ ...common, sheet: sheet(layout, wave.leads, { ...wanted, ...room }) });
  // A running stream never jumps for a wave that came last.
  const scene = of.running ? at({ headMm: 0, footMm: 0 }) : fitted(at);
  const first = scene.placed[0];
  const sameUpToPx =
    of.running && first
      ? first.xPx + of.running.sameUpToS * scene.scale.pxPerS - LINE_REACH_PX * ratio
      : undefined;
  return {
    shown: {
      picture: (ink) => pictureOf(scene, ink),
      boxes: boxesOfSheet(scene),
      ratio,
      names: scene.namesBeside
        ? scene.placed.map(({ name, evidence, topPx }) => ({ name, evidence, topPx }))
        : [],
      size: [pxPerMm, ratio, pace.value.mmPerS, pace.value.mmPerMv, cabrera.value].join(),
      ...(sameUpToPx === undefined ? {} : { sameUpToPx }),
    },
    pxPerMm,
    notes,
    empty: false,
    overlaid: of.earlier && scene.placed.some(({ under }) => under !== null),
  };
}

function makeMedian(of: MakeOf): Made {
  const { wave, facts, roomPx, ratio, truly } = of;
  const panel = panelSize(wave.leads.length, roomPx, pace.value, wantedPxPerMm(truly));
  const notes = notesOf(facts, footerText(pace.value, wave, sizeText(panel.pxPerMm, truly), of.more));
  const beats = { wave, rS: facts.rS, marks: facts.marks, earlier: earlierBeats(of.earlier) };
  const scene = medianScene(beats, panel, ratio, pace.value);
  return {
    shown: {
      picture: (ink) => medianPicture(beats, scene, ink, notes),
      boxes: boxesOfMedian(scene, wave.rateHz),
      ratio,
      names: [],
      size: "median",
    },
    pxPerMm: panel.pxPerMm,
    notes,
    empty: beatsIn(scene) === 0,
    overlaid: of.earlier && scene.cells.some(({ earlier }) => earlier !== null),
  };
}

const earlierTrace = (shown: EarlierShown | null, facts: Facts): EarlierTrace | null =>
  shown && { wave: shown.wave, rS: shown.rS, ownRS: facts.rS };

const earlierBeats = (shown: EarlierShown | null): EarlierBeats | null =>
  shown && { wave: shown.wave, rS: shown.rS, marks: shown.marks, shiftS: shown.shiftS };

/** Another screen, or another zoom of the browser, has other pixels. */
function useRatio(): number {
  const [ratio, setRatio] = useState(devicePixelRatio || 1);
  useEffect(() => {
    const query = matchMedia(`(resolution: ${ratio}dppx)`);
    const changed = (): void => setRatio(devicePixelRatio || 1);
    query.addEventListener("change", changed);
    return () => query.removeEventListener("change", changed);
  }, [ratio]);
  return ratio;
}

function Exchange(props: { swap: Swap; undone: boolean; choose(undone: boolean): void }): JSX.Element {
  const { swap, undone, choose } = props;
  return (
    <div class="paper-exchange">
      <fieldset class="choice" aria-label={t("traceChoice")}>
        <button type="button" class="switch" aria-pressed={!undone} onClick={() => choose(false)}>
          {t("traceOriginal")}
        </button>
        <button
          type="button"
          class="switch"
          aria-pressed={undone}
          data-testid="trace-exchanged"
          onClick={() => choose(true)}
        >
          {t("traceExchanged")}
        </button>
      </fieldset>
      <span class="muted" data-testid="exchange-says">
        {t(undone ? "exchangedSays" : "reversalSays", { a: swap[0], b: swap[1] })}
      </span>
    </div>
  );
}

function Pages(props: { wave: Waveform; startS: number; choose: (startS: number) => void }): JSX.Element {
  const { wave, startS, choose } = props;
  const end = Math.min(wave.durationS, startS + PAGE_S);
  return (
    <div class="choice">
      <button
        type="button"
        class="switch"
        disabled={startS <= 0}
        onClick={() => choose(Math.max(0, startS - PAGE_S))}
      >
        ◂ {t("earlier")}
      </button>
      <span class="num">{t("seconds", { from: Math.round(startS), to: Math.round(end) })}</span>
      <button
        type="button"
        class="switch"
        disabled={end >= wave.durationS}
        onClick={() => choose(startS + PAGE_S)}
      >
        {t("tenLater")} ▸
      </button>
    </div>
  );
}
