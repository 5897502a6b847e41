import { describe, expect, test } from "vitest";
import { ROLES } from "../src/texts";
import { BEGINNING, sampleAnalysis, sampleRow, sampleWaveform } from "../src/tour/sample";
import { progressAt, stepsOf } from "../src/tour/steps";
import type { Role } from "../src/wire";
import { somebody } from "./fixtures";

const roles = Object.keys(ROLES).filter((role) => role !== "device") as Role[];

describe("the tour", () => {
  test("has steps for every role, beginning and ending with words", () => {
    for (const role of roles) {
      const steps = stepsOf(role);
      expect(steps.length, role).toBeGreaterThan(2);
      expect([steps[0]?.view, steps.at(-1)?.view]).toEqual(["words", "words"]);
    }
  });

  test("a step that asks for a press shows what can be pressed", () => {
    for (const role of roles) {
      const steps = stepsOf(role);
      steps.forEach((step, index) => {
        const row = sampleRow(somebody("x", role), 0, progressAt(steps, index, BEGINNING));
        if (step.press === "ack") expect(row.alert?.state).toBe("open");
        if (step.press === "open-green")
          expect([row.alert?.state, row.green_channel.state]).toEqual(["acknowledged", "closed"]);
        if (step.press === "task-accept-sample")
          expect(row.tasks.map((one) => [one.role, one.state])).toEqual([[role, "given"]]);
        if (step.press === "task-done-sample")
          expect(row.tasks.map((one) => one.state)).toEqual(["accepted"]);
      });
    }
  });

  test("everything of the sample says that it is one", () => {
    const all = { acked: true, green: true, accepted: true, done: true };
    const row = sampleRow(somebody("x", "cardiologist"), 0, all);
    for (const text of [row.headline_zh, row.site.name_zh, row.tasks[0]?.zh])
      expect(text).toMatch(/^【示例】/);
    for (const text of [row.headline_en, row.site.name_en, row.tasks[0]?.en])
      expect(text).toMatch(/^\[SAMPLE\]/);
    expect(row.note).toContain("不是真实患者");
    for (const finding of sampleAnalysis().findings) expect(finding.zh).toMatch(/^【示例】/);
  });

  test("the sample's paper shows what its evidence says", () => {
    const wave = sampleWaveform();
    const analysis = sampleAnalysis();
    const beat = analysis.fiducials.beats[2];
    for (const item of analysis.findings[0]?.evidence ?? []) {
      const samples = wave.samples[wave.leads.indexOf(item.lead ?? "")];
      const at = (s: number) => samples?.[Math.round(s * wave.rateHz)] ?? 0;
      const st = at((beat?.qrs_off_s ?? 0) + 0.02) - at((beat?.qrs_on_s ?? 0) - 0.01);
      expect(Math.abs(st - item.value), item.lead ?? "").toBeLessThan(0.08);
    }
  });
});
