import { expect, test } from "vitest";
import { goesOn, type Press, standsInFor } from "../src/parts/guard";

const ANSWER: Press = { name: "ack a_1", at_ms: 1000, x: 500, y: 300 };
const HERE = { left: 440, right: 560, top: 280, bottom: 324 };

test("what takes the place of an act that was pressed is guarded, also where a slow line answers late", () => {
  expect(standsInFor(ANSWER, "green c_1", HERE, 1350)).toBe(true);
  expect(standsInFor(ANSWER, "ack a_2", HERE, 9000)).toBe(true);
  expect(standsInFor(ANSWER, "green c_1", { ...HERE, top: 310, bottom: 354 }, 1350)).toBe(true);
});

test("the same act, an act elsewhere, and one long after are not", () => {
  expect(standsInFor(ANSWER, "ack a_1", HERE, 1350)).toBe(false);
  expect(standsInFor(ANSWER, "green c_1", { ...HERE, top: 400, bottom: 444 }, 1350)).toBe(false);
  expect(standsInFor(ANSWER, "green c_1", { ...HERE, left: 700, right: 800 }, 1350)).toBe(false);
  expect(standsInFor(ANSWER, "green c_1", HERE, 17_000)).toBe(false);
  expect(standsInFor(null, "green c_1", HERE, 1350)).toBe(false);
});

test("presses that go on at one place are none of another act that was moved there", () => {
  expect(goesOn(ANSWER, "done t_2", HERE, 1450)).toBe(true);
  expect(goesOn({ ...ANSWER, at_ms: 1450 }, "done t_2", HERE, 1900)).toBe(true);
  expect(goesOn({ ...ANSWER, at_ms: 1450 }, "done t_2", HERE, 2300)).toBe(false);
  expect(goesOn(ANSWER, "done t_2", { ...HERE, top: 400, bottom: 444 }, 1450)).toBe(false);
  expect(goesOn(ANSWER, ANSWER.name, HERE, 1450)).toBe(false);
});
