/** What the quantities of evidence are called and how they are written: the service's own table, read once. */
import { signal } from "@preact/signals";
import { say } from "../texts";
import type { Quantities, Quantity } from "../wire";
import { get, Problem } from "./api";

/** By wire name; empty until it has come, and then numbers are written by the unit in their name. */
export const quantities = signal<ReadonlyMap<string, Quantity>>(new Map());

let asked = false;

/** Whatever cannot be read now is asked for again when the next page begins. */
export async function loadQuantities(): Promise<void> {
  if (asked) return;
  asked = true;
  try {
    const answer = await get<Quantities>("/quantities");
    quantities.value = new Map(answer.quantities.map((each) => [each.key, each]));
  } catch (failure) {
    asked = false;
    if (!(failure instanceof Problem)) throw failure;
  }
}

const UNITS: readonly (readonly [suffix: RegExp, unit: string, digits: number])[] = [
  [/_uv$/, "µV", 0],
  [/_mv$/, "mV", 2],
  [/_ms$/, "ms", 0],
  [/_bpm$/, "/min", 0],
  [/_deg$/, "°", 0],
  [/_hz$/, "Hz", 1],
  [/_mmol_l$/, "mmol/L", 1],
  [/_mmhg$/, "mmHg", 0],
  [/_min$/, "min", 0],
  [/_days$/, "d", 0],
  [/_years$/, "y", 0],
  [/_h$/, "h", 0],
  [/_s$/, "s", 1],
];

/** Row of the table; for a name that it does not hold, what its suffix says. */
export function quantityOf(key: string): Quantity {
  const known = quantities.value.get(key);
  if (known) return known;
  const [suffix, unit, digits] = UNITS.find(([ending]) => ending.test(key)) ?? [/$/, "", 2];
  const name = key.replace(suffix, "").replaceAll("_", " ").toUpperCase();
  return { key, zh: name, en: name, unit, digits, signed: unit === "mV" };
}

/** The measure in the reader's language: `J点ST段`. */
export const measure = (key: string): string => say(quantityOf(key));

/** A unit stands behind its number with a space, a degree without. */
const behind = (unit: string): string => (unit === "" || unit === "°" ? unit : ` ${unit}`);

/** Digits with a true minus, and a plus where `signed`. */
export function digitsOf(value: number, digits: number, signed: boolean): string {
  const said = Math.abs(value).toFixed(digits);
  if (value < 0 && Number(said) !== 0) return `−${said}`;
  return signed ? `+${said}` : said;
}

/** `+0.51 mV`, `128 ms`. */
export function quantity(key: string, value: number): string {
  const { unit, digits, signed } = quantityOf(key);
  return digitsOf(value, digits, signed) + behind(unit);
}

/** A number of a rule's table: `100 µV`. As it is written there, whatever its digits. */
export function tableNumber(name: string, value: number): string {
  const unit = UNITS.find(([ending]) => ending.test(name))?.[1] ?? "";
  return String(value).replace("-", "−") + behind(unit);
}

/** The unit alone, as it stands behind a number. */
export const unitBehind = (key: string): string => behind(quantityOf(key).unit);
