import { afterEach, describe, expect, test } from "vitest";
import { saidOf } from "../src/state/imageFault";
import { lang } from "../src/state/prefs";

const before = lang.value;
afterEach(() => {
  lang.value = before;
});

/** A request as the loader rejects with it: bytes, not text. */
function request(status: number, kind: string | null, body: string): unknown {
  const response = new TextEncoder().encode(body).buffer;
  return { status, response, getResponseHeader: () => kind };
}

const refusal = (more: object): string =>
  JSON.stringify({ title: "Unsupported", code: "unsupported", ...more });

describe("why a picture is not there", () => {
  test("is the service's reason where the service refused it", () => {
    lang.value = "en";
    const given = request(406, "application/problem+json", refusal({ detail: "no decoder for this syntax" }));
    expect(saidOf({ error: given })).toBe("no decoder for this syntax");
    expect(saidOf(given)).toBe("no decoder for this syntax");
  });

  test("is in Chinese where the service said it in Chinese", () => {
    lang.value = "zh";
    const body = refusal({ detail: "no decoder", zh: "没有可用的解码器" });
    expect(saidOf(request(406, "application/problem+json", body))).toBe("没有可用的解码器");
  });

  test("is in words where there was no answer, half of one, or one of a stranger", () => {
    for (const [status, kind, body] of [
      [0, null, ""],
      [500, "application/problem+json", '{"title": "ha'],
      [502, "text/html", "<html>"],
    ] as const) {
      const said = saidOf(request(status, kind, body));
      expect(said).not.toMatch(/object|html|ha/);
      expect(said.length).toBeGreaterThan(4);
    }
  });

  test("is the error's own message elsewhere", () => {
    expect(saidOf({ error: new Error("the decoder gave no answer") })).toBe("the decoder gave no answer");
  });
});
