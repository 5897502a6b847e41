/** The service's HTTP interface. Every refusal becomes a `Problem`, which the pages say in words. */
import { t } from "../texts";
import { lang } from "./prefs";

const BASE = "/api/v1";
/** What a standard names stands beside the interface of our own. */
const DICOM_WEB = "/dicom-web/";

interface ProblemDocument {
  title?: string;
  detail?: string;
  /** The detail in Chinese. */
  zh?: string;
  code?: string;
  expected?: unknown;
  got?: unknown;
}

/** A refused call (RFC 9457), or one that never arrived (`status` 0). */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly said: ProblemDocument,
  ) {
    super(said.detail ?? said.title ?? code);
  }

  /** What happened, what is safe and what to do, in the reader's language. */
  get words(): string {
    const known: Record<number, string> = {
      0: t("problemNetwork"),
      401: t("problemSession"),
      403: t("problemRight"),
      404: t("problemGone"),
      409: t("problemConflict"),
      413: t("problemLarge"),
      429: t("problemOften"),
    };
    if (UNREADABLE.has(this.code)) return t("problemFile");
    const lead = known[this.status] ?? (this.status >= 500 ? t("problemServer") : t("problemRefused"));
    const zh = lang.value === "zh" ? this.said.zh : undefined;
    const detail = zh ?? this.said.detail ?? this.said.title;
    return detail && this.status !== 0 ? `${lead} (${short(detail)})` : lead;
  }

  /** Why, in the service's own words where it gave any: for what nobody sent and nobody can send otherwise. */
  get reason(): string {
    const zh = lang.value === "zh" ? this.said.zh : undefined;
    const given = zh ?? this.said.detail ?? this.said.title;
    return UNREADABLE.has(this.code) && given ? short(given) : this.words;
  }

  /** What the service said to programmers: for who wants it, folded away. Empty where there is nothing more. */
  get details(): string {
    const { detail, expected, got } = this.said;
    const pair =
      expected === undefined && got === undefined
        ? ""
        : t("problemExpected", { expected: short(plain(expected)), got: short(plain(got)) });
    return [detail === undefined ? "" : short(detail), pair].filter(Boolean).join(" · ");
  }

  /** Would the same again, a little later, be of use? */
  get retryable(): boolean {
    return this.status === 0 || this.status === 401 || this.status === 429 || this.status >= 500;
  }
}

/** The file itself is the trouble: what can be sent instead is the answer. */
const UNREADABLE = new Set([
  "unknown_format",
  "unsupported",
  "truncated",
  "missing_part",
  "malformed",
  "empty_body",
]);
const MOST = 200;

const short = (said: string): string => (said.length > MOST ? `${said.slice(0, MOST - 1)}…` : said);

const plain = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value ?? null));

/** Until an answer begins. What is long comes after that, and is not cut. */
const WAIT_MS = 30_000;

/** `wait_ms`: so long a line that is there and carries nothing is waited for. */
export async function call<T>(
  method: string,
  path: string,
  init: RequestInit = {},
  wait_ms = WAIT_MS,
): Promise<T> {
  const control = new AbortController();
  const timer = setTimeout(() => control.abort(), wait_ms);
  let response: Response;
  try {
    const { signal } = control;
    response = await fetch(path.startsWith(DICOM_WEB) ? path : BASE + path, {
      ...init,
      method,
      credentials: "same-origin",
      signal,
    });
  } catch {
    throw new Problem(0, "network", {});
  } finally {
    clearTimeout(timer);
  }
  if (!response.ok) throw await problemOf(response);
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}

async function problemOf(response: Response): Promise<Problem> {
  return problemFrom(response.status, response.headers.get("content-type"), await response.text());
}

/** A refusal as it came, by whichever way it was asked for. */
export function problemFrom(status: number, kind: string | null, text: string): Problem {
  let said: ProblemDocument = {};
  if ((kind ?? "").includes("json")) said = JSON.parse(text) as ProblemDocument;
  return new Problem(status, said.code ?? String(status), said);
}

export const get = <T>(path: string): Promise<T> => call<T>("GET", path);

export function post<T>(path: string, body: unknown = {}, headers: Record<string, string> = {}): Promise<T> {
  const json = { "content-type": "application/json", ...headers };
  return call<T>("POST", path, { body: JSON.stringify(body), headers: json });
}

/** For `Idempotency-Key`. `crypto.randomUUID` is missing where the page came over plain HTTP. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
