/** Leads as they would have been with two electrodes exchanged back, from the samples on the screen. Pure. */
import type { Waveform } from "./waveform";

export type Swap = readonly [string, string];

const LIMBS = ["RA", "LA", "LL"];
/** Derived from other electrodes, or recorded with ones of their own. */
const VECTOR = ["X", "Y", "Z"];
/** Each limb lead as a sum of the potentials of RA, LA and LL. */
const LIMB_FORM: Record<string, readonly [ra: number, la: number, ll: number]> = {
  I: [-1, 1, 0],
  II: [-1, 0, 1],
  III: [0, -1, 1],
  aVR: [1, -0.5, -0.5],
  aVL: [-0.5, 1, -0.5],
  aVF: [-0.5, -0.5, 1],
};

/** A lead as factors of leads that were recorded. */
type Sum = readonly (readonly [lead: string, factor: number])[];

/**
 * The recording with the two electrodes where they belong; null where it cannot be told: the right leg gives no lead,
 * and a lead that is needed was not recorded. A missing sample is missing in each lead that needs it, and in no other.
 *
 * The same algebra as the service's: the potential of RA is taken for 0, so that LA is I and LL is II, and a chest
 * electrode is its lead plus Wilson's terminal.
 */
export function exchanged(wave: Waveform, swap: Swap): Waveform | null {
  const sums = wave.leads.map((lead) => sumOf(lead, swap, wave.leads));
  if (sums.some((sum) => sum === null)) return null;
  return { ...wave, samples: (sums as Sum[]).map((sum) => mixed(wave, sum)) };
}

function sumOf(lead: string, swap: Swap, leads: readonly string[]): Sum | null {
  if (VECTOR.includes(lead)) return [[lead, 1]];
  const isChest = (electrode: string): boolean => leads.includes(electrode) && !(electrode in LIMB_FORM);
  if (!swap.every((electrode) => LIMBS.includes(electrode) || isChest(electrode))) return null;
  const wanted = potentials(lead);
  const moved = new Map<string, number>();
  for (const [electrode, factor] of wanted) {
    const at = electrode === swap[0] ? swap[1] : electrode === swap[1] ? swap[0] : electrode;
    moved.set(at, (moved.get(at) ?? 0) + factor);
  }
  // A lead under another name, or upside down, needs no other lead.
  for (const other of [lead, ...leads])
    for (const sign of [1, -1]) if (equal(moved, potentials(other), sign)) return [[other, sign]];
  // Chest electrodes are leads plus Wilson's terminal; what is left are limb potentials, with that of RA as 0.
  const sum: [string, number][] = [];
  let [la, ll] = [0, 0];
  for (const [electrode, factor] of moved) {
    if (electrode === "LA") la += factor;
    else if (electrode === "LL") ll += factor;
    else if (electrode !== "RA") {
      sum.push([electrode, factor]);
      la += factor / 3;
      ll += factor / 3;
    }
  }
  if (!leads.includes("I") || !leads.includes("II")) return null;
  sum.push(["I", la], ["II", ll]);
  return sum.filter(([, factor]) => Math.abs(factor) > TINY);
}

const TINY = 1e-9;

/** A lead as a sum of potentials of electrodes. */
function potentials(lead: string): Map<string, number> {
  const form = LIMB_FORM[lead] ?? [-1 / 3, -1 / 3, -1 / 3];
  const sum = new Map(LIMBS.map((name, i) => [name, form[i] as number] as [string, number]));
  if (!(lead in LIMB_FORM)) sum.set(lead, 1);
  return sum;
}

function equal(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>, sign: number): boolean {
  const names = new Set([...a.keys(), ...b.keys()]);
  return [...names].every((name) => Math.abs((a.get(name) ?? 0) - sign * (b.get(name) ?? 0)) < TINY);
}

function mixed(wave: Waveform, sum: Sum): Float32Array {
  const out = new Float32Array(wave.samples[0]?.length ?? 0);
  for (const [lead, factor] of sum) {
    const samples = wave.samples[wave.leads.indexOf(lead)] as Float32Array;
    for (let i = 0; i < out.length; i++) out[i] = (out[i] as number) + factor * (samples[i] as number);
  }
  return out;
}
