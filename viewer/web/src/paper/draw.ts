/** Drawing on a canvas: grid, traces, calibration, labels. Everything is placed in millimetres and scaled once. */
import type { Beat, Evidence } from "../wire";
import type { Sheet, Strip } from "./layout";
import { overlayOf } from "./overlay";
import { CAL_MM, CAL_MV, MM_PER_MV, type Scale, scaleOf } from "./scale";
import { columns, levelOf, placeName, type Run, tracePath } from "./trace";
import { leadSamples, type Waveform } from "./waveform";
import { waveOf } from "./waves";

export interface Ink {
  paper: string;
  fine: string;
  strong: string;
  trace: string;
  label: string;
  evidence: string;
  hatch: string;
}

/** The colours of the theme, from its style sheet. */
export function inkOf(element: Element): Ink {
  const style = getComputedStyle(element);
  const named = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    paper: named("paper"),
    fine: named("paper-fine"),
    strong: named("paper-strong"),
    trace: named("trace"),
    label: named("trace-label"),
    evidence: named("evidence"),
    hatch: named("hatch"),
  };
}

/** Fine lines closer than this only grey the paper. */
const FINE_FROM_PX = 2.2;
const FONT = "system-ui, 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif";

/** Size the canvas for the screen's real pixels; returns a context in CSS pixels. */
export function prepare(
  canvas: HTMLCanvasElement,
  widthPx: number,
  heightPx: number,
): CanvasRenderingContext2D {
  const ratio = devicePixelRatio || 1;
  canvas.width = Math.round(widthPx * ratio);
  canvas.height = Math.round(heightPx * ratio);
  canvas.style.width = `${widthPx}px`;
  canvas.style.height = `${heightPx}px`;
  const pen = canvas.getContext("2d");
  if (pen === null) throw new Error("canvas: expected a 2d context, got none");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  return pen;
}

export function grid(
  pen: CanvasRenderingContext2D,
  widthPx: number,
  heightPx: number,
  scale: Scale,
  ink: Ink,
): void {
  pen.fillStyle = ink.paper;
  pen.fillRect(0, 0, widthPx, heightPx);
  if (scale.pxPerMm >= FINE_FROM_PX) lines(pen, widthPx, heightPx, scale.pxPerMm, ink.fine, 0.5);
  lines(pen, widthPx, heightPx, scale.pxPerMm * 5, ink.strong, 1);
}

function lines(
  pen: CanvasRenderingContext2D,
  w: number,
  h: number,
  step: number,
  colour: string,
  width: number,
): void {
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.beginPath();
  for (let x = 0; x <= w; x += step) {
    pen.moveTo(Math.round(x) + 0.5, 0);
    pen.lineTo(Math.round(x) + 0.5, h);
  }
  for (let y = 0; y <= h; y += step) {
    pen.moveTo(0, Math.round(y) + 0.5);
    pen.lineTo(w, Math.round(y) + 0.5);
  }
  pen.stroke();
}

/** What the paper says besides the traces. */
export interface Notes {
  unusable: ReadonlySet<string>;
  /** A short text beside a lead's name, such as "+0.51 mV". */
  evidence: ReadonlyMap<string, string>;
  /** What is drawn over the trace of a lead, and the beats that it may be drawn on. */
  levels: ReadonlyMap<string, readonly Evidence[]>;
  beats: readonly Beat[];
  unusableWord: string;
  missingWord: string;
  footer: string;
}

export function drawSheet(
  canvas: HTMLCanvasElement,
  wave: Waveform,
  page: Sheet,
  pxPerMm: number,
  ink: Ink,
  notes: Notes,
): void {
  const scale = scaleOf(pxPerMm);
  const width = page.widthMm * pxPerMm;
  const height = page.heightMm * pxPerMm;
  const pen = prepare(canvas, width, height);
  grid(pen, width, height, scale, ink);
  for (const base of page.rowsMm) calibration(pen, 2 * pxPerMm, base * pxPerMm, scale, ink);
  text(pen, notes.footer, 2 * pxPerMm, height - 4, 11, ink.label, ink.paper);
  // All words and marks lie under all traces: a tall wave of the next row may cross a name and is never hidden by it.
  const traces = page.strips.map((strip) => traceOf(wave, strip, scale));
  page.strips.forEach((strip, index) => {
    nameStrip(pen, strip, traces[index] ?? null, scale, ink, notes);
  });
  page.strips.forEach((strip, index) => {
    const trace = traces[index];
    if (trace) drawLevels(pen, wave, strip, trace, scale, ink, notes);
  });
  for (const trace of traces) {
    if (trace)
      stroke(pen, ink.trace, 1.25, () => tracePath(pen, trace.runs, trace.x, trace.zero, scale.pxPerMv));
  }
}

/** Baseline, J, level and threshold on the first whole beat. The level is a band that the trace, drawn after it, runs in. */
function drawLevels(
  pen: CanvasRenderingContext2D,
  wave: Waveform,
  strip: Strip,
  trace: Trace,
  scale: Scale,
  ink: Ink,
  notes: Notes,
): void {
  const evidence = notes.levels.get(strip.lead);
  const samples = leadSamples(wave, strip.lead);
  if (!evidence || !samples || notes.unusable.has(strip.lead)) return;
  const found = overlayOf(strip, samples, wave.rateHz, notes.beats, evidence);
  if (!found) return;
  const mm = scale.pxPerMm;
  const x = (s: number): number => trace.x + (s - strip.fromS) * scale.pxPerS;
  const y = (mv: number): number => trace.zero - mv * scale.pxPerMv;
  const line = (mv: number, from: number, to: number): void => {
    pen.moveTo(from, y(mv));
    pen.lineTo(to, y(mv));
  };
  const last = Math.max(...found.levels.map(({ readS }) => readS), found.jS);
  stroke(pen, ink.evidence, 1, () => line(found.baseMv, x(found.onS) - 2 * mm, x(last) + 5 * mm));
  for (const { evidence: e, readS, levelMv, thresholdMv } of found.levels) {
    const atJ = waveOf(e.quantity) === "st";
    const [left, right] = atJ
      ? [x(found.jS) - 2 * mm, x(readS) + 5 * mm]
      : [x(readS) - 3 * mm, x(readS) + 3 * mm];
    if (atJ)
      stroke(pen, ink.evidence, 1, () => {
        pen.moveTo(x(found.jS), y(found.baseMv) + mm);
        pen.lineTo(x(found.jS), y(levelMv) - Math.sign(e.value) * mm);
      });
    pen.setLineDash([3, 2]);
    stroke(pen, ink.evidence, 1, () => line(thresholdMv, left, right));
    pen.setLineDash([]);
    pen.globalAlpha = LEVEL_ALPHA;
    stroke(pen, ink.evidence, LEVEL_PX, () =>
      line(levelMv, x(readS) - (atJ ? 0.5 : 1.5) * mm, x(readS) + (atJ ? 3 : 1.5) * mm),
    );
    pen.globalAlpha = 1;
  }
}

interface Trace {
  runs: Run[];
  x: number;
  zero: number;
}

/** Null where the lead was not recorded. */
function traceOf(wave: Waveform, strip: Strip, scale: Scale): Trace | null {
  const samples = leadSamples(wave, strip.lead);
  if (!samples) return null;
  // The zero of an ECG strip is arbitrary: its middle level hangs on the row's line, the trace itself is as recorded.
  const level = levelOf(samples, wave.rateHz, strip.fromS, strip.toS)?.median ?? 0;
  return {
    runs: columns(samples, wave.rateHz, strip.fromS, strip.toS, scale.pxPerS),
    x: strip.xMm * scale.pxPerMm,
    zero: strip.baseMm * scale.pxPerMm + level * scale.pxPerMv,
  };
}

const LEVEL_PX = 6;
const LEVEL_ALPHA = 0.45;
const NAME_PX = 13;
const EVIDENCE_PX = 12;

/** The lead's name and its evidence at the upper edge, in the first place that the trace leaves free for both, or for the name. */
function nameStrip(
  pen: CanvasRenderingContext2D,
  strip: Strip,
  trace: Trace | null,
  scale: Scale,
  ink: Ink,
  notes: Notes,
): void {
  const mm = scale.pxPerMm;
  const [x, top, height] = [strip.xMm * mm, strip.topMm * mm, strip.heightMm * mm];
  const width = (strip.toS - strip.fromS) * scale.pxPerS;
  if (notes.unusable.has(strip.lead)) hatch(pen, x, top, width, height, ink);
  const label = `${strip.lead}${trace ? "" : ` ${notes.missingWord}`}`;
  const named = notes.unusable.has(strip.lead) ? `${label} ${notes.unusableWord}` : label;
  const evidence = notes.evidence.get(strip.lead);
  const nameWide = 6 + widthOf(pen, named, NAME_PX);
  const wide = nameWide + (evidence ? 5 + widthOf(pen, evidence, EVIDENCE_PX) : 0);
  const y = top + NAME_PX + 1;
  const place = (px: number): number | null =>
    trace && placeName(trace.runs, (trace.zero - y - 3) / scale.pxPerMv, px, width);
  const free = x + (place(wide) ?? place(nameWide) ?? 0);
  const end = text(pen, named, free + 3, y, NAME_PX, ink.label, ink.paper);
  if (evidence) text(pen, evidence, end + 5, y, EVIDENCE_PX, ink.evidence, ink.paper);
}

/** A 1 mV pulse of 5 mm: what proves the scale on any screen. */
export function calibration(
  pen: CanvasRenderingContext2D,
  x: number,
  base: number,
  scale: Scale,
  ink: Ink,
): void {
  const high = base - CAL_MV * MM_PER_MV * scale.pxPerMm;
  const width = CAL_MM * scale.pxPerMm;
  stroke(pen, ink.trace, 1.25, () => {
    pen.moveTo(x, base);
    pen.lineTo(x + width * 0.15, base);
    pen.lineTo(x + width * 0.15, high);
    pen.lineTo(x + width * 0.85, high);
    pen.lineTo(x + width * 0.85, base);
    pen.lineTo(x + width, base);
  });
}

export function stroke(pen: CanvasRenderingContext2D, colour: string, width: number, path: () => void): void {
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.lineJoin = "round";
  pen.beginPath();
  path();
  pen.stroke();
}

export function widthOf(pen: CanvasRenderingContext2D, said: string, sizePx: number): number {
  pen.font = `600 ${sizePx}px ${FONT}`;
  return pen.measureText(said).width;
}

/** Text on a scrap of paper over the grid; to be drawn before the traces. Returns where it ends. */
export function text(
  pen: CanvasRenderingContext2D,
  said: string,
  x: number,
  y: number,
  sizePx: number,
  colour: string,
  behind: string,
): number {
  const width = widthOf(pen, said, sizePx);
  pen.globalAlpha = 0.8;
  pen.fillStyle = behind;
  pen.fillRect(x - 1, y - sizePx + 1, width + 2, sizePx + 2);
  pen.globalAlpha = 1;
  pen.fillStyle = colour;
  pen.fillText(said, x, y);
  return x + width;
}

export function hatch(
  pen: CanvasRenderingContext2D,
  x: number,
  y: number,
  w: number,
  h: number,
  ink: Ink,
): void {
  pen.save();
  pen.beginPath();
  pen.rect(x, y, w, h);
  pen.clip();
  stroke(pen, ink.hatch, 1, () => {
    for (let at = -h; at < w; at += 9) {
      pen.moveTo(x + at, y + h);
      pen.lineTo(x + at + h, y);
    }
  });
  pen.restore();
}
