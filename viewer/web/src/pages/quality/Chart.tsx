/** A line of values on canvas (uPlot), the same values as a table for who cannot see it, light on paper in any theme. */
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { theme } from "../../state/prefs";
import { tq } from "../../textsQuality";

export interface Plotted {
  /** What stands under each point. */
  labels: string[];
  values: (number | null)[];
  /** Points that say something has changed. */
  signals?: boolean[];
  /** Written beside the axis and in the table. */
  write: (value: number) => string;
  /** What is good: from, or up to, this value. */
  target?: { at: number; good: "below" | "above" } | null;
  centre?: number | null;
  limits?: [number | null, number | null];
  counts?: number[];
}

interface Props {
  plot: Plotted;
  label: string;
  height?: number;
  table?: boolean;
}

const INK = {
  text: ["--text", "#14181f"],
  muted: ["--muted", "#4a5361"],
  line: ["--line", "#c9ced6"],
  blue: ["--blue", "#0b4fa3"],
  surface: ["--surface", "#ffffff"],
} as const;
const PAPER_PX = 980;

let onPaper = false;
const drawn = new Set<(paper: boolean) => void>();
/** The canvas is drawn before the paper is: told here, since no style reaches into it. */
function setPaper(paper: boolean): void {
  onPaper = paper;
  for (const redraw of drawn) redraw(paper);
}
if (typeof addEventListener !== "undefined") {
  addEventListener("beforeprint", () => setPaper(true));
  addEventListener("afterprint", () => setPaper(false));
}

const ink = (name: keyof typeof INK): string => {
  const [token, paper] = INK[name];
  return onPaper ? paper : getComputedStyle(document.documentElement).getPropertyValue(token).trim() || paper;
};

export function Chart({ plot, label, height = 220, table = true }: Props): JSX.Element {
  const holder = useRef<HTMLDivElement>(null);
  const look = theme.value;
  useEffect(() => {
    const box = holder.current;
    if (!box) return;
    const wide = (): number => Math.max(240, box.clientWidth);
    const chart = new uPlot(options(plot, wide(), height), dataOf(plot), box);
    const redraw = (paper: boolean): void => {
      chart.setSize({ width: paper ? Math.min(PAPER_PX, wide()) : wide(), height });
      chart.redraw(false, true);
    };
    drawn.add(redraw);
    const watch = new ResizeObserver(() => {
      if (!onPaper && chart.width !== wide()) chart.setSize({ width: wide(), height });
    });
    watch.observe(box);
    return () => {
      watch.disconnect();
      drawn.delete(redraw);
      chart.destroy();
    };
  }, [plot, height, look]);
  return (
    <figure class="chart">
      <div
        ref={holder}
        class="chart-box"
        role="img"
        aria-label={label}
        style={{ minHeight: `${height}px` }}
      />
      {table && <Values plot={plot} />}
    </figure>
  );
}

function Values({ plot }: { plot: Plotted }): JSX.Element {
  return (
    <details class="chart-values">
      <summary>{tq("values")}</summary>
      <div class="wide-table">
        <table class="plain num">
          <thead>
            <tr>
              <th scope="col">{tq("month")}</th>
              <th scope="col">{tq("values")}</th>
              {plot.counts && <th scope="col">{tq("n")}</th>}
            </tr>
          </thead>
          <tbody>
            {plot.labels.map((at, index) => {
              const value = plot.values[index];
              return (
                <tr key={`${at}${index}`}>
                  <th scope="row">{at}</th>
                  <td>
                    {value === null || value === undefined ? "—" : plot.write(value)}
                    {plot.signals?.[index] && " ▲"}
                  </td>
                  {plot.counts && <td>{plot.counts[index]}</td>}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </details>
  );
}

const dataOf = (plot: Plotted): uPlot.AlignedData => [plot.labels.map((_, index) => index), plot.values];

function options(plot: Plotted, width: number, height: number): uPlot.Options {
  const many = plot.labels.length > 40;
  return {
    width,
    height,
    cursor: { show: false },
    legend: { show: false },
    scales: { x: { time: false, range: edges(plot) }, y: { range: reach(plot) } },
    axes: [
      {
        stroke: () => ink("muted"),
        grid: { show: false },
        ticks: { stroke: () => ink("line") },
        font: "14px system-ui, sans-serif",
        space: 28 + 8 * Math.max(...plot.labels.map((one) => one.length), 4),
        incrs: [1, 2, 3, 6, 12, 24, 50, 100, 200, 500, 1000],
        values: (_, at) => at.map((index) => plot.labels[index] ?? ""),
      },
      {
        stroke: () => ink("muted"),
        grid: { stroke: () => ink("line"), width: 1 },
        ticks: { show: false },
        font: "14px system-ui, sans-serif",
        size: 56,
        space: 32,
        values: (_, at) => at.map((value) => plot.write(value)),
      },
    ],
    series: [
      {},
      {
        stroke: () => ink("blue"),
        width: many ? 1.5 : 3,
        spanGaps: false,
        points: { show: !many, size: 8, fill: () => ink("surface"), stroke: () => ink("blue"), width: 2 },
      },
    ],
    hooks: { drawClear: [(u) => band(u, plot)], draw: [(u) => marks(u, plot)] },
  };
}

function edges(plot: Plotted): uPlot.Range.MinMax {
  return plot.labels.length > 1 ? [-0.25, plot.labels.length - 0.75] : [-1, 1];
}

/** From nought where that wastes little, with the target, the centre and the limits in sight. */
function reach(plot: Plotted): uPlot.Range.MinMax {
  const said = [plot.target?.at, plot.centre, ...(plot.limits ?? []), ...plot.values];
  const all = said.filter((one): one is number => typeof one === "number");
  if (all.length === 0) return [0, 1];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const room = (high - Math.min(0, low)) * 0.08 || 1;
  return [low < 0 ? low - room : 0, high + room];
}

/** What is good lies in a grey band that ends in a line: no colour says it. */
function band(u: uPlot, plot: Plotted): void {
  const { ctx, bbox } = u;
  ctx.save();
  if (onPaper) {
    ctx.fillStyle = ink("surface");
    ctx.fillRect(0, 0, ctx.canvas.width, ctx.canvas.height);
  }
  if (plot.target) {
    const at = u.valToPos(plot.target.at, "y", true);
    const below = plot.target.good === "below";
    ctx.globalAlpha = 0.35;
    ctx.fillStyle = ink("line");
    ctx.fillRect(
      bbox.left,
      below ? at : bbox.top,
      bbox.width,
      below ? bbox.top + bbox.height - at : at - bbox.top,
    );
  }
  ctx.restore();
}

function marks(u: uPlot, plot: Plotted): void {
  const { ctx } = u;
  const px = devicePixelRatio;
  ctx.save();
  if (plot.target) level(u, plot.target.at, [], 2 * px);
  if (plot.centre !== null && plot.centre !== undefined) level(u, plot.centre, [], px);
  for (const limit of plot.limits ?? []) if (limit !== null) level(u, limit, [8 * px, 6 * px], 1.5 * px);
  ctx.fillStyle = ink("text");
  for (const [index, value] of plot.values.entries()) {
    if (!plot.signals?.[index] || value === null) continue;
    const [x, y, r] = [u.valToPos(index, "x", true), u.valToPos(value, "y", true), 9 * px];
    ctx.beginPath();
    ctx.moveTo(x, y - r);
    ctx.lineTo(x + r, y + r * 0.7);
    ctx.lineTo(x - r, y + r * 0.7);
    ctx.fill();
  }
  ctx.restore();
}

function level(u: uPlot, value: number, dash: number[], width: number): void {
  const { ctx, bbox } = u;
  const y = u.valToPos(value, "y", true);
  ctx.strokeStyle = ink("text");
  ctx.lineWidth = width;
  ctx.setLineDash(dash);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
}
