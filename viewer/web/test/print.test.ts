/** The sheet for the browser's printer, held against the samples. */
import { describe, expect, test } from "vitest";
import {
  GAIN_MM_PER_MV,
  SHEET_MM,
  SPEED_MM_PER_S,
  type Strip,
  sheetSvg,
  stripPath,
  strips,
} from "../src/print/sheet";

const TWELVE = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"];
const EIGHTEEN = [...TWELVE, "V7", "V8", "V9", "V3R", "V4R", "V5R"];
const WITHIN_MM = 0.1;

const points = (d: string): [number, number][][] =>
  d
    .split("M")
    .slice(1)
    .map((run) => run.split("L").map((pair) => pair.split(" ").map(Number) as [number, number]));

const strip: Strip = { lead: "V2", fromS: 0, toS: 4, leftMm: 28.5, zeroMm: 100 };

/** A trace that is never flat, so that no sample may hide behind another. */
const wave = (n: number, rateHz: number): Float32Array =>
  Float32Array.from(
    { length: n },
    (_, i) => Math.sin((i / rateHz) * 17) + 0.3 * Math.sin((i / rateHz) * 211),
  );

describe("the printed trace", () => {
  test.each([125, 250, 500, 1000])("has every sample within 0.1 mm of its place at %i Hz", (rateHz) => {
    const samples = wave(4 * rateHz, rateHz);
    const runs = points(stripPath(strip, samples, rateHz));
    expect(runs.length).toBe(1);
    const run = runs[0] as [number, number][];
    expect(run.length).toBe(samples.length);
    const [x0, y0] = run[0] as [number, number];
    expect(x0).toBeCloseTo(strip.leftMm, 3);
    run.forEach(([x, y], i) => {
      const dx = x - x0 - (i / rateHz) * SPEED_MM_PER_S;
      const dy = y0 - y - ((samples[i] as number) - (samples[0] as number)) * GAIN_MM_PER_MV;
      expect(Math.hypot(dx, dy)).toBeLessThan(WITHIN_MM);
    });
  });

  test("keeps a spike of one sample at 10 kHz", () => {
    const samples = new Float32Array(40_000);
    samples[12_345] = 2;
    const [run] = points(stripPath(strip, samples, 10_000));
    const top = (run ?? []).reduce((a, b) => (b[1] < a[1] ? b : a));
    expect(top[1]).toBeCloseTo(strip.zeroMm - 2 * GAIN_MM_PER_MV, 2);
    expect(Math.abs(top[0] - strip.leftMm - 1.2345 * SPEED_MM_PER_S)).toBeLessThan(WITHIN_MM);
  });

  test("breaks at a gap and is exact behind it", () => {
    const samples = wave(2000, 500);
    samples.fill(Number.NaN, 700, 900);
    const runs = points(stripPath(strip, samples, 500));
    expect(runs.map((run) => run.length)).toEqual([700, 1100]);
    expect(runs[1]?.[0]?.[0]).toBeCloseTo(strip.leftMm + (900 / 500) * SPEED_MM_PER_S, 3);
  });

  test("a lead without one sample draws nothing", () => {
    expect(stripPath(strip, new Float32Array(2000).fill(Number.NaN), 500)).toBe("");
  });
});

describe("the sheet", () => {
  test("is A4 in millimetres and has every lead, twelve with a long II", () => {
    const samples = TWELVE.map(() => wave(5000, 500));
    const svg = sheetSvg(
      { leads: TWELVE, rateHz: 500, durationS: 10, samples },
      { title: "心电图", lines: ["男 <61>"], more: "未印完", foot: "25 mm/s", check: "50 mm" },
    );
    expect(svg).toContain(`width="${SHEET_MM.width}mm" height="${SHEET_MM.height}mm" viewBox="0 0 297 210"`);
    const drawn = [...svg.matchAll(/data-lead="([^"]+)"/g)].map((found) => found[1]);
    expect(drawn).toEqual([...TWELVE, "II"]);
    expect(svg).toContain("男 &lt;61&gt;");
    expect(svg).toContain("v-10h5v10");
  });

  test("says so where a long reading is cut short, and prints a short one whole", () => {
    const lead = { leads: ["II"], rateHz: 500, durationS: 10, samples: [wave(5000, 500)] };
    const printed = (count: number): string => {
      const lines = Array.from({ length: count }, (_, index) => `第${index + 1}行`);
      return sheetSvg(lead, { title: "心电图", lines, more: "未印完", foot: "", check: "" });
    };
    expect(printed(6)).toContain("第6行");
    expect(printed(6)).not.toContain("未印完");
    expect(printed(7)).toContain("第5行");
    expect(printed(7)).not.toContain("第6行");
    expect(printed(7)).toContain("未印完");
  });

  test("shows all of eighteen leads, and each of a short recording from its first sample", () => {
    expect(
      strips(EIGHTEEN, 10)
        .map((each) => each.lead)
        .sort(),
    ).toEqual([...EIGHTEEN].sort());
    expect(strips(TWELVE, 4).every((each) => each.toS > each.fromS && each.toS <= 4)).toBe(true);
    expect(strips(["X", "Y", "Z"], 10).map((each) => each.toS - each.fromS)).toEqual([10, 10, 10]);
  });
});
