/** The median beat of a lead, for showing what the evidence was measured on. Pure. */
import type { Beat } from "../wire";

export interface MedianBeat {
  /** Millivolts, its first sample at `fromS` before or after the R wave. */
  samples: Float32Array;
  fromS: number;
  beats: number;
}

const BEFORE_S = 0.3;
const AFTER_S = 0.5;

/** Sample by sample the median over all whole beats: a few odd beats do not move it. Null without a beat. */
export function medianBeat(samples: Float32Array, rateHz: number, rS: readonly number[]): MedianBeat | null {
  const before = Math.round(BEFORE_S * rateHz);
  const length = before + Math.round(AFTER_S * rateHz);
  const starts = rS
    .map((r) => Math.round(r * rateHz) - before)
    .filter((start) => start >= 0 && start + length <= samples.length);
  if (starts.length === 0) return null;
  const out = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    out[i] = median(starts.map((start) => samples[start + i] as number).filter((v) => !Number.isNaN(v)));
  }
  return { samples: out, fromS: -before / rateHz, beats: starts.length };
}

/** NaN of nothing. */
export function median(values: number[]): number {
  if (values.length === 0) return Number.NaN;
  values.sort((a, b) => a - b);
  const middle = values.length >> 1;
  const upper = values[middle] as number;
  return values.length % 2 === 1 ? upper : ((values[middle - 1] as number) + upper) / 2;
}

export interface BeatMarks {
  onS: number;
  jS: number;
}

/** Onset and J of the median beat, relative to R: the medians over the beats where they were found. */
export function beatMarks(rS: readonly number[], beats: readonly Beat[]): BeatMarks | null {
  const on: number[] = [];
  const off: number[] = [];
  for (const beat of beats) {
    const { qrs_on_s, qrs_off_s } = beat;
    if (qrs_on_s === null || qrs_off_s === null) continue;
    const r = rS.find((at) => at >= qrs_on_s && at <= qrs_off_s);
    if (r === undefined) continue;
    on.push(qrs_on_s - r);
    off.push(qrs_off_s - r);
  }
  if (on.length === 0) return null;
  return { onS: median(on), jS: median(off) };
}

const BASELINE_S = 0.02;

/** The level just before the QRS, from which ST is measured. */
export function baseline(beat: MedianBeat, rateHz: number, onS: number): number {
  const end = Math.max(1, Math.round((onS - beat.fromS) * rateHz));
  const start = Math.max(0, end - Math.max(1, Math.round(BASELINE_S * rateHz)));
  return median(Array.from(beat.samples.subarray(start, end)).filter((v) => !Number.isNaN(v)));
}
