/** A running stream: paper that moves on under the pen. It can be held still to measure on, while the stream goes on. */
import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { KEPT_S, Tail } from "../paper/tail";
import { middleOf } from "../paper/trace";
import type { Waveform } from "../paper/waveform";
import { watchWave } from "../state/live";
import { t } from "../texts";
import { Paper, type Running } from "./Paper";

interface Moment {
  wave: Waveform;
  running: Running;
}

/** A strip is hung anew only when its level has left its line by this much. */
const STRAYED_MV = 0.5;

export function LivePaper({ ecgId }: { ecgId: string }): JSX.Element {
  const tail = useMemo(() => new Tail(), [ecgId]);
  const [moment, setMoment] = useState<Moment | null>(null);
  const [held, setHeld] = useState(false);
  const still = useRef(held);
  still.current = held;
  useEffect(() => {
    let frame = 0;
    let same: number | null = null;
    let middles: ReadonlyMap<string, number> = new Map();
    const stop = watchWave(ecgId, (message) => {
      const upTo = tail.add(message);
      same = Math.min(same ?? upTo, upTo);
      if (still.current) return;
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => {
        const wave = tail.waveform();
        const hung = hang(wave, middles);
        const sameUpToS = hung === middles ? (same ?? 0) : 0;
        [middles, same] = [hung, null];
        setMoment({ wave, running: { follow: true, sameUpToS, middles } });
      });
    });
    return () => {
      cancelAnimationFrame(frame);
      stop();
    };
  }, [ecgId, tail]);
  return (
    <div>
      <p class="live">
        ◉ {held ? t("liveHeld") : t("live")} · {t("liveSince", { n: KEPT_S })}{" "}
        <button
          type="button"
          class="switch"
          aria-pressed={held}
          data-testid="live-hold"
          onClick={() => setHeld(!held)}
        >
          {held ? t("liveFollow") : t("liveHold")}
        </button>
      </p>
      {moment ? (
        <Paper
          wave={moment.wave}
          analysis={null}
          running={held ? { ...moment.running, follow: false } : moment.running}
        />
      ) : (
        <p class="muted">{t("loading")}</p>
      )}
    </div>
  );
}

/** The same map while every lead stays near its line: then nothing that is drawn has to move. */
function hang(wave: Waveform, before: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const now = new Map<string, number>();
  let strayed = before.size === 0;
  wave.leads.forEach((lead, index) => {
    const samples = wave.samples[index];
    const middle = samples && middleOf(samples, wave.rateHz, wave.durationS - WATCHED_S, wave.durationS);
    const held = before.get(lead);
    if (middle == null) {
      if (held !== undefined) now.set(lead, held);
      return;
    }
    now.set(lead, middle);
    if (held === undefined || Math.abs(middle - held) > STRAYED_MV) strayed = true;
  });
  return strayed ? now : before;
}

const WATCHED_S = 5;
