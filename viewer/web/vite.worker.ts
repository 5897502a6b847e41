import { defineConfig } from "vite";

// The worker is one plain script: browsers that take no modules as workers are still about. `pack.mjs` writes the shell's
// list in front of it.
export default defineConfig({
  publicDir: false,
  build: {
    outDir: "../static",
    emptyOutDir: false,
    target: "es2022",
    lib: { entry: "src/worker/main.ts", formats: ["iife"], name: "worker", fileName: () => "sw.js" },
  },
});
