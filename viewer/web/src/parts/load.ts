/** Read something from the service and keep it fresh; a failed reading keeps what was shown before. */
import { useEffect, useState } from "preact/hooks";
import { get, Problem } from "../state/api";

export interface Loaded<T> {
  value: T | null;
  problem: Problem | null;
}

/** `stamp` changes when what is at `path` may have changed. */
export function useLoaded<T>(path: string | null, stamp: unknown): Loaded<T> {
  const [loaded, setLoaded] = useState<Loaded<T> & { path: string | null }>({
    value: null,
    problem: null,
    path,
  });
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
  }, [path, stamp]);
  return loaded.path === path ? loaded : { value: null, problem: null };
}
