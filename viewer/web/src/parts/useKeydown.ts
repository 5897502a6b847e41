import { useLayoutEffect, useRef } from "preact/hooks";

/**
 * Hears the window's keys from the moment the part is on the page: an effect that waits for the paint
 * would lose a key that is pressed as soon as the eye has seen the row.
 */
export function useKeydown(onKey: (event: KeyboardEvent) => void): void {
  const latest = useRef(onKey);
  latest.current = onKey;
  useLayoutEffect(() => {
    const hear = (event: KeyboardEvent): void => latest.current(event);
    addEventListener("keydown", hear);
    return () => removeEventListener("keydown", hear);
  }, []);
}
