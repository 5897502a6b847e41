/** Thumbnails: one or two leads, small, in the same true proportion. */
import { grid, type Ink, prepare, stroke, text } from "./draw";
import { median } from "./median";
import { scaleOf } from "./scale";
import { columns, tracePath } from "./trace";
import { leadSamples, type Waveform } from "./waveform";

export const THUMB_PX_PER_MM = 2;
const LEAD_S = 2;
const HEIGHT_MM = 26;
const GAP_PX = 2;
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
    grid(pen, one, heightPx, scale, ink);
    if (samples) {
      const fromS = samples.length / wave.rateHz > SKIP_S + LEAD_S ? SKIP_S : 0;
      const part = samples.subarray(
        Math.round(fromS * wave.rateHz),
        Math.round((fromS + LEAD_S) * wave.rateHz),
      );
      const level = median(Array.from(part).filter((v) => !Number.isNaN(v)));
      const base = heightPx * 0.6 + (Number.isNaN(level) ? 0 : level) * scale.pxPerMv;
      stroke(pen, ink.trace, 1.1, () => {
        tracePath(
          pen,
          columns(samples, wave.rateHz, fromS, fromS + LEAD_S, scale.pxPerS),
          0,
          base,
          scale.pxPerMv,
        );
      });
    }
    text(pen, lead, 2, 11, 11, ink.label, ink.paper);
    pen.restore();
  });
}
