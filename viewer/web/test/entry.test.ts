import { describe, expect, test } from "vitest";
import { REST_TEXTS } from "../src/textsRest";

const SOURCES = import.meta.glob<string>("../src/**/*.{ts,tsx}", {
  query: "?raw",
  import: "default",
  eager: true,
});

/** Where an import leads; undefined for styles and packages. */
function found(from: string, named: string): string | undefined {
  const path = new URL(named, `file:///${from.replace("../", "")}`).pathname.slice(1);
  return [`../${path}.ts`, `../${path}.tsx`].find((one) => one in SOURCES);
}

/** All that a module imports at once, itself included; what comes later by `import()` is not of it. */
function closure(starts: readonly string[]): Set<string> {
  const all = new Set<string>();
  const open = [...starts];
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    if (all.has(one)) continue;
    all.add(one);
    for (const [, , named] of (SOURCES[one] ?? "").matchAll(
      /^(import|export) (?!type\b)(?:[^;]*? from )?"(\.[^"]+)";/gms,
    )) {
      const next = named && found(one, named);
      if (next) open.push(next);
    }
  }
  return all;
}

describe("what comes first", () => {
  const first = closure(["../src/main.tsx", "../src/pages/Clinic.tsx", "../src/pages/Login.tsx"]);

  test("the entry brings no page, and the clinic's page none of the drawing of ECGs", () => {
    const entry = [...closure(["../src/main.tsx"])];
    expect(entry.length).toBeGreaterThan(20);
    expect(entry.filter((path) => path.includes("/pages/"))).toEqual([]);
    expect([...first].filter((path) => path.includes("/paper/"))).toEqual([]);
  });

  test("the drawing of DICOM images comes by import() alone: one module names it, and no page brings that at once", () => {
    const naming = Object.entries(SOURCES).filter(([, text]) =>
      /^(import|export)[^;]*? from "@cornerstonejs/m.test(text),
    );
    expect(naming.map(([path]) => path)).toEqual(["../src/pages/image/engine.ts"]);
    const pages = Object.keys(SOURCES).filter((path) => !path.endsWith("/engine.ts"));
    expect([...closure(pages)].filter((path) => path.endsWith("image/engine.ts"))).toEqual([]);
  });

  test("no word of the entry, the clinic's and the login page comes with the other pages", () => {
    const late = new Set(Object.keys(REST_TEXTS));
    for (const path of first) {
      const literals = [...(SOURCES[path] ?? "").matchAll(/\bt\(\s*"(\w+)"|: "(\w+)"|\[.*?"(\w+)"\]/g)];
      const words = literals.flatMap(([, ...groups]) => groups.filter((word) => word !== undefined));
      expect(
        words.filter((word) => late.has(word)),
        path,
      ).toEqual([]);
    }
  });
});
