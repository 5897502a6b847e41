/** The calipers of one ECG and the keys that move them. */
import { useState } from "preact/hooks";
import { moved, traceFor } from "../paper/calipers";
import { boxAt, pointOn, stretchOf, type TraceBox } from "../paper/traceBox";
import { type CaliperState, nextId, toggled } from "./Calipers";
import { helpOpen } from "./Header";
import { useKeydown } from "./useKeydown";

/** One press of an arrow: a sample to the side, 0.01 mV up; with Shift 40 ms and 0.1 mV, a small square. */
const MV_STEP = 0.01;
const LARGE_S = 0.04;
const LARGE_MV = 0.1;
/** How wide new calipers are that a key puts down. */
const FIRST_S = 0.2;

export interface CalipersInUse {
  state: CaliperState;
  change(next: Partial<CaliperState>): void;
  toggle(): void;
  /** New calipers in the middle of what is seen. */
  add(boxes: readonly TraceBox[], frame: HTMLElement): void;
  /** True where the key was for the calipers. */
  onKey(event: KeyboardEvent, boxes: readonly TraceBox[], frame: HTMLElement): boolean;
}

export function useCalipers(): CalipersInUse {
  const [state, setState] = useState<CaliperState>({ on: false, list: [], held: null });
  const change = (next: Partial<CaliperState>): void => setState((before) => ({ ...before, ...next }));
  const toggle = (): void => setState((before) => ({ ...before, on: !before.on }));

  useKeydown((event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || helpOpen.value) return;
    if ((event.target as HTMLElement).closest("input, textarea, select, [contenteditable]")) return;
    if (event.key.toLowerCase() !== "c") return;
    event.preventDefault();
    toggle();
    document.querySelector<HTMLElement>('[data-testid="paper-frame"]')?.focus();
  });

  const add = (boxes: readonly TraceBox[], frame: HTMLElement): void => {
    const seen = frame.getBoundingClientRect();
    const bottom = Math.min(seen.bottom, innerHeight);
    const x = frame.scrollLeft + frame.clientWidth / 2;
    const y = frame.scrollTop + (bottom - Math.max(0, seen.top)) / 2 + Math.max(0, -seen.top);
    const box = boxAt(boxes, x, y);
    if (!box) return;
    const s = Math.min(box.toS - FIRST_S, Math.max(box.fromS, box.fromS + (x - box.x) / box.pxPerS));
    const id = nextId(state.list);
    const [from, to] = [pointOn(box, s), pointOn(box, s + FIRST_S)];
    const made = { id, on: stretchOf(box), from, to, marching: false };
    change({ on: true, list: [...state.list, made], held: { id, end: "to" } });
  };

  const onKey = (event: KeyboardEvent, boxes: readonly TraceBox[], frame: HTMLElement): boolean => {
    if (event.key === "Escape" && (state.on || state.list.length > 0)) {
      setState({ on: false, list: [], held: null });
      return true;
    }
    if (!state.on) return false;
    const key = event.key.toLowerCase();
    if (key === "enter" || key === "n") {
      add(boxes, frame);
      return true;
    }
    const { held, list } = state;
    const one = list.find(({ id }) => id === held?.id);
    if (!held || !one) return false;
    if (key === "x") change({ held: { id: held.id, end: held.end === "from" ? "to" : "from" } });
    else if (key === "m") change({ list: toggled(list, held.id) });
    else if (key === "delete" || key === "backspace")
      change({ list: list.filter(({ id }) => id !== held.id), held: null });
    else if (key.startsWith("arrow")) {
      const box = traceFor(one, boxes);
      if (!box) return false;
      const step = event.shiftKey ? LARGE_S : 1 / box.rateHz;
      const up = event.shiftKey ? LARGE_MV : MV_STEP;
      const [byS, byMv] = {
        arrowleft: [-step, 0],
        arrowright: [step, 0],
        arrowup: [0, up],
        arrowdown: [0, -up],
      }[key] ?? [0, 0];
      const next = moved(one, held.end, byS ?? 0, byMv ?? 0, box.fromS, box.toS);
      change({ list: list.map((other) => (other === one ? next : other)) });
    } else return false;
    return true;
  };

  return { state, change, toggle, add, onKey };
}
