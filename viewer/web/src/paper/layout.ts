/** Where each lead stands on the paper, in millimetres. Pure. */
import { CAL_S, MM_PER_MV, type Pace, STANDARD } from "./scale";

export type LayoutId = "rhythm" | "two" | "eighteen" | "column" | "strip" | "median";
export type SheetId = Exclude<LayoutId, "median">;

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
  pace: Pace;
}

/** What is to be shown; all that is left out is as recorders do it. */
export interface Wanted {
  startS?: number;
  /** Length of the recording, for the full strip. */
  durationS?: number;
  pace?: Pace;
  /** Limb leads in the order of their angles: aVL, I, −aVR, II, aVF, III. */
  cabrera?: boolean;
  /** Room above the first and below the last row, for waves that leave them. */
  headMm?: number;
  footMm?: number;
}

const LIMB = ["I", "II", "III"] as const;
const AUGMENTED = ["aVR", "aVL", "aVF"] as const;
const RIGHT_CHEST = ["V1", "V2", "V3"] as const;
const LEFT_CHEST = ["V4", "V5", "V6"] as const;
const CHEST = [...RIGHT_CHEST, ...LEFT_CHEST] as const;
const EXTRA = ["V7", "V8", "V9", "V3R", "V4R", "V5R"] as const;
const SIX = [...LIMB, ...AUGMENTED] as const;
/** Lead aVR seen from the other side: between I and II. */
export const MINUS_AVR = "−aVR";
export const CABRERA = ["aVL", "I", MINUS_AVR, "II", "aVF", "III"] as const;

/** Columns of leads from left to right; every column shows its own share of the ten seconds. */
function columnsOf(id: SheetId, present: readonly string[], cabrera: boolean): (readonly string[])[] {
  const six = cabrera ? CABRERA : SIX;
  if (id === "rhythm") return [six.slice(0, 3), six.slice(3), RIGHT_CHEST, LEFT_CHEST];
  if (id === "two") return [six, CHEST];
  if (id === "eighteen") return [six, CHEST, EXTRA];
  const extra = EXTRA.filter((lead) => present.includes(lead));
  if (id === "column") return [[...six, ...CHEST, ...extra]];
  // Of a long strip only what was recorded: an empty row would be as long as the others.
  const known: readonly string[] = [...six, ...CHEST, ...EXTRA];
  const has = (lead: string): boolean => present.includes(lead === MINUS_AVR ? "aVR" : lead);
  const others = present.filter((lead) => !known.includes(lead) && !(cabrera && lead === "aVR"));
  return [[...known.filter(has), ...others]];
}

export const PAGE_S = 10;
const ROW_MM = 25;
/** Rows of a full strip lie closer, so that eighteen of them can be seen together. */
const STRIP_ROW_MM = 17.5;
/** The zero line lies below the middle: R waves need more room than S waves do. */
const BASE_SHARE = 0.56;
const MARGIN_MM = 2;
const RHYTHM_LEAD = "II";

export const calMm = (pace: Pace): number => CAL_S * pace.mmPerS;

export function sheet(id: SheetId, present: readonly string[], wanted: Wanted = {}): Sheet {
  const { startS = 0, durationS = PAGE_S, pace = STANDARD, cabrera = false, headMm = 0, footMm = 0 } = wanted;
  const columns = columnsOf(id, present, cabrera);
  const whole = id === "strip";
  const spanS = whole ? Math.max(durationS, 1) : PAGE_S / columns.length;
  const leftMm = calMm(pace) + 2 * MARGIN_MM;
  // With twice the gain a wave is twice as high: so is its row, but the paper does not shrink with half the gain.
  const rowMm = (whole ? STRIP_ROW_MM : ROW_MM) * Math.max(1, pace.mmPerMv / MM_PER_MV);
  const strips: Strip[] = [];
  const put = (lead: string, xMm: number, row: number, fromS: number, lengthS: number): void => {
    const topMm = MARGIN_MM + headMm + row * rowMm;
    strips.push({
      lead,
      xMm,
      baseMm: topMm + BASE_SHARE * rowMm,
      topMm,
      heightMm: rowMm,
      fromS,
      toS: fromS + lengthS,
    });
  };
  const rows = Math.max(...columns.map((column) => column.length));
  const first = whole ? 0 : startS;
  columns.forEach((column, c) => {
    column.forEach((lead, r) => {
      put(lead, leftMm + c * spanS * pace.mmPerS, r, first + c * spanS, spanS);
    });
  });
  if (id === "rhythm") put(RHYTHM_LEAD, leftMm, rows, startS, PAGE_S);
  const rowCount = rows + (id === "rhythm" ? 1 : 0);
  return {
    widthMm: leftMm + spanS * columns.length * pace.mmPerS + MARGIN_MM,
    heightMm: headMm + rowCount * rowMm + footMm + MARGIN_MM * 2 + FOOT_MM,
    strips,
    rowsMm: Array.from({ length: rowCount }, (_, r) => MARGIN_MM + headMm + (r + BASE_SHARE) * rowMm),
    pace,
  };
}

/** Room below the last row for what the paper says of itself. */
const FOOT_MM = 4;

/** What suits the leads and the room: eighteen where they are, a strip to be pushed along on a phone. */
export function suitableLayout(present: readonly string[], narrow: boolean): LayoutId {
  if (narrow) return "strip";
  return present.some((lead) => (EXTRA as readonly string[]).includes(lead)) ? "eighteen" : "rhythm";
}

/** Two leads of a row's thumbnail: the worst first, then the rhythm lead. */
export function thumbnailLeads(worst: readonly string[], present: readonly string[]): string[] {
  const wanted = [...worst, RHYTHM_LEAD, "V2", ...present].filter((lead) => present.includes(lead));
  return [...new Set(wanted)].slice(0, 2);
}
