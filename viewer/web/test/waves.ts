/** Recordings that the facts about paper are told of. */
import type { Waveform } from "../src/paper/waveform";

export const TWELVE = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"];

/** A pulse of 1 mV on each lead, from `onS` to `offS`. */
export function pulse(rateHz: number, durationS: number, onS: number, offS: number): Waveform {
  const samples = new Float32Array(Math.round(rateHz * durationS));
  samples.fill(1, Math.round(onS * rateHz), Math.round(offS * rateHz));
  return { leads: TWELVE, rateHz, durationS, samples: TWELVE.map(() => samples) };
}

/** Of twelve equal leads one is enough. */
export const one = (wave: Waveform): Waveform => ({
  ...wave,
  leads: ["II"],
  samples: wave.samples.slice(0, 1),
});
