/** Keeps the tasks of one's page where they are while a hand is on them, and those that were done in their place. */
import { useEffect, useRef, useState } from "preact/hooks";
import { rows } from "../state/live";
import { heldTasks } from "../state/tasks";
import type { ListedTask } from "../wireCare";

/** After the last touch of the page. */
const HOLD_MS = 4000;

interface HeldTasks {
  tasks: readonly ListedTask[];
  onPointer: () => void;
}

/** `listed`: the service's list; null while there is none. */
export function useHeldTasks(listed: readonly ListedTask[] | null): HeldTasks {
  const shown = useRef<readonly ListedTask[]>([]);
  const until = useRef(0);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const [, redraw] = useState(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  const { cases } = rows.value;
  const holding = performance.now() < until.current;
  if (listed !== null) shown.current = heldTasks(shown.current, listed, (id) => cases.get(id), holding);
  const onPointer = (): void => {
    until.current = performance.now() + HOLD_MS;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => redraw((count) => count + 1), HOLD_MS + 20);
  };
  return { tasks: listed === null ? [] : shown.current, onPointer };
}
