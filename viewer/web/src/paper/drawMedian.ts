/** The median-beat panel: one small paper a lead, and on it what the evidence was measured on. */
import type { Evidence } from "../wire";
import { grid, hatch, type Ink, type Notes, prepare, stroke, text } from "./draw";
import { afterJ, type BeatMarks, baseline, type MedianBeat, medianBeat, stEvidence } from "./median";
import { MM_PER_MV, MM_PER_S, type Scale, scaleOf } from "./scale";
import { columns, fitBase, levelOf, tracePath } from "./trace";
import { leadSamples, type Waveform } from "./waveform";

const TILE_S = 0.8;
const TILE_W_MM = TILE_S * MM_PER_S;
const TILE_H_MM = 32;
const BASE_MM = 19;
const GAP_PX = 1;
/** Below this a tile could not hold "V3 J +0.51 mV (限 0.20)". */
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

export interface EvidenceText {
  label(evidence: Evidence): string;
}

/** Returns how many leads could be drawn. */
export function drawMedian(
  canvas: HTMLCanvasElement,
  wave: Waveform,
  rS: readonly number[],
  marks: BeatMarks | null,
  evidence: readonly Evidence[],
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
    const found = stEvidence(evidence, lead);
    const name = notes.unusable.has(lead) ? `${lead} ${notes.unusableWord}` : lead;
    if (found) text(pen, notes.label(found), 3, 13, 11, ink.evidence, ink.paper);
    else text(pen, name, 3, 14, 13, ink.label, ink.paper);
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
  found: Evidence | null,
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
  if (!found || !marks) return;
  const xJ = (marks.jS + afterJ(found.quantity) - beat.fromS) * scale.pxPerS;
  const y = (mv: number): number => zeroPx - mv * scale.pxPerMv;
  stroke(pen, ink.evidence, 1, () => horizontal(pen, y(0), 0, w));
  dashed(pen, ink.evidence, () => horizontal(pen, y(found.threshold), 0, w));
  stroke(pen, ink.evidence, 1, () => {
    pen.moveTo(xJ, 18);
    pen.lineTo(xJ, h);
  });
  stroke(pen, ink.evidence, 3, () => horizontal(pen, y(found.value), xJ - 6, xJ + 14));
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
