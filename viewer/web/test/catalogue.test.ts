import { expect, test } from "vitest";

const SOURCES = import.meta.glob<string>("../src/**/*.{ts,tsx}", {
  query: "?raw",
  import: "default",
  eager: true,
});

const isCatalogue = (path: string): boolean => /\/texts\w*\.ts$/.test(path);
/** Before what comes from the service: `channel_` and the name of a channel. */
const LEAST_PREFIX = 4;

test("every word of the catalogues is said by a page", () => {
  const pages = Object.entries(SOURCES).filter(([path]) => !isCatalogue(path) && !path.includes("openapi"));
  const said = new Set(pages.flatMap(([, text]) => text.match(/\w+/g) ?? []));
  const prefixes = pages
    .flatMap(([, text]) => [...text.matchAll(/`([A-Za-z]+_?)\$\{/g)].map(([, prefix]) => prefix ?? ""))
    .filter((prefix) => prefix.length >= LEAST_PREFIX);
  const words = Object.entries(SOURCES)
    .filter(([path]) => isCatalogue(path))
    .flatMap(([, text]) => [...text.matchAll(/^ {2}(\w+): \[/gm)].map(([, word]) => word ?? ""));
  expect(words.length).toBeGreaterThan(500);
  const never = words.filter(
    (word) => !said.has(word) && !prefixes.some((prefix) => word.startsWith(prefix)),
  );
  expect(never).toEqual([]);
});
