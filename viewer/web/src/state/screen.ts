/** The true size of paper on this screen: measured once against a bank card, kept in this browser. */
import { signal } from "@preact/signals";

/** Long and short side of a bank card (ISO/IEC 7810, ID-1). [S] */
export const CARD_MM = 85.6;
export const CARD_SHORT_MM = 53.98;

const KEY = "screens";
/** A pixel of a screen is not smaller than this on a telephone, nor larger on a wall. [E] */
const LEAST_DOTS_PER_MM = 1;
const MOST_DOTS_PER_MM = 40;

const store = typeof localStorage === "undefined" ? null : localStorage;

/** Dots of the screen for one millimetre, by the screen's size: a second screen is measured anew. */
export const screens = signal<ReadonlyMap<string, number>>(readScreens(store?.getItem(KEY) ?? null));

/** What cannot be is not believed. */
export function readScreens(kept: string | null): ReadonlyMap<string, number> {
  let said: unknown;
  try {
    said = JSON.parse(kept ?? "{}");
  } catch {
    return new Map();
  }
  const entries = Object.entries((said ?? {}) as Record<string, unknown>);
  return new Map(entries.filter((entry): entry is [string, number] => isDots(entry[1])));
}

/** A function and no constant: what was kept is read before this line is reached. */
function isDots(value: unknown): boolean {
  return typeof value === "number" && value >= LEAST_DOTS_PER_MM && value <= MOST_DOTS_PER_MM;
}

/** What a browser says of the screen that the page is on. */
interface Here {
  width: number;
  height: number;
  ratio: number;
}

export const screenHere = (): Here => ({
  width: typeof screen === "undefined" ? 0 : screen.width,
  height: typeof screen === "undefined" ? 0 : screen.height,
  ratio: typeof devicePixelRatio === "undefined" ? 1 : devicePixelRatio || 1,
});

const nameOf = ({ width, height }: Here): string => `${width}x${height}`;

/**
 * Pixels of the page for one true millimetre; null where this screen was not measured.
 *
 * Dots of the screen are kept, not pixels of the page: zooming the browser changes what a pixel of the page is.
 */
export function truePxPerMm(here: Here = screenHere()): number | null {
  const dots = screens.value.get(nameOf(here));
  return dots === undefined ? null : dots / here.ratio;
}

/** `mm` are `px` pixels of the page wide; false where that cannot be. */
export function keepScreen(px: number, mm: number, here: Here = screenHere()): boolean {
  const dots = (px / mm) * here.ratio;
  if (!isDots(dots)) return false;
  screens.value = new Map(screens.value).set(nameOf(here), dots);
  store?.setItem(KEY, JSON.stringify(Object.fromEntries(screens.value)));
  return true;
}

export function forgetScreen(here: Here = screenHere()): void {
  const left = new Map(screens.value);
  left.delete(nameOf(here));
  screens.value = left;
  store?.setItem(KEY, JSON.stringify(Object.fromEntries(left)));
}
