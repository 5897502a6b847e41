/** The newest seconds of a running stream on a grid of absolute sample indices. Thinned or lost samples are gaps. */
import type { WaveMessage } from "../wire";
import { decodeInt16, millivolts, type Waveform } from "./waveform";

const MISSING = -32768;
/** So much is kept at least; */
export const KEPT_S = 20;
/** and this much is dropped at once, so that what is drawn seldom has to be drawn anew. */
const DROPPED_S = 20;

export class Tail {
  private leads: string[] = [];
  private rateHz = 0;
  /** Absolute index of the first sample held, and of the one after the last. */
  private first = 0;
  private end = 0;
  private held: Float32Array[] = [];

  /** Returns the second of the waveform up to which it is as it was; 0 where it begins elsewhere now. */
  add(message: WaveMessage): number {
    if (this.leads.join() !== message.leads.join() || this.rateHz !== message.rate_hz) this.begin(message);
    const parts = millivolts(decodeInt16(message.samples), message.leads.length, message.lsb_mv, MISSING);
    const count = parts[0]?.length ?? 0;
    const moved = this.makeRoom(message.first_sample + count);
    const at = message.first_sample - this.first;
    const before = Math.min(this.end, message.first_sample);
    // What lies between the last message and this one was never received: it stays a gap.
    this.held.forEach((samples, lead) => {
      if (at >= 0) samples.set(parts[lead] ?? [], at);
    });
    this.end = Math.max(this.end, message.first_sample + count);
    return moved ? 0 : Math.max(0, (before - this.first) / this.rateHz);
  }

  /** Oldest sample first; a copy, so that what is drawn never changes under the pen. */
  waveform(): Waveform {
    const length = this.end - this.first;
    return {
      leads: this.leads,
      rateHz: this.rateHz || 1,
      durationS: length / (this.rateHz || 1),
      samples: this.held.map((samples) => samples.slice(0, length)),
    };
  }

  private begin(message: WaveMessage): void {
    this.leads = message.leads;
    this.rateHz = message.rate_hz;
    this.first = this.end = message.first_sample;
    const room = Math.round((KEPT_S + DROPPED_S) * this.rateHz);
    this.held = message.leads.map(() => new Float32Array(room).fill(Number.NaN));
  }

  /** Drop the oldest where the samples up to `end` would not fit; true where the first sample is another now. */
  private makeRoom(end: number): boolean {
    const room = this.held[0]?.length ?? 0;
    if (end - this.first <= room) return false;
    const first = end - Math.round(KEPT_S * this.rateHz);
    const by = first - this.first;
    for (const samples of this.held) {
      if (by < room) samples.copyWithin(0, by);
      samples.fill(Number.NaN, Math.max(0, room - by));
    }
    this.first = first;
    this.end = Math.max(this.end, first);
    return true;
  }
}
