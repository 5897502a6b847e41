/**
 * One ECG as an A4 sheet for the browser's printer: an SVG that counts in millimetres. Pure.
 *
 * The trace is as exact as the service's PDF: every sample is a point, and where more fall into 0.025 mm the outermost
 * of them are. Nothing is filtered; each strip is only moved so that its median is at 0; gaps stay gaps.
 */
import { leadSamples, type Waveform } from "../paper/waveform";

export const SHEET_MM = { width: 297, height: 210 } as const;
export const SPEED_MM_PER_S = 25;
export const GAIN_MM_PER_MV = 10;
const GRID = { left: 13.5, top: 48, width: 270, height: 150 } as const;
const CALIBRATION_MM = 15;
const TRACE_S = 10;
const COLUMN_MM = 0.025;
const INK = { fine: "#f3e3e0", coarse: "#e2bdb7", trace: "#141414", grey: "#5a5a5a" } as const;

const LIMB = ["I", "II", "III", "aVR", "aVL", "aVF"];
const CHEST = ["V1", "V2", "V3", "V4", "V5", "V6"];
const EXTRA = ["V7", "V8", "V9", "V3R", "V4R", "V5R"];

export interface Strip {
  lead: string;
  fromS: number;
  toS: number;
  leftMm: number;
  zeroMm: number;
}

/** Twelve leads stand as 3×4 with a long II, more in three columns, fewer each over the whole width. */
export function strips(present: readonly string[], durationS: number, startS = 0): Strip[] {
  const has = (leads: readonly string[]): string[] => leads.filter((lead) => present.includes(lead));
  const known = [...LIMB, ...CHEST, ...EXTRA];
  const ordered = [...has(known), ...present.filter((lead) => !known.includes(lead))];
  const standard = ordered.length === 12 && has([...LIMB, ...CHEST]).length === 12;
  const count = standard ? 4 : ordered.length > 12 ? 3 : ordered.length > 6 ? 2 : 1;
  const perColumn = Math.ceil(ordered.length / count);
  const rows = perColumn + (standard ? 1 : 0);
  const rowMm = GRID.height / rows;
  const endS = Math.min(durationS, startS + TRACE_S);
  const columnS = TRACE_S / count;
  const placed = ordered.map((lead, index): Strip => {
    const column = Math.floor(index / perColumn);
    // A short recording: every lead is still shown, from its first sample.
    const fromS = startS + column * columnS < endS ? startS + column * columnS : startS;
    return {
      lead,
      fromS,
      toS: Math.min(fromS + columnS, endS),
      leftMm: GRID.left + CALIBRATION_MM + column * columnS * SPEED_MM_PER_S,
      zeroMm: GRID.top + ((index % perColumn) + 0.5) * rowMm,
    };
  });
  if (standard) {
    const zeroMm = GRID.top + (rows - 0.5) * rowMm;
    placed.push({ lead: "II", fromS: startS, toS: endS, leftMm: GRID.left + CALIBRATION_MM, zeroMm });
  }
  return placed;
}

/** The path of a strip; y grows downwards, as SVG has it. */
export function stripPath(strip: Strip, samples: Float32Array, rateHz: number): string {
  const first = Math.round(strip.fromS * rateHz);
  const last = Math.min(Math.round(strip.toS * rateHz), samples.length);
  const part = samples.subarray(first, last);
  const zero = median(part);
  const parts: string[] = [];
  let column: Column | null = null;
  let pen = "M";
  const put = (i: number): void => {
    const x = strip.leftMm + ((first + i) / rateHz - strip.fromS) * SPEED_MM_PER_S;
    const y = strip.zeroMm - ((part[i] as number) - zero) * GAIN_MM_PER_MV;
    parts.push(`${pen}${x.toFixed(3)} ${y.toFixed(3)}`);
    pen = "L";
  };
  const flush = (): void => {
    if (column === null) return;
    const kept = [column.first, column.low, column.high, column.last].sort((a, b) => a - b);
    for (const i of new Set(kept)) put(i);
    column = null;
  };
  for (let i = 0; i < part.length; i++) {
    const value = part[i] as number;
    if (Number.isNaN(value)) {
      flush();
      pen = "M";
      continue;
    }
    const place = Math.floor(((i / rateHz) * SPEED_MM_PER_S) / COLUMN_MM + 1e-9);
    if (column === null || column.place !== place) {
      flush();
      column = { place, first: i, low: i, high: i, last: i };
    } else {
      column.last = i;
      if (value < (part[column.low] as number)) column.low = i;
      if (value > (part[column.high] as number)) column.high = i;
    }
  }
  flush();
  return parts.join("");
}

interface Column {
  place: number;
  first: number;
  low: number;
  high: number;
  last: number;
}

function median(part: Float32Array): number {
  const values = part.filter((value) => !Number.isNaN(value)).sort();
  const half = values.length >> 1;
  if (values.length === 0) return 0;
  const high = values[half] as number;
  return values.length % 2 === 1 ? high : (high + (values[half - 1] as number)) / 2;
}

export interface SheetWords {
  title: string;
  /** Who it is, when it was recorded, what is said of it: one line each. */
  lines: readonly string[];
  /** Stands in the last line where there is no room for all. */
  more: string;
  foot: string;
  /** What is written at the line that must be 50 mm long on the paper. */
  check: string;
}

const CHECK_MM = 50;
const MOST_LINES = 6;

/** The whole sheet as the text of an SVG. */
export function sheetSvg(wave: Waveform, words: SheetWords, startS = 0): string {
  const placed = strips(wave.leads, wave.durationS, startS);
  const traces = placed.map((strip) => {
    const samples = leadSamples(wave, strip.lead) ?? new Float32Array();
    const d = stripPath(strip, samples, wave.rateHz);
    return `<path data-lead="${escaped(strip.lead)}" d="${d}"/>`;
  });
  const names = placed.map((strip) =>
    text(strip.leftMm + 1.2, nameMm(strip, placed), 3, strip.lead, ` font-weight="700"`),
  );
  const lines = shownLines(words).map((line, index) => text(GRID.left, 17.5 + index * 5, 3.4, line));
  const right = GRID.left + GRID.width;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${SHEET_MM.width}mm" height="${SHEET_MM.height}mm"`,
    ` viewBox="0 0 ${SHEET_MM.width} ${SHEET_MM.height}" font-family="sans-serif" fill="none" role="img">`,
    grid(),
    ...names,
    `<g stroke="${INK.trace}" stroke-width="0.26" stroke-linejoin="round">${traces.join("")}${pulses(placed)}</g>`,
    text(GRID.left, 11.5, 4.6, words.title, ` font-weight="700"`),
    ...lines,
    text(GRID.left, 203, 2.8, words.foot),
    `<path stroke="${INK.trace}" stroke-width="0.2" d="M${right - CHECK_MM} 201.5v3m0 -1.5h${CHECK_MM}m0 -1.5v3"/>`,
    text(right - CHECK_MM - 2, 203.5, 2.8, words.check, ` text-anchor="end"`),
    "</svg>",
  ].join("");
}

/** What there is room for; that it is not all is said. */
function shownLines({ lines, more }: SheetWords): readonly string[] {
  return lines.length > MOST_LINES ? [...lines.slice(0, MOST_LINES - 1), more] : lines;
}

function nameMm(strip: Strip, placed: readonly Strip[]): number {
  const rows = [...new Set(placed.map((each) => each.zeroMm))].sort((a, b) => a - b);
  const step = rows.length > 1 ? (rows[1] as number) - (rows[0] as number) : GRID.height;
  return strip.zeroMm - step / 2 + 3.6;
}

function grid(): string {
  const path = (step: number): string => {
    const parts: string[] = [];
    for (let x = 0; x <= GRID.width; x += step) parts.push(`M${GRID.left + x} ${GRID.top}v${GRID.height}`);
    for (let y = 0; y <= GRID.height; y += step) parts.push(`M${GRID.left} ${GRID.top + y}h${GRID.width}`);
    return parts.join("");
  };
  return (
    `<path stroke="${INK.fine}" stroke-width="0.1" d="${path(1)}"/>` +
    `<path stroke="${INK.coarse}" stroke-width="0.18" d="${path(5)}"/>`
  );
}

/** 1 mV and 0.2 s at the left of each row; between the leads of a row a short stroke. */
function pulses(placed: readonly Strip[]): string {
  const left = GRID.left + CALIBRATION_MM;
  const rows = [...new Set(placed.map((strip) => strip.zeroMm))];
  const wide = 0.2 * SPEED_MM_PER_S;
  const marks = rows.map(
    (zero) =>
      `<path data-pulse="" d="M${left - 13.5} ${zero}h1.5v${-GAIN_MM_PER_MV}h${wide}v${GAIN_MM_PER_MV}h1.5"/>`,
  );
  const strokes = placed
    .filter((strip) => strip.leftMm > left)
    .map((strip) => `<path d="M${strip.leftMm} ${strip.zeroMm - 2.5}v5"/>`);
  return marks.join("") + strokes.join("");
}

function text(x: number, y: number, size: number, said: string, more = ""): string {
  return `<text x="${x}" y="${y}" font-size="${size}" fill="${INK.trace}"${more}>${escaped(said)}</text>`;
}

const ESCAPES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (said: string): string => said.replace(/[&<>"]/g, (char) => ESCAPES[char] as string);
