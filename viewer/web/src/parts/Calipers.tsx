/** Calipers over the paper: drawn by pointer or finger, moved by keys, kept until Escape; and what they measure, as a list. */
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { type Caliper, type End, type Held, marched, measure, traceFor } from "../paper/calipers";
import { boxAt, pointAt, stretchOf, type TraceBox, xOf, yOf } from "../paper/traceBox";
import { digitsOf } from "../state/quantities";
import { t } from "../texts";

export interface CaliperState {
  on: boolean;
  list: readonly Caliper[];
  held: Held | null;
}

interface Props extends CaliperState {
  boxes: readonly TraceBox[];
  change(next: Partial<CaliperState>): void;
}

/** A press that moves less than this is no measurement. */
const LEAST_PX = 4;
const HANDLE_PX = 22; // half of what a finger needs

export function Calipers(props: Props): JSX.Element | null {
  const { on, list, held, boxes, change } = props;
  const layer = useRef<SVGSVGElement>(null);
  const dragging = useRef<{
    pointer: number;
    id: number;
    end: End;
    x: number;
    y: number;
    fresh: boolean;
  } | null>(null);
  if (!on && list.length === 0) return null;

  const place = (event: PointerEvent): [x: number, y: number] => {
    const box = layer.current?.getBoundingClientRect();
    return [event.clientX - (box?.left ?? 0), event.clientY - (box?.top ?? 0)];
  };
  const onDown = (event: PointerEvent): void => {
    if (!on || event.button !== 0 || dragging.current) return;
    event.preventDefault();
    event.stopPropagation();
    (layer.current?.closest<HTMLElement>("[tabindex]") ?? null)?.focus();
    const [x, y] = place(event);
    layer.current?.setPointerCapture(event.pointerId);
    const grip = (event.target as Element).closest<SVGElement>("[data-end]");
    if (grip) {
      const taken = { id: Number(grip.dataset.caliper), end: grip.dataset.end as End };
      dragging.current = { pointer: event.pointerId, ...taken, x, y, fresh: false };
      change({ held: taken });
      return;
    }
    const box = boxAt(boxes, x, y);
    if (!box) return;
    const point = pointAt(box, x, y);
    const id = nextId(list);
    dragging.current = { pointer: event.pointerId, id, end: "to", x, y, fresh: true };
    const made = { id, on: stretchOf(box), from: point, to: point, marching: false };
    change({ list: [...list, made], held: { id, end: "to" } });
  };
  const onMove = (event: PointerEvent): void => {
    const drag = dragging.current;
    if (drag?.pointer !== event.pointerId) return;
    const [x, y] = place(event);
    change({
      list: list.map((one) => {
        const box = one.id === drag.id ? traceFor(one, boxes) : undefined;
        return box ? { ...one, [drag.end]: pointAt(box, x, y) } : one;
      }),
    });
  };
  const onUp = (event: PointerEvent): void => {
    const drag = dragging.current;
    if (drag?.pointer !== event.pointerId) return;
    dragging.current = null;
    const [x, y] = place(event);
    if (drag.fresh && Math.hypot(x - drag.x, y - drag.y) < LEAST_PX)
      change({ list: list.filter((one) => one.id !== drag.id), held: null });
  };

  return (
    <svg
      ref={layer}
      class={on ? "calipers calipers-on" : "calipers"}
      data-testid="calipers-layer"
      aria-hidden="true"
      onPointerDown={onDown}
      onPointerMove={onMove}
      onPointerUp={onUp}
      onPointerCancel={onUp}
    >
      <title>{t("calipers")}</title>
      {list.map((one) => {
        const box = traceFor(one, boxes);
        return (
          box && <Drawn key={one.id} caliper={one} box={box} held={held?.id === one.id ? held.end : null} />
        );
      })}
    </svg>
  );
}

function Drawn(props: { caliper: Caliper; box: TraceBox; held: End | null }): JSX.Element {
  const { caliper, box, held } = props;
  const { from, to } = caliper;
  const [x1, y1, x2, y2] = [xOf(box, from.s), yOf(box, from.mv), xOf(box, to.s), yOf(box, to.mv)];
  const [top, bottom] = [Math.min(box.top, y1, y2), Math.max(box.top + box.height, y1, y2)];
  const [left, right] = [Math.min(x1, x2), Math.max(x1, x2)];
  return (
    <g class={held ? "caliper caliper-held" : "caliper"}>
      <rect class="caliper-band" x={left} y={top} width={right - left} height={bottom - top} />
      {caliper.marching &&
        marched(caliper, box.fromS, box.toS).map((s) => (
          <line
            key={s}
            class="caliper-march"
            data-testid="march"
            x1={xOf(box, s)}
            x2={xOf(box, s)}
            y1={box.top}
            y2={box.top + box.height}
          />
        ))}
      <line x1={left} x2={right} y1={y1} y2={y1} class="caliper-level" />
      <line x1={left} x2={right} y1={y2} y2={y2} class="caliper-level" />
      {(["from", "to"] as const).map((end) => {
        const [x, y] = end === "from" ? [x1, y1] : [x2, y2];
        return (
          <g key={end} data-caliper={caliper.id} data-end={end} class="caliper-end">
            <line x1={x} x2={x} y1={top} y2={bottom} />
            <rect
              class="caliper-grip"
              x={x - HANDLE_PX}
              y={y - HANDLE_PX}
              width={2 * HANDLE_PX}
              height={2 * HANDLE_PX}
            />
            <circle cx={x} cy={y} r={held === end ? 6 : 4} />
          </g>
        );
      })}
      <text x={right + 4} y={Math.max(14, top + 26)}>
        {shortWords(caliper)}
      </text>
    </g>
  );
}

export const nextId = (list: readonly Caliper[]): number => Math.max(0, ...list.map(({ id }) => id)) + 1;

function parts(caliper: Caliper): { ms: string; mv: string; rate: string } {
  const { ms, mv, perMin } = measure(caliper);
  return {
    ms: String(Math.round(ms)),
    mv: digitsOf(mv, 2, true),
    rate: perMin === null ? t("caliperNoRate") : t("caliperRate", { n: Math.round(perMin) }),
  };
}

/** `412 ms · +0.35 mV · 146/min`, behind its lead. */
export const caliperWords = (caliper: Caliper): string =>
  t("caliperSays", { lead: caliper.on.lead, ...parts(caliper) });

const shortWords = (caliper: Caliper): string => caliperWords(caliper).slice(caliper.on.lead.length + 1);

/** Below the paper: every measurement in words, for the ear as well. */
export function CaliperList(props: Omit<Props, "boxes"> & { add(): void }): JSX.Element | null {
  const { on, list, held, change } = props;
  if (!on && list.length === 0) return null;
  const last = list.find((one) => one.id === held?.id) ?? list.at(-1);
  return (
    <section class="caliper-list" aria-label={t("calipersList")} data-testid="caliper-list">
      <p class="muted">{t("calipersHow")}</p>
      <p class="visually-hidden" role="status">
        {last ? caliperWords(last) : t("calipersOn")}
      </p>
      <ul>
        {list.map((one) => (
          <li key={one.id}>
            <button
              type="button"
              class="switch num"
              aria-pressed={held?.id === one.id}
              onClick={() => change({ held: { id: one.id, end: "to" } })}
            >
              {caliperWords(one)}
            </button>
            <button
              type="button"
              class="switch"
              aria-pressed={one.marching}
              onClick={() => change({ list: toggled(list, one.id) })}
            >
              {t("caliperMarch")}
            </button>
            <button
              type="button"
              class="switch"
              aria-label={t("caliperRemove")}
              title={t("caliperRemove")}
              onClick={() => change({ list: list.filter((other) => other !== one), held: null })}
            >
              ✕
            </button>
          </li>
        ))}
      </ul>
      <div class="choice">
        <button type="button" class="switch" onClick={props.add}>
          + {t("caliperNew")}
        </button>
        {list.length > 0 && (
          <button type="button" class="switch" onClick={() => change({ list: [], held: null })}>
            {t("caliperClear")}
          </button>
        )}
      </div>
    </section>
  );
}

export const toggled = (list: readonly Caliper[], id: number): Caliper[] =>
  list.map((one) => (one.id === id ? { ...one, marching: !one.marching } : one));
