/** Which rows are near enough to the screen to be drawn whole. One observer for all of them. */
import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";

/** About a screen above and below: who scrolls finds the rows there. */
const MARGIN = "900px 0px";
/** So many rows may come in one go and be drawn whole at once; more of them wait until they are near. */
const AT_ONCE = 24;

const listeners = new Map<Element, (near: boolean) => void>();
let observer: IntersectionObserver | null = null;
let mounted = 0;

function watcher(): IntersectionObserver {
  observer ??= new IntersectionObserver(
    (entries) => {
      for (const entry of entries) listeners.get(entry.target)?.(entry.isIntersecting);
    },
    { rootMargin: MARGIN },
  );
  return observer;
}

/** A few rows are drawn whole as they come; of hundreds at once, as after a snapshot, only the first. */
function startsNear(): boolean {
  if (mounted === 0) setTimeout(() => (mounted = 0), 0);
  mounted += 1;
  return mounted <= AT_ONCE;
}

/** Is the element near the screen? One that holds the focus counts as near, so that what is in use is never taken away. */
export function useNear(element: RefObject<HTMLElement | null>): boolean {
  const [near, setNear] = useState(startsNear);
  useEffect(() => {
    const watched = element.current;
    if (!watched) return;
    listeners.set(watched, (there) => setNear(there || watched.contains(document.activeElement)));
    watcher().observe(watched);
    return () => {
      listeners.delete(watched);
      watcher().unobserve(watched);
    };
  }, []);
  return near;
}
