/** Thumbnails: one or two leads, small, in the same true proportion. */
import { grid, type Ink, prepare, stroke, text, widthOf } from "./ink";
import { MM_PER_MV, scaleOf } from "./scale";
import { columns, fitBase, levelOf, placeName, tracePath } from "./trace";
import { leadSamples, type Waveform } from "./waveform";

export const THUMB_PX_PER_MM = 2;
const LEAD_S = 2;
const HEIGHT_MM = 24;
const BASE_MM = 15;
const GAP_PX = 2;
const NAME_PX = 11;
/** The first moments of a record often hold the filter's settling. */
const SKIP_S = 1;

export function thumbSize(leads: number): { widthPx: number; heightPx: number } {
  const one = scaleOf(THUMB_PX_PER_MM).pxPerS * LEAD_S;
  return { widthPx: leads * one + (leads - 1) * GAP_PX, heightPx: HEIGHT_MM * THUMB_PX_PER_MM };
}

export function drawThumb(
  canvas: HTMLCanvasElement,
  wave: Waveform,
  leads: readonly string[],
  ink: Ink,
): void {
  const scale = scaleOf(THUMB_PX_PER_MM);
  const { widthPx, heightPx } = thumbSize(leads.length);
  const pen = prepare(canvas, widthPx, heightPx);
  const one = scale.pxPerS * LEAD_S;
  leads.forEach((lead, index) => {
    const samples = leadSamples(wave, lead);
    pen.save();
    pen.translate(index * (one + GAP_PX), 0);
    pen.beginPath();
    pen.rect(0, 0, one, heightPx);
    pen.clip();
    grid(pen, { x: 0, y: 0, width: one, height: heightPx }, scale, ink);
    if (samples) {
      const fromS = samples.length / wave.rateHz > SKIP_S + LEAD_S ? SKIP_S : 0;
      const level = levelOf(samples, wave.rateHz, fromS, fromS + LEAD_S) ?? { min: 0, max: 0, median: 0 };
      const zero = level.median;
      const baseMm = fitBase(level.min - zero, level.max - zero, HEIGHT_MM, BASE_MM, MM_PER_MV);
      const base = baseMm * THUMB_PX_PER_MM + zero * scale.pxPerMv;
      const runs = columns(samples, wave.rateHz, fromS, fromS + LEAD_S, scale.pxPerS);
      const clearMv = (base - NAME_PX - 2) / scale.pxPerMv;
      const free = placeName(runs, clearMv, widthOf(pen, lead, NAME_PX) + 4, one) ?? 0;
      text(pen, lead, free + 2, NAME_PX, NAME_PX, ink.label, ink.paper);
      stroke(pen, ink.trace, 1.1, () => tracePath(pen, runs, 0, base, scale.pxPerMv));
    } else text(pen, lead, 2, NAME_PX, NAME_PX, ink.label, ink.paper);
    pen.restore();
  });
}
