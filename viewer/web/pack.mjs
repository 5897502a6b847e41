/**
 * After the build: tells the worker what the clinic's page needs to open without a network, and packs every text once, so
 * that the service need not.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const STATIC = new URL("../static/", import.meta.url).pathname;
const BASE = "/static/";
/** What a clinic opens without a network: the entry, its page, and signing in. */
const PAGES = ["index.html", "src/pages/Clinic.tsx", "src/pages/Login.tsx"];
const BESIDE = ["index.html", "icon.svg", "icon-192.png", "app.webmanifest"];
const TEXTS = /\.(js|css|html|svg|json|wasm|webmanifest)$/;
/** Below this a packed file saves no packet. */
const LEAST_BYTES = 600;

const manifest = JSON.parse(readFileSync(join(STATIC, "manifest.json"), "utf8"));

/** A chunk, its styles, and what it imports at once; what it asks for later is not of the shell. */
function filesOf(name, found = new Set()) {
  const chunk = manifest[name];
  if (chunk === undefined) throw new Error(`manifest.json: expected ${name}, found none`);
  if (found.has(chunk.file)) return found;
  found.add(chunk.file);
  for (const style of chunk.css ?? []) found.add(style);
  for (const other of chunk.imports ?? []) filesOf(other, found);
  return found;
}

const shell = new Set(BESIDE);
for (const page of PAGES) for (const file of filesOf(page)) shell.add(file);
const files = [...shell].sort();
const worker = readFileSync(join(STATIC, "sw.js"));
const digest = createHash("sha256").update(worker);
for (const file of files) digest.update(`${file}\0`).update(readFileSync(join(STATIC, file)));
const version = digest.digest("hex").slice(0, 16);
const head = `self.SHELL=${JSON.stringify({ version, files: files.map((file) => BASE + file) })};\n`;
writeFileSync(join(STATIC, "sw.js"), head + worker);

const brotli = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } };
for (const entry of readdirSync(STATIC, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !TEXTS.test(entry.name)) continue;
  const path = join(entry.parentPath, entry.name);
  const content = readFileSync(path);
  if (content.length < LEAST_BYTES) continue;
  writeFileSync(`${path}.br`, brotliCompressSync(content, brotli));
  writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
}
