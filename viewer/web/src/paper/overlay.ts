/** Where the evidence of one strip stands on the paper: on its first whole beat, as it was measured. Pure. */
import type { Beat, Evidence } from "../wire";
import type { Strip } from "./layout";
import { afterJ } from "./median";

export interface BeatOnStrip {
  onS: number;
  jS: number;
}

/** Not under the lead's name, and with room for what is read 80 ms after J. */
const AFTER_EDGE_S = 0.15;
const BEFORE_EDGE_S = 0.2;
/** The level just before the QRS is what ST is measured from. */
const BASELINE_S = 0.016;

/** The first beat that lies in the strip with its ST segment; null where there is none. */
export function firstWholeBeat(
  strip: Pick<Strip, "fromS" | "toS">,
  beats: readonly Beat[],
): BeatOnStrip | null {
  for (const { qrs_on_s: on, qrs_off_s: off } of beats) {
    if (on === null || off === null) continue;
    if (on > strip.fromS + AFTER_EDGE_S && off + BEFORE_EDGE_S < strip.toS) return { onS: on, jS: off };
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

/** In seconds of the record and millivolts of the lead, as the trace itself. */
export interface Overlay {
  onS: number;
  jS: number;
  /** Where the level is read: J, or some time after it. */
  readS: number;
  baseMv: number;
  levelMv: number;
  thresholdMv: number;
}

export function overlayOf(
  strip: Pick<Strip, "fromS" | "toS">,
  samples: Float32Array,
  rateHz: number,
  beats: readonly Beat[],
  evidence: Evidence,
): Overlay | null {
  const beat = firstWholeBeat(strip, beats);
  const baseMv = beat && beatBaseline(samples, rateHz, beat.onS);
  if (!beat || baseMv === null) return null;
  return {
    ...beat,
    readS: beat.jS + afterJ(evidence.quantity),
    baseMv,
    levelMv: baseMv + evidence.value,
    thresholdMv: baseMv + evidence.threshold,
  };
}
