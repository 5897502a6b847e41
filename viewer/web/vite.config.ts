import { defineConfig } from "vitest/config";

// The service hands out viewer/static under /static/ and index.html for every page's address.
const SERVICE = "http://127.0.0.1:8080";

export default defineConfig({
  base: "/static/",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../static",
    emptyOutDir: true,
    // Not the usual .vite/manifest.json: folders with a dot are left out of the wheel.
    manifest: "manifest.json",
    target: "es2022",
  },
  server: {
    proxy: {
      "/api": { target: SERVICE, ws: true },
      "/healthz": SERVICE,
      "/readyz": SERVICE,
    },
  },
  test: {
    include: ["test/**/*.test.{ts,tsx}"],
    environment: "node",
    css: true, // the contrast of the themes is read from the style sheet
    passWithNoTests: true,
  },
});
