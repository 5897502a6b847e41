/** Samples of one ECG, lead by lead in millivolts; NaN where a sample is missing. */
import { effect } from "@preact/signals";
import { get } from "../state/api";
import { me } from "../state/session";
import type { WaveformMessage } from "../wire";
import { MINUS_AVR } from "./layout";

export interface Waveform {
  leads: string[];
  rateHz: number;
  durationS: number;
  samples: Float32Array[];
  /** What the device says that it filtered; null: it does not say. Left out where nobody could say it. */
  lowCutHz?: number | null;
  highCutHz?: number | null;
}

/** Little-endian int16, lead by lead. */
export function decodeInt16(base64: string): Int16Array {
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const out = new Int16Array(bytes.length >> 1);
  for (let i = 0; i < out.length; i++) out[i] = view.getInt16(2 * i, true);
  return out;
}

export function millivolts(raw: Int16Array, leads: number, lsbMv: number, missing: number): Float32Array[] {
  const length = Math.floor(raw.length / Math.max(1, leads));
  return Array.from({ length: leads }, (_, lead) => {
    const part = raw.subarray(lead * length, (lead + 1) * length);
    return Float32Array.from(part, (value) => (value === missing ? Number.NaN : value * lsbMv));
  });
}

export function toWaveform(message: WaveformMessage): Waveform {
  const raw = decodeInt16(message.samples);
  return {
    leads: message.leads,
    rateHz: message.rate_hz,
    durationS: message.duration_s,
    samples: millivolts(raw, message.leads.length, message.lsb_mv, message.missing),
    lowCutHz: message.low_cut_hz ?? null,
    highCutHz: message.high_cut_hz ?? null,
  };
}

export function leadSamples(wave: Waveform, lead: string): Float32Array | null {
  if (lead === MINUS_AVR) return turnedOver(wave);
  const index = wave.leads.indexOf(lead);
  return index < 0 ? null : (wave.samples[index] ?? null);
}

const turned = new WeakMap<Float32Array, Float32Array>();

/** Lead −aVR of the Cabrera order. */
function turnedOver(wave: Waveform): Float32Array | null {
  const samples = leadSamples(wave, "aVR");
  if (samples === null) return null;
  const held = turned.get(samples);
  if (held) return held;
  const made = samples.map((value) => -value);
  turned.set(samples, made);
  return made;
}

const KEPT = 60;
const AT_ONCE = 2;
const cache = new Map<string, Promise<Waveform>>();
/** Whose they are: what one person may see is not kept for the next. */
let whose: string | undefined;
effect(() => {
  const person = me.value?.user.id;
  if (person !== whose) cache.clear();
  whose = person;
});
let running = 0;
const waiting: (() => void)[] = [];

/** The waveform of a finished ECG never changes: read once, two at a time, the newest 60 kept. */
export function loadWaveform(ecgId: string): Promise<Waveform> {
  const held = cache.get(ecgId);
  if (held) return held;
  const loading = inTurn(() =>
    get<WaveformMessage>(`/ecgs/${encodeURIComponent(ecgId)}/waveform?encoding=int16`),
  ).then(toWaveform);
  cache.set(ecgId, loading);
  loading.catch(() => cache.get(ecgId) === loading && cache.delete(ecgId));
  const oldest = cache.keys().next().value;
  if (cache.size > KEPT && oldest !== undefined) cache.delete(oldest);
  return loading;
}

/** One that is made here, as the sample of the tour: nothing is asked of the service for it. */
export function keepWaveform(ecgId: string, wave: Waveform): void {
  cache.set(ecgId, Promise.resolve(wave));
}

async function inTurn<T>(run: () => Promise<T>): Promise<T> {
  if (running >= AT_ONCE) await new Promise<void>((go) => waiting.push(go));
  running += 1;
  try {
    return await run();
  } finally {
    running -= 1;
    waiting.shift()?.();
  }
}
