/** The median-beat panel: one small paper a lead, and on it what the evidence was measured on. */
import type { Evidence } from "../wire";
import { grid, hatch, type Ink, type Notes, prepare, stroke, text } from "./draw";
import { type BeatMarks, baseline, type MedianBeat, medianBeat } from "./median";
import { MM_PER_MV, MM_PER_S, type Scale, scaleOf } from "./scale";
import { columns, fitBase, levelOf, tracePath } from "./trace";
import { leadSamples, type Waveform } from "./waveform";
import { readAt, waveOf } from "./waves";

const TILE_S = 0.8;
const TILE_W_MM = TILE_S * MM_PER_S;
const TILE_H_MM = 32;
const BASE_MM = 19;
const GAP_PX = 1;
/** Below this a tile could not hold "V3 J+60 −0.12 ≤ −0.05 mV". */
const LEAST_TILE_PX = 156;
const ROWS_OF = [6, 4, 3, 2, 1] as const;
const MOST_PX_PER_MM = 8.4;

export interface Panel {
  perRow: number;
  widthPx: number;
  heightPx: number;
  pxPerMm: number;
}

/** As many in a row as can be read; the tile fills its share of the room. */
export function panelSize(leads: number, roomPx: number): Panel {
  const perRow = ROWS_OF.find((n) => roomPx / n >= LEAST_TILE_PX) ?? 1;
  const pxPerMm = Math.min(MOST_PX_PER_MM, (roomPx / perRow - GAP_PX) / TILE_W_MM);
  const rows = Math.ceil(leads / perRow);
  return {
    perRow,
    pxPerMm,
    widthPx: perRow * (TILE_W_MM * pxPerMm + GAP_PX),
    heightPx: rows * (TILE_H_MM * pxPerMm + GAP_PX),
  };
}

const LABEL_PX = 11;
const LABELS = 3;

export interface EvidenceText {
  label(evidence: Evidence): string;
}

/** Returns how many leads could be drawn. */
export function drawMedian(
  canvas: HTMLCanvasElement,
  wave: Waveform,
  rS: readonly number[],
  marks: BeatMarks | null,
  panel: Panel,
  ink: Ink,
  notes: Notes & EvidenceText,
): number {
  const pen = prepare(canvas, panel.widthPx, panel.heightPx);
  pen.fillStyle = ink.paper;
  pen.fillRect(0, 0, panel.widthPx, panel.heightPx);
  const scale = scaleOf(panel.pxPerMm);
  let drawn = 0;
  wave.leads.forEach((lead, index) => {
    const samples = leadSamples(wave, lead);
    const beat = samples && medianBeat(samples, wave.rateHz, rS);
    const [w, h] = [TILE_W_MM * scale.pxPerMm, TILE_H_MM * scale.pxPerMm];
    pen.save();
    pen.translate((index % panel.perRow) * (w + GAP_PX), Math.floor(index / panel.perRow) * (h + GAP_PX));
    pen.beginPath();
    pen.rect(0, 0, w, h);
    pen.clip();
    grid(pen, w, h, scale, ink);
    if (notes.unusable.has(lead)) hatch(pen, 0, 0, w, h, ink);
    const name = notes.unusable.has(lead) ? `${lead} ${notes.unusableWord}` : lead;
    const found = notes.unusable.has(lead) ? [] : (notes.levels.get(lead) ?? []);
    const end = text(pen, name, 3, 14, 13, ink.label, ink.paper);
    found.slice(0, LABELS).forEach((e, line) => {
      text(pen, notes.label(e), end + 5, 13 + line * (LABEL_PX + 3), LABEL_PX, ink.evidence, ink.paper);
    });
    if (beat) drawBeat(pen, beat, wave.rateHz, marks, found, scale, ink, w, h);
    pen.restore();
    if (beat) drawn += 1;
  });
  return drawn;
}

function drawBeat(
  pen: CanvasRenderingContext2D,
  beat: MedianBeat,
  rateHz: number,
  marks: BeatMarks | null,
  found: readonly Evidence[],
  scale: Scale,
  ink: Ink,
  w: number,
  h: number,
): void {
  // Levels are seen from the beat's own baseline; a tall wave moves the whole beat within its tile.
  const measured = marks ? baseline(beat, rateHz, marks.onS) : 0;
  const zero = Number.isNaN(measured) ? 0 : measured;
  const level = levelOf(beat.samples, rateHz, 0, TILE_S) ?? { min: 0, max: 0 };
  const zeroPx = fitBase(level.min - zero, level.max - zero, TILE_H_MM, BASE_MM, MM_PER_MV) * scale.pxPerMm;
  stroke(pen, ink.trace, 1.4, () => {
    const runs = columns(beat.samples, rateHz, 0, TILE_S, scale.pxPerS);
    tracePath(pen, runs, 0, zeroPx + zero * scale.pxPerMv, scale.pxPerMv);
  });
  if (found.length === 0 || !marks) return;
  const [onS, jS] = [marks.onS - beat.fromS, marks.jS - beat.fromS];
  const y = (mv: number): number => zeroPx - mv * scale.pxPerMv;
  stroke(pen, ink.evidence, 1, () => horizontal(pen, y(0), 0, w));
  for (const e of found) {
    const at = readAt(e, beat.samples, rateHz, { onS, jS, baseMv: zero, endS: TILE_S });
    if (at === null) continue;
    const x = at * scale.pxPerS;
    const mm = scale.pxPerMm;
    const st = waveOf(e.quantity) === "st";
    dashed(pen, ink.evidence, () =>
      horizontal(pen, y(e.threshold), st ? 0 : x - 3 * mm, st ? w : x + 3 * mm),
    );
    if (st)
      stroke(pen, ink.evidence, 1, () => {
        pen.moveTo(x, 18);
        pen.lineTo(x, h);
      });
    stroke(pen, ink.evidence, 3, () => horizontal(pen, y(e.value), x - (st ? 6 : 10), x + (st ? 14 : 10)));
  }
}

function horizontal(pen: CanvasRenderingContext2D, y: number, from: number, to: number): void {
  pen.moveTo(from, y);
  pen.lineTo(to, y);
}

function dashed(pen: CanvasRenderingContext2D, colour: string, path: () => void): void {
  pen.setLineDash([4, 3]);
  stroke(pen, colour, 1, path);
  pen.setLineDash([]);
}
