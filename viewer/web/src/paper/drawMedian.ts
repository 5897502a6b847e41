/** The median-beat panel: one small paper a lead, and on it what the evidence was measured on. */
import type { Evidence } from "../wire";
import { grid, hatch, type Ink, type Notes, prepare, stroke, text } from "./draw";
import { afterJ, type BeatMarks, baseline, type MedianBeat, medianBeat, stEvidence } from "./median";
import { MM_PER_S, type Scale, scaleOf } from "./scale";
import { columns, tracePath } from "./trace";
import { leadSamples, type Waveform } from "./waveform";

const TILE_S = 0.8;
const TILE_W_MM = TILE_S * MM_PER_S;
const TILE_H_MM = 28;
const BASE_SHARE = 0.6;
const GAP_PX = 1;

export interface Panel {
  perRow: number;
  widthPx: number;
  heightPx: number;
  pxPerMm: number;
}

export function panelSize(leads: number, roomPx: number, pxPerMm: number): Panel {
  const tile = TILE_W_MM * pxPerMm + GAP_PX;
  const perRow = Math.max(1, Math.min(6, Math.floor(roomPx / tile)));
  const rows = Math.ceil(leads / perRow);
  return { perRow, pxPerMm, widthPx: perRow * tile, heightPx: rows * (TILE_H_MM * pxPerMm + GAP_PX) };
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
    if (beat) drawBeat(pen, beat, wave.rateHz, marks, stEvidence(evidence, lead), scale, ink, notes, w, h);
    text(
      pen,
      notes.unusable.has(lead) ? `${lead} ${notes.unusableWord}` : lead,
      3,
      14,
      13,
      ink.label,
      ink.paper,
    );
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
  notes: EvidenceText,
  w: number,
  h: number,
): void {
  // The beat hangs on its own baseline, so that equal levels look equal in every lead.
  const zero = marks ? baseline(beat, rateHz, marks.onS) : 0;
  const basePx = h * BASE_SHARE + (Number.isNaN(zero) ? 0 : zero) * scale.pxPerMv;
  stroke(pen, ink.trace, 1.4, () => {
    tracePath(pen, columns(beat.samples, rateHz, 0, TILE_S, scale.pxPerS), 0, basePx, scale.pxPerMv);
  });
  if (!found || !marks) return;
  const xJ = (marks.jS + afterJ(found.quantity) - beat.fromS) * scale.pxPerS;
  const y = (mv: number): number => h * BASE_SHARE - mv * scale.pxPerMv;
  stroke(pen, ink.evidence, 1, () => horizontal(pen, y(0), 0, w));
  dashed(pen, ink.evidence, () => horizontal(pen, y(found.threshold), 0, w));
  stroke(pen, ink.evidence, 1, () => {
    pen.moveTo(xJ, 18);
    pen.lineTo(xJ, h);
  });
  stroke(pen, ink.evidence, 3, () => horizontal(pen, y(found.value), xJ - 6, xJ + 14));
  text(pen, notes.label(found), 3, h - 5, 11, ink.evidence, ink.paper);
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
