/** Lowest and highest sample of blocks of 16, 256, 4096 … samples: what long strips are drawn from. Pure. */

/** Samples of a block of the lowest floor, and blocks of a block above it. */
const FACTOR = 16;

interface Floor {
  size: number;
  min: Float32Array;
  max: Float32Array;
}

/** A block that holds a missing sample has NaN for both; whoever needs it looks at the samples themselves. */
export class Pyramid {
  private readonly floors: Floor[] = [];

  constructor(private readonly samples: Float32Array) {
    let below: Floor = { size: 1, min: samples, max: samples };
    while (below.min.length >= 2 * FACTOR) {
      below = above(below);
      this.floors.push(below);
    }
  }

  /**
   * Lowest and highest of the samples `from` ≤ i < `to`, at least one; false where one of them is missing.
   *
   * The answer is written to `out`: a pair for each pixel column would be work for the collector alone.
   */
  range(from: number, to: number, out: { min: number; max: number }): boolean {
    let min = Number.POSITIVE_INFINITY;
    let max = Number.NEGATIVE_INFINITY;
    for (let at = from; at < to; ) {
      let floor: Floor | null = null;
      for (const one of this.floors) {
        if (at % one.size !== 0 || at + one.size > to) break;
        floor = one;
      }
      const index = floor === null ? at : at / floor.size;
      const low = (floor?.min ?? this.samples)[index] as number;
      const high = (floor?.max ?? this.samples)[index] as number;
      if (Number.isNaN(low)) return false;
      if (low < min) min = low;
      if (high > max) max = high;
      at += floor?.size ?? 1;
    }
    out.min = min;
    out.max = max;
    return true;
  }
}

/** What is left over at the end of a floor is not in the one above: it is found on the floors below. */
function above(below: Floor): Floor {
  const length = Math.floor(below.min.length / FACTOR);
  const min = new Float32Array(length);
  const max = new Float32Array(length);
  for (let block = 0; block < length; block++) {
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (let i = block * FACTOR; i < (block + 1) * FACTOR; i++) {
      const [a, b] = [below.min[i] as number, below.max[i] as number];
      if (Number.isNaN(a)) {
        low = high = Number.NaN;
        break;
      }
      if (a < low) low = a;
      if (b > high) high = b;
    }
    min[block] = low;
    max[block] = high;
  }
  return { size: below.size * FACTOR, min, max };
}

const built = new WeakMap<Float32Array, Pyramid>();

/** The pyramid of samples that never change, built when first asked for. */
export function pyramidOf(samples: Float32Array): Pyramid {
  const held = built.get(samples);
  if (held) return held;
  const made = new Pyramid(samples);
  built.set(samples, made);
  return made;
}
