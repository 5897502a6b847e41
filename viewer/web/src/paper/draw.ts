/** Drawing a placed sheet, or any part of it: grid, names, evidence, earlier trace, trace. In pixels of the screen. */
import { type Area, ground, type Ink } from "./ink";
import { label } from "./label";
import { calMm } from "./layout";
import type { Overlay } from "./overlay";
import { drawRuns, hatchBox, levelLine, pixelOf, type Raster, uprightLine } from "./raster";
import { CAL_MV } from "./scale";
import { EVIDENCE_PX, FOOTER_PX, NAME_PX, type Placed, type Scene, type Under } from "./scene";
import { columns, type Run } from "./trace";
import { waveOf } from "./waves";

/** What can be drawn piece by piece, in pixels of the screen. */
export interface Picture {
  widthPx: number;
  heightPx: number;
  paint(raster: Raster): void;
}

/** Words and marks lie under all traces: a tall wave of the next row may cross a name and is never hidden by it. */
export const pictureOf = (scene: Scene, ink: Ink): Picture => ({
  widthPx: scene.widthPx,
  heightPx: scene.heightPx,
  paint: (raster) => {
    ground(raster, whole(scene), scene.scale, ink, scene.ratio);
    drawWords(raster, scene, ink);
    drawTraces(raster, scene, ink);
  },
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

/** Evidence is drawn on one beat alone. */
function hasLevels(one: Placed, scene: Scene, area: Area): boolean {
  if (!one.levels) return false;
  const { pxPerS, pxPerMm } = scene.scale;
  const x = (s: number): number => one.xPx + (s - one.strip.fromS) * pxPerS;
  const last = Math.max(...one.levels.levels.map(({ readS }) => readS), one.levels.jS);
  return x(one.levels.onS) - 3 * pxPerMm < area.x + area.width && x(last) + 6 * pxPerMm > area.x;
}

function drawWords(raster: Raster, scene: Scene, ink: Ink): void {
  const { scale, ratio } = scene;
  const { area } = raster;
  const mm = scale.pxPerMm;
  const here = scene.placed.filter((one) => touches(one, area));
  for (const one of here)
    if (one.unusable)
      hatchBox(
        raster,
        { x: one.xPx, y: one.topPx, width: one.widthPx, height: one.heightPx },
        pixelOf(ink.hatch),
      );
  if (area.x < calRight(scene))
    for (const base of scene.sheet.rowsMm) calibration(raster, base * mm, scene, ink);
  if (atFoot(scene, area))
    label(raster, scene.footer, 2 * mm, scene.heightPx - 4 * ratio, FOOTER_PX * ratio, ink.label, ink.paper);
  if (!scene.namesBeside)
    for (const one of scene.placed) if (atName(one, area, ratio)) nameStrip(raster, one, ratio, ink);
  for (const one of here)
    if (one.levels && hasLevels(one, scene, area)) drawLevels(raster, one, one.levels, scene, ink);
}

export function drawTraces(raster: Raster, scene: Scene, ink: Ink): void {
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

/** Baseline, J, level and threshold on the first whole beat. The level is a band that the trace, drawn after it, runs in. */
function drawLevels(raster: Raster, one: Placed, found: Overlay, scene: Scene, ink: Ink): void {
  const { scale, ratio } = scene;
  const mm = scale.pxPerMm;
  const colour = pixelOf(ink.evidence);
  const thin = { colour, widthPx: ratio };
  const x = (s: number): number => one.xPx + (s - one.strip.fromS) * scale.pxPerS;
  const y = (mv: number): number => one.zeroPx - mv * scale.pxPerMv;
  const last = Math.max(...found.levels.map(({ readS }) => readS), found.jS);
  levelLine(raster, y(found.baseMv), x(found.onS) - 2 * mm, x(last) + 5 * mm, thin);
  for (const { evidence: e, readS, levelMv, thresholdMv } of found.levels) {
    const atJ = waveOf(e.quantity) === "st";
    const [left, right] = atJ
      ? [x(found.jS) - 2 * mm, x(readS) + 5 * mm]
      : [x(readS) - 3 * mm, x(readS) + 3 * mm];
    if (atJ)
      uprightLine(raster, x(found.jS), y(found.baseMv) + mm, y(levelMv) - Math.sign(e.value) * mm, thin);
    levelLine(raster, y(thresholdMv), left, right, { ...thin, dash: [3 * ratio, 2 * ratio] });
    const [from, to] = [x(readS) - (atJ ? 0.5 : 1.5) * mm, x(readS) + (atJ ? 3 : 1.5) * mm];
    levelLine(raster, y(levelMv), from, to, { colour, widthPx: LEVEL_PX * ratio, alpha: LEVEL_ALPHA });
  }
}

const LEVEL_PX = 6;
const LEVEL_ALPHA = 0.45;

/** The lead's name and its evidence at the upper edge, where the trace leaves room. */
function nameStrip(raster: Raster, one: Placed, ratio: number, ink: Ink): void {
  const y = one.topPx + (NAME_PX + 1) * ratio;
  const end = label(raster, one.name, one.nameXPx + 3 * ratio, y, NAME_PX * ratio, ink.label, ink.paper);
  if (one.evidence)
    label(raster, one.evidence, end + 5 * ratio, y, EVIDENCE_PX * ratio, ink.evidence, ink.paper);
}

/** A pulse of 1 mV and 0.2 s, with 0.03 s of the zero line at each side: what proves the scale on any screen. */
function calibration(raster: Raster, base: number, scene: Scene, ink: Ink): void {
  const high = base - CAL_MV * scene.scale.pxPerMv;
  const left = CAL_LEFT_MM * scene.scale.pxPerMm;
  const width = calMm(scene.sheet.pace) * scene.scale.pxPerMm;
  const [rise, fall] = [left + 0.15 * width, left + 0.85 * width];
  const line = { colour: pixelOf(ink.trace), widthPx: TRACE_PX * scene.ratio };
  levelLine(raster, base, left, rise, line);
  uprightLine(raster, rise, high, base, line);
  levelLine(raster, high, rise, fall, line);
  uprightLine(raster, fall, high, base, line);
  levelLine(raster, base, fall, left + width, line);
}
