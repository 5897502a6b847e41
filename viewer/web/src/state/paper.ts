/** How a reader likes the paper: kept while the page is open, from one ECG to the next. */
import { signal } from "@preact/signals";
import type { LayoutId } from "../paper/layout";
import { type Pace, STANDARD } from "../paper/scale";

/** Null until somebody has chosen: then what suits the leads and the room. */
export const layoutWanted = signal<LayoutId | null>(null);
export const cabrera = signal(false);
export const pace = signal<Pace>(STANDARD);

/** How large a millimetre is: what fits the room, what it truly is, or so many pixels. */
export type Zoom = "fit" | "true" | number;
export const zoom = signal<Zoom>("fit");
