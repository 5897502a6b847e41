/**
 * Paper and traces as pixels, computed here. Pure.
 *
 * A trace is thin and a browser's general path is not made for it: stroking eighteen leads took the main thread ten times
 * as long. Here each pixel column is a few spans whose share of each pixel is exact.
 */
import type { Area } from "./ink";
import type { Run } from "./trace";

/** Pixels of an area of the sheet, row by row, as a canvas holds them: red in the lowest byte. */
export interface Raster {
  area: Area;
  data: Uint32Array;
}

/** `#rrggbb` as a pixel. */
export function pixelOf(colour: string): number {
  const [, r, g, b] = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(colour) ?? [];
  if (r === undefined || g === undefined || b === undefined)
    throw new Error(`colour: expected #rrggbb, got ${JSON.stringify(colour)}`);
  return ((0xff << 24) | (parseInt(b, 16) << 16) | (parseInt(g, 16) << 8) | parseInt(r, 16)) >>> 0;
}

export interface GridInk {
  paper: number;
  fine: number;
  strong: number;
  /** Pixels from one millimetre to the next; fine lines are left out where they would only grey the paper. */
  mmPx: number;
  fineLines: boolean;
  /** Width of a strong line. */
  strongPx: number;
}

const NONE = 0;
const FINE = 1;
const STRONG = 2;

/** Which pixels of a row or column, from `from` on, a line of the grid covers; lines are counted from `originPx`. */
function lines(from: number, count: number, originPx: number, ink: GridInk): Uint8Array {
  const kinds = new Uint8Array(count);
  const first = Math.floor((from - originPx) / ink.mmPx) - 1;
  for (let mm = first; originPx + mm * ink.mmPx < from + count; mm++) {
    const strong = mm % 5 === 0;
    if (!strong && !ink.fineLines) continue;
    const at = Math.round(originPx + mm * ink.mmPx) - from;
    for (let i = 0; i < (strong ? ink.strongPx : 1); i++)
      if (at + i >= 0 && at + i < count)
        kinds[at + i] = Math.max(kinds[at + i] as number, strong ? STRONG : FINE);
  }
  return kinds;
}

/** Fill the part of the raster that lies in `box` with paper whose lines are counted from the box's corner. */
export function fillGrid(raster: Raster, box: Area, ink: GridInk): void {
  const { area, data } = raster;
  const left = Math.max(area.x, Math.ceil(box.x));
  const right = Math.min(area.x + area.width, Math.ceil(box.x + box.width));
  const top = Math.max(area.y, Math.ceil(box.y));
  const bottom = Math.min(area.y + area.height, Math.ceil(box.y + box.height));
  if (left >= right || top >= bottom) return;
  const across = lines(left, right - left, box.x, ink);
  const down = lines(top, bottom - top, box.y, ink);
  const rows = [NONE, FINE, STRONG].map((row) => {
    const pixels = [ink.paper, ink.fine, ink.strong];
    return Uint32Array.from(across, (column) => pixels[Math.max(row, column)] as number);
  });
  for (let y = top; y < bottom; y++)
    data.set(rows[down[y - top] as number] as Uint32Array, (y - area.y) * area.width + left - area.x);
}

/** So many parts of a pixel column are looked at: steep lines are smooth, too. */
const PARTS = 3;
/** Rows of dashes: of so many pixels … */
const DASH_PX = 7;
/** … so many are drawn. */
const DASH_ON_PX = 5;

export interface TraceInk {
  colour: number;
  /** Width of the line in pixels. */
  widthPx: number;
  /** Dashes of an earlier trace, in pixels for one of the page; 0 for a line without. */
  dashRatio: number;
}

/** What a trace is drawn with and where 0 mV lies. */
export interface TraceAt {
  zeroPx: number;
  pxPerMv: number;
  /** Nothing is drawn outside. */
  clip: Area;
}

let lo = new Float32Array(0);
let hi = new Float32Array(0);

/** Lay a trace over what is there. */
export function drawRuns(raster: Raster, runs: readonly Run[], at: TraceAt, ink: TraceInk): void {
  const { area } = raster;
  const from = Math.max(area.x, Math.ceil(at.clip.x));
  const to = Math.min(area.x + area.width, Math.ceil(at.clip.x + at.clip.width));
  if (from >= to) return;
  // A column more at each side: a line is wider than its samples, across the edge of the area, too.
  const parts = (to - from + 2) * PARTS;
  if (lo.length < parts) [lo, hi] = [new Float32Array(parts), new Float32Array(parts)];
  for (const run of runs) {
    lo.fill(Number.POSITIVE_INFINITY, 0, parts);
    hi.fill(Number.NEGATIVE_INFINITY, 0, parts);
    spread(run, at, from - 1, parts);
    cover(raster, from, to, parts, at.clip, ink);
  }
}

/** Between which heights the line lies in each part of a pixel column: a line from the last sample of one to the first of the next. */
function spread(run: Run, at: TraceAt, from: number, parts: number): void {
  const y = (mv: number): number => at.zeroPx - mv * at.pxPerMv;
  let [beforeX, beforeY] = [Number.NaN, 0];
  for (const column of run) {
    const x = (column.x + 0.5 - from) * PARTS;
    const first = y(column.first);
    if (!Number.isNaN(beforeX)) segment(beforeX, beforeY, x, first, parts);
    const part = Math.floor(x);
    if (part >= 0 && part < parts) {
      const [top, bottom] = [y(column.max), y(column.min)];
      if (top < (lo[part] as number)) lo[part] = top;
      if (bottom > (hi[part] as number)) hi[part] = bottom;
    }
    [beforeX, beforeY] = [x, y(column.last)];
  }
}

function segment(x1: number, y1: number, x2: number, y2: number, parts: number): void {
  const slope = (y2 - y1) / (x2 - x1);
  const last = Math.min(parts - 1, Math.floor(x2));
  for (let part = Math.max(0, Math.floor(x1)); part <= last; part++) {
    const a = y1 + slope * (Math.max(part, x1) - x1);
    const b = y1 + slope * (Math.min(part + 1, x2) - x1);
    if (Math.min(a, b) < (lo[part] as number)) lo[part] = Math.min(a, b);
    if (Math.max(a, b) > (hi[part] as number)) hi[part] = Math.max(a, b);
  }
}

const spanLo = new Float64Array(PARTS);
const spanHi = new Float64Array(PARTS);

/** Each pixel gets the share of it that the widened spans cover. */
function cover(raster: Raster, from: number, to: number, parts: number, clip: Area, ink: TraceInk): void {
  const { area } = raster;
  const half = ink.widthPx / 2;
  const reach = Math.max(1, Math.round(half * PARTS));
  const top = Math.max(area.y, Math.ceil(clip.y));
  const bottom = Math.min(area.y + area.height, Math.floor(clip.y + clip.height));
  for (let x = from; x < to; x++) {
    const dash = ink.dashRatio > 0 && (x / ink.dashRatio) % DASH_PX >= DASH_ON_PX;
    if (dash) continue;
    let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let k = 0; k < PARTS; k++) {
      const part = (x - from + 1) * PARTS + k;
      let [a, b] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      for (let i = Math.max(0, part - reach); i <= Math.min(parts - 1, part + reach); i++) {
        if ((lo[i] as number) < a) a = lo[i] as number;
        if ((hi[i] as number) > b) b = hi[i] as number;
      }
      spanLo[k] = a - half;
      spanHi[k] = b + half;
      if (a - half < least) least = a - half;
      if (b + half > most) most = b + half;
    }
    if (least > most) continue;
    const end = Math.min(bottom, Math.ceil(most));
    for (let y = Math.max(top, Math.floor(least)); y < end; y++) {
      let share = 0;
      for (let k = 0; k < PARTS; k++) {
        const part = Math.min(y + 1, spanHi[k] as number) - Math.max(y, spanLo[k] as number);
        if (part > 0) share += part;
      }
      if (share > 0) blend(raster.data, (y - area.y) * area.width + x - area.x, ink.colour, share / PARTS);
    }
  }
}

function blend(data: Uint32Array, at: number, colour: number, share: number): void {
  const under = data[at] as number;
  const s = Math.round(share * 256);
  // Two channels at once: red and blue, then green.
  const redBlue = (under & 0xff00ff) * (256 - s) + (colour & 0xff00ff) * s;
  const green = (under & 0x00ff00) * (256 - s) + (colour & 0x00ff00) * s;
  data[at] = (0xff000000 | ((redBlue / 256) & 0xff00ff) | ((green / 256) & 0x00ff00)) >>> 0;
}

/** A rectangle with edges anywhere: each pixel gets the share of it that is covered, times `alpha`. */
export function fillBox(raster: Raster, box: Area, colour: number, alpha = 1): void {
  const { area, data } = raster;
  const [right, bottom] = [box.x + box.width, box.y + box.height];
  const left = Math.max(area.x, Math.floor(box.x));
  const top = Math.max(area.y, Math.floor(box.y));
  const endX = Math.min(area.x + area.width, Math.ceil(right));
  const endY = Math.min(area.y + area.height, Math.ceil(bottom));
  for (let y = top; y < endY; y++) {
    const high = Math.min(y + 1, bottom) - Math.max(y, box.y);
    for (let x = left; x < endX; x++) {
      const wide = Math.min(x + 1, right) - Math.max(x, box.x);
      blend(data, (y - area.y) * area.width + x - area.x, colour, alpha * wide * high);
    }
  }
}

/** A level or upright line of some width; `dash` is what is drawn and what is left out, in pixels. */
export interface LineInk {
  colour: number;
  widthPx: number;
  alpha?: number;
  dash?: readonly [on: number, off: number];
}

export function levelLine(raster: Raster, y: number, from: number, to: number, ink: LineInk): void {
  const box = (x: number, end: number): Area => ({
    x,
    y: y - ink.widthPx / 2,
    width: end - x,
    height: ink.widthPx,
  });
  const [on, off] = ink.dash ?? [to - from, 0];
  for (let x = from; x < to && on > 0; x += on + off)
    fillBox(raster, box(x, Math.min(to, x + on)), ink.colour, ink.alpha);
}

export function uprightLine(raster: Raster, x: number, from: number, to: number, ink: LineInk): void {
  const [y, end] = [Math.min(from, to), Math.max(from, to)];
  const box = { x: x - ink.widthPx / 2, y, width: ink.widthPx, height: end - y };
  fillBox(raster, box, ink.colour, ink.alpha);
}

/** Oblique lines over a box; counted from the corner of the sheet, so that pieces fit together. */
export function hatchBox(raster: Raster, box: Area, colour: number): void {
  const { area, data } = raster;
  const left = Math.max(area.x, Math.ceil(box.x));
  const right = Math.min(area.x + area.width, Math.ceil(box.x + box.width));
  const bottom = Math.min(area.y + area.height, Math.ceil(box.y + box.height));
  for (let y = Math.max(area.y, Math.ceil(box.y)); y < bottom; y++) {
    const first = left + ((HATCH_PX - ((left + y) % HATCH_PX)) % HATCH_PX);
    for (let x = first; x < right; x += HATCH_PX) data[(y - area.y) * area.width + x - area.x] = colour;
  }
}

const HATCH_PX = 9;

/** How much of each pixel a word covers, 0 to 255, row by row. */
export interface Mask {
  width: number;
  height: number;
  share: Uint8Array;
}

/** A word with its upper left corner at whole pixels. */
export function stamp(raster: Raster, mask: Mask, atX: number, atY: number, colour: number): void {
  const { area, data } = raster;
  const [x0, y0] = [Math.round(atX), Math.round(atY)];
  const left = Math.max(area.x, x0);
  const right = Math.min(area.x + area.width, x0 + mask.width);
  const bottom = Math.min(area.y + area.height, y0 + mask.height);
  for (let y = Math.max(area.y, y0); y < bottom; y++)
    for (let x = left; x < right; x++) {
      const share = mask.share[(y - y0) * mask.width + x - x0] as number;
      if (share > 0) blend(data, (y - area.y) * area.width + x - area.x, colour, share / 255);
    }
}
