import { describe, expect, test } from "vitest";
import { numberIn } from "../src/parts/CaseHead";
import type { Kept } from "../src/state/outbox";
import { droppedWords, faultsOf, refusalOf } from "../src/state/refusal";

const refused = (code: string, said: Record<string, unknown> = {}): Kept => ({
  id: "a",
  user: "wang",
  userName: "王医生",
  sites: [],
  caseId: "c_1",
  files: [],
  fields: {},
  keptAt: "2026-05-01T08:00:00.000Z",
  upload: null,
  packed: null,
  refused: { status: 422, code, said },
});

describe("why an ECG was not taken", () => {
  test("a field that was refused is named as the form names it", () => {
    const said = { expected: "callback_phone: text of at most 64 characters", got: "something else" };
    expect(refusalOf(refused("bad_field", said))?.words).toContain("回拨电话");
  });

  test("a drill takes no real ECG, and what can be done is said", () => {
    expect(refusalOf(refused("drill_case"))?.words).toContain("作为新病人发送");
  });

  test("what is read is told where a file cannot be", () => {
    const words = refusalOf(refused("unknown_format"))?.words ?? "";
    for (const kind of ["DICOM", "WFDB", "SCP-ECG", "HL7", "MUSE", "MFER", "EDF"])
      expect(words).toContain(kind);
  });

  test("what was left out of an ECG that was taken is named", () => {
    expect(droppedWords(["age", "vitals.sbp"])).toContain("vitals.sbp");
    expect(droppedWords(["age"])).toContain("年龄");
  });
});

describe("what is typed beside an ECG", () => {
  const NOW = Date.parse("2026-05-01T08:00:00.000Z");

  test("is marked where it cannot be, by its field", () => {
    expect(faultsOf({ age: "200", onset_at: "2026-05-01T10:00:00.000Z" }, NOW)).toEqual({
      age: "faultAge",
      onset_at: "faultOnset",
    });
    expect(faultsOf({ age: "61", onset_at: "2026-05-01T07:00:00.000Z" }, NOW)).toEqual({});
  });

  test("a telephone is a telephone with words beside it; none at all is told", () => {
    expect(faultsOf({ callback_phone: "0371-66666666转88" }, NOW)).toEqual({});
    expect(faultsOf({ callback_phone: "无" }, NOW)).toEqual({ callback_phone: "faultPhone" });
    expect(numberIn("13800000000(儿子)")).toBe("13800000000");
    expect(numberIn("无")).toBeNull();
  });
});
