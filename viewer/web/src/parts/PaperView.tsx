/** The window on a sheet of paper: scrolled by the browser, drawn in tiles, zoomed by wheel, keys and two fingers. */
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Picture } from "../paper/draw";
import { type Ink, inkOf } from "../paper/ink";
import { zoomed } from "../paper/scale";
import { Tiles } from "../paper/tiles";
import type { TraceBox } from "../paper/traceBox";
import { lang, theme } from "../state/prefs";
import { t } from "../texts";

/** What is shown at one zoom. */
export interface Shown {
  picture(ink: Ink): Picture;
  boxes: TraceBox[];
  ratio: number;
  /** Names that stand beside the paper: where the whole strip is pushed along under them. */
  names: { name: string; evidence: string | null; topPx: number }[];
  /** A running stream: up to here, in pixels of the screen, the picture is as it was, if `size` is what it was. */
  sameUpToPx?: number;
  /** All that decides where a sample stands. */
  size: string;
}

interface Props {
  shown: Shown;
  pxPerMm: number;
  label: string;
  /** The reader wants another size of a millimetre. */
  zoomTo(wanted: number | "fit" | "true"): void;
  onRoom(px: number): void;
  /** Scrolls to the end whenever it is shown anew. */
  atEnd?: boolean;
  onKey?(event: KeyboardEvent, frame: HTMLElement): boolean;
  children?: ComponentChildren;
}

const PAGE_SHARE = 0.9;
const WHEEL_STEP_PX = 120;

export function PaperView(props: Props): JSX.Element {
  const { shown, pxPerMm, zoomTo } = props;
  const frame = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const names = useRef<HTMLDivElement>(null);
  const tiles = useRef<Tiles | null>(null);
  const looked = useRef("");
  const anchor = useAnchor(frame, pxPerMm);
  const [size, setSize] = useState({ width: 0, height: 0 });

  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    const measured = (): void => {
      props.onRoom(element.clientWidth);
      tiles.current?.draw();
    };
    const observer = new ResizeObserver(measured);
    observer.observe(element);
    measured();
    return () => observer.disconnect();
  }, []);

  useLayoutEffect(() => {
    if (!frame.current || !content.current) return;
    const ink = inkOf(frame.current);
    const picture = shown.picture(ink);
    const [width, height] = [picture.widthPx / shown.ratio, picture.heightPx / shown.ratio];
    // The paper has its size before it is drawn: what is in view follows from where it is scrolled to.
    content.current.style.width = `${width}px`;
    content.current.style.height = `${height}px`;
    if (width !== size.width || height !== size.height) setSize({ width, height });
    anchor.apply();
    if (props.atEnd) frame.current.scrollLeft = width;
    tiles.current ??= new Tiles(content.current, frame.current);
    const look = [shown.size, theme.value, lang.value].join();
    if (shown.sameUpToPx !== undefined && look === looked.current)
      tiles.current.grow(picture, shown.sameUpToPx);
    else tiles.current.show(picture, shown.ratio);
    looked.current = look;
  }, [shown, theme.value, lang.value]);
  useEffect(() => () => tiles.current?.stop(), []);

  const onScroll = (): void => {
    tiles.current?.draw();
    if (names.current && frame.current)
      names.current.style.transform = `translateY(${-frame.current.scrollTop}px)`;
  };
  const zoomAt = (x: number, y: number, steps: number): void => {
    anchor.set(x, y);
    zoomTo(zoomed(pxPerMm, steps));
  };
  const center = (steps: number): void => {
    const box = frame.current?.getBoundingClientRect();
    if (box) zoomAt(box.left + box.width / 2, box.top + Math.min(box.height, innerHeight) / 2, steps);
  };
  useGestures(frame, zoomAt);

  const onKeyDown = (event: KeyboardEvent): void => {
    const element = frame.current;
    if (!element || event.ctrlKey || event.metaKey || event.altKey) return;
    const page = element.clientWidth * PAGE_SHARE;
    if (props.onKey?.(event, element)) {
      // Done.
    } else if (event.key === "+" || event.key === "=") center(1);
    else if (event.key === "-") center(-1);
    else if (event.key === "0") zoomTo("fit");
    else if (event.key === "1") zoomTo("true");
    else if (event.key === "Home") element.scrollLeft = 0;
    else if (event.key === "End") element.scrollLeft = element.scrollWidth;
    else if (event.key === "PageDown" && element.scrollWidth > element.clientWidth)
      element.scrollLeft += page;
    else if (event.key === "PageUp" && element.scrollWidth > element.clientWidth) element.scrollLeft -= page;
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div class={shown.names.length > 0 ? "paper-body with-names" : "paper-body"}>
      {shown.names.length > 0 && (
        <div class="paper-names" aria-hidden="true">
          <div ref={names}>
            {shown.names.map(({ name, evidence, topPx }) => (
              <div key={name} class="paper-name" style={{ top: `${topPx / shown.ratio}px` }}>
                {name}
                {evidence && <span class="paper-name-evidence">{evidence}</span>}
              </div>
            ))}
          </div>
        </div>
      )}
      <div
        class="paper-frame"
        ref={frame}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard, and has keys.
        tabIndex={0}
        role="application"
        aria-label={t("paperKeys")}
        data-testid="paper-frame"
        onScroll={onScroll}
        onKeyDown={onKeyDown}
      >
        <div
          class="paper-sheet"
          ref={content}
          role="img"
          aria-label={props.label}
          data-testid="paper"
          data-px-per-mm={pxPerMm}
        />
        {/* Over the paper and scrolled with it, and no part of the picture. */}
        <div class="paper-over" style={{ width: `${size.width}px`, height: `${size.height}px` }}>
          {props.children}
        </div>
      </div>
    </div>
  );
}

/** Keeps the point of the paper that a reader zooms at where it is on the screen. */
function useAnchor(
  frame: { current: HTMLDivElement | null },
  pxPerMm: number,
): { set(x: number, y: number): void; apply(): void } {
  const held = useRef<{ xMm: number; yMm: number; x: number; y: number } | null>(null);
  const last = useRef(pxPerMm);
  return {
    set(x, y) {
      const element = frame.current;
      if (!element) return;
      const box = element.getBoundingClientRect();
      const [dx, dy] = [x - box.left, y - box.top];
      held.current = {
        xMm: (element.scrollLeft + dx) / pxPerMm,
        yMm: (element.scrollTop + dy) / pxPerMm,
        x: dx,
        y: dy,
      };
    },
    apply() {
      const element = frame.current;
      if (element && last.current !== pxPerMm) {
        // Without a point of its own, as by a button: the left edge stays where it is.
        const at = held.current ?? {
          xMm: element.scrollLeft / last.current,
          yMm: element.scrollTop / last.current,
          x: 0,
          y: 0,
        };
        element.scrollLeft = at.xMm * pxPerMm - at.x;
        element.scrollTop = at.yMm * pxPerMm - at.y;
      }
      last.current = pxPerMm;
      held.current = null;
    },
  };
}

/** Wheel with Ctrl and two fingers zoom; a mouse drags the paper. Everything else is the browser's own scrolling. */
function useGestures(
  frame: { current: HTMLDivElement | null },
  zoomAt: (x: number, y: number, steps: number) => void,
): void {
  const zoomNow = useRef(zoomAt);
  zoomNow.current = zoomAt;
  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    const fingers = new Map<number, PointerEvent>();
    let drag: { x: number; y: number; left: number; top: number } | null = null;
    const apart = (): number => {
      const [a, b] = [...fingers.values()];
      return a && b ? Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY) : 0;
    };
    let before = 0;
    const onWheel = (event: WheelEvent): void => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      zoomNow.current(event.clientX, event.clientY, -event.deltaY / WHEEL_STEP_PX);
    };
    const onDown = (event: PointerEvent): void => {
      if ((event.target as Element).closest(".calipers-on, button")) return;
      if (event.pointerType === "touch") {
        fingers.set(event.pointerId, event);
        before = apart();
      } else if (event.button === 0) {
        drag = { x: event.clientX, y: event.clientY, left: element.scrollLeft, top: element.scrollTop };
        element.setPointerCapture(event.pointerId);
      }
    };
    const onMove = (event: PointerEvent): void => {
      if (drag) {
        element.scrollLeft = drag.left - (event.clientX - drag.x);
        element.scrollTop = drag.top - (event.clientY - drag.y);
      } else if (fingers.has(event.pointerId)) {
        fingers.set(event.pointerId, event);
        const now = apart();
        const [a, b] = [...fingers.values()];
        if (fingers.size !== 2 || !a || !b || before === 0) return;
        const steps = Math.log(now / before) / Math.log(1.25);
        // Less than this is a trembling hand, and each step draws anew.
        if (Math.abs(steps) < 0.1) return;
        zoomNow.current((a.clientX + b.clientX) / 2, (a.clientY + b.clientY) / 2, steps);
        before = now;
      }
    };
    const onUp = (event: PointerEvent): void => {
      drag = null;
      fingers.delete(event.pointerId);
    };
    // Not passive: the browser would zoom the page instead.
    element.addEventListener("wheel", onWheel, { passive: false });
    element.addEventListener("pointerdown", onDown);
    element.addEventListener("pointermove", onMove);
    element.addEventListener("pointerup", onUp);
    element.addEventListener("pointercancel", onUp);
    return () => {
      element.removeEventListener("wheel", onWheel);
      element.removeEventListener("pointerdown", onDown);
      element.removeEventListener("pointermove", onMove);
      element.removeEventListener("pointerup", onUp);
      element.removeEventListener("pointercancel", onUp);
    };
  }, []);
}
