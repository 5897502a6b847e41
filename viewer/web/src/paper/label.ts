/** Words on the paper: each is drawn by the browser once and stamped from then on. */
import { widthOf } from "./ink";
import { fillBox, type Mask, pixelOf, type Raster, stamp } from "./raster";

const KEPT = 400;
const masks = new Map<string, Mask>();
let pen: CanvasRenderingContext2D | null = null;

/** Room above and below the letters, in shares of their size. */
const ABOVE = 1.15;
const BELOW = 0.45;

/** Width of a word in pixels; without a browser, about that. */
export function wordWidth(said: string, sizePx: number): number {
  const writing = theCanvas();
  return writing ? widthOf(writing, said, sizePx) : said.length * sizePx * 0.6;
}

function theCanvas(): CanvasRenderingContext2D | null {
  if (pen === null && typeof document !== "undefined")
    pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  return pen;
}

function maskOf(said: string, sizePx: number): Mask | null {
  const key = `${sizePx} ${said}`;
  const held = masks.get(key);
  if (held) return held;
  const writing = theCanvas();
  if (writing === null) return null;
  const width = Math.max(1, Math.ceil(widthOf(writing, said, sizePx)) + 2);
  const height = Math.ceil(sizePx * (ABOVE + BELOW));
  const { canvas } = writing;
  [canvas.width, canvas.height] = [width, height];
  // A new size forgets the font.
  widthOf(writing, said, sizePx);
  writing.fillStyle = "#000";
  writing.fillText(said, 0, Math.round(sizePx * ABOVE));
  const { data } = writing.getImageData(0, 0, width, height);
  const mask = {
    width,
    height,
    share: Uint8Array.from({ length: width * height }, (_, i) => data[4 * i + 3] ?? 0),
  };
  masks.set(key, mask);
  const oldest = masks.keys().next().value;
  if (masks.size > KEPT && oldest !== undefined) masks.delete(oldest);
  return mask;
}

/** A word on a scrap of paper over the grid, its letters standing on `y`; to be drawn before the traces. Returns where it ends. */
export function label(
  raster: Raster,
  said: string,
  x: number,
  y: number,
  sizePx: number,
  colour: string,
  behind: string,
): number {
  const end = x + wordWidth(said, sizePx);
  const scrap = {
    x: Math.round(x) - 1,
    y: Math.round(y - sizePx + 1),
    width: Math.ceil(end - x) + 2,
    height: Math.round(sizePx + 2),
  };
  const { area } = raster;
  const isHere =
    scrap.x < area.x + area.width &&
    scrap.x + scrap.width > area.x &&
    scrap.y - sizePx < area.y + area.height &&
    scrap.y + scrap.height + sizePx > area.y;
  const mask = isHere ? maskOf(said, sizePx) : null;
  if (mask) {
    fillBox(raster, scrap, pixelOf(behind), SCRAP_ALPHA);
    stamp(raster, mask, x, Math.round(y) - Math.round(sizePx * ABOVE), pixelOf(colour));
  }
  return end;
}

const SCRAP_ALPHA = 0.8;
