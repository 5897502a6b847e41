/** Keeps rows where they are while a pointer is on the list: nothing moves away from under a finger. */
import { useEffect, useRef, useState } from "preact/hooks";
import { holdOrder } from "../state/rows";

/** After the last movement; a pointer resting on a wall display must not hold the list for ever. */
const HOLD_MS = 4000;

interface Held {
  order: string[];
  /** How many rows stand elsewhere than the worklist wants them. */
  waiting: number;
  onPointer: () => void;
}

export function useHeldOrder(wanted: string[]): Held {
  const shown = useRef<string[]>(wanted);
  const until = useRef(0);
  const [, redraw] = useState(0);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const holding = performance.now() < until.current;
  shown.current = holding ? holdOrder(shown.current, wanted) : wanted;
  useEffect(() => () => clearTimeout(timer.current), []);
  return {
    order: shown.current,
    waiting: shown.current.filter((id, index) => id !== wanted[index]).length,
    onPointer: () => {
      until.current = performance.now() + HOLD_MS;
      clearTimeout(timer.current);
      timer.current = setTimeout(() => redraw((n) => n + 1), HOLD_MS + 20);
    },
  };
}
