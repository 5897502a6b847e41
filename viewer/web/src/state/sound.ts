/**
 * The sound of an alert: bursts after the pattern of IEC 60601-1-8 (high priority: ten pulses in two groups of 3 + 2;
 * medium priority: three slower pulses), made by the browser, repeated until somebody answers.
 */
import { signal } from "@preact/signals";
import { chooseSound, soundWanted } from "./prefs";

export type Priority = "high" | "medium";

export interface Pulse {
  start_s: number;
  length_s: number;
}

interface Pattern {
  pulse_s: number;
  gaps_s: readonly number[]; // between one pulse and the next
  repeat_s: number; // from one burst's start to the next
}

const HIGH_GROUP = [0.08, 0.08, 0.3, 0.08] as const;
const PATTERNS: Record<Priority, Pattern> = {
  high: { pulse_s: 0.12, gaps_s: [...HIGH_GROUP, 0.6, ...HIGH_GROUP], repeat_s: 6 },
  medium: { pulse_s: 0.2, gaps_s: [0.2, 0.2], repeat_s: 12 },
};
/** A fundamental below 1 kHz with its harmonics is found in the room more easily than a pure tone. */
const HARMONICS_HZ = [660, 1320, 1980, 2640] as const;
const LOUDNESS = 0.12;
const UNLOCK_MS = 1500;

export function burst(priority: Priority): Pulse[] {
  const { pulse_s, gaps_s } = PATTERNS[priority];
  const pulses: Pulse[] = [{ start_s: 0, length_s: pulse_s }];
  let start_s = 0;
  for (const gap of gaps_s) {
    start_s += pulse_s + gap;
    pulses.push({ start_s, length_s: pulse_s });
  }
  return pulses;
}

export type SoundState = "on" | "off" | "waiting";

let context: AudioContext | null = null;
const running = signal(false);

/** "waiting": the reader wants sound, the browser allows none before the first touch or key. */
export function soundState(): SoundState {
  if (!soundWanted.value) return "off";
  return running.value ? "on" : "waiting";
}

async function unlock(): Promise<void> {
  if (!soundWanted.value) return;
  context ??= new AudioContext();
  context.onstatechange = () => {
    running.value = context?.state === "running";
  };
  // Where there is no gesture behind it, a browser may leave the promise open for ever.
  await Promise.race([context.resume(), new Promise((done) => setTimeout(done, UNLOCK_MS))]);
  running.value = context.state === "running";
}

/**
 * The first tap or key anywhere on the page lets it sound. Not the press itself: what that changes in the head would
 * move a button away between press and release.
 */
export function unlockOnGesture(): void {
  const once = (): void => {
    if (!running.value) void unlock();
  };
  addEventListener("click", once);
  addEventListener("keydown", once);
}

export async function toggleSound(): Promise<void> {
  // A tap while the browser still held the sound back means "on", never "off".
  if (soundState() === "on") chooseSound(false);
  else await turnSoundOn();
}

export async function turnSoundOn(): Promise<void> {
  chooseSound(true);
  await unlock();
  if (context) play(context, [{ start_s: 0, length_s: 0.15 }]);
}

/** The alarm begins as it will sound, once; false where the browser plays nothing. */
export async function testTone(): Promise<boolean> {
  chooseSound(true);
  await unlock();
  if (!context || !running.value) return false;
  play(context, burst("high"));
  return true;
}

function play(audio: AudioContext, pulses: readonly Pulse[]): void {
  const begin = audio.currentTime + 0.02;
  for (const { start_s, length_s } of pulses) {
    const gain = audio.createGain();
    const from = begin + start_s;
    gain.gain.setValueAtTime(0, from);
    gain.gain.linearRampToValueAtTime(LOUDNESS, from + 0.015);
    gain.gain.setValueAtTime(LOUDNESS, from + length_s - 0.02);
    gain.gain.linearRampToValueAtTime(0, from + length_s);
    gain.connect(audio.destination);
    for (const hz of HARMONICS_HZ) {
      const tone = audio.createOscillator();
      tone.frequency.value = hz;
      tone.connect(gain);
      tone.start(from);
      tone.stop(from + length_s);
    }
  }
}

/** Ring until the returned function is called. */
export function ring(priority: Priority): () => void {
  const sound = (): void => void soundOnce(priority);
  sound();
  const timer = setInterval(sound, PATTERNS[priority].repeat_s * 1000);
  return () => clearInterval(timer);
}

/** Sound one burst; false where the page may not sound. */
export function soundOnce(priority: Priority): boolean {
  if (!running.value || !soundWanted.value || !context) return false;
  play(context, burst(priority));
  return true;
}
