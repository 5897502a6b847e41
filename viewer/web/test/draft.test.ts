import { afterEach, expect, test, vi } from "vitest";
import { keepDraft, type Signing } from "../src/state/reading";

const report: Signing = {
  findings: "右侧",
  impression: "",
  template: null,
  critical: [],
  provisional: false,
};
const sent: Signing[] = [];
const answers: (() => void)[] = [];

vi.mock("../src/state/api", async (original) => ({
  ...(await original<typeof import("../src/state/api")>()),
  post: (_path: string, body: Signing) =>
    new Promise<void>((done) => {
      sent.push(body);
      answers.push(done);
    }),
}));
afterEach(() => vi.restoreAllMocks());

test("a tick while a draft is on its way is kept behind it, the newest alone", async () => {
  const first = keepDraft("1.2", report);
  void keepDraft("1.2", { ...report, critical: ["free_air"] });
  void keepDraft("1.2", { ...report, critical: ["free_air"], provisional: true });
  expect(sent).toHaveLength(1);
  answers[0]?.();
  await vi.waitFor(() => expect(sent).toHaveLength(2));
  answers[1]?.();
  expect(await first).toBe(true);
  expect(sent[1]).toEqual({ ...report, critical: ["free_air"], provisional: true });
});
