/** Where each lead stands on the paper, in millimetres. Pure. */
import { CAL_MM, MM_PER_S } from "./scale";

export type LayoutId = "rhythm" | "two" | "eighteen" | "column" | "median";

export interface Strip {
  lead: string;
  xMm: number; // left edge of the trace
  baseMm: number; // its zero line
  topMm: number;
  heightMm: number;
  fromS: number;
  toS: number;
}

export interface Sheet {
  widthMm: number;
  heightMm: number;
  strips: Strip[];
  /** Zero lines of the rows: each gets one calibration pulse at its left. */
  rowsMm: number[];
}

const LIMB = ["I", "II", "III"] as const;
const AUGMENTED = ["aVR", "aVL", "aVF"] as const;
const RIGHT_CHEST = ["V1", "V2", "V3"] as const;
const LEFT_CHEST = ["V4", "V5", "V6"] as const;
const CHEST = [...RIGHT_CHEST, ...LEFT_CHEST] as const;
const EXTRA = ["V7", "V8", "V9", "V3R", "V4R", "V5R"] as const;

/** Columns of leads from left to right; every column shows its own share of the ten seconds. */
const COLUMNS: Record<Exclude<LayoutId, "median">, readonly (readonly string[])[]> = {
  rhythm: [LIMB, AUGMENTED, RIGHT_CHEST, LEFT_CHEST],
  two: [[...LIMB, ...AUGMENTED], CHEST],
  eighteen: [[...LIMB, ...AUGMENTED], CHEST, EXTRA],
  column: [[...LIMB, ...AUGMENTED, ...CHEST]],
};

export const PAGE_S = 10;
/** A single column on a phone shows what fits beside the thumb. */
const COLUMN_S = 2.6;
const ROW_MM = 25;
/** The zero line lies below the middle: R waves need more room than S waves do. */
const BASE_SHARE = 0.56;
const MARGIN_MM = 2;
const LEFT_MM = CAL_MM + 2 * MARGIN_MM;
const RHYTHM_LEAD = "II";

export function sheet(id: Exclude<LayoutId, "median">, present: readonly string[], startS = 0): Sheet {
  const columns = id === "column" ? [withExtra(present)] : COLUMNS[id];
  const spanS = id === "column" ? COLUMN_S : PAGE_S / columns.length;
  const strips: Strip[] = [];
  const rows = Math.max(...columns.map((column) => column.length));
  columns.forEach((column, c) => {
    column.forEach((lead, r) => {
      strips.push(strip(lead, LEFT_MM + c * spanS * MM_PER_S, r, startS + c * spanS, spanS));
    });
  });
  const withRhythm = id === "rhythm";
  if (withRhythm) strips.push(strip(RHYTHM_LEAD, LEFT_MM, rows, startS, PAGE_S));
  const rowCount = rows + (withRhythm ? 1 : 0);
  return {
    widthMm: LEFT_MM + spanS * columns.length * MM_PER_S + MARGIN_MM,
    heightMm: rowCount * ROW_MM + MARGIN_MM * 2,
    strips,
    rowsMm: Array.from({ length: rowCount }, (_, r) => baseOf(r)),
  };
}

function withExtra(present: readonly string[]): string[] {
  const standard = COLUMNS.column[0] ?? [];
  return [...standard, ...EXTRA.filter((lead) => present.includes(lead))];
}

const baseOf = (row: number): number => MARGIN_MM + (row + BASE_SHARE) * ROW_MM;

function strip(lead: string, xMm: number, row: number, fromS: number, spanS: number): Strip {
  return {
    lead,
    xMm,
    baseMm: baseOf(row),
    topMm: MARGIN_MM + row * ROW_MM,
    heightMm: ROW_MM,
    fromS,
    toS: fromS + spanS,
  };
}

/** What suits the leads and the room: eighteen where they are, a column on a phone. */
export function suitableLayout(present: readonly string[], narrow: boolean): LayoutId {
  if (narrow) return "column";
  return present.some((lead) => (EXTRA as readonly string[]).includes(lead)) ? "eighteen" : "rhythm";
}

/** Two leads of a row's thumbnail: the worst first, then the rhythm lead. */
export function thumbnailLeads(worst: readonly string[], present: readonly string[]): string[] {
  const wanted = [...worst, RHYTHM_LEAD, "V2", ...present].filter((lead) => present.includes(lead));
  return [...new Set(wanted)].slice(0, 2);
}
