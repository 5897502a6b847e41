/** The sheet of ECG paper: layouts of one true proportion, evidence in blue, unusable leads hatched and named. */
import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { drawSheet, inkOf, type Notes } from "../paper/draw";
import { drawMedian, panelSize } from "../paper/drawMedian";
import { type LayoutId, PAGE_S, sheet, suitableLayout } from "../paper/layout";
import { beatMarks } from "../paper/median";
import { fitPxPerMm } from "../paper/scale";
import type { Waveform } from "../paper/waveform";
import { drawable, shortName } from "../paper/waves";
import { against } from "../state/evidence";
import { lang, theme } from "../state/prefs";
import { quantities, quantity } from "../state/quantities";
import { type TextKey, t } from "../texts";
import type { Analysis, Beat, Evidence } from "../wire";

const LAYOUTS: readonly (readonly [LayoutId, TextKey])[] = [
  ["rhythm", "layoutRhythm"],
  ["two", "layoutTwo"],
  ["eighteen", "layoutEighteen"],
  ["column", "layoutColumn"],
  ["median", "layoutMedian"],
];
const NARROW_PX = 560;
const FIRST_ROOM_PX = 800;

interface Props {
  wave: Waveform;
  analysis: Analysis | null;
}

export function Paper({ wave, analysis }: Props): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const [roomPx, setRoomPx] = useState(FIRST_ROOM_PX);
  const [chosen, setChosen] = useState<LayoutId | null>(null);
  const [startS, setStartS] = useState(0);
  const [drawn, setDrawn] = useState(0);
  const layout = chosen ?? suitableLayout(wave.leads, roomPx < NARROW_PX);
  const facts = useMemo(() => factsOf(analysis), [analysis]);

  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setRoomPx(element.clientWidth));
    observer.observe(element);
    setRoomPx(element.clientWidth);
    return () => observer.disconnect();
  }, []);

  useEffect(() => {
    const target = canvas.current;
    if (!target) return;
    const ink = inkOf(target);
    const notes = notesOf(facts);
    if (layout === "median") {
      const panel = panelSize(wave.leads.length, roomPx);
      setDrawn(drawMedian(target, wave, facts.rS, facts.marks, panel, ink, notes));
      return;
    }
    const page = sheet(layout, wave.leads, startS);
    drawSheet(target, wave, page, fitPxPerMm(roomPx, page.widthMm), ink, notes);
    setDrawn(wave.leads.length);
  }, [wave, facts, layout, startS, roomPx, theme.value, lang.value, quantities.value]);

  return (
    <div class="paper">
      <div class="paper-tools">
        <fieldset class="choice" aria-label={t("layouts")}>
          {LAYOUTS.map(([id, name]) => (
            <button
              type="button"
              key={id}
              class="switch"
              aria-pressed={layout === id}
              data-testid={`layout-${id}`}
              onClick={() => setChosen(id)}
            >
              {t(name)}
            </button>
          ))}
        </fieldset>
        <span class="num muted">
          {t("scale")} · {t("asRecorded")}
        </span>
        {wave.durationS > PAGE_S + 0.5 && <Pages wave={wave} startS={startS} choose={setStartS} />}
      </div>
      {drawn === 0 && layout === "median" && <p class="muted">{t("noMedian")}</p>}
      <div class="paper-frame" ref={frame}>
        <canvas
          ref={canvas}
          data-testid="paper"
          role="img"
          aria-label={t("paperLabel", { leads: wave.leads.join(" ") })}
        />
      </div>
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
        {t("later")} ▸
      </button>
    </div>
  );
}

interface Facts {
  rS: number[];
  beats: Beat[];
  marks: ReturnType<typeof beatMarks>;
  evidence: Evidence[];
  unusable: Set<string>;
}

function factsOf(analysis: Analysis | null): Facts {
  if (!analysis) return { rS: [], beats: [], marks: null, evidence: [], unusable: new Set() };
  const { fiducials, measurements, quality, findings } = analysis;
  const unusable = Object.entries(measurements?.leads ?? {}).filter(([, lead]) => lead.usable === false);
  return {
    rS: fiducials?.r_s ?? [],
    beats: fiducials?.beats ?? [],
    marks: beatMarks(fiducials?.r_s ?? [], fiducials?.beats ?? []),
    evidence: findings.flatMap((finding) => finding.evidence),
    unusable: new Set([...quality.bad_leads, ...unusable.map(([name]) => name)]),
  };
}

/** Beside a lead's name there is room for this many values. */
const SHORT_VALUES = 2;

function notesOf(facts: Facts): Notes & { label(evidence: Evidence): string } {
  const short = new Map<string, string>();
  const levels = new Map<string, Evidence[]>();
  for (const lead of new Set(facts.evidence.map((e) => e.lead))) {
    const found = lead === null ? [] : drawable(facts.evidence, lead);
    if (lead === null || found.length === 0) continue;
    const values = found.slice(0, SHORT_VALUES).map(shortText);
    const more = found.length - values.length;
    short.set(lead, values.join(" · ") + (more > 0 ? ` +${more}` : ""));
    levels.set(lead, found);
  }
  return {
    unusable: facts.unusable,
    evidence: short,
    levels,
    beats: facts.beats,
    unusableWord: t("unusable"),
    missingWord: t("notRecorded"),
    footer: `${t("scale")}  ${t("asRecorded")}`,
    label: (e) => `${shortName(e.quantity)} ${against(e)}`,
  };
}

/** ST at J is what everybody looks for and needs no name. */
const shortText = (e: Evidence): string =>
  (e.quantity === "stj_mv" ? "" : `${shortName(e.quantity)} `) + quantity(e.quantity, e.value);
