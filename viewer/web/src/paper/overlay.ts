/** Where the evidence of one strip stands on the paper: on its first whole beat, as it was measured. Pure. */
import type { Beat, Evidence } from "../wire";
import type { Strip } from "./layout";
import { readAt, waveOf } from "./waves";

export interface BeatOnStrip {
  onS: number;
  jS: number;
  /** Where its T has ended. */
  endS: number;
}

/** Not under the lead's name, and with room for what is read 80 ms after J. */
const AFTER_EDGE_S = 0.15;
const BEFORE_EDGE_S = 0.2;
/** The end of T where it was not found. */
const T_END_S = 0.36;
/** The level just before the QRS is what ST is measured from. */
const BASELINE_S = 0.016;

/** The first beat that lies in the strip with its ST segment, and with its T where that is drawn; null where there is none. */
export function firstWholeBeat(
  strip: Pick<Strip, "fromS" | "toS">,
  beats: readonly Beat[],
  withT = false,
): BeatOnStrip | null {
  for (const { qrs_on_s: on, qrs_off_s: off, t_off_s: end } of beats) {
    if (on === null || off === null) continue;
    const endS = end ?? off + T_END_S;
    const room = withT ? Math.max(endS, off + BEFORE_EDGE_S) : off + BEFORE_EDGE_S;
    if (on > strip.fromS + AFTER_EDGE_S && room < strip.toS) return { onS: on, jS: off, endS };
  }
  return null;
}

/** The level from which the beat's ST is seen, in millivolts; null where a sample is missing. */
export function beatBaseline(samples: Float32Array, rateHz: number, onS: number): number | null {
  const end = Math.floor(onS * rateHz) + 1;
  const part = samples.subarray(Math.max(0, Math.ceil((onS - BASELINE_S) * rateHz)), end);
  if (part.length === 0 || part.some(Number.isNaN)) return null;
  return part.reduce((sum, value) => sum + value, 0) / part.length;
}

/** One level over the trace, in seconds of the record and millivolts of the lead, as the trace itself. */
export interface Level {
  evidence: Evidence;
  /** Where it is read: J, some time after it, or where the wave stands. */
  readS: number;
  levelMv: number;
  thresholdMv: number;
}

export interface Overlay extends BeatOnStrip {
  baseMv: number;
  levels: Level[];
}

export function overlayOf(
  strip: Pick<Strip, "fromS" | "toS">,
  samples: Float32Array,
  rateHz: number,
  beats: readonly Beat[],
  evidence: readonly Evidence[],
): Overlay | null {
  const beat = firstWholeBeat(
    strip,
    beats,
    evidence.some((e) => waveOf(e.quantity) === "t"),
  );
  const baseMv = beat && beatBaseline(samples, rateHz, beat.onS);
  if (!beat || baseMv === null) return null;
  const levels = evidence.flatMap((e) => {
    const readS = readAt(e, samples, rateHz, { ...beat, baseMv });
    if (readS === null) return [];
    return [{ evidence: e, readS, levelMv: baseMv + e.value, thresholdMv: baseMv + e.threshold }];
  });
  return levels.length === 0 ? null : { ...beat, baseMv, levels };
}
