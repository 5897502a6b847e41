/** A long list is drawn part by part: between two parts the page listens and paints. */
import { useEffect, useState } from "preact/hooks";

const FIRST = 20; // what a wall screen shows at once
const STEP = 20;

/** How many of `wanted` rows are drawn by now; all of them after a few turns. */
export function useFilling(wanted: number): number {
  const [drawn, setDrawn] = useState(FIRST);
  useEffect(() => {
    if (drawn >= wanted) return;
    const timer = setTimeout(() => setDrawn(drawn + STEP));
    return () => clearTimeout(timer);
  }, [drawn, wanted]);
  return drawn;
}
