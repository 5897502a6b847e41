/** What drawings on canvas share: the theme's colours, the grid of the paper, lines, words, hatching. */
import { fillGrid, pixelOf, type Raster } from "./raster";
import type { Scale } from "./scale";

export interface Ink {
  paper: string;
  fine: string;
  strong: string;
  trace: string;
  label: string;
  evidence: string;
  hatch: string;
  earlier: string;
}

/** The colours of the theme, from its style sheet. */
export function inkOf(element: Element): Ink {
  const style = getComputedStyle(element);
  const named = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    paper: named("paper"),
    fine: named("paper-fine"),
    strong: named("paper-strong"),
    trace: named("trace"),
    label: named("trace-label"),
    evidence: named("evidence"),
    hatch: named("hatch"),
    earlier: named("earlier"),
  };
}

/** Fine lines closer than this only grey the paper. */
const FINE_FROM_PX = 2.2;
const FONT = "system-ui, 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif";

/** Size the canvas for the screen's real pixels; returns a context in CSS pixels. */
export function prepare(
  canvas: HTMLCanvasElement,
  widthPx: number,
  heightPx: number,
): CanvasRenderingContext2D {
  const ratio = devicePixelRatio || 1;
  canvas.width = Math.round(widthPx * ratio);
  canvas.height = Math.round(heightPx * ratio);
  canvas.style.width = `${widthPx}px`;
  canvas.style.height = `${heightPx}px`;
  const pen = canvas.getContext("2d");
  if (pen === null) throw new Error("canvas: expected a 2d context, got none");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  return pen;
}

/** A part of a sheet, in pixels of the sheet. */
export interface Area {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Paper into a raster; its lines are counted from the corner of `box`. `ratio` is what a pixel of the page measures. */
export function ground(raster: Raster, box: Area, scale: Scale, ink: Ink, ratio: number): void {
  fillGrid(raster, box, {
    paper: pixelOf(ink.paper),
    fine: pixelOf(ink.fine),
    strong: pixelOf(ink.strong),
    mmPx: scale.pxPerMm,
    fineLines: scale.pxPerMm >= FINE_FROM_PX * ratio,
    strongPx: Math.max(1, Math.round(ratio)),
  });
}

/** The same on a canvas that is drawn as a whole; filled rectangles are sharp, and many times quicker than strokes. */
export function grid(pen: CanvasRenderingContext2D, area: Area, scale: Scale, ink: Ink, ratio = 1): void {
  pen.fillStyle = ink.paper;
  pen.fillRect(area.x, area.y, area.width, area.height);
  if (scale.pxPerMm >= FINE_FROM_PX * ratio) rules(pen, area, scale.pxPerMm, ink.fine, 1);
  rules(pen, area, scale.pxPerMm * 5, ink.strong, Math.max(1, Math.round(ratio)));
}

function rules(
  pen: CanvasRenderingContext2D,
  area: Area,
  stepPx: number,
  colour: string,
  wide: number,
): void {
  pen.fillStyle = colour;
  for (let i = Math.floor(area.x / stepPx); i * stepPx < area.x + area.width; i++)
    pen.fillRect(Math.round(i * stepPx), area.y, wide, area.height);
  for (let i = Math.floor(area.y / stepPx); i * stepPx < area.y + area.height; i++)
    pen.fillRect(area.x, Math.round(i * stepPx), area.width, wide);
}

export function stroke(pen: CanvasRenderingContext2D, colour: string, width: number, path: () => void): void {
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.lineJoin = "round";
  pen.beginPath();
  path();
  pen.stroke();
}

export function widthOf(pen: CanvasRenderingContext2D, said: string, sizePx: number): number {
  pen.font = `600 ${sizePx}px ${FONT}`;
  return pen.measureText(said).width;
}

/** Text on a scrap of paper over the grid; to be drawn before the traces. Returns where it ends. */
export function text(
  pen: CanvasRenderingContext2D,
  said: string,
  x: number,
  y: number,
  sizePx: number,
  colour: string,
  behind: string,
): number {
  const width = widthOf(pen, said, sizePx);
  pen.globalAlpha = 0.8;
  pen.fillStyle = behind;
  pen.fillRect(x - 1, y - sizePx + 1, width + 2, sizePx + 2);
  pen.globalAlpha = 1;
  pen.fillStyle = colour;
  pen.fillText(said, x, y);
  return x + width;
}
