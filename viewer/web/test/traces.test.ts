import { describe, expect, test } from "vitest";
import { shiftFor } from "../src/paper/earlier";
import { exchanged } from "../src/paper/exchange";
import { Tail } from "../src/paper/tail";
import { readScreens } from "../src/state/screen";
import type { WaveMessage } from "../src/wire";
import SWAPS from "./swaps.json";
import { pulse, TWELVE } from "./waves";

describe("swapped electrodes", () => {
  test("undone on the screen, each lead is what the service makes of it", () => {
    const { leads, samples, swaps } = SWAPS as unknown as {
      leads: string[];
      samples: number[][];
      swaps: { swap: [string, string]; samples: number[][] }[];
    };
    const wave = {
      leads,
      rateHz: 500,
      durationS: 1,
      samples: samples.map((row) => Float32Array.from(row)),
    };
    expect(swaps.length).toBeGreaterThan(30);
    for (const { swap, samples: wanted } of swaps) {
      const made = exchanged(wave, swap);
      wanted.forEach((row, lead) => {
        row.forEach((value, i) => {
          expect(made?.samples[lead]?.[i], `${swap} ${leads[lead]}`).toBeCloseTo(value, 4);
        });
      });
    }
  });

  test("the right leg gives no lead, and without limb leads no limb is put right", () => {
    const wave = pulse(500, 1, 0.1, 0.2);
    expect(exchanged(wave, ["RA", "RL"])).toBeNull();
    expect(
      exchanged({ ...wave, leads: ["V1", "V2"], samples: wave.samples.slice(0, 2) }, ["RA", "V1"]),
    ).toBeNull();
  });

  test("a missing sample spreads only to leads that need it", () => {
    const wave = pulse(500, 1, 0.1, 0.2);
    const gap = Float32Array.from(wave.samples[0] as Float32Array);
    gap[10] = Number.NaN;
    const made = exchanged({ ...wave, samples: wave.samples.map((s, i) => (i === 0 ? gap : s)) }, [
      "V1",
      "V2",
    ]);
    expect(made?.samples.map((s) => Number.isNaN(s[10] as number))).toEqual(
      TWELVE.map((lead) => lead === "I"),
    );
  });
});

describe("an earlier ECG beneath", () => {
  const wave = { ...pulse(500, 10, 1, 1), durationS: 10 };

  test("a beat of it lies on the first beat of the strip, the one with the most like interval", () => {
    const earlier = { wave, rS: [0.5, 1.5, 2.3, 3.3, 4.3, 5.3, 6.3], ownRS: [0.9, 1.7, 2.5] };
    expect(shiftFor({ fromS: 0, toS: 2.5 }, earlier)).toBeCloseTo(0.9 - 1.5);
  });

  test("without a beat in the strip or in the earlier recording nothing is laid over anything", () => {
    expect(shiftFor({ fromS: 0, toS: 2.5 }, { wave, rS: [], ownRS: [1] })).toBeNull();
    expect(shiftFor({ fromS: 5, toS: 7.5 }, { wave, rS: [1], ownRS: [1] })).toBeNull();
  });
});

describe("the true size of a screen", () => {
  test("what was kept and cannot be is not believed", () => {
    expect([...readScreens('{"1920x1080": 3.78, "1x1": 4000, "2x2": "wide"}')]).toEqual([
      ["1920x1080", 3.78],
    ]);
    expect(readScreens("{broken").size).toBe(0);
    expect(readScreens(null).size).toBe(0);
  });
});

describe("a running stream", () => {
  const message = (first: number, values: number[]): WaveMessage => ({
    type: "wave",
    ecg_id: "e",
    case_id: "c",
    rate_hz: 10,
    leads: ["II"],
    lsb_mv: 1,
    first_sample: first,
    samples: btoa(String.fromCharCode(...new Uint8Array(new Int16Array(values).buffer))),
  });

  test("it says up to where the paper stays as it was, and begins anew when the oldest is dropped", () => {
    const tail = new Tail();
    expect(tail.add(message(100, [1, 2, 3]))).toBe(0);
    expect(tail.add(message(103, [4, 5]))).toBeCloseTo(0.3);
    expect(Array.from(tail.waveform().samples[0] ?? [])).toEqual([1, 2, 3, 4, 5]);
    // What comes again changes what was drawn.
    expect(tail.add(message(102, [9, 9, 9]))).toBeCloseTo(0.2);
    expect(tail.add(message(500, [7]))).toBe(0);
    const { samples, durationS } = tail.waveform();
    expect(durationS).toBe(20);
    expect(samples[0]?.at(-1)).toBe(7);
    expect(samples[0]?.slice(0, -1).every(Number.isNaN)).toBe(true);
  });
});
