import { describe, expect, test } from "vitest";
import {
  type Ask,
  type Kept,
  mayTakeOver,
  ofOthers,
  RESUMABLE_FROM_BYTES,
  refusedOf,
  SENT_BEFORE,
  type Store,
  sendAll,
  waitingOf,
} from "../src/state/outbox";
import { refusalOf } from "../src/state/refusal";

/** A browser's store of paper. */
class Paper implements Store {
  readonly kept = new Map<string, Kept>();
  constructor(...ones: Kept[]) {
    for (const one of ones) this.kept.set(one.id, one);
  }
  all = async () => [...this.kept.values()];
  put = async (one: Kept) => void this.kept.set(one.id, one);
  remove = async (id: string) => void this.kept.delete(id);
}

/** The service as far as an outbox sees it: a file is its content, and an upload keeps what came. */
class Service {
  readonly ecgs: { bytes: string; fields: Record<string, string> }[] = [];
  readonly asked: string[] = [];
  private readonly uploads = new Map<string, { length: number; bytes: number[]; fields: object }>();
  /** What happens to the next answers: lost on the way back, or another status. */
  fate: ("well" | "lost" | "cut" | number)[] = [];

  ask: Ask = async (path, init) => {
    this.asked.push(`${init.method} ${path}`);
    const fate = this.fate.shift();
    if (typeof fate === "number") return problem(fate);
    const answer = await this.answer(path, init, fate === "cut");
    if (fate === "lost" || fate === "cut") throw new TypeError("no line");
    return answer;
  };

  /** When the ECGs came, as the service tells it with their case. */
  receivedAt = "2026-05-01T08:00:05.000Z";

  private async answer(path: string, init: RequestInit, cut: boolean): Promise<Response> {
    if (path.startsWith("/api/v1/cases/c")) {
      const at = Number(path.slice("/api/v1/cases/c".length));
      const { age, sex = null } = this.ecgs[at]?.fields ?? {};
      return Response.json({
        patient: { age_years: age === undefined ? null : Number(age), sex },
        ecgs: [{ ecg_id: `e${at}`, received_at: this.receivedAt }],
      });
    }
    if (path === "/api/v1/ecgs") {
      const form = init.body as FormData;
      const file = form.get("file") as File;
      form.delete("file");
      return Response.json(this.take(await file.text(), Object.fromEntries(form) as Record<string, string>));
    }
    const headers = new Headers(init.headers);
    if (init.method === "POST") {
      const id = `/api/v1/uploads/u${this.uploads.size}`;
      const length = Number(headers.get("upload-length"));
      this.uploads.set(id, { length, bytes: [], fields: { metadata: headers.get("upload-metadata") } });
      return new Response(null, { status: 201, headers: { location: `http://elsewhere${id}` } });
    }
    const upload = this.uploads.get(path);
    if (!upload) return problem(404);
    if (init.method === "PATCH") {
      expect(Number(headers.get("upload-offset"))).toBe(upload.bytes.length);
      const came = [...new Uint8Array(await (init.body as Blob).arrayBuffer())];
      upload.bytes.push(...(cut ? came.slice(0, 1000) : came));
    }
    const said: Record<string, string> = { "upload-offset": String(upload.bytes.length) };
    if (upload.bytes.length === upload.length) {
      const sent = this.take(`${upload.bytes.length} bytes`, upload.fields as Record<string, string>);
      said["greenchannel-ecg-id"] = sent.ecg_id;
      said["greenchannel-case-id"] = sent.case_id;
      said["greenchannel-duplicate"] = String(sent.duplicate);
    }
    return new Response(null, { status: init.method === "HEAD" ? 200 : 204, headers: said });
  }

  private take(bytes: string, fields: Record<string, string>) {
    const there = this.ecgs.findIndex((ecg) => ecg.bytes === bytes);
    const at = there >= 0 ? there : this.ecgs.push({ bytes, fields }) - 1;
    return { ecg_id: `e${at}`, case_id: `c${at}`, duplicate: there >= 0 };
  }
}

const problem = (status: number): Response =>
  Response.json({ code: "unknown_format", detail: "of no format" }, { status });

const bytes = (text: string): ArrayBuffer => new TextEncoder().encode(text).buffer as ArrayBuffer;

function kept(id: string, more: Partial<Kept> = {}): Kept {
  return {
    id,
    user: "wang",
    userName: "王医生",
    sites: ["yinzhao"],
    caseId: null,
    files: [{ name: `${id}.dcm`, type: "", bytes: bytes(`ecg ${id}`) }],
    fields: { age: "61", name: "张三" },
    keptAt: `2026-05-01T08:00:0${id.length}.000Z`,
    upload: null,
    packed: null,
    refused: null,
    ...more,
  };
}

/** A large file; noise, which no packing makes smaller. */
function large(): Kept {
  let noise = 1;
  const content = Uint8Array.from({ length: RESUMABLE_FROM_BYTES + 5000 }, () => {
    noise = (noise * 48271) % 2147483647;
    return noise & 255;
  });
  return kept("large", { files: [{ name: "l.dcm", type: "", bytes: content.buffer }] });
}

describe("what waits to be sent", () => {
  test("goes out oldest first, and nothing of the patient stays once it is confirmed", async () => {
    const store = new Paper(kept("bb"), kept("a"));
    const service = new Service();
    const round = await sendAll("wang", store, service.ask);
    expect(service.ecgs.map((ecg) => ecg.bytes)).toEqual(["ecg a", "ecg bb"]);
    expect(service.ecgs[0]?.fields).toEqual({ age: "61", name: "张三" });
    expect(round.sent.map(({ id, sent }) => [id, sent.case_id])).toEqual([
      ["a", "c0"],
      ["bb", "c1"],
    ]);
    expect(await store.all()).toEqual([]);
  });

  test("is one ECG also where the answer was lost: it stays kept, is sent again, and is there already", async () => {
    const store = new Paper(kept("a"));
    const service = new Service();
    service.fate = ["lost"];
    expect((await sendAll("wang", store, service.ask)).stopped).toBe(0);
    expect([service.ecgs.length, (await store.all()).length]).toEqual([1, 1]);
    const { sent } = await sendAll("wang", store, service.ask);
    expect(sent).toMatchObject([{ id: "a", sent: { ecg_id: "e0", duplicate: true } }]);
    expect([service.ecgs.length, (await store.all()).length]).toEqual([1, 0]);
  });

  test("is not called sent where its file had been sent before for somebody else: it stays, with when and as whom", async () => {
    const store = new Paper(kept("a"));
    const service = new Service();
    service.receivedAt = "2026-05-01T07:00:00.000Z";
    await sendAll("wang", store, service.ask);
    const another = { ...kept("new", { fields: { age: "80", sex: "male" } }), files: kept("a").files };
    await store.put(another);
    expect((await sendAll("wang", store, service.ask)).sent).toEqual([]);
    const [one] = refusedOf(await store.all(), "wang");
    expect(one).toMatchObject({
      id: "new",
      fields: { age: "80" },
      refused: { code: SENT_BEFORE, said: { at: service.receivedAt, age_years: 61, case_id: "c0" } },
    });
    const words = one ? refusalOf(one)?.words : "";
    for (const part of ["15:00:00", "性别未知\u00a061", "男\u00a080", "没有发送"])
      expect(words).toContain(part);
  });

  test("an answer that was lost makes no other patient's ECG one's own", async () => {
    const store = new Paper(kept("a"));
    const service = new Service();
    await sendAll("wang", store, service.ask);
    await store.put({ ...kept("new", { fields: { age: "80" } }), files: kept("a").files });
    service.fate = ["lost"];
    await sendAll("wang", store, service.ask);
    expect((await sendAll("wang", store, service.ask)).sent).toEqual([]);
    expect(refusedOf(await store.all(), "wang")).toMatchObject([
      { id: "new", refused: { code: SENT_BEFORE } },
    ]);
  });

  test("a large file goes on where the line was cut, and an answer lost at its end is asked for again", async () => {
    const store = new Paper(large());
    const service = new Service();
    // Created; cut; asked how far; lost.
    service.fate = ["well", "cut", "well", "lost"];
    for (let round = 0; round < 2; round++)
      expect((await sendAll("wang", store, service.ask)).stopped).toBe(0);
    const { sent } = await sendAll("wang", store, service.ask);
    expect(sent).toHaveLength(1);
    expect(service.ecgs).toHaveLength(1);
    expect(service.asked.filter((asked) => asked.startsWith("POST"))).toHaveLength(1);
    expect(await store.all()).toEqual([]);
  });

  test("what packs well goes packed, as it was packed when it began", async () => {
    const content = new ArrayBuffer(10 * RESUMABLE_FROM_BYTES);
    const store = new Paper(kept("even", { files: [{ name: "e.dcm", type: "", bytes: content }] }));
    const service = new Service();
    service.fate = ["well", "lost"];
    await sendAll("wang", store, service.ask);
    const packed = (await store.all())[0]?.packed;
    expect(packed?.byteLength).toBeLessThan(5000);
    await sendAll("wang", store, service.ask);
    expect(service.ecgs.map((ecg) => ecg.bytes)).toEqual([`${packed?.byteLength} bytes`]);
    expect(service.ecgs[0]?.fields.metadata).toContain(`encoding ${btoa("zlib")}`);
    expect(await store.all()).toEqual([]);
  });

  test("an upload that the service no longer knows begins anew", async () => {
    const store = new Paper({ ...large(), upload: "/api/v1/uploads/gone" });
    const service = new Service();
    expect((await sendAll("wang", store, service.ask)).sent).toHaveLength(1);
  });

  test.each([403, 412])(
    "one that is answered %i for good begins anew and stops nothing behind it",
    async (status) => {
      const store = new Paper(
        { ...large(), upload: "/api/v1/uploads/others", tried: true },
        kept("behind it"),
      );
      const service = new Service();
      service.fate = [status];
      const round = await sendAll("wang", store, service.ask);
      expect(round.sent.map((one) => one.id).sort()).toEqual(["behind it", "large"]);
      expect(await store.all()).toEqual([]);
    },
  );

  test("what is refused stays with its reason and is not tried again by itself", async () => {
    const store = new Paper(kept("a"), kept("bb"));
    const service = new Service();
    service.fate = [415];
    expect((await sendAll("wang", store, service.ask)).sent.map(({ id }) => id)).toEqual(["bb"]);
    expect(refusedOf(await store.all(), "wang")).toMatchObject([
      { id: "a", refused: { status: 415, code: "unknown_format" } },
    ]);
    await sendAll("wang", store, service.ask);
    expect(service.asked).toHaveLength(2);
  });

  test("a busy service, a proxy's fault and an ended session are no refusal", async () => {
    for (const status of [401, 408, 423, 429, 500, 502, 503, 507]) {
      const store = new Paper(kept("a"));
      const service = new Service();
      service.fate = [status];
      expect((await sendAll("wang", store, service.ask)).stopped).toBe(status);
      expect(waitingOf(await store.all(), "wang")).toHaveLength(1);
    }
  });

  test("without a session the rest is not even tried", async () => {
    const service = new Service();
    service.fate = [401];
    await sendAll("wang", new Paper(kept("a"), kept("bb")), service.ask);
    expect(service.asked).toHaveLength(1);
  });

  test("only its own user's session sends it; of others names and numbers are told, no patients", async () => {
    const store = new Paper(kept("a"), kept("bb", { user: "sun", userName: "孙医生" }));
    const service = new Service();
    await sendAll("sun", store, service.ask);
    expect(service.ecgs.map((ecg) => ecg.bytes)).toEqual(["ecg bb"]);
    expect(ofOthers(await store.all(), "sun")).toEqual([{ user: "wang", name: "王医生", n: 1 }]);
    expect(ofOthers(await store.all(), null)).toHaveLength(1);
  });

  test("a colleague of the same site may take it over, one of another site may not", () => {
    expect(mayTakeOver(kept("a"), "li", ["yinzhao"])).toBe(true);
    expect(mayTakeOver(kept("a"), "li", ["jishi"])).toBe(false);
    expect(mayTakeOver(kept("a"), "wang", ["yinzhao"])).toBe(false);
  });

  test("the fields of a large file travel as tus has them, in base64 of UTF-8", async () => {
    const service = new Service();
    await sendAll("wang", new Paper(large()), service.ask);
    const metadata = service.ecgs[0]?.fields.metadata ?? "";
    const said = Object.fromEntries(metadata.split(",").map((pair) => pair.split(" ")));
    expect(fromBase64(said.name)).toBe("张三");
    expect(fromBase64(said.filename)).toBe("l.dcm");
  });
});

const fromBase64 = (text: string): string =>
  new TextDecoder().decode(Uint8Array.from(atob(text), (one) => one.charCodeAt(0)));
