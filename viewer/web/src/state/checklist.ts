/** What a doctor found of the contraindications, and the verdict that was given for exactly that. Pure. */
import type { Reperfusion } from "../wireCare";

/** A verdict with what had been ticked when it was asked for. */
export interface Checked {
  readonly query: string;
  readonly clock: Reperfusion;
}

/** All were asked: those that are present, or none of them. */
export const queryOf = (present: ReadonlySet<string>): string =>
  `?contraindications=${[...present].sort().join(",") || "none"}`;

/** The verdict for what is ticked now; null where it was given for something else, or has not come. */
export const verdictOn = (checked: Checked | null, present: ReadonlySet<string>): Reperfusion | null =>
  checked?.query === queryOf(present) ? checked.clock : null;
