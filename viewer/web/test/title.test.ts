import { effect } from "@preact/signals";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { blinkTitle } from "../src/parts/Banner";
import { takeAnswer } from "../src/state/live";
import { titleNote } from "../src/state/news";
import { me } from "../src/state/session";
import { alert, person, row, somebody } from "./fixtures";

describe("the title of the window", () => {
  const page = { title: "" };
  let stop = (): void => {};

  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal("document", page);
    me.value = somebody("li", "clinic");
    stop = effect(blinkTitle);
  });

  afterEach(() => {
    titleNote.value = null;
    stop();
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  test("keeps what the page has to say, whatever happens in other cases", () => {
    titleNote.value = "(!) 新建议";
    expect(page.title).toBe("(!) 新建议");
    takeAnswer(row({ case_id: "c_2", seq: 2 }));
    takeAnswer(row({ case_id: "c_3", seq: 3 }));
    expect(page.title).toBe("(!) 新建议");
    titleNote.value = null;
    expect(page.title).not.toContain("新建议");
  });

  test("belongs to the call while somebody is called", () => {
    me.value = somebody("chen", "cardiologist");
    titleNote.value = "(!) 新建议";
    takeAnswer(row({ seq: 4, alert: alert([person("chen")]) }));
    expect(page.title).toMatch(/^\(1\) /);
  });
});
