/** A trace as what each pixel column holds: its lowest and highest sample. Gaps stay gaps. */
import { pyramidOf } from "./pyramid";

export interface Column {
  /** Left edge of the pixel column; where samples are farther apart than pixels, half a pixel left of the sample. */
  x: number;
  first: number;
  last: number;
  min: number;
  max: number;
}

/** Runs of columns without a gap; a line is drawn within a run and never between two. */
export type Run = Column[];

/** From so many samples a column on, the pyramid is quicker than looking at each. */
const MANY = 24;

/**
 * Reduce samples to columns.
 *
 * `fromS` is the time that stands at `leftPx`, `toS` the one at the right; `pxPerS` the width of a second. Columns lie on
 * whole pixels whatever `leftPx` is, so that pieces of one trace that are drawn apart fit together. With fewer samples
 * than pixels each sample is a column at its exact place, which is no gap; a missing sample (NaN) always is.
 */
export function columns(
  samples: Float32Array,
  rateHz: number,
  fromS: number,
  toS: number,
  pxPerS: number,
  leftPx = 0,
): Run[] {
  const start = Math.max(0, Math.ceil(fromS * rateHz - SLACK));
  const end = Math.min(samples.length, Math.ceil(toS * rateHz - SLACK));
  const at = (i: number): number => leftPx + (i / rateHz - fromS) * pxPerS;
  if (pxPerS > rateHz) return sparse(samples, start, end, at);
  const pyramid = rateHz / pxPerS >= MANY ? pyramidOf(samples) : null;
  const runs = new Runs();
  for (let i = start; i < end; ) {
    const x = Math.floor(at(i) + SLACK);
    // The first sample of the next column.
    let next = Math.min(end, Math.max(i + 1, Math.floor(((x + 1 - leftPx) / pxPerS + fromS) * rateHz)));
    while (next < end && Math.floor(at(next) + SLACK) <= x) next += 1;
    if (pyramid?.range(i, next, scratch)) {
      const { min, max } = scratch;
      runs.add({ x, first: samples[i] as number, last: samples[next - 1] as number, min, max });
    } else runs.reduce(samples, i, next, x);
    i = next;
  }
  return runs.all();
}

/** Rounding of `i / rate` must not move a sample that lies on the edge of a column. */
const SLACK = 1e-6;

const scratch = { min: 0, max: 0 };

class Runs {
  private readonly done: Run[] = [];
  private run: Run = [];

  add(column: Column): void {
    this.run.push(column);
  }

  close(): void {
    if (this.run.length > 0) this.done.push(this.run);
    this.run = [];
  }

  all(): Run[] {
    this.close();
    return this.done;
  }

  /** The samples `from` ≤ i < `to` of one column; a gap within it ends the run, and what follows begins another. */
  reduce(samples: Float32Array, from: number, to: number, x: number): void {
    let column: Column | null = null;
    for (let i = from; i < to; i++) {
      const value = samples[i] as number;
      if (Number.isNaN(value)) {
        this.close();
        column = null;
      } else if (column === null) {
        column = { x, first: value, last: value, min: value, max: value };
        this.add(column);
      } else {
        column.last = value;
        if (value < column.min) column.min = value;
        if (value > column.max) column.max = value;
      }
    }
  }
}

/** Each sample a column at its exact place. */
function sparse(samples: Float32Array, start: number, end: number, at: (i: number) => number): Run[] {
  const runs = new Runs();
  for (let i = start; i < end; i++) {
    const value = samples[i] as number;
    if (Number.isNaN(value)) runs.close();
    else runs.add({ x: at(i) - 0.5, first: value, last: value, min: value, max: value });
  }
  return runs.all();
}

/** Lowest, highest and middle level of a stretch; null where it holds no sample. */
export interface Level {
  min: number;
  max: number;
  median: number;
}

export function levelOf(samples: Float32Array, rateHz: number, fromS: number, toS: number): Level | null {
  const part = samples.subarray(
    Math.max(0, Math.round(fromS * rateHz)),
    Math.max(0, Math.round(toS * rateHz)),
  );
  const values = part.filter((value) => !Number.isNaN(value)).sort();
  if (values.length === 0) return null;
  return {
    min: values[0] as number,
    max: values[values.length - 1] as number,
    median: values[values.length >> 1] as number,
  };
}

/** Of a long stretch this many samples, evenly taken, tell where its middle is. */
const ENOUGH = 1000;

/** The middle level of a stretch: what hangs on its row's line. Null where it holds no sample. */
export function middleOf(samples: Float32Array, rateHz: number, fromS: number, toS: number): number | null {
  const start = Math.max(0, Math.round(fromS * rateHz));
  const end = Math.min(samples.length, Math.round(toS * rateHz));
  const step = Math.max(1, Math.floor((end - start) / ENOUGH));
  const taken = new Float32Array(Math.max(0, Math.ceil((end - start) / step)));
  let count = 0;
  for (let i = start; i < end; i += step) {
    const value = samples[i] as number;
    if (!Number.isNaN(value)) taken[count++] = value;
  }
  return count === 0 ? null : (taken.subarray(0, count).sort()[count >> 1] as number);
}

/**
 * How far below the upper edge the zero line belongs, in millimetres.
 *
 * `wantedMm` is kept where the wave fits the height; else the wave is moved, never squeezed.
 */
export function fitBase(
  minMv: number,
  maxMv: number,
  heightMm: number,
  wantedMm: number,
  mmPerMv: number,
): number {
  const above = maxMv * mmPerMv;
  const below = -minMv * mmPerMv;
  if (above + below >= heightMm) return heightMm / 2 + (above - below) / 2;
  return Math.min(heightMm - below, Math.max(above, wantedMm));
}

/**
 * Where a name of `widePx` may stand on the upper edge without the trace crossing it: the leftmost such place, null
 * where there is none. `clearMv` is the level that the trace must stay below.
 */
export function placeName(
  runs: readonly Run[],
  clearMv: number,
  widePx: number,
  roomPx: number,
): number | null {
  let free = 0;
  for (const column of runs.flat()) {
    if (column.x > free + widePx) break;
    if (column.max >= clearMv) free = column.x + 1;
  }
  return free + widePx <= roomPx ? free : null;
}

/** What the path needs of a canvas. */
export interface Pen {
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
}

/** One stroke a run: within a column from its first sample over both extremes to its last. */
export function tracePath(
  pen: Pen,
  runs: readonly Run[],
  xPx: number,
  basePx: number,
  pxPerMv: number,
): void {
  const y = (mv: number): number => basePx - mv * pxPerMv;
  for (const run of runs) {
    run.forEach((column, index) => {
      const x = xPx + column.x + 0.5;
      if (index === 0) pen.moveTo(x, y(column.first));
      else pen.lineTo(x, y(column.first));
      if (column.min !== column.max) {
        pen.lineTo(x, y(column.max));
        pen.lineTo(x, y(column.min));
        pen.lineTo(x, y(column.last));
      }
    });
  }
}
