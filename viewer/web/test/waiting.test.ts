import { beforeEach, describe, expect, test } from "vitest";
import { me } from "../src/state/session";
import { keepAndSend, newDraftId } from "../src/state/waiting";
import { somebody } from "./fixtures";

describe("what is sent from the form", () => {
  beforeEach(() => {
    me.value = somebody("li", "clinic");
  });

  test("is told to be gone where the device gives the chosen file no more, instead of sending for ever", async () => {
    const gone = {
      name: "ecg.dcm",
      type: "",
      arrayBuffer: () => Promise.reject(new DOMException("it has changed", "NotReadableError")),
    } as unknown as File;
    const draft = { id: newDraftId(), caseId: null, files: [gone], fields: {} };
    expect(await keepAndSend(draft)).toEqual({ kind: "unreadable" });
  });
});
