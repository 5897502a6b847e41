import { describe, expect, test } from "vitest";
import { sitesOf } from "../src/state/admin";

describe("which cases a person will see", () => {
  const none: ReadonlySet<string> = new Set();

  test("somebody must have said: with no site and not every site the board would be empty", () => {
    expect(sitesOf("cardiologist", false, none)).toBeNull();
    expect(sitesOf("cardiologist", true, none)).toEqual({ sites: null });
    expect(sitesOf("cardiologist", false, new Set(["yinzhao"]))).toEqual({ sites: ["yinzhao"] });
  });

  test("a clinic's person sees their own sites alone, whatever was ticked before the role was chosen", () => {
    expect(sitesOf("clinic", true, none)).toBeNull();
    expect(sitesOf("clinic", true, new Set(["yinzhao"]))).toEqual({ sites: ["yinzhao"] });
  });
});
