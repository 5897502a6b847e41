import { describe, expect, test } from "vitest";
import { panelOf } from "../src/state/panel";
import { row, summary } from "./fixtures";

describe("the ECG beside the list", () => {
  const one = row({ ecg_id: "e_1", ecgs: [summary("e_1")] });
  const opened = { caseId: "c_1", ecgId: "e_1" };

  test("is the most urgent one of the case that was opened", () => {
    expect(panelOf(opened, one)).toEqual({ ecgId: "e_1", other: null });
  });

  test("stays under the reader's hand when a more urgent one comes, which is offered", () => {
    const both = row({ ecg_id: "e_2", ecgs: [summary("e_1"), summary("e_2", { tier: "ACT" })] });
    expect(panelOf(opened, both)).toEqual({ ecgId: "e_1", other: "e_2" });
  });

  test("gives way where it has left the case, or where the case had none yet", () => {
    const moved = row({ ecg_id: "e_2", ecgs: [summary("e_2")] });
    expect(panelOf(opened, moved)).toEqual({ ecgId: "e_2", other: null });
    expect(panelOf({ caseId: "c_1", ecgId: null }, one)).toEqual({ ecgId: "e_1", other: null });
  });
});
