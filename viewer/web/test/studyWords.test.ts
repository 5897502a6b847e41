import { expect, test } from "vitest";
import { studyWords } from "../src/state/studyWords";

test("a part of the body that is the description as well is said once", () => {
  expect(studyWords({ body_part: "HEAD", description: "HEAD " })).toBe("HEAD");
  expect(studyWords({ body_part: "HEAD", description: "头颅平扫" })).toBe("HEAD 头颅平扫");
  expect(studyWords({ body_part: null, description: null })).toBe("");
});
