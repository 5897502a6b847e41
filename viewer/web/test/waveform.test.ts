import { afterEach, expect, test, vi } from "vitest";
import { loadWaveform } from "../src/paper/waveform";
import { me } from "../src/state/session";
import type { Me } from "../src/wire";

const asked: string[] = [];
const sits = (id: string): Me => ({ user: { id } }) as Me;

afterEach(() => vi.unstubAllGlobals());

test("what one person may see is not kept for the next who signs in on the same page", async () => {
  vi.stubGlobal("fetch", async (path: string) => {
    asked.push(path);
    return Response.json({
      leads: [],
      rate_hz: 500,
      duration_s: 10,
      lsb_mv: 0.001,
      missing: -32768,
      samples: "",
    });
  });
  me.value = sits("chen");
  await loadWaveform("e_1");
  me.value = sits("chen");
  await loadWaveform("e_1");
  expect(asked).toHaveLength(1);
  me.value = sits("lin");
  await loadWaveform("e_1");
  expect(asked).toHaveLength(2);
});
