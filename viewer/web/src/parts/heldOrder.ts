/** Keeps rows where they are while a pointer is on the list: nothing moves away from under a finger. */
import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { type HeldLayout, holdLayout, type Layout } from "../state/rows";

/** After the last movement; a pointer resting on a wall display must not hold the list for ever. */
const HOLD_MS = 4000;
/** After the pointer has left the list. */
const LEFT_MS = 300;

interface Held extends HeldLayout {
  onPointer: () => void;
  onLeave: () => void;
}

/** Cases that came while the list was held, for whoever says so outside of it. */
export const arrivals = signal<readonly string[]>([]);

/** `chosen` is what the reader wants to see: where that changes, the list follows at once. */
export function useHeldLayout(wanted: Layout, chosen: unknown): Held {
  const shown = useRef<Layout>(wanted);
  const came = useRef<readonly string[]>([]);
  const until = useRef(0);
  const [, redraw] = useState(0);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const choice = useRef(chosen);
  if (choice.current !== chosen) until.current = 0;
  choice.current = chosen;
  const holding = performance.now() < until.current;
  const held = holding ? holdLayout(shown.current, wanted) : { layout: wanted, arrivals: [], waiting: 0 };
  shown.current = held.layout;
  came.current = holding ? [...came.current, ...held.arrivals] : [];
  const names = came.current.join();
  useEffect(() => {
    arrivals.value = came.current;
  }, [names]);
  useEffect(
    () => () => {
      clearTimeout(timer.current);
      arrivals.value = [];
    },
    [],
  );
  const holdFor = (ms: number): void => {
    until.current = performance.now() + ms;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => redraw((n) => n + 1), ms + 20);
  };
  return {
    ...held,
    onPointer: () => holdFor(HOLD_MS),
    onLeave: () => {
      if (performance.now() < until.current) holdFor(LEFT_MS);
    },
  };
}
