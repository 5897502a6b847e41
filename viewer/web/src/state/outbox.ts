/**
 * What was entered and not yet confirmed by the service: kept in this browser, sent when there is a network, once.
 *
 * Shared by the page and the worker; it knows no page. Once is the service's doing: to it a file is its content, so that
 * the same sent again, after an answer that was lost on its way, is the ECG that is there already.
 */

export interface KeptFile {
  name: string;
  type: string;
  bytes: ArrayBuffer;
}

/** Why the service did not take it: a problem document. */
export interface Refusal {
  status: number;
  code: string;
  said: Record<string, unknown>;
}

export interface Kept {
  id: string;
  /** Whose it is: only their session sends it. */
  user: string;
  userName: string;
  /** Where it goes if another than its own user takes it over. */
  sites: readonly string[];
  /** The case it belongs to; null for a new patient. */
  caseId: string | null;
  files: readonly KeptFile[];
  /** Fields of `POST /ecgs`; one that is not here is unknown. */
  fields: Readonly<Record<string, string>>;
  keptAt: string;
  /** The path of an upload that has begun. */
  upload: string | null;
  /** The file as that upload sends it, packed by zlib; null where it goes as it is. */
  packed: ArrayBuffer | null;
  refused: Refusal | null;
  /** It went out once, and what became of that is not known: the ECG that is there may be this one. */
  tried?: boolean;
}

export interface Store {
  all(): Promise<Kept[]>;
  put(one: Kept): Promise<void>;
  remove(id: string): Promise<void>;
}

/** The service's answer to an ECG. */
export interface Sent {
  ecg_id: string;
  case_id: string;
  duplicate: boolean;
  /** Names of the fields that could not be kept, or not whole. */
  dropped?: string[];
}

export type Verdict =
  | { kind: "sent"; sent: Sent }
  /** Not now: no line (0), no session (401), a busy or broken service. */
  | { kind: "later"; status: number }
  | { kind: "refused"; refusal: Refusal };

/** Asks the service; rejects where it was not reached. */
export type Ask = (path: string, init: RequestInit, most_ms: number) => Promise<Response>;

const BASE = "/api/v1";
/** A file above this goes in pieces that a cut does not lose. */
export const RESUMABLE_FROM_BYTES = 64 * 1024;
const WORTH_PACKING = 0.9;
const WAIT_MS = 20_000;
/** A link slower than this is as good as none. */
const SLOWEST_BYTES_PER_S = 1000;
const LATER = new Set([401, 408, 423, 425, 429]);

const later = (status: number): boolean => LATER.has(status) || status >= 500;

export const bytesOf = (one: Kept): number => one.files.reduce((sum, file) => sum + file.bytes.byteLength, 0);

/** The code of a refusal that this page makes itself: the file had been sent before, as another ECG. */
export const SENT_BEFORE = "sent_before";

/** Send one. Never rejects for what the network or the service does. */
export async function sendOne(one: Kept, store: Store, ask: Ask): Promise<Verdict> {
  const [file] = one.files;
  const whole = one.files.length === 1 && file && file.bytes.byteLength > RESUMABLE_FROM_BYTES;
  const going = { ...one, tried: true };
  try {
    if (!one.tried) await store.put(going).catch(() => undefined); // full: then it goes out all the same
    const verdict = whole ? await inPieces(going, file, store, ask) : await atOnce(going, ask);
    return verdict.kind === "sent" && verdict.sent.duplicate ? await whose(one, verdict.sent, ask) : verdict;
  } catch {
    return { kind: "later", status: 0 };
  }
}

/** The ECG that had these bytes already, as far as the service tells it. */
interface There {
  patient?: { age_years: number | null; sex: string | null };
  ecgs?: { ecg_id: string; received_at: string | null }[];
}

/**
 * The file is there already. That is this very sending where an answer to it was lost; otherwise somebody has chosen a
 * file that had been sent before, and what was entered now has reached nobody.
 */
async function whose(one: Kept, sent: Sent, ask: Ask): Promise<Verdict> {
  let there: There | null = null;
  try {
    const answer = await ask(`${BASE}/cases/${encodeURIComponent(sent.case_id)}`, { method: "GET" }, WAIT_MS);
    if (answer.ok) there = (await answer.json()) as There;
    else if (one.tried && later(answer.status)) return { kind: "later", status: answer.status };
  } catch (failure) {
    if (one.tried) throw failure;
  }
  const at = there?.ecgs?.find((ecg) => ecg.ecg_id === sent.ecg_id)?.received_at ?? null;
  if (one.tried && at !== null && Date.parse(at) >= Date.parse(one.keptAt) && agrees(one, there))
    return { kind: "sent", sent };
  const { age_years = null, sex = null } = there?.patient ?? {};
  const said = { at, age_years, sex, ecg_id: sent.ecg_id, case_id: sent.case_id };
  return { kind: "refused", refusal: { status: 409, code: SENT_BEFORE, said } };
}

/** Nothing that was entered of the patient contradicts what the case says. */
function agrees(one: Kept, there: There | null): boolean {
  const { age, sex } = one.fields;
  const { age_years = null, sex: known = null } = there?.patient ?? {};
  const sameAge = age === undefined || age_years === null || Math.abs(Number(age) - age_years) < 1;
  return sameAge && (sex === undefined || known === null || sex === known);
}

async function atOnce(one: Kept, ask: Ask): Promise<Verdict> {
  const form = new FormData();
  for (const [name, value] of Object.entries(one.fields)) form.append(name, value);
  if (one.caseId !== null) form.append("case_id", one.caseId);
  for (const file of one.files) form.append("file", new Blob([file.bytes], { type: file.type }), file.name);
  const answer = await ask(`${BASE}/ecgs`, { method: "POST", body: form }, patience(bytesOf(one)));
  if (!answer.ok) return refusedOrLater(answer);
  return { kind: "sent", sent: (await answer.json()) as Sent };
}

/** By tus: where the line is cut, the next attempt goes on where it was. */
async function inPieces(one: Kept, file: KeptFile, store: Store, ask: Ask): Promise<Verdict> {
  let { upload: path, packed } = one;
  let offset = 0;
  if (path !== null) {
    const there = await ask(path, { method: "HEAD", headers: TUS }, WAIT_MS);
    if (there.ok) offset = Number(there.headers.get("upload-offset") ?? 0);
    else if (later(there.status)) return { kind: "later", status: there.status };
    // Gone, or another's by now: to ask for it for ever would stop all that waits behind.
    else path = null;
  }
  if (path === null) {
    packed = await pack(file.bytes);
    const length = String((packed ?? file.bytes).byteLength);
    const said = metadata(one, file, packed !== null);
    const headers = { ...TUS, "Upload-Length": length, "Upload-Metadata": said };
    const begun = await ask(`${BASE}/uploads`, { method: "POST", headers }, WAIT_MS);
    if (!begun.ok) return refusedOrLater(begun);
    // The host that a proxy names may be none that this page can reach.
    path = new URL(begun.headers.get("location") ?? "", "http://service").pathname;
    offset = 0;
    await store.put({ ...one, upload: path, packed });
  }
  const bytes = packed ?? file.bytes;
  const body = new Blob([bytes.slice(offset)]);
  const headers = {
    ...TUS,
    "Content-Type": "application/offset+octet-stream",
    "Upload-Offset": String(offset),
  };
  const answer = await ask(path, { method: "PATCH", headers, body }, patience(body.size));
  // 409 before the end: another attempt was quicker; the next one asks how far it is.
  if (!answer.ok) return answer.status === 409 && offset < bytes.byteLength ? MOVED : refusedOrLater(answer);
  const [ecg_id, case_id] = ["Ecg", "Case"].map((what) => answer.headers.get(`Greenchannel-${what}-Id`));
  if (!ecg_id || !case_id) return { kind: "later", status: 0 };
  const duplicate = answer.headers.get("Greenchannel-Duplicate") === "true";
  const dropped = answer.headers.get("Greenchannel-Dropped")?.split(",") ?? [];
  return { kind: "sent", sent: { ecg_id, case_id, duplicate, dropped } };
}

/** On a thin line every byte counts; null where packing saves next to nothing, or the browser cannot. */
async function pack(bytes: ArrayBuffer): Promise<ArrayBuffer | null> {
  if (typeof CompressionStream === "undefined") return null;
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate"));
  const packed = await new Response(stream).arrayBuffer();
  return packed.byteLength < WORTH_PACKING * bytes.byteLength ? packed : null;
}

const TUS = { "Tus-Resumable": "1.0.0" };
const MOVED: Verdict = { kind: "later", status: 409 };

function metadata(one: Kept, file: KeptFile, packed: boolean): string {
  const said: Record<string, string> = { ...one.fields, filename: file.name, filetype: file.type };
  if (packed) said.encoding = "zlib";
  if (one.caseId !== null) said.case_id = one.caseId;
  return Object.entries(said)
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${name} ${base64(value)}`)
    .join(",");
}

const base64 = (text: string): string =>
  btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(""));

const patience = (bytes: number): number => WAIT_MS + (bytes / SLOWEST_BYTES_PER_S) * 1000;

async function refusedOrLater(answer: Response): Promise<Verdict> {
  if (later(answer.status)) return { kind: "later", status: answer.status };
  let said: Record<string, unknown> = {};
  try {
    said = (await answer.json()) as Record<string, unknown>;
  } catch {
    // A proxy's page, and no document of the service.
  }
  const code = typeof said.code === "string" ? said.code : String(answer.status);
  return { kind: "refused", refusal: { status: answer.status, code, said } };
}

export interface Round {
  sent: { id: string; sent: Sent }[];
  /** Why it stopped before the end; null where it went through all. */
  stopped: number | null;
}

/**
 * Send what waits of one user, the oldest first. What is confirmed is removed with all that it says of a patient; what is
 * refused stays, with the reason, and is not tried again by itself.
 */
export async function sendAll(user: string, store: Store, ask: Ask): Promise<Round> {
  const round: Round = { sent: [], stopped: null };
  for (const one of waitingOf(await store.all(), user)) {
    const verdict = await sendOne(one, store, ask);
    if (verdict.kind === "sent") {
      await store.remove(one.id);
      round.sent.push({ id: one.id, sent: verdict.sent });
    } else if (verdict.kind === "refused") {
      await store.put({ ...one, upload: null, packed: null, refused: verdict.refusal });
    } else {
      round.stopped = verdict.status;
      // Without a line or a session the others would fare no better.
      if (verdict.status === 0 || verdict.status === 401) break;
    }
  }
  return round;
}

const oldestFirst = (a: Kept, b: Kept): number => a.keptAt.localeCompare(b.keptAt);

/** What waits to be sent: not what the service refused. */
export const waitingOf = (all: readonly Kept[], user: string): Kept[] =>
  all.filter((one) => one.user === user && one.refused === null).sort(oldestFirst);

/** What a person has to put right. */
export const refusedOf = (all: readonly Kept[], user: string): Kept[] =>
  all.filter((one) => one.user === user && one.refused !== null).sort(oldestFirst);

/** How many other people's wait here, by their names: no more of them is shown. */
export function ofOthers(
  all: readonly Kept[],
  user: string | null,
): { user: string; name: string; n: number }[] {
  const found = new Map<string, { user: string; name: string; n: number }>();
  for (const one of all) {
    if (one.user === user) continue;
    const held = found.get(one.user);
    found.set(one.user, { user: one.user, name: one.userName, n: (held?.n ?? 0) + 1 });
  }
  return [...found.values()];
}

/** What a colleague of the same site may send in the place of who entered it. */
export const mayTakeOver = (one: Kept, user: string, sites: readonly string[] | null): boolean =>
  one.user !== user && (sites === null || one.sites.some((site) => sites.includes(site)));
