/** The median-beat panel: one small paper a lead, and on it what the evidence was measured on. In pixels of the screen. */
import type { Evidence } from "../wire";
import type { Picture } from "./draw";
import { type Area, ground, type Ink } from "./ink";
import { label } from "./label";
import { type BeatMarks, baseline, type MedianBeat, medianBeat } from "./median";
import { drawRuns, hatchBox, type LineInk, levelLine, pixelOf, type Raster, uprightLine } from "./raster";
import { type Pace, type Scale, STANDARD, scaleOf } from "./scale";
import type { Notes } from "./scene";
import { columns, fitBase, levelOf } from "./trace";
import { leadSamples, type Waveform } from "./waveform";
import { readAt, waveOf } from "./waves";

const TILE_S = 0.8;
const TILE_H_MM = 32;
const BASE_MM = 19;
const GAP_PX = 1;
/** Below this a tile could not hold "V3 J+60 −0.12 ≤ −0.05 mV". */
const LEAST_TILE_PX = 156;
const ROWS_OF = [6, 4, 3, 2, 1] as const;
const MOST_PX_PER_MM = 8.4;

const tileMm = (pace: Pace): number => TILE_S * pace.mmPerS;

export interface Panel {
  perRow: number;
  widthPx: number;
  heightPx: number;
  pxPerMm: number;
}

/** As many in a row as can be read; the tile fills its share of the room, or is as large as a reader wants it. */
export function panelSize(
  leads: number,
  roomPx: number,
  pace: Pace = STANDARD,
  wantedPxPerMm: number | null = null,
): Panel {
  const perRow = ROWS_OF.find((n) => roomPx / n >= LEAST_TILE_PX) ?? 1;
  const fitting = Math.min(MOST_PX_PER_MM, (roomPx / perRow - GAP_PX) / tileMm(pace));
  const pxPerMm = wantedPxPerMm ?? fitting;
  return {
    perRow,
    pxPerMm,
    widthPx: perRow * (tileMm(pace) * pxPerMm + GAP_PX),
    heightPx: Math.ceil(leads / perRow) * (TILE_H_MM * pxPerMm + GAP_PX),
  };
}

const NAME_PX = 13;
const LABEL_PX = 11;
const LABELS = 3;

export interface EvidenceText {
  label(evidence: Evidence): string;
}

/** The median beat of a lead, and where it stands. */
export interface Cell {
  lead: string;
  x: number;
  y: number;
  width: number;
  height: number;
  beat: MedianBeat | null;
  /** The level before the QRS, from which all others are seen. */
  baseMv: number;
  /** Where that level lies. */
  zeroPx: number;
  /** The same lead of an earlier recording, and its own level before the QRS. */
  earlier: { beat: MedianBeat; baseMv: number; rateHz: number; shiftS: number } | null;
}

export interface MedianOf {
  wave: Waveform;
  rS: readonly number[];
  marks: BeatMarks | null;
  earlier?: EarlierBeats | null;
}

/** The earlier recording, and by how much R of this one's beat lies later than R of that one's. */
export interface EarlierBeats {
  wave: Waveform;
  rS: readonly number[];
  marks: BeatMarks | null;
  shiftS: number;
}

export interface MedianScene {
  cells: Cell[];
  scale: Scale;
  ratio: number;
  widthPx: number;
  heightPx: number;
}

export function medianScene(of: MedianOf, panel: Panel, ratio: number, pace: Pace = STANDARD): MedianScene {
  const scale = scaleOf(panel.pxPerMm * ratio, pace);
  const [width, height] = [tileMm(pace) * scale.pxPerMm, TILE_H_MM * scale.pxPerMm];
  const gap = GAP_PX * ratio;
  const cells = of.wave.leads.map((lead, index) => {
    const samples = leadSamples(of.wave, lead);
    const beat = samples && medianBeat(samples, of.wave.rateHz, of.rS);
    const baseMv = levelBefore(beat, of.wave.rateHz, of.marks);
    const level = (beat && levelOf(beat.samples, of.wave.rateHz, 0, TILE_S)) ?? { min: 0, max: 0 };
    // A tall wave moves the whole beat within its tile.
    const zeroMm = fitBase(level.min - baseMv, level.max - baseMv, TILE_H_MM, BASE_MM, pace.mmPerMv);
    const y = Math.floor(index / panel.perRow) * (height + gap);
    return {
      lead,
      x: (index % panel.perRow) * (width + gap),
      y,
      width,
      height,
      beat,
      baseMv,
      zeroPx: y + zeroMm * scale.pxPerMm,
      earlier: earlierBeat(of.earlier ?? null, lead),
    };
  });
  return {
    cells,
    scale,
    ratio,
    widthPx: Math.ceil(panel.widthPx * ratio),
    heightPx: Math.ceil(panel.heightPx * ratio),
  };
}

function levelBefore(beat: MedianBeat | null, rateHz: number, marks: BeatMarks | null): number {
  const measured = beat && marks ? baseline(beat, rateHz, marks.onS) : 0;
  return Number.isNaN(measured) ? 0 : measured;
}

function earlierBeat(earlier: EarlierBeats | null, lead: string): Cell["earlier"] {
  const samples = earlier && leadSamples(earlier.wave, lead);
  if (!earlier || !samples) return null;
  const { rateHz } = earlier.wave;
  const beat = medianBeat(samples, rateHz, earlier.rS);
  return beat && { beat, baseMv: levelBefore(beat, rateHz, earlier.marks), rateHz, shiftS: earlier.shiftS };
}

/** How many leads have a beat that can be drawn. */
export const beatsIn = (scene: MedianScene): number =>
  scene.cells.filter((cell) => cell.beat !== null).length;

export function medianPicture(
  of: MedianOf,
  scene: MedianScene,
  ink: Ink,
  notes: Notes & EvidenceText,
): Picture {
  const cellsIn = (area: Area): Cell[] => scene.cells.filter((cell) => meets(cell, area));
  return {
    widthPx: scene.widthPx,
    heightPx: scene.heightPx,
    paint: (raster) => {
      raster.data.fill(pixelOf(ink.hatch));
      for (const cell of cellsIn(raster.area)) {
        ground(raster, cell, scene.scale, ink, scene.ratio);
        drawWords(raster, cell, of, scene, ink, notes);
        drawBeats(raster, cell, of.wave.rateHz, scene, ink);
      }
    },
  };
}

const meets = (cell: Cell, area: Area): boolean =>
  cell.x <= area.x + area.width &&
  cell.x + cell.width >= area.x &&
  cell.y <= area.y + area.height &&
  cell.y + cell.height >= area.y;

function drawWords(
  raster: Raster,
  cell: Cell,
  of: MedianOf,
  scene: MedianScene,
  ink: Ink,
  notes: Notes & EvidenceText,
): void {
  const { lead, x, y } = cell;
  const { ratio } = scene;
  const unusable = notes.unusable.has(lead);
  if (unusable) hatchBox(raster, cell, pixelOf(ink.hatch));
  const found = unusable ? [] : (notes.levels.get(lead) ?? []);
  if (cell.beat && of.marks) drawLevels(raster, cell, cell.beat, of.marks, of.wave.rateHz, found, scene, ink);
  const name = unusable ? `${lead} ${notes.unusableWord}` : lead;
  const end = label(raster, name, x + 3 * ratio, y + 14 * ratio, NAME_PX * ratio, ink.label, ink.paper);
  found.slice(0, LABELS).forEach((e, line) => {
    const down = y + (13 + line * (LABEL_PX + 3)) * ratio;
    label(raster, notes.label(e), end + 5 * ratio, down, LABEL_PX * ratio, ink.evidence, ink.paper);
  });
}

/** The earlier beat under this one. */
function drawBeats(raster: Raster, cell: Cell, rateHz: number, scene: MedianScene, ink: Ink): void {
  const { scale, ratio } = scene;
  const line = { widthPx: TRACE_PX * ratio, dashRatio: 0 };
  const draw = (
    beat: MedianBeat,
    beatRateHz: number,
    x: number,
    baseMv: number,
    colour: string,
    dashRatio: number,
  ): void => {
    const runs = columns(beat.samples, beatRateHz, 0, TILE_S, scale.pxPerS, x);
    const zeroPx = cell.zeroPx + baseMv * scale.pxPerMv;
    const at = { zeroPx, pxPerMv: scale.pxPerMv, clip: cell };
    drawRuns(raster, runs, at, { ...line, colour: pixelOf(colour), dashRatio });
  };
  const { earlier } = cell;
  if (earlier) {
    const x = cell.x + earlier.shiftS * scale.pxPerS;
    draw(earlier.beat, earlier.rateHz, x, earlier.baseMv, ink.earlier, ratio);
  }
  if (cell.beat) draw(cell.beat, rateHz, cell.x, cell.baseMv, ink.trace, 0);
}

const TRACE_PX = 1.4;

/** Baseline, J, level and threshold, under the beat. */
function drawLevels(
  raster: Raster,
  cell: Cell,
  beat: MedianBeat,
  marks: BeatMarks,
  rateHz: number,
  found: readonly Evidence[],
  scene: MedianScene,
  ink: Ink,
): void {
  if (found.length === 0) return;
  const { scale, ratio } = scene;
  const [onS, jS] = [marks.onS - beat.fromS, marks.jS - beat.fromS];
  const mm = scale.pxPerMm;
  const colour = pixelOf(ink.evidence);
  const thin = { colour, widthPx: ratio };
  const y = (mv: number): number => cell.zeroPx - mv * scale.pxPerMv;
  const right = cell.x + cell.width;
  /** Never on the neighbour's paper. */
  const level = (mv: number, from: number, to: number, line: LineInk): void => {
    const at = y(mv);
    if (at > cell.y && at < cell.y + cell.height)
      levelLine(raster, at, Math.max(cell.x, from), Math.min(right, to), line);
  };
  level(0, cell.x, right, thin);
  for (const e of found) {
    const at = readAt(e, beat.samples, rateHz, { onS, jS, baseMv: cell.baseMv, endS: TILE_S });
    if (at === null) continue;
    const x = cell.x + at * scale.pxPerS;
    const st = waveOf(e.quantity) === "st";
    const [from, to] = st ? [cell.x, right] : [x - 3 * mm, x + 3 * mm];
    level(e.threshold, from, to, { ...thin, dash: [4 * ratio, 3 * ratio] });
    if (st) uprightLine(raster, x, cell.y + 18 * ratio, cell.y + cell.height, thin);
    const [left, end] = [x - (st ? 6 : 10) * ratio, x + (st ? 14 : 10) * ratio];
    level(e.value, left, end, { colour, widthPx: LEVEL_PX * ratio, alpha: LEVEL_ALPHA });
  }
}

/** A band that the beat, drawn after it, runs in. */
const LEVEL_PX = 6;
const LEVEL_ALPHA = 0.45;
