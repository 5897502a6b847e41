import { describe, expect, test } from "vitest";
import { panelSize } from "../src/paper/drawMedian";
import { sheet, suitableLayout, thumbnailLeads } from "../src/paper/layout";
import { baseline, beatMarks, median, medianBeat } from "../src/paper/median";
import { firstWholeBeat, overlayOf } from "../src/paper/overlay";
import { CAL_MM, fitPxPerMm, LEAST_PX_PER_MM, MM_PER_MV, MM_PER_S, scaleOf } from "../src/paper/scale";
import { Tail } from "../src/paper/tail";
import { columns, fitBase, levelOf, placeName, tracePath } from "../src/paper/trace";
import { decodeInt16, millivolts, toWaveform } from "../src/paper/waveform";
import { afterJ, drawable, readAt, shortName } from "../src/paper/waves";
import type { WaveMessage } from "../src/wire";
import { EVIDENCE } from "./fixtures";

const TWELVE = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"];

function base64(values: number[]): string {
  const bytes = new Uint8Array(new Int16Array(values).buffer);
  return btoa(String.fromCharCode(...bytes));
}

describe("the scale", () => {
  test("at every zoom 1 mm is 40 ms wide and 0.1 mV high", () => {
    for (const px of [2.4, 3.3, 5]) {
      const scale = scaleOf(px);
      expect(scale.pxPerS * 0.04).toBeCloseTo(px);
      expect(scale.pxPerMv * 0.1).toBeCloseTo(px);
    }
  });

  test("paper scrolls rather than shrink below what can be read", () => {
    expect(fitPxPerMm(320, 260)).toBe(LEAST_PX_PER_MM);
    expect(fitPxPerMm(780, 260)).toBe(3);
  });

  test("the calibration pulse is 5 mm wide", () => {
    expect(CAL_MM).toBe(5);
  });
});

describe("the trace", () => {
  const wave = (values: number[]) => Float32Array.from(values);

  test("a column keeps its lowest and its highest sample: no spike is lost", () => {
    const samples = new Float32Array(1000);
    samples[501] = 2.5;
    samples[502] = -1.5;
    const runs = columns(samples, 500, 0, 2, 10);
    const column = runs[0]?.[10];
    expect(column?.max).toBe(2.5);
    expect(column?.min).toBe(-1.5);
    expect(runs).toHaveLength(1);
    expect(runs[0]).toHaveLength(20);
  });

  test("a missing sample is a gap and is never drawn across", () => {
    const runs = columns(wave([1, 1, Number.NaN, 2, 2]), 5, 0, 1, 100);
    expect(runs.map((run) => run.map((c) => c.first))).toEqual([
      [1, 1],
      [2, 2],
    ]);
    const moves: number[] = [];
    tracePath({ moveTo: (x) => moves.push(x), lineTo: () => {} }, runs, 0, 0, 1);
    expect(moves).toHaveLength(2);
  });

  test("fewer samples than pixels are no gap", () => {
    expect(columns(wave([0, 1, 0]), 1, 0, 3, 50)).toHaveLength(1);
  });

  test("the window begins where it is asked to", () => {
    const samples = Float32Array.from({ length: 100 }, (_, i) => i);
    const run = columns(samples, 10, 2.5, 5, 10)[0];
    expect(run?.[0]).toMatchObject({ x: 0, first: 25 });
    expect(run?.at(-1)?.last).toBe(49);
  });

  test("up on the screen is positive", () => {
    const ys: number[] = [];
    const pen = { moveTo: (_x: number, y: number) => ys.push(y), lineTo: () => {} };
    tracePath(pen, columns(wave([1]), 1, 0, 1, 1), 0, 100, 30);
    expect(ys).toEqual([70]);
  });

  test("a wave that does not fit is moved, never squeezed", () => {
    expect(fitBase(-0.3, 0.5, 24, 15, MM_PER_MV)).toBe(15);
    expect(fitBase(-1.4, 0.5, 24, 15, MM_PER_MV)).toBe(10);
    expect(fitBase(-0.2, 1.8, 24, 15, MM_PER_MV)).toBe(18);
  });

  test("the level leaves missing samples out", () => {
    expect(levelOf(wave([Number.NaN, 3, 1, 2]), 4, 0, 1)).toEqual({ min: 1, max: 3, median: 2 });
    expect(levelOf(wave([Number.NaN]), 1, 0, 1)).toBeNull();
  });

  test("a name stands in the first place that tall waves leave free, if there is one", () => {
    const samples = new Float32Array(100);
    for (const at of [1, 40, 90]) samples[at] = 1.5;
    const runs = columns(samples, 100, 0, 1, 100);
    expect(placeName(runs, 2, 30, 100)).toBe(0);
    expect(placeName(runs, 1, 30, 100)).toBe(2);
    expect(placeName(runs, 1, 45, 100)).toBe(41);
    expect(placeName(runs, 1, 60, 100)).toBeNull();
  });
});

describe("the layout", () => {
  test("3×4 + II shows 2.5 s of twelve leads and ten seconds of II below", () => {
    const page = sheet("rhythm", TWELVE);
    expect(page.strips).toHaveLength(13);
    expect(new Set(page.strips.slice(0, 12).map((s) => s.lead))).toEqual(new Set(TWELVE));
    expect(page.strips.slice(0, 12).every((s) => s.toS - s.fromS === 2.5)).toBe(true);
    const rhythm = page.strips.at(-1);
    expect(rhythm).toMatchObject({ lead: "II", fromS: 0, toS: 10 });
    expect(page.rowsMm).toHaveLength(4);
  });

  test("columns follow each other in time: the heart beats once, not four times", () => {
    for (const id of ["rhythm", "two", "eighteen"] as const) {
      for (const strip of sheet(id, TWELVE).strips) {
        const left = sheet(id, TWELVE).strips[0]?.xMm ?? 0;
        expect(strip.xMm - left).toBeCloseTo(strip.fromS * MM_PER_S);
      }
    }
  });

  test("18 leads are six rows of three", () => {
    const page = sheet("eighteen", [...TWELVE, "V7", "V8", "V9", "V3R", "V4R", "V5R"]);
    expect(page.strips).toHaveLength(18);
    expect(page.rowsMm).toHaveLength(6);
  });

  test("a phone gets a strip to push along, a longer record its later seconds", () => {
    expect(suitableLayout(TWELVE, true)).toBe("strip");
    expect(suitableLayout([...TWELVE, "V7"], false)).toBe("eighteen");
    expect(sheet("rhythm", TWELVE, { startS: 20 }).strips[0]?.fromS).toBe(20);
    expect(sheet("column", [...TWELVE, "V4R"]).strips).toHaveLength(13);
  });

  test("the thumbnail shows the worst leads that there are", () => {
    expect(thumbnailLeads(["V3", "V2"], TWELVE)).toEqual(["V3", "V2"]);
    expect(thumbnailLeads(["V7"], TWELVE)).toEqual(["II", "V2"]);
    expect(thumbnailLeads([], ["X"])).toEqual(["X"]);
  });
});

describe("the median beat", () => {
  const rate = 100;
  const beats = [1, 2, 3, 4, 5].map((r) => r);
  const samples = new Float32Array(600);
  for (const r of beats) {
    samples[r * rate] = 1;
    for (let i = 5; i < 20; i++) samples[r * rate + i] = 0.3;
  }

  test("one odd beat of five does not move it", () => {
    const odd = samples.slice();
    odd.fill(-2, 290, 330);
    const beat = medianBeat(odd, rate, beats);
    expect(beat?.beats).toBe(5);
    expect(beat?.samples[30]).toBe(1);
    expect(beat?.samples[40]).toBeCloseTo(0.3);
  });

  test("cut beats at the borders are left out, and no beat is no median", () => {
    expect(medianBeat(samples, rate, [0.1, 2, 5.9])?.beats).toBe(1);
    expect(medianBeat(samples, rate, [])).toBeNull();
  });

  test("onset and J are the medians of the beats where both were found", () => {
    const found = { p_on_s: null, p_off_s: null, t_peak_s: null, t_off_s: null };
    const marks = beatMarks(
      [1, 2, 3],
      [
        { ...found, qrs_on_s: 0.95, qrs_off_s: 1.05 },
        { ...found, qrs_on_s: null, qrs_off_s: 2.5 },
        { ...found, qrs_on_s: 2.95, qrs_off_s: 3.05 },
      ],
    );
    expect(marks?.onS).toBeCloseTo(-0.05);
    expect(marks?.jS).toBeCloseTo(0.05);
    expect(beatMarks([1], [])).toBeNull();
  });

  test("the baseline is the level just before the QRS", () => {
    const lifted = samples.map((v) => v + 0.2);
    const beat = medianBeat(lifted, rate, beats);
    expect(beat && baseline(beat, rate, -0.05)).toBeCloseTo(0.2);
  });

  test("of a lead are drawn the levels of its waves, each once, ST first, and only what was measured on this trace", () => {
    const q = { ...EVIDENCE, quantity: "q_mv" };
    const width = { ...EVIDENCE, quantity: "q_ms" };
    const later = { ...EVIDENCE, rule: "EQV-DEWINTER", threshold: 0.1 };
    expect(drawable([q, width, EVIDENCE, later], "V3")).toEqual([EVIDENCE, q]);
    expect(drawable([EVIDENCE], "V1")).toEqual([]);
    for (const elsewhere of [{ trace: "corrected" }, { trace: "e_2" }, { lead: null }])
      expect(drawable([{ ...EVIDENCE, ...elsewhere }], "V3")).toEqual([]);
    const { trace, relation, ...old } = EVIDENCE;
    expect([trace, relation]).toEqual([null, ">="]);
    expect(drawable([old], "V3")).toEqual([old]);
  });

  test("ST is read where its name says, a wave where the beat reaches its level", () => {
    expect(afterJ("stj_mv")).toBe(0);
    expect(afterJ("st60_mv")).toBe(0.06);
    expect(["stj_mv", "st60_mv", "t_low_mv"].map(shortName)).toEqual(["J", "J+60", "T↓"]);
    const beat = { onS: 0.1, jS: 0.2, baseMv: 0.1, endS: 0.6 };
    const shape = new Float32Array(400).fill(0.1);
    shape[55] = -0.1;
    shape[70] = 0.9;
    shape[200] = -0.3;
    shape[350] = 0.9;
    const at = (name: string, value: number) =>
      readAt({ ...EVIDENCE, quantity: name, value }, shape, 500, beat);
    expect(at("st60_mv", 0.2)).toBeCloseTo(0.26);
    expect(at("q_mv", -0.2)).toBeCloseTo(0.11);
    expect(at("r_mv", 0.8)).toBeCloseTo(0.14);
    expect(at("t_mv", -0.4)).toBeCloseTo(0.4);
    expect(at("qrs_ms", 120)).toBeNull();
    expect(readAt({ ...EVIDENCE, quantity: "r_mv" }, new Float32Array(0), 500, beat)).toBeNull();
    expect(median([3, 1, 2, 4])).toBe(2.5);
  });

  test("a tile is wide enough for its label", () => {
    for (const room of [340, 780, 1200]) {
      const panel = panelSize(12, room);
      expect(panel.widthPx / panel.perRow).toBeGreaterThanOrEqual(155);
      expect(panel.widthPx).toBeLessThanOrEqual(room + panel.perRow);
    }
  });
});

describe("the waveform on the wire", () => {
  test("int16, lead by lead; a missing sample is NaN and not a voltage", () => {
    const wave = toWaveform({
      leads: ["I", "II"],
      rate_hz: 2,
      duration_s: 1,
      started_at: null,
      lsb_mv: 0.0025,
      missing: -32768,
      samples: base64([400, -32768, -400, 0]),
    });
    expect(wave.samples[0]?.[0]).toBeCloseTo(1);
    expect(wave.samples[0]?.[1]).toBeNaN();
    expect(wave.samples[1]?.[0]).toBeCloseTo(-1);
    expect(millivolts(decodeInt16(base64([1, 2])), 1, 1, -32768)[0]).toEqual(Float32Array.from([1, 2]));
  });

  test("thinned waves of a running stream leave a gap", () => {
    const tail = new Tail();
    const message: Omit<WaveMessage, "first_sample" | "samples"> = {
      type: "wave",
      ecg_id: "e",
      case_id: "c",
      rate_hz: 10,
      leads: ["II"],
      lsb_mv: 1,
    };
    tail.add({ ...message, first_sample: 100, samples: base64([1, 2]) });
    tail.add({ ...message, first_sample: 104, samples: base64([5]) });
    const shown = tail.waveform().samples[0]?.slice(-5) ?? [];
    expect(Array.from(shown)).toEqual([1, 2, Number.NaN, Number.NaN, 5]);
  });
});

describe("the evidence on the paper", () => {
  const beat = (on: number, off: number) =>
    ({ p_on_s: null, p_off_s: null, qrs_on_s: on, qrs_off_s: off, t_peak_s: null, t_off_s: null }) as const;
  const strip = { fromS: 2.5, toS: 5 };

  test("it lies on the first beat that is whole in its strip", () => {
    const beats = [beat(2.4, 2.5), beat(2.6, 2.7), beat(3.4, 3.5), beat(4.2, 4.3)];
    expect(firstWholeBeat(strip, beats)).toMatchObject({ onS: 3.4, jS: 3.5 });
    expect(firstWholeBeat(strip, [beat(4.8, 4.9)])).toBeNull();
    expect(firstWholeBeat(strip, [beat(4.5, 4.7)])).toMatchObject({ onS: 4.5 });
    expect(firstWholeBeat(strip, [beat(4.5, 4.7)], true)).toBeNull();
  });

  test("level and threshold are seen from the level before the QRS, where the trace itself lies", () => {
    const samples = new Float32Array(2500).fill(0.1);
    const found = overlayOf(strip, samples, 500, [beat(3.4, 3.5)], [{ ...EVIDENCE, quantity: "st60_mv" }]);
    expect(found?.baseMv).toBeCloseTo(0.1);
    expect(found?.levels[0]?.levelMv).toBeCloseTo(0.61);
    expect(found?.levels[0]?.thresholdMv).toBeCloseTo(0.3);
    expect(found?.levels[0]?.readS).toBeCloseTo(3.56);
  });

  test("where a sample before the QRS is missing nothing is drawn", () => {
    const samples = new Float32Array(2500).fill(Number.NaN);
    expect(overlayOf(strip, samples, 500, [beat(3.4, 3.5)], [EVIDENCE])).toBeNull();
  });
});
