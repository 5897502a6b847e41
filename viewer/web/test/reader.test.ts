import { describe, expect, test } from "vitest";
import { type Caliper, levelAt, marched, measure, moved, traceFor } from "../src/paper/calipers";
import { drawTraces } from "../src/paper/draw";
import { CABRERA, MINUS_AVR, type SheetId, sheet } from "../src/paper/layout";
import { Pyramid } from "../src/paper/pyramid";
import { pixelOf } from "../src/paper/raster";
import { GAINS, LEAST_PX_PER_MM, NEAREST_PX_PER_MM, SPEEDS, scaleOf, zoomed } from "../src/paper/scale";
import { fitted, type Notes, type Scene, sceneOf } from "../src/paper/scene";
import { TILE_HEIGHT_PX, TILE_WIDTH_PX, tilesOf } from "../src/paper/tiles";
import { columns, middleOf, type Run } from "../src/paper/trace";
import { boxAt, boxesOfSheet, pointAt, xOf, yOf } from "../src/paper/traceBox";
import { leadSamples, type Waveform } from "../src/paper/waveform";
import { EVIDENCE } from "./fixtures";
import { one, pulse, TWELVE } from "./waves";

/** Equal numbers at every run. */
function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const QUIET: Notes = {
  unusable: new Set(),
  evidence: new Map(),
  levels: new Map(),
  beats: [],
  unusableWord: "-",
  missingWord: "-",
  footer: "",
};

interface Placing {
  wave: Waveform;
  id?: SheetId;
  pxPerMm?: number;
  ratio?: number;
  mmPerS?: number;
  mmPerMv?: number;
  notes?: Notes;
}

function placed(of: Placing): Scene {
  const { wave, id = "strip", pxPerMm = 4, ratio = 1, mmPerS = 25, mmPerMv = 10, notes = QUIET } = of;
  const page = sheet(id, wave.leads, { durationS: wave.durationS, pace: { mmPerS, mmPerMv } });
  return sceneOf({ wave, sheet: page, pxPerMm, ratio, notes, namesBeside: false, widthOf: () => 20 });
}

function fittingScene(
  id: SheetId,
  of: Omit<Placing, "id"> & { ratio: number; pxPerMm: number; notes: Notes },
): Scene {
  const { wave, pxPerMm, ratio, notes } = of;
  const common = { wave, pxPerMm, ratio, notes, namesBeside: false, widthOf: () => 20 };
  return fitted((room) => sceneOf({ ...common, sheet: sheet(id, wave.leads, room) }));
}

/** A trace as it is put on the screen, tile by tile: how dark each pixel is, 0 to 1. */
function darkness(scene: Scene, index: number): (x: number, y: number) => number {
  const strip = scene.placed[index];
  if (!strip?.samples) throw new Error("expected a strip with samples");
  const tiles = new Map<number, Uint32Array>();
  const height = Math.ceil(scene.heightPx);
  for (let x = 0; x < scene.widthPx; x += TILE) {
    const area = { x, y: 0, width: TILE, height };
    const data = new Uint32Array(TILE * height).fill(pixelOf("#ffffff"));
    drawTraces({ area, data }, scene, INK);
    tiles.set(x / TILE, data);
  }
  return (x, y) => {
    const pixel = tiles.get(Math.floor(x / TILE))?.[y * TILE + (x % TILE)] ?? 0xffffffff;
    return 1 - (pixel & 0xff) / 255;
  };
}

const TILE = 64;
const INK = {
  paper: "#ffffff",
  fine: "#f7dcd8",
  strong: "#e6a9a2",
  trace: "#000000",
  label: "#101418",
  evidence: "#0b4fa3",
  hatch: "#9aa1ab",
  earlier: "#6b7280",
};

/** Middle of what is dark on a line of pixels, by weight; with the edge of a pixel as a whole number. */
function middle(of: (i: number) => number, from: number, to: number): number {
  let [weight, sum] = [0, 0];
  for (let i = Math.floor(from); i <= to; i++) {
    weight += of(i);
    sum += of(i) * (i + 0.5);
  }
  return sum / weight;
}

const ZOOMS: number[] = [];
for (let px = LEAST_PX_PER_MM; px < NEAREST_PX_PER_MM; px = zoomed(px, 1)) ZOOMS.push(px, px * 1.07);
ZOOMS.push(NEAREST_PX_PER_MM);

/** Screen, rate, speed and gain: each value of one with several of the others. */
const CASES = [1, 1.25, 2].flatMap((ratio) =>
  [250, 500, 1000].flatMap((rateHz, i) =>
    SPEEDS.map((mmPerS, j) => [ratio, rateHz, mmPerS, GAINS[(i + j) % GAINS.length] ?? 10] as const),
  ),
);

describe("every pixel where its sample is", () => {
  test("a pulse of 1 mV and its edges stand within one pixel, at every zoom, speed, gain, rate and screen", () => {
    let worst = 0;
    const [onS, offS] = [0.203, 0.331];
    for (const pxPerMm of ZOOMS)
      for (const [ratio, rateHz, mmPerS, mmPerMv] of CASES) {
        const scene = placed({ wave: one(pulse(rateHz, 0.6, onS, offS)), pxPerMm, ratio, mmPerS, mmPerMv });
        const strip = scene.placed[0];
        if (!strip) throw new Error("no strip");
        const dark = darkness(scene, 0);
        const [first, last] = [Math.round(onS * rateHz), Math.round(offS * rateHz) - 1];
        const x = (i: number): number => strip.xPx + (i / rateHz) * scene.scale.pxPerS;
        const high = strip.zeroPx - scene.scale.pxPerMv;
        // Across the top in the middle of the pulse, across the zero line before it, and each edge half way up.
        const inside = Math.floor((x(first) + x(last)) / 2);
        const before = Math.floor((x(0) + x(first)) / 2);
        const top = middle((y) => dark(inside, y), high - 3, high + 3);
        const zero = middle((y) => dark(before, y), strip.zeroPx - 3, strip.zeroPx + 3);
        const half = Math.floor((high + strip.zeroPx) / 2);
        // An edge is drawn between its two samples, which are farther apart than pixels from some zoom on.
        const edge = (a: number, b: number): number => {
          const between = (x(a) + x(b)) / 2;
          const found = middle(
            (at) => dark(at, half),
            Math.min(between, x(a)) - 3,
            Math.max(between, x(b)) + 3,
          );
          return Math.abs(found - between);
        };
        worst = Math.max(worst, Math.abs(zero - top - scene.scale.pxPerMv), Math.abs(zero - strip.zeroPx));
        worst = Math.max(worst, edge(first - 1, first), edge(last, last + 1));
      }
    expect(worst).toBeLessThanOrEqual(1);
  }, 60_000);

  test("a spike of one sample is on the screen at every zoom, as high as it is", () => {
    const samples = new Float32Array(3000);
    samples[1501] = 0.9;
    const wave = { leads: ["II"], rateHz: 1000, durationS: 3, samples: [samples] };
    for (const pxPerMm of ZOOMS.filter((px) => px < 12)) {
      const scene = placed({ wave, pxPerMm });
      const strip = scene.placed[0];
      if (!strip) throw new Error("no strip");
      const dark = darkness(scene, 0);
      const x = Math.floor(strip.xPx + 1.501 * scene.scale.pxPerS);
      const top = strip.zeroPx - 0.9 * scene.scale.pxPerMv;
      expect(dark(x, Math.floor(top + 1))).toBeGreaterThan(0.5);
      expect(dark(x, Math.floor(top) - 2)).toBe(0);
    }
  });

  test("tall waves of the first and last row have room on the paper", () => {
    const wave = pulse(500, 10, 1, 1.1);
    const tall = Float32Array.from(wave.samples[0] as Float32Array, (value) => 3 * value);
    const deep = tall.map((value) => -value);
    const samples = wave.samples.map((each, i) => (i === 0 ? tall : i === 11 ? deep : each));
    const scene = fittingScene("column", { wave: { ...wave, samples }, pxPerMm: 4, ratio: 1, notes: QUIET });
    const [first, last] = [scene.placed[0], scene.placed[11]];
    expect(first?.highPx).toBeGreaterThanOrEqual(0);
    expect(last?.lowPx).toBeLessThanOrEqual(scene.heightPx);
    expect((first?.zeroPx ?? 0) - (first?.highPx ?? 0)).toBeCloseTo(3 * 40);
    const usual = fittingScene("column", { wave, pxPerMm: 4, ratio: 1, notes: QUIET });
    expect(usual.sheet).toEqual(sheet("column", TWELVE));
  });

  test("a gap is paper", () => {
    const samples = new Float32Array(1000).fill(0.1);
    samples.fill(Number.NaN, 400, 600);
    const wave = { leads: ["II"], rateHz: 500, durationS: 2, samples: [samples] };
    const scene = placed({ wave });
    const strip = scene.placed[0];
    if (!strip) throw new Error("no strip");
    const dark = darkness(scene, 0);
    const inked = (s: number): boolean => {
      const x = Math.floor(strip.xPx + s * scene.scale.pxPerS);
      return Array.from({ length: Math.floor(scene.heightPx) }, (_, y) => dark(x, y)).some((d) => d > 0.3);
    };
    expect([0.4, 0.79, 0.82, 1, 1.18, 1.21].map(inked)).toEqual([true, true, false, false, false, true]);
  });

  test("tiles fit together: no pixel of the whole differs from those of its pieces", () => {
    const random = chance(9);
    const samples = Float32Array.from({ length: 1000 }, () =>
      random() < 0.01 ? Number.NaN : random() - 0.5,
    );
    const wave = { leads: ["II"], rateHz: 500, durationS: 2, samples: [samples] };
    for (const pxPerMm of [3.37, 5, 24]) {
      const scene = placed({ wave, pxPerMm });
      const dark = darkness(scene, 0);
      const area = { x: 0, y: 0, width: scene.widthPx, height: scene.heightPx };
      const data = new Uint32Array(area.width * area.height).fill(pixelOf("#ffffff"));
      drawTraces({ area, data }, scene, INK);
      let differ = 0;
      for (let y = 0; y < area.height; y++)
        for (let x = 0; x < area.width; x++)
          if (Math.abs(1 - ((data[y * area.width + x] as number) & 0xff) / 255 - dark(x, y)) > 0.02)
            differ += 1;
      expect(differ).toBe(0);
    }
  });

  test("J, baseline, level and threshold stand where their numbers say, at every zoom", () => {
    const wave = pulse(500, 10, 1, 1);
    const beats = [
      { p_on_s: null, p_off_s: null, qrs_on_s: 3.402, qrs_off_s: 3.498, t_peak_s: null, t_off_s: null },
    ];
    const levels = new Map([["V3", [EVIDENCE]]]);
    for (const pxPerMm of ZOOMS) {
      const scene = placed({ wave, pxPerMm, notes: { ...QUIET, beats, levels } });
      const one = scene.placed.find(({ strip }) => strip.lead === "V3");
      expect(one?.levels?.jS).toBe(3.498);
      expect(one?.levels?.levels[0]).toMatchObject({ readS: 3.498, levelMv: 0.51, thresholdMv: 0.2 });
      const box = boxesOfSheet(scene).find(({ lead }) => lead === "V3");
      if (!box || !one) throw new Error("no V3");
      expect(Math.abs(xOf(box, 3.498) - (one.strip.xMm + 3.498 * 25) * pxPerMm)).toBeLessThanOrEqual(1);
      expect(yOf(box, 0) - yOf(box, 1)).toBeCloseTo(10 * pxPerMm);
    }
  });

  test("1 mm : 0.1 mV : 40 ms at every zoom, and nothing else on 50 mm/s or 20 mm/mV paper", () => {
    for (const pxPerMm of ZOOMS) {
      const scale = scaleOf(pxPerMm);
      expect([scale.pxPerS * 0.04, scale.pxPerMv * 0.1]).toEqual([
        expect.closeTo(pxPerMm, 9),
        expect.closeTo(pxPerMm, 9),
      ]);
      const fast = scaleOf(pxPerMm, { mmPerS: 50, mmPerMv: 20 });
      expect([fast.pxPerS * 0.02, fast.pxPerMv * 0.05]).toEqual([
        expect.closeTo(pxPerMm, 9),
        expect.closeTo(pxPerMm, 9),
      ]);
    }
  });

  test("pieces of a trace, drawn apart, are the columns of the whole", () => {
    const random = chance(3);
    const samples = Float32Array.from({ length: 6000 }, () => (random() < 0.001 ? Number.NaN : random()));
    for (const pxPerS of [61, 100.3, 437.1]) {
      const left = 17.37;
      const whole = columns(samples, 500, 0, 12, pxPerS, left).flat();
      const inside = (from: number, to: number) => (c: { x: number }) => c.x > from && c.x < to;
      for (let from = 0; from < 12 * pxPerS; from += 256) {
        const at = (px: number): number => (px - left) / pxPerS;
        const [fromS, toS] = [Math.max(0, at(from - 3)), Math.min(12, at(from + 259))];
        const piece = columns(samples, 500, fromS, toS, pxPerS, left + fromS * pxPerS).flat();
        expect(piece.filter(inside(from, from + 255))).toEqual(whole.filter(inside(from, from + 255)));
      }
    }
  });
});

describe("the pyramid", () => {
  test("it says of any stretch what its samples say, and holds back where one is missing", () => {
    const random = chance(7);
    const samples = Float32Array.from({ length: 20_011 }, () => random() - 0.5);
    for (const gap of [5003, 12_345]) samples[gap] = Number.NaN;
    const pyramid = new Pyramid(samples);
    const out = { min: 0, max: 0 };
    for (let n = 0; n < 400; n++) {
      const from = Math.floor(random() * samples.length);
      const to = Math.min(samples.length, from + 1 + Math.floor(random() ** 3 * 9000));
      const part = samples.subarray(from, to);
      const whole = !part.some(Number.isNaN);
      expect(pyramid.range(from, to, out)).toBe(whole);
      if (whole) expect([out.min, out.max]).toEqual([Math.min(...part), Math.max(...part)]);
    }
  });

  test("columns through it are those of the samples: no spike is lost, gaps stay gaps", () => {
    const random = chance(11);
    const samples = Float32Array.from({ length: 60_000 }, (_, i) => Math.sin(i / 300) * 0.3);
    for (let n = 0; n < 60; n++) samples[Math.floor(random() * samples.length)] = random() < 0.5 ? 4 : -4;
    samples.fill(Number.NaN, 30_000, 30_007);
    const near = (runs: Run[]) => runs.flat().filter((c) => c.max === 4 || c.min === -4).length;
    const slow = columns(samples, 1000, 0, 60, 50); // 20 samples a column: looked at one by one
    const quick = columns(samples, 1000, 0, 60, 25); // 40: through the pyramid
    expect(slow).toHaveLength(2);
    expect(quick).toHaveLength(2);
    expect(near(quick)).toBeGreaterThan(0);
    const highest = (runs: Run[], x: number, of: "min" | "max", wide: number) =>
      Math[of](
        ...runs
          .flat()
          .filter((c) => Math.floor(c.x / wide) === x)
          .map((c) => c[of]),
      );
    for (let x = 0; x < 1500; x += 7) {
      if (Math.abs(x - 750) < 2) continue;
      expect(highest(quick, x, "max", 1)).toBe(highest(slow, x, "max", 2));
      expect(highest(quick, x, "min", 1)).toBe(highest(slow, x, "min", 2));
    }
  });

  test("the middle of a long strip is found without looking at every sample", () => {
    const samples = Float32Array.from({ length: 600_000 }, (_, i) => (i % 500 === 0 ? 5 : 0.25));
    expect(middleOf(samples, 1000, 0, 600)).toBeCloseTo(0.25);
    expect(middleOf(new Float32Array(10).fill(Number.NaN), 1, 0, 10)).toBeNull();
  });
});

describe("tiles", () => {
  test("they cover the window and nothing is asked for beyond the paper", () => {
    const picture = { widthPx: 6000, heightPx: 1100 };
    const random = chance(5);
    for (let n = 0; n < 200; n++) {
      const window = {
        left: random() * 6000,
        top: random() * 1100,
        width: 1200 * random(),
        height: 800 * random(),
      };
      const of = tilesOf(window, picture);
      expect(of.fromColumn * TILE_WIDTH_PX).toBeLessThanOrEqual(window.left);
      expect(of.toColumn * TILE_WIDTH_PX).toBeGreaterThanOrEqual(
        Math.min(picture.widthPx, window.left + window.width),
      );
      expect(of.toRow * TILE_HEIGHT_PX).toBeGreaterThanOrEqual(
        Math.min(picture.heightPx, window.top + window.height),
      );
      expect(tilesOf(window, picture, 2).toColumn).toBeLessThanOrEqual(Math.ceil(6000 / TILE_WIDTH_PX));
    }
  });
});

describe("layouts", () => {
  test("Cabrera order is that of the angles, with −aVR upside down", () => {
    for (const id of ["rhythm", "two", "column", "eighteen", "strip"] as const) {
      const page = sheet(id, TWELVE, { cabrera: true, durationS: 10 });
      expect(page.strips.slice(0, 6).map(({ lead }) => lead)).toEqual(CABRERA);
      expect(page.strips.some(({ lead }) => lead === "aVR")).toBe(false);
    }
    const wave = pulse(500, 1, 0.2, 0.3);
    expect(leadSamples(wave, MINUS_AVR)?.[125]).toBe(-1);
  });

  test("evidence of aVR stands upside down on −aVR", () => {
    const wave = pulse(500, 10, 1, 1);
    const beats = [
      { p_on_s: null, p_off_s: null, qrs_on_s: 3.4, qrs_off_s: 3.5, t_peak_s: null, t_off_s: null },
    ];
    const notes = { ...QUIET, beats, levels: new Map([["aVR", [{ ...EVIDENCE, lead: "aVR" }]]]) };
    const page = sheet("strip", TWELVE, { cabrera: true, durationS: 10 });
    const scene = sceneOf({
      wave,
      sheet: page,
      pxPerMm: 4,
      ratio: 1,
      notes,
      namesBeside: true,
      widthOf: () => 9,
    });
    const found = scene.placed.find(({ strip }) => strip.lead === MINUS_AVR)?.levels?.levels[0];
    expect([found?.levelMv, found?.thresholdMv]).toEqual([-0.51, -0.2]);
  });

  test("a full strip shows the leads that were recorded from beginning to end, 12×1 all twelve for ten seconds", () => {
    const full = sheet("strip", ["II", "V1"], { durationS: 60 });
    expect(full.strips.map(({ lead, fromS, toS }) => [lead, fromS, toS])).toEqual([
      ["II", 0, 60],
      ["V1", 0, 60],
    ]);
    const twelve = sheet("column", TWELVE);
    expect(twelve.strips).toHaveLength(12);
    expect(twelve.strips.every(({ fromS, toS }) => toS - fromS === 10)).toBe(true);
  });

  test("at 50 mm/s a sheet is twice as long and its pulse 10 mm wide", () => {
    const [slow, fast] = [25, 50].map((mmPerS) => sheet("two", TWELVE, { pace: { mmPerS, mmPerMv: 10 } }));
    const width = (page: typeof slow, at: number) =>
      (page?.strips[at]?.xMm ?? 0) - (page?.strips[0]?.xMm ?? 0);
    expect(width(fast, 6)).toBeCloseTo(2 * width(slow, 6));
    expect((fast?.strips[0]?.xMm ?? 0) - (slow?.strips[0]?.xMm ?? 0)).toBeCloseTo(5);
  });
});

describe("calipers", () => {
  const on = { kind: "strip", lead: "II", fromS: 0, toS: 10 } as const;
  const caliper: Caliper = { id: 1, on, from: { s: 1, mv: 0.1 }, to: { s: 1.4, mv: 0.45 }, marching: false };

  test("they say milliseconds, millivolts and the rate; the sign is that of the later point", () => {
    expect(measure(caliper)).toEqual({
      ms: expect.closeTo(400),
      mv: expect.closeTo(0.35),
      perMin: expect.closeTo(150),
    });
    expect(measure({ from: caliper.to, to: caliper.from }).mv).toBeCloseTo(0.35);
    expect(measure({ from: caliper.from, to: caliper.from }).perMin).toBeNull();
  });

  test("marched out, the interval falls on every multiple within the strip and not on its own ends", () => {
    expect(marched(caliper, 0, 3).map((s) => Number(s.toFixed(3)))).toEqual([0.2, 0.6, 1.8, 2.2, 2.6, 3]);
    expect(marched({ from: { s: 1, mv: 0 }, to: { s: 1.01, mv: 0 } }, 0, 3)).toEqual([]);
  });

  test("a moved end stays in its strip", () => {
    expect(moved(caliper, "to", 20, 0.01, 0, 10).to).toEqual({ s: 10, mv: 0.46 });
    expect(moved(caliper, "from", -20, 0, 0, 10).from.s).toBe(0);
  });

  test("they come back on the trace they were put on, never on a median beat of the same lead", () => {
    const short = { ...on, toS: 2.5 };
    const beat = { ...on, kind: "beat" as const };
    expect(traceFor(caliper, [short, beat, on])).toBe(on);
    expect(traceFor(caliper, [beat, short])).toBe(short);
    expect(traceFor(caliper, [beat, { ...on, fromS: 2 }])).toBeUndefined();
  });

  test("what a pointer measures is what lies under it, at every zoom", () => {
    const wave = pulse(500, 10, 1, 1.4);
    for (const pxPerMm of ZOOMS) {
      const boxes = boxesOfSheet(placed({ wave, pxPerMm }));
      const box = boxes.find(({ lead }) => lead === "V2");
      if (!box) throw new Error("no V2");
      const [x, y] = [xOf(box, 1.4), yOf(box, 1)];
      const found = boxAt(boxes, x, box.top + box.height / 2);
      expect(found?.lead).toBe("V2");
      expect(pointAt(box, x, y)).toEqual({ s: expect.closeTo(1.4, 9), mv: expect.closeTo(1, 9) });
    }
  });

  test("a level is read between its samples, and not where one is missing", () => {
    const samples = Float32Array.from([0, 1, Number.NaN]);
    expect(levelAt(samples, 10, 0.05)).toBeCloseTo(0.5);
    expect([levelAt(samples, 10, 0.15), levelAt(samples, 10, 3)]).toEqual([null, null]);
  });
});
