/** Read something from the service and keep it fresh; a failed reading keeps what was shown before, and is tried again. */
import { useEffect, useRef, useState } from "preact/hooks";
import { get, Problem } from "../state/api";
import { line } from "../state/live";

const FIRST_PAUSE_MS = 3000;
const LONGEST_PAUSE_MS = 60_000;

export interface Loaded<T> {
  value: T | null;
  problem: Problem | null;
}

/** Counts on while `problem` is one that time may heal and there is a line: whoever reads by it reads again. */
export function useTries(problem: Problem | null): number {
  const [tries, setTries] = useState(0);
  const failures = useRef(0);
  const open = line.value.open;
  useEffect(() => {
    if (problem === null) failures.current = 0;
    if (!problem?.retryable || !open) return;
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures.current);
    const timer = setTimeout(() => {
      failures.current += 1;
      setTries((count) => count + 1);
    }, pause);
    return () => clearTimeout(timer);
  }, [problem, open]);
  return tries;
}

/** `stamp` changes when what is at `path` may have changed. */
export function useLoaded<T>(path: string | null, stamp: unknown): Loaded<T> {
  const [loaded, setLoaded] = useState<Loaded<T> & { path: string | null }>({
    value: null,
    problem: null,
    path,
  });
  const tries = useTries(loaded.path === path ? loaded.problem : null);
  useEffect(() => {
    if (path === null) return;
    let gone = false;
    get<T>(path).then(
      (value) => !gone && setLoaded({ value, problem: null, path }),
      (failure: unknown) => {
        if (!(failure instanceof Problem)) throw failure;
        if (!gone)
          setLoaded((held) => ({ value: held.path === path ? held.value : null, problem: failure, path }));
      },
    );
    return () => {
      gone = true;
    };
  }, [path, stamp, tries]);
  return loaded.path === path ? loaded : { value: null, problem: null };
}
