/** A trace as what each pixel column holds: its lowest and highest sample. Gaps stay gaps. */

export interface Column {
  x: number;
  first: number;
  last: number;
  min: number;
  max: number;
}

/** Runs of columns without a gap; a line is drawn within a run and never between two. */
export type Run = Column[];

/**
 * Reduce samples to columns.
 *
 * `fromS` is the time at the left edge, `toS` the one at the right; `pxPerS` the width of a second. A column with no
 * sample between two with samples (fewer samples than pixels) is no gap; a missing sample (NaN) always is.
 */
export function columns(
  samples: Float32Array,
  rateHz: number,
  fromS: number,
  toS: number,
  pxPerS: number,
): Run[] {
  const start = Math.max(0, Math.ceil(fromS * rateHz));
  const end = Math.min(samples.length, Math.ceil(toS * rateHz));
  const runs: Run[] = [];
  let run: Run = [];
  let column: Column | null = null;
  for (let i = start; i < end; i++) {
    const value = samples[i] as number;
    if (Number.isNaN(value)) {
      if (run.length > 0) runs.push(run);
      run = [];
      column = null;
      continue;
    }
    const x = Math.floor((i / rateHz - fromS) * pxPerS);
    if (column === null || column.x !== x) {
      column = { x, first: value, last: value, min: value, max: value };
      run.push(column);
    } else {
      column.last = value;
      if (value < column.min) column.min = value;
      if (value > column.max) column.max = value;
    }
  }
  if (run.length > 0) runs.push(run);
  return runs;
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
