/** A sheet placed in pixels of the screen: where each strip, its name and its evidence stand. Pure but for measuring text. */
import type { Beat, Evidence } from "../wire";
import { type EarlierTrace, shiftFor } from "./earlier";
import { MINUS_AVR, type Sheet, type Strip } from "./layout";
import { type Overlay, overlayOf } from "./overlay";
import { type Scale, scaleOf } from "./scale";
import { columns, middleOf, placeName } from "./trace";
import { leadSamples, type Waveform } from "./waveform";

/** What the paper says besides the traces. */
export interface Notes {
  unusable: ReadonlySet<string>;
  /** A short text beside a lead's name, such as "+0.51 mV". */
  evidence: ReadonlyMap<string, string>;
  /** What is drawn over the trace of a lead, and the beats that it may be drawn on. */
  levels: ReadonlyMap<string, readonly Evidence[]>;
  beats: readonly Beat[];
  unusableWord: string;
  missingWord: string;
  footer: string;
}

/** The earlier recording under a strip: its samples, and by how much they are moved in time and level. */
export interface Under {
  samples: Float32Array;
  rateHz: number;
  /** An instant of this strip minus that of the earlier recording at the same place. */
  shiftS: number;
  zeroPx: number;
}

export interface Placed {
  strip: Strip;
  /** Null where the lead was not recorded. */
  samples: Float32Array | null;
  rateHz: number;
  xPx: number;
  topPx: number;
  widthPx: number;
  heightPx: number;
  /** Where 0 mV lies: the middle level of the strip hangs on the row's line. */
  zeroPx: number;
  /** Between these the trace runs. */
  highPx: number;
  lowPx: number;
  name: string;
  evidence: string | null;
  nameXPx: number;
  unusable: boolean;
  levels: Overlay | null;
  under: Under | null;
}

export interface Scene {
  sheet: Sheet;
  scale: Scale;
  /** Pixels of the screen for one of the page. */
  ratio: number;
  widthPx: number;
  heightPx: number;
  placed: Placed[];
  footer: string;
  footerWidePx: number;
  /** Names stand beside the paper, not on it. */
  namesBeside: boolean;
}

export const NAME_PX = 13;
export const EVIDENCE_PX = 12;
export const FOOTER_PX = 11;

export interface SceneOf {
  wave: Waveform;
  sheet: Sheet;
  /** Of the page; the scene is in pixels of the screen. */
  pxPerMm: number;
  ratio: number;
  notes: Notes;
  namesBeside: boolean;
  widthOf(text: string, sizePx: number): number;
  /** Levels on which strips hang; measured where left out. */
  middles?: ReadonlyMap<string, number>;
  earlier?: EarlierTrace | null;
}

export function sceneOf(of: SceneOf): Scene {
  const scale = scaleOf(of.pxPerMm * of.ratio, of.sheet.pace);
  return {
    sheet: of.sheet,
    scale,
    ratio: of.ratio,
    widthPx: Math.ceil(of.sheet.widthMm * scale.pxPerMm),
    heightPx: Math.ceil(of.sheet.heightMm * scale.pxPerMm),
    placed: of.sheet.strips.map((strip) => place(of, strip, scale)),
    footer: of.notes.footer,
    footerWidePx: of.widthOf(of.notes.footer, FOOTER_PX) * of.ratio,
    namesBeside: of.namesBeside,
  };
}

/** Whole big squares are added, so that rows stay on the grid; */
const ROOM_STEP_MM = 5;
/** and no more than this: a spike of a loose cable may be as tall as a house. [E] */
const MOST_ROOM_MM = 25;

/** The scene with room for the waves of its first and last row: no trace is cut off by the edge of the paper. */
export function fitted(make: (room: { headMm: number; footMm: number }) => Scene): Scene {
  const scene = make({ headMm: 0, footMm: 0 });
  const mm = scene.scale.pxPerMm;
  const room = (px: number): number =>
    Math.min(MOST_ROOM_MM, Math.max(0, Math.ceil(px / mm / ROOM_STEP_MM) * ROOM_STEP_MM));
  const headMm = room(Math.max(...scene.placed.map(({ highPx }) => -highPx)) + EDGE_PX * scene.ratio);
  const footMm = room(
    Math.max(...scene.placed.map(({ lowPx }) => lowPx)) + FOOT_PX * scene.ratio - scene.heightPx,
  );
  return headMm + footMm === 0 ? scene : make({ headMm, footMm });
}

const EDGE_PX = 2;
/** The line at the foot of the paper stays free. */
const FOOT_PX = 16;

function place(of: SceneOf, strip: Strip, scale: Scale): Placed {
  const { wave, notes } = of;
  const samples = leadSamples(wave, strip.lead);
  const base = strip.lead === MINUS_AVR ? "aVR" : strip.lead;
  const unusable = notes.unusable.has(base);
  const middle =
    of.middles?.get(strip.lead) ?? (samples && middleOf(samples, wave.rateHz, strip.fromS, strip.toS)) ?? 0;
  const zeroPx = strip.baseMm * scale.pxPerMm + middle * scale.pxPerMv;
  const [least, most] = samples ? extremes(samples) : [0, 0];
  const said = `${strip.lead}${samples ? "" : ` ${notes.missingWord}`}`;
  const placed: Placed = {
    strip,
    samples,
    rateHz: wave.rateHz,
    xPx: strip.xMm * scale.pxPerMm,
    topPx: strip.topMm * scale.pxPerMm,
    widthPx: (strip.toS - strip.fromS) * scale.pxPerS,
    heightPx: strip.heightMm * scale.pxPerMm,
    zeroPx,
    highPx: zeroPx - most * scale.pxPerMv,
    lowPx: zeroPx - least * scale.pxPerMv,
    name: unusable ? `${said} ${notes.unusableWord}` : said,
    evidence: notes.evidence.get(base) ?? null,
    nameXPx: 0,
    unusable,
    levels: null,
    under: null,
  };
  placed.nameXPx = placed.xPx + (of.namesBeside ? 0 : freePlace(of, placed, scale));
  if (!samples) return placed;
  const evidence = notes.levels.get(base)?.map((e) => (base === strip.lead ? e : turned(e)));
  if (evidence && !unusable) placed.levels = overlayOf(strip, samples, wave.rateHz, notes.beats, evidence);
  placed.under = underOf(of, placed, strip, middle, scale);
  return placed;
}

/** Evidence of aVR as it stands on −aVR. */
const turned = (e: Evidence): Evidence => ({ ...e, value: -e.value, threshold: -e.threshold });

function underOf(of: SceneOf, placed: Placed, strip: Strip, middle: number, scale: Scale): Under | null {
  const samples = of.earlier ? leadSamples(of.earlier.wave, strip.lead) : null;
  if (!of.earlier || !samples) return null;
  const { wave } = of.earlier;
  const shiftS = shiftFor(strip, of.earlier);
  if (shiftS === null) return null;
  const level = middleOf(samples, wave.rateHz, strip.fromS - shiftS, strip.toS - shiftS) ?? 0;
  return {
    samples,
    rateHz: wave.rateHz,
    shiftS,
    // Both hang by their middle level on the row's line.
    zeroPx: placed.zeroPx + (level - middle) * scale.pxPerMv,
  };
}

/** Names are placed by columns no finer than this: that is enough to see where the trace leaves room. */
const COARSE_PX_PER_S = 100;

/** The first place that the trace leaves free for name and evidence, or for the name; from the strip's left edge. */
function freePlace(of: SceneOf, placed: Placed, scale: Scale): number {
  const { strip, samples } = placed;
  if (!samples) return 0;
  const fine = Math.min(1, COARSE_PX_PER_S / scale.pxPerS);
  const runs = columns(samples, placed.rateHz, strip.fromS, strip.toS, scale.pxPerS * fine);
  const clearMv = (placed.zeroPx - placed.topPx - (NAME_PX + 4) * of.ratio) / scale.pxPerMv;
  const nameWide = (6 + of.widthOf(placed.name, NAME_PX)) * of.ratio;
  const evidenceWide = placed.evidence ? (5 + of.widthOf(placed.evidence, EVIDENCE_PX)) * of.ratio : 0;
  for (const wide of [nameWide + evidenceWide, nameWide]) {
    const free = placeName(runs, clearMv, wide * fine, placed.widthPx * fine);
    if (free !== null) return free / fine;
  }
  return 0;
}

const known = new WeakMap<Float32Array, readonly [least: number, most: number]>();

/** Lowest and highest of all samples of a lead, 0 where there is none. */
function extremes(samples: Float32Array): readonly [number, number] {
  const held = known.get(samples);
  if (held) return held;
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < samples.length; i++) {
    const value = samples[i] as number;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  const found = least > most ? ([0, 0] as const) : ([least, most] as const);
  known.set(samples, found);
  return found;
}
