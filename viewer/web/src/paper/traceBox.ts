/** Where traces stand on the page, for pointers and measures: the same for strips and for median beats. Pure. */
import { levelAt, type Stretch } from "./calipers";
import type { MedianScene } from "./drawMedian";
import type { Scene } from "./scene";

/** One trace in pixels of the page. */
export interface TraceBox extends Stretch {
  x: number;
  top: number;
  width: number;
  height: number;
  /** Where 0 mV lies. */
  zeroPx: number;
  pxPerS: number;
  pxPerMv: number;
  samples: Float32Array;
  rateHz: number;
}

export function boxesOfSheet({ placed, scale, ratio }: Scene): TraceBox[] {
  return placed.flatMap((one) => {
    if (!one.samples) return [];
    return {
      kind: "strip" as const,
      lead: one.strip.lead,
      fromS: one.strip.fromS,
      toS: one.strip.toS,
      x: one.xPx / ratio,
      top: one.topPx / ratio,
      width: one.widthPx / ratio,
      height: one.heightPx / ratio,
      zeroPx: one.zeroPx / ratio,
      pxPerS: scale.pxPerS / ratio,
      pxPerMv: scale.pxPerMv / ratio,
      samples: one.samples,
      rateHz: one.rateHz,
    };
  });
}

export function boxesOfMedian({ cells, scale, ratio }: MedianScene, rateHz: number): TraceBox[] {
  return cells.flatMap((cell) => {
    if (!cell.beat) return [];
    return {
      kind: "beat" as const,
      lead: cell.lead,
      fromS: 0,
      toS: cell.width / scale.pxPerS,
      x: cell.x / ratio,
      top: cell.y / ratio,
      width: cell.width / ratio,
      height: cell.height / ratio,
      zeroPx: (cell.zeroPx + cell.baseMv * scale.pxPerMv) / ratio,
      pxPerS: scale.pxPerS / ratio,
      pxPerMv: scale.pxPerMv / ratio,
      samples: cell.beat.samples,
      rateHz,
    };
  });
}

/** The trace under a point; the nearest where it is beside all of them, null where there is none. */
export function boxAt(boxes: readonly TraceBox[], x: number, y: number): TraceBox | null {
  let best: TraceBox | null = null;
  let nearest = Number.POSITIVE_INFINITY;
  for (const box of boxes) {
    const away =
      Math.max(box.x - x, 0, x - box.x - box.width) + Math.max(box.top - y, 0, y - box.top - box.height);
    if (away < nearest) [best, nearest] = [box, away];
  }
  return best;
}

export const stretchOf = ({ kind, lead, fromS, toS }: TraceBox): Stretch => ({ kind, lead, fromS, toS });

export const xOf = (box: TraceBox, s: number): number => box.x + (s - box.fromS) * box.pxPerS;
export const yOf = (box: TraceBox, mv: number): number => box.zeroPx - mv * box.pxPerMv;

/** Seconds and millivolts of a point; never outside the strip in time. */
export function pointAt(box: TraceBox, x: number, y: number): { s: number; mv: number } {
  const s = box.fromS + (x - box.x) / box.pxPerS;
  return { s: Math.min(box.toS, Math.max(box.fromS, s)), mv: (box.zeroPx - y) / box.pxPerMv };
}

/** A point on the trace itself; on the strip's row where no sample is there. */
export function pointOn(box: TraceBox, s: number): { s: number; mv: number } {
  const row = (box.zeroPx - box.top - box.height / 2) / box.pxPerMv;
  return { s, mv: levelAt(box.samples, box.rateHz, s) ?? row };
}
