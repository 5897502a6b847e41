/** A film whose frames the service draws: each is fetched once, and shown no sooner than the file says. */
import { useEffect, useRef } from "preact/hooks";

const AHEAD = 4;
const REST_MS = 1000;
/** Of a longer film the oldest frames are fetched again: the memory of a phone has an end. */
const MOST_KEPT = 400;

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

async function fetched(path: string): Promise<string> {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`expected a picture, got ${answer.status}`);
  return URL.createObjectURL(await answer.blob());
}

/** While `playing` turns the frames one after the other, and gives the pictures that are here by their path. */
export function useFilm(
  playing: boolean,
  index: number,
  count: number,
  rate_hz: number,
  pathOf: (at: number) => string,
  show: (at: number) => void,
): ReadonlyMap<string, string> {
  const here = useRef(new Map<string, string>());
  const coming = useRef(new Map<string, Promise<void>>());
  const ask = (at: number): Promise<void> => {
    const path = pathOf(at % count);
    const known = coming.current.get(path);
    if (known) return known;
    const asked = fetched(path).then(
      (url) => {
        here.current.set(path, url);
        const [oldest] = here.current.size > MOST_KEPT ? here.current.keys() : [];
        if (oldest === undefined) return;
        URL.revokeObjectURL(here.current.get(oldest) ?? "");
        here.current.delete(oldest);
        coming.current.delete(oldest);
      },
      // Asked for again at the next turn; what stands stays.
      () => pause(REST_MS).then(() => void coming.current.delete(path)),
    );
    coming.current.set(path, asked);
    return asked;
  };
  useEffect(() => {
    if (!playing || count < 2) return;
    let gone = false;
    const turn = async (): Promise<void> => {
      const period_ms = 1000 / rate_hz;
      let due_ms = performance.now() + period_ms;
      for (let at = (index + 1) % count; !gone; at = (at + 1) % count) {
        for (let step = 1; step <= AHEAD; step += 1) void ask(at + step);
        await ask(at);
        await pause(Math.max(0, due_ms - performance.now()));
        if (gone) return;
        // A late frame is not made up for by a fast one.
        due_ms = Math.max(due_ms, performance.now()) + period_ms;
        show(at);
      }
    };
    void turn();
    return () => {
      gone = true;
    };
  }, [playing, count, rate_hz, pathOf(0)]);
  useEffect(
    () => () => {
      for (const url of here.current.values()) URL.revokeObjectURL(url);
      here.current.clear();
    },
    [],
  );
  return here.current;
}
