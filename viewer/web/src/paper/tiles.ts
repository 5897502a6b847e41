/** A picture as tiles of canvas that are drawn when they come into view; the browser itself scrolls them. */
import type { Picture } from "./draw";
import type { Area } from "./ink";

/** Of a tile, in pixels of the screen: narrow, so that what comes into view in one frame is little. */
export const TILE_WIDTH_PX = 256;
export const TILE_HEIGHT_PX = 512;
/** Tiles farther away than this many are given back. */
const KEPT_AROUND = 3;

export interface Window {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Columns and rows of tiles that a window (in pixels of the screen) shows, widened by `around`; `to` is not in it. Pure. */
export function tilesOf(
  window: Window,
  picture: { widthPx: number; heightPx: number },
  around = 0,
): { fromColumn: number; toColumn: number; fromRow: number; toRow: number } {
  const columns = Math.ceil(picture.widthPx / TILE_WIDTH_PX);
  const rows = Math.ceil(picture.heightPx / TILE_HEIGHT_PX);
  const from = (px: number, size: number): number => Math.max(0, Math.floor(px / size) - around);
  const to = (px: number, size: number, most: number): number =>
    Math.min(most, Math.ceil(px / size) + around);
  return {
    fromColumn: from(window.left, TILE_WIDTH_PX),
    toColumn: to(window.left + window.width, TILE_WIDTH_PX, columns),
    fromRow: from(window.top, TILE_HEIGHT_PX),
    toRow: to(window.top + window.height, TILE_HEIGHT_PX, rows),
  };
}

interface Tile {
  canvas: HTMLCanvasElement;
  column: number;
  row: number;
  /** Of the picture that it shows. */
  version: number;
  /** For which it has its place; 0 for none yet. */
  ratio: number;
}

/** The tiles of one sheet of paper within `host`, seen through `frame`, which scrolls. */
export class Tiles {
  private readonly tiles = new Map<string, Tile>();
  private readonly spare: HTMLCanvasElement[] = [];
  private picture: Picture | null = null;
  private ratio = 1;
  private version = 0;
  private idle = 0;

  constructor(
    private readonly host: HTMLElement,
    private readonly frame: HTMLElement,
  ) {}

  /** Show another picture: what is in view is drawn at once. */
  show(picture: Picture, ratio: number): void {
    this.picture = picture;
    this.ratio = ratio;
    this.version += 1;
    this.draw();
  }

  /** A picture that differs from the one before to the right of `fromPx` alone, as that of a running stream does. */
  grow(picture: Picture, fromPx: number): void {
    this.picture = picture;
    for (const tile of this.tiles.values()) if ((tile.column + 1) * TILE_WIDTH_PX > fromPx) tile.version = -1;
    this.draw();
  }

  /** Draw what is in view and is not there yet, and what lies around it when there is time. */
  draw(): void {
    if (!this.picture) return;
    const window = this.window();
    this.each(tilesOf(window, this.picture), (column, row) => {
      this.paint(column, row);
      return true;
    });
    this.giveBack(window);
    this.drawAround();
  }

  stop(): void {
    this.cancel();
    this.picture = null;
  }

  private window(): Window {
    const { scrollLeft, scrollTop, clientWidth, clientHeight } = this.frame;
    // A frame that does not scroll downwards is as tall as its paper.
    return {
      left: scrollLeft * this.ratio,
      top: scrollTop * this.ratio,
      width: clientWidth * this.ratio,
      height: clientHeight * this.ratio,
    };
  }

  private each(of: ReturnType<typeof tilesOf>, visit: (column: number, row: number) => boolean): void {
    for (let row = of.fromRow; row < of.toRow; row++)
      for (let column = of.fromColumn; column < of.toColumn; column++) if (!visit(column, row)) return;
  }

  private paint(column: number, row: number): boolean {
    const picture = this.picture;
    const key = `${column}:${row}`;
    const held = this.tiles.get(key);
    if (!picture || held?.version === this.version) return false;
    const tile = held ?? this.make(column, row);
    const x = column * TILE_WIDTH_PX;
    const y = row * TILE_HEIGHT_PX;
    const width = Math.min(TILE_WIDTH_PX, picture.widthPx - x);
    const height = Math.min(TILE_HEIGHT_PX, picture.heightPx - y);
    const { canvas } = tile;
    if (canvas.width !== width || canvas.height !== height || tile.ratio !== this.ratio) {
      [canvas.width, canvas.height] = [width, height];
      tile.ratio = this.ratio;
      const style = canvas.style;
      [style.left, style.top] = [`${x / this.ratio}px`, `${y / this.ratio}px`];
      [style.width, style.height] = [`${width / this.ratio}px`, `${height / this.ratio}px`];
    }
    paintTile(canvas, picture, { x, y, width, height });
    tile.version = this.version;
    this.tiles.set(key, tile);
    return true;
  }

  private make(column: number, row: number): Tile {
    const canvas = this.spare.pop() ?? document.createElement("canvas");
    canvas.dataset.x = String(column * TILE_WIDTH_PX);
    canvas.dataset.y = String(row * TILE_HEIGHT_PX);
    if (!canvas.isConnected) this.host.append(canvas);
    canvas.hidden = false;
    return { canvas, column, row, version: -1, ratio: 0 };
  }

  private giveBack(window: Window): void {
    if (!this.picture) return;
    const near = tilesOf(window, this.picture, KEPT_AROUND);
    for (const [key, tile] of this.tiles) {
      const { column, row } = tile;
      const isNear =
        column >= near.fromColumn && column < near.toColumn && row >= near.fromRow && row < near.toRow;
      // What shows an older picture is hidden, too: it would flash up before it is drawn anew.
      if (isNear && tile.version === this.version) continue;
      tile.canvas.hidden = true;
      this.spare.push(tile.canvas);
      this.tiles.delete(key);
    }
  }

  /** One tile at a time, when nothing else is to be done: scrolling finds it there. */
  private drawAround(): void {
    this.cancel();
    this.idle = whenIdle(() => {
      const picture = this.picture;
      if (!picture) return;
      let painted = false;
      this.each(tilesOf(this.window(), picture, 1), (column, row) => {
        painted = this.paint(column, row);
        return !painted;
      });
      if (painted) this.drawAround();
    });
  }

  private cancel(): void {
    if (typeof cancelIdleCallback === "undefined") clearTimeout(this.idle);
    else cancelIdleCallback(this.idle);
  }
}

function whenIdle(run: () => void): number {
  if (typeof requestIdleCallback === "undefined") return setTimeout(run, 50) as unknown as number;
  return requestIdleCallback(run, { timeout: 500 });
}

/** Pixels of a tile, used again for each of its size. */
let spareImage: ImageData | null = null;

function paintTile(canvas: HTMLCanvasElement, picture: Picture, area: Area): void {
  const { width, height } = area;
  const pen = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  if (pen === null) throw new Error("canvas: expected a 2d context, got none");
  if (spareImage?.width !== width || spareImage.height !== height) spareImage = new ImageData(width, height);
  picture.paint({ area, data: new Uint32Array(spareImage.data.buffer) });
  pen.putImageData(spareImage, 0, 0);
}
