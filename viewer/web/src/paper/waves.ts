/** Which evidence can be drawn on a beat, and where on it the level stands. Pure. */
import type { Evidence } from "../wire";

/** ST is read at J or some time after it; the other waves stand where the beat reaches their level. */
export type Wave = "st" | "t" | "q" | "r" | "s";

const WAVES: Record<string, readonly [wave: Wave, short: string]> = {
  stj_mv: ["st", "J"],
  st40_mv: ["st", "J+40"],
  st60_mv: ["st", "J+60"],
  st80_mv: ["st", "J+80"],
  t_mv: ["t", "T"],
  t_low_mv: ["t", "T↓"],
  t_high_mv: ["t", "T↑"],
  q_mv: ["q", "Q"],
  r_mv: ["r", "R"],
  s_mv: ["s", "S"],
};

export const waveOf = (quantity: string): Wave | null => WAVES[quantity]?.[0] ?? null;

/** The letter that readers call it by: `J`, `J+60`, `T`. */
export const shortName = (quantity: string): string => WAVES[quantity]?.[1] ?? quantity;

/** How long after J a quantity is read: `stj_mv` at once, `st60_mv` after 60 ms. */
export function afterJ(quantity: string): number {
  const ms = /^st(\d+)_mv$/.exec(quantity)?.[1];
  return ms === undefined ? 0 : Number(ms) / 1000;
}

/**
 * What of the evidence is drawn on a lead of this recording: levels of its waves, each measure once, by the finding that
 * comes first; ST before the others. What was measured on another trace is not drawn on this one; `trace` names the one
 * that is on the paper.
 */
export function drawable(
  evidence: readonly Evidence[],
  lead: string,
  trace: string | null = null,
): Evidence[] {
  const found = new Map<string, Evidence>();
  for (const e of evidence) {
    const here = e.lead === lead && (e.trace ?? null) === trace && waveOf(e.quantity) !== null;
    if (here && !found.has(e.quantity)) found.set(e.quantity, e);
  }
  const st = (e: Evidence): number => (waveOf(e.quantity) === "st" ? 0 : 1);
  return [...found.values()].sort((a, b) => st(a) - st(b));
}

/** A beat within samples that begin at 0 s: its borders, the level before it, and where its T ends at the latest. */
export interface DrawnBeat {
  onS: number;
  jS: number;
  baseMv: number;
  endS: number;
}

const T_FROM_J_S = 0.06;

/** When the level of the evidence is reached, in seconds; null where no sample of that wave is there. */
export function readAt(e: Evidence, samples: Float32Array, rateHz: number, beat: DrawnBeat): number | null {
  const wave = waveOf(e.quantity);
  if (wave === null) return null;
  if (wave === "st") return beat.jS + afterJ(e.quantity);
  const [fromS, toS] = wave === "t" ? [beat.jS + T_FROM_J_S, beat.endS] : [beat.onS, beat.jS];
  const first = Math.max(0, Math.ceil(fromS * rateHz));
  const last = Math.min(samples.length - 1, Math.floor(toS * rateHz));
  let best: number | null = null;
  let nearest = Number.POSITIVE_INFINITY;
  for (let i = first; i <= last; i++) {
    const away = Math.abs((samples[i] as number) - beat.baseMv - e.value);
    if (away < nearest) [best, nearest] = [i / rateHz, away];
  }
  return best;
}
