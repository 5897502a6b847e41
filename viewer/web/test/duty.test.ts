import { describe, expect, test } from "vitest";
import { channelState, hasBegun, pending, shiftToBegin } from "../src/state/duty";
import type { ChannelHealth, DutyHealth } from "../src/wireDuty";
import { AT, somebody } from "./fixtures";

const NOW = Date.parse(AT);
const later = (seconds: number): string => new Date(NOW + seconds * 1000).toISOString();

const channel = (change: Partial<ChannelHealth> = {}): ChannelHealth => ({
  channel: "sms",
  zh: "短信",
  en: "SMS",
  address: true,
  public: false,
  enough_alone: true,
  works: null,
  tested_at: null,
  last_ok_at: null,
  last_failed_at: null,
  last_reason: null,
  ...change,
});
const duty = { at: AT, role: "first", sound: true };

describe("a channel", () => {
  test("that has just been sent a test is waited for, whatever was known of it before", () => {
    expect(channelState(channel(), duty, NOW + 5000)).toBe("waiting");
    const yesterday = later(-86_400);
    const old = channel({ works: true, tested_at: yesterday, last_ok_at: yesterday });
    expect(channelState(old, duty, NOW + 5000)).toBe("waiting");
    expect(channelState(old, duty, NOW + 300_000)).toBe("works");
    expect(channelState(channel(), duty, NOW + 300_000)).toBe("unknown");
  });

  test("shows the outcome as soon as there is one, and that of a minute ago where no second test went out", () => {
    const good = channel({ works: true, tested_at: later(2), last_ok_at: later(2) });
    expect(channelState(good, duty, NOW + 5000)).toBe("works");
    expect(channelState(channel({ works: false, last_failed_at: later(2) }), duty, NOW + 5000)).toBe(
      "failed",
    );
    const before = channel({ works: true, tested_at: later(-30), last_ok_at: later(-30) });
    expect(channelState(before, duty, NOW + 5000)).toBe("works");
  });

  test("without an address is none, and the board is never waited for", () => {
    expect(channelState(channel({ address: false }), duty, NOW)).toBe("no_address");
    expect(channelState(channel({ channel: "live" }), duty, NOW + 5000)).toBe("unknown");
  });
});

describe("a shift", () => {
  const who = somebody("chen", "cardiologist");
  const shift = { role: "first", from: later(0), to: later(43_200) };

  test("is begun by who has it now, or will have it within the hour, and by nobody else", () => {
    expect(shiftToBegin({ ...who, shift }, NOW)).toEqual(shift);
    const next = { person: "chen", name: "陈医生", from: later(3000) };
    const off = { ...who, on_duty: false };
    expect(shiftToBegin({ ...off, next_shift: next }, NOW)?.from).toBe(next.from);
    expect(shiftToBegin({ ...off, next_shift: { ...next, person: "lin" } }, NOW)).toBeNull();
    expect(shiftToBegin({ ...off, next_shift: { ...next, from: later(4000) } }, NOW)).toBeNull();
    expect(shiftToBegin(null, NOW)).toBeNull();
  });

  test("has begun where its person said so in it, or in the hour before, not in the shift before", () => {
    const known = (at: string): DutyHealth => ({
      person: "chen",
      duty: { ...duty, at },
      sound: true,
      reachable: true,
      why: null,
      working: [],
      channels: [channel()],
    });
    expect(hasBegun(known(later(-1800)), shift.from)).toBe(true);
    expect(hasBegun(known(later(-7200)), shift.from)).toBe(false);
    expect(hasBegun(null, shift.from)).toBe(false);
    expect(pending(known(AT), NOW + 1000)).toBe(true);
    expect(pending(known(AT), NOW + 300_000)).toBe(false);
  });
});
