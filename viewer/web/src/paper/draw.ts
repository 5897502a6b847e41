/** Drawing a placed sheet, or any part of it: grid, names, evidence, earlier trace, trace. In pixels of the screen. */
import { type Area, ground, type Ink, stroke, text } from "./ink";
import { calMm } from "./layout";
import { drawRuns, pixelOf, type Raster } from "./raster";
import { CAL_MV } from "./scale";
import { EVIDENCE_PX, FOOTER_PX, NAME_PX, type Placed, type Scene, type Under } from "./scene";
import { columns, type Run } from "./trace";
import { waveOf } from "./waves";

type Pen = CanvasRenderingContext2D;

/**
 * What can be drawn piece by piece, in three layers: paper, words and marks, traces. All in pixels of the screen.
 *
 * Words and marks lie under all traces: a tall wave of the next row may cross a name and is never hidden by it.
 */
export interface Picture {
  widthPx: number;
  heightPx: number;
  ground(raster: Raster): void;
  /** Whether there are words or marks in the area; where there are none a canvas is spared much. */
  hasWords(area: Area): boolean;
  words(pen: Pen, area: Area): void;
  traces(raster: Raster): void;
}

export const pictureOf = (scene: Scene, ink: Ink): Picture => ({
  widthPx: scene.widthPx,
  heightPx: scene.heightPx,
  ground: (raster) => ground(raster, whole(scene), scene.scale, ink, scene.ratio),
  hasWords: (area) => hasWords(scene, area),
  words: (pen, area) => drawWords(pen, scene, area, ink),
  traces: (raster) => drawTraces(raster, scene, ink),
});

const whole = (scene: Scene): Area => ({ x: 0, y: 0, width: scene.widthPx, height: scene.heightPx });

/** So far beyond its edges a piece is drawn, for lines that cross them. */
const BEYOND_PX = 3;
const TRACE_PX = 1.25;
const CAL_LEFT_MM = 2;
const FOOT_PX = 18;
const NAME_LONG_PX = 260;

const calRight = (scene: Scene): number => (CAL_LEFT_MM + calMm(scene.sheet.pace) + 1) * scene.scale.pxPerMm;

const atFoot = (scene: Scene, area: Area): boolean =>
  area.y + area.height > scene.heightPx - FOOT_PX * scene.ratio &&
  area.x < scene.footerWidePx + 3 * scene.scale.pxPerMm;

/** A name is at the upper edge of its strip. */
const atName = (one: Placed, area: Area, ratio: number): boolean =>
  area.y < one.topPx + FOOT_PX * ratio &&
  area.y + area.height > one.topPx &&
  area.x < one.nameXPx + NAME_LONG_PX * ratio &&
  area.x + area.width > one.nameXPx;

function hasWords(scene: Scene, area: Area): boolean {
  if (area.x < calRight(scene) || atFoot(scene, area)) return true;
  return scene.placed.some(
    (one) =>
      (!scene.namesBeside && atName(one, area, scene.ratio)) ||
      (touches(one, area) && (one.unusable || hasLevels(one, scene, area))),
  );
}

/** Evidence is drawn on one beat alone. */
function hasLevels(one: Placed, scene: Scene, area: Area): boolean {
  if (!one.levels) return false;
  const { pxPerS, pxPerMm } = scene.scale;
  const x = (s: number): number => one.xPx + (s - one.strip.fromS) * pxPerS;
  const last = Math.max(...one.levels.levels.map(({ readS }) => readS), one.levels.jS);
  return x(one.levels.onS) - 3 * pxPerMm < area.x + area.width && x(last) + 6 * pxPerMm > area.x;
}

function drawWords(pen: Pen, scene: Scene, area: Area, ink: Ink): void {
  const { scale, ratio } = scene;
  const mm = scale.pxPerMm;
  const here = scene.placed.filter((one) => touches(one, area));
  for (const one of here) if (one.unusable) hatchStrip(pen, one, area, ink);
  if (area.x < calRight(scene))
    for (const base of scene.sheet.rowsMm) calibration(pen, CAL_LEFT_MM * mm, base * mm, scene, ink);
  if (atFoot(scene, area))
    text(pen, scene.footer, 2 * mm, scene.heightPx - 4 * ratio, FOOTER_PX * ratio, ink.label, ink.paper);
  if (!scene.namesBeside)
    for (const one of scene.placed) if (atName(one, area, ratio)) nameStrip(pen, one, ratio, ink);
  for (const one of here) if (hasLevels(one, scene, area)) drawLevels(pen, one, scene, ink);
}

function drawTraces(raster: Raster, scene: Scene, ink: Ink): void {
  const { scale, ratio } = scene;
  const { area } = raster;
  const line = { widthPx: TRACE_PX * ratio, dashRatio: 0 };
  const [earlier, own] = [pixelOf(ink.earlier), pixelOf(ink.trace)];
  const here = scene.placed.filter((one) => touches(one, area));
  for (const one of here) {
    const under = one.under;
    if (under)
      drawRuns(
        raster,
        underRuns(one, under, scene, area),
        { zeroPx: under.zeroPx, pxPerMv: scale.pxPerMv, clip: area },
        { ...line, colour: earlier, dashRatio: ratio },
      );
  }
  for (const one of here) {
    if (!one.samples) continue;
    const at = { zeroPx: one.zeroPx, pxPerMv: scale.pxPerMv, clip: area };
    drawRuns(raster, ownRuns(one, one.samples, scene, area), at, { ...line, colour: own });
  }
}

/** Whether anything of a strip may lie in the area: its own room, or a wave that leaves it. */
function touches(one: Placed, area: Area): boolean {
  const top = Math.min(one.topPx, one.highPx, one.under ? one.topPx - one.heightPx : one.topPx);
  const end = one.topPx + one.heightPx;
  const bottom = Math.max(end, one.lowPx, one.under ? end + one.heightPx : end);
  return (
    one.xPx - BEYOND_PX < area.x + area.width &&
    one.xPx + one.widthPx + BEYOND_PX > area.x &&
    top - BEYOND_PX < area.y + area.height &&
    bottom + BEYOND_PX > area.y
  );
}

function ownRuns(one: Placed, samples: Float32Array, scene: Scene, area: Area): Run[] {
  const [fromS, toS] = spanIn(one, scene.scale.pxPerS, area);
  const left = one.xPx + (fromS - one.strip.fromS) * scene.scale.pxPerS;
  return columns(samples, one.rateHz, fromS, toS, scene.scale.pxPerS, left);
}

function underRuns(one: Placed, under: Under, scene: Scene, area: Area): Run[] {
  const { pxPerS } = scene.scale;
  const [fromS, toS] = spanIn(one, pxPerS, area);
  // Before the first sample of the earlier recording there is nothing to draw.
  const from = Math.max(0, fromS - under.shiftS);
  const left = one.xPx + (from + under.shiftS - one.strip.fromS) * pxPerS;
  return columns(under.samples, under.rateHz, from, toS - under.shiftS, pxPerS, left);
}

/** The seconds of a strip that lie in the area, whole pixel columns beyond it included. */
function spanIn(one: Placed, pxPerS: number, area: Area): [fromS: number, toS: number] {
  const { fromS, toS } = one.strip;
  // Where samples are farther apart than pixels, one beyond the edge is needed for the line to it.
  const beyond = BEYOND_PX + pxPerS / one.rateHz;
  const at = (px: number): number => fromS + (px - one.xPx) / pxPerS;
  return [Math.max(fromS, at(area.x - beyond)), Math.min(toS, at(area.x + area.width + beyond))];
}

/** Only the part that is seen: a full strip may be many thousand pixels long. */
function hatchStrip(pen: Pen, one: Placed, area: Area, ink: Ink): void {
  const from = Math.max(one.xPx, Math.floor(area.x / HATCH_PERIOD_PX) * HATCH_PERIOD_PX);
  const to = Math.min(one.xPx + one.widthPx, area.x + area.width);
  pen.save();
  pen.beginPath();
  pen.rect(from, one.topPx, to - from, one.heightPx);
  pen.clip();
  const start = Math.floor((from - one.heightPx) / HATCH_PERIOD_PX) * HATCH_PERIOD_PX;
  stroke(pen, ink.hatch, 1, () => {
    for (let x = start; x < to; x += HATCH_PERIOD_PX) {
      pen.moveTo(x, one.topPx + one.heightPx);
      pen.lineTo(x + one.heightPx, one.topPx);
    }
  });
  pen.restore();
}

const HATCH_PERIOD_PX = 9;

/** Baseline, J, level and threshold on the first whole beat. The level is a band that the trace, drawn after it, runs in. */
function drawLevels(pen: Pen, one: Placed, scene: Scene, ink: Ink): void {
  const found = one.levels;
  if (!found) return;
  const { scale, ratio } = scene;
  const mm = scale.pxPerMm;
  const x = (s: number): number => one.xPx + (s - one.strip.fromS) * scale.pxPerS;
  const y = (mv: number): number => one.zeroPx - mv * scale.pxPerMv;
  const line = (mv: number, from: number, to: number): void => {
    pen.moveTo(from, y(mv));
    pen.lineTo(to, y(mv));
  };
  const last = Math.max(...found.levels.map(({ readS }) => readS), found.jS);
  stroke(pen, ink.evidence, ratio, () => line(found.baseMv, x(found.onS) - 2 * mm, x(last) + 5 * mm));
  for (const { evidence: e, readS, levelMv, thresholdMv } of found.levels) {
    const atJ = waveOf(e.quantity) === "st";
    const [left, right] = atJ
      ? [x(found.jS) - 2 * mm, x(readS) + 5 * mm]
      : [x(readS) - 3 * mm, x(readS) + 3 * mm];
    if (atJ)
      stroke(pen, ink.evidence, ratio, () => {
        pen.moveTo(x(found.jS), y(found.baseMv) + mm);
        pen.lineTo(x(found.jS), y(levelMv) - Math.sign(e.value) * mm);
      });
    pen.setLineDash([3 * ratio, 2 * ratio]);
    stroke(pen, ink.evidence, ratio, () => line(thresholdMv, left, right));
    pen.setLineDash([]);
    pen.globalAlpha = LEVEL_ALPHA;
    stroke(pen, ink.evidence, LEVEL_PX * ratio, () =>
      line(levelMv, x(readS) - (atJ ? 0.5 : 1.5) * mm, x(readS) + (atJ ? 3 : 1.5) * mm),
    );
    pen.globalAlpha = 1;
  }
}

const LEVEL_PX = 6;
const LEVEL_ALPHA = 0.45;

/** The lead's name and its evidence at the upper edge, where the trace leaves room. */
function nameStrip(pen: Pen, one: Placed, ratio: number, ink: Ink): void {
  const y = one.topPx + (NAME_PX + 1) * ratio;
  const end = text(pen, one.name, one.nameXPx + 3 * ratio, y, NAME_PX * ratio, ink.label, ink.paper);
  if (one.evidence) text(pen, one.evidence, end + 5 * ratio, y, EVIDENCE_PX * ratio, ink.evidence, ink.paper);
}

/** A pulse of 1 mV and 0.2 s: what proves the scale on any screen. */
function calibration(pen: Pen, x: number, base: number, scene: Scene, ink: Ink): void {
  const high = base - CAL_MV * scene.scale.pxPerMv;
  const width = calMm(scene.sheet.pace) * scene.scale.pxPerMm;
  stroke(pen, ink.trace, TRACE_PX * scene.ratio, () => {
    pen.moveTo(x, base);
    pen.lineTo(x + width * 0.15, base);
    pen.lineTo(x + width * 0.15, high);
    pen.lineTo(x + width * 0.85, high);
    pen.lineTo(x + width * 0.85, base);
    pen.lineTo(x + width, base);
  });
}
