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
