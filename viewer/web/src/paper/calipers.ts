/** Calipers: what lies between two points of one strip, and where its interval falls when it is marched out. Pure. */

/** A point of a strip: seconds of the recording and millivolts of its lead. */
export interface Point {
  s: number;
  mv: number;
}

/** A stretch of a recording, or of its median beat, that a trace on the paper shows. */
export interface Stretch {
  kind: "strip" | "beat";
  lead: string;
  fromS: number;
  toS: number;
}

/** Lead and times stay what they are at every zoom, speed and gain. */
export interface Caliper {
  id: number;
  /** The trace that it was put on. */
  on: Stretch;
  from: Point;
  to: Point;
  marching: boolean;
}

export interface Measure {
  ms: number;
  mv: number;
  /** Null where the interval is 0. */
  perMin: number | null;
}

/** The interval is a length; the difference of levels has the sign of the later point against the earlier one. */
export function measure({ from, to }: Pick<Caliper, "from" | "to">): Measure {
  const s = to.s - from.s;
  const ms = Math.abs(s) * 1000;
  return { ms, mv: s < 0 ? from.mv - to.mv : to.mv - from.mv, perMin: ms === 0 ? null : 60_000 / ms };
}

/** Below this the marks would be a grey wall. */
const LEAST_MARCH_S = 0.04;

/** Every place in the strip where the interval falls again, to both sides, without its own two ends. */
export function marched(caliper: Pick<Caliper, "from" | "to">, fromS: number, toS: number): number[] {
  const [a, b] = [Math.min(caliper.from.s, caliper.to.s), Math.max(caliper.from.s, caliper.to.s)];
  const step = b - a;
  if (step < LEAST_MARCH_S) return [];
  const marks: number[] = [];
  for (let n = Math.ceil((fromS - a) / step); a + n * step <= toS; n++)
    if (n !== 0 && n !== 1) marks.push(a + n * step);
  return marks;
}

/** Rounding must not push a point off the end of its strip. */
const SLACK_S = 1e-6;

/** The trace that shows both ends: the one it was put on, else another of the same lead; undefined where none does now. */
export function traceFor<T extends Stretch>(caliper: Caliper, traces: readonly T[]): T | undefined {
  const { on } = caliper;
  const [a, b] = [Math.min(caliper.from.s, caliper.to.s), Math.max(caliper.from.s, caliper.to.s)];
  const fits = traces.filter(
    ({ kind, lead, fromS, toS }) =>
      kind === on.kind && lead === on.lead && a >= fromS - SLACK_S && b <= toS + SLACK_S,
  );
  return fits.find(({ fromS, toS }) => fromS === on.fromS && toS === on.toS) ?? fits[0];
}

export type End = "from" | "to";

/** What the keyboard holds: one end of one caliper. */
export interface Held {
  id: number;
  end: End;
}

/** Moved by so much, within the strip. */
export function moved(
  caliper: Caliper,
  end: End,
  byS: number,
  byMv: number,
  fromS: number,
  toS: number,
): Caliper {
  const { s, mv } = caliper[end];
  return { ...caliper, [end]: { s: Math.min(toS, Math.max(fromS, s + byS)), mv: mv + byMv } };
}

/** The level of the trace at an instant, between its two samples; null where one is missing or it was not recorded. */
export function levelAt(samples: Float32Array, rateHz: number, s: number): number | null {
  const at = s * rateHz;
  const before = Math.floor(at);
  const [low, high] = [samples[before], samples[Math.min(samples.length - 1, before + 1)]];
  if (low === undefined || high === undefined || Number.isNaN(low) || Number.isNaN(high)) return null;
  return low + (high - low) * (at - before);
}
