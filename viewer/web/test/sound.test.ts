import { effect, signal } from "@preact/signals";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Heard } from "../src/state/news";
import { soundOnce, turnSoundOn } from "../src/state/sound";

/** A browser's sound: how many tones were begun. */
let tones = 0;
class Audio {
  state = "running";
  currentTime = 0;
  destination = {};
  resume = async () => {};
  createGain = () => ({
    gain: { setValueAtTime() {}, linearRampToValueAtTime() {} },
    connect() {},
  });
  createOscillator = () => ({
    frequency: { value: 0 },
    connect() {},
    start: () => (tones += 1),
    stop() {},
  });
}

afterEach(() => vi.unstubAllGlobals());

describe("what is heard once", () => {
  test("waits until the browser lets the page sound, and is then heard without a new event", async () => {
    const channels = signal<string[]>(["g_1"]);
    const heard = new Heard();
    const stop = effect(() => heard.tell(channels.value, () => soundOnce("medium")));
    expect(tones).toBe(0);
    vi.stubGlobal("AudioContext", Audio);
    await turnSoundOn();
    const first = tones;
    // The tone by which sound is turned on has four; the three slow pulses of the task twelve.
    expect(first).toBe(16);
    channels.value = ["g_1"];
    expect(tones).toBe(first);
    channels.value = ["g_1", "g_2"];
    expect(tones).toBe(first + 12);
    stop();
  });
});
