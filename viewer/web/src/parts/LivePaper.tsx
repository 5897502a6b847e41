/** A running stream: the newest seconds on moving paper. Thinned or lost samples are gaps. */
import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { PAGE_S } from "../paper/layout";
import { decodeInt16, millivolts, type Waveform } from "../paper/waveform";
import { watchWave } from "../state/live";
import { t } from "../texts";
import type { WaveMessage } from "../wire";
import { Paper } from "./Paper";

const MISSING = -32768;

/** The last ten seconds of a stream on a grid of absolute sample indices. */
export class Tail {
  private leads: string[] = [];
  private rateHz = 0;
  private endSample = 0;
  private rings: Float32Array[] = [];

  add(message: WaveMessage): void {
    if (this.leads.join() !== message.leads.join() || this.rateHz !== message.rate_hz) this.begin(message);
    const parts = millivolts(decodeInt16(message.samples), message.leads.length, message.lsb_mv, MISSING);
    const length = Math.round(PAGE_S * this.rateHz);
    const count = parts[0]?.length ?? 0;
    this.rings.forEach((ring, lead) => {
      // What lies between the last message and this one was never received: a gap.
      for (let at = this.endSample; at < message.first_sample; at++) ring[at % length] = Number.NaN;
      for (let i = 0; i < count; i++)
        ring[(message.first_sample + i) % length] = parts[lead]?.[i] ?? Number.NaN;
    });
    this.endSample = Math.max(this.endSample, message.first_sample + count);
  }

  /** Oldest sample first. */
  waveform(): Waveform {
    const length = Math.round(PAGE_S * this.rateHz);
    const held = Math.min(length, this.endSample);
    const samples = this.rings.map((ring) =>
      Float32Array.from({ length: held }, (_, i) => ring[(this.endSample - held + i) % length] ?? Number.NaN),
    );
    return { leads: this.leads, rateHz: this.rateHz || 1, durationS: held / (this.rateHz || 1), samples };
  }

  private begin(message: WaveMessage): void {
    this.leads = message.leads;
    this.rateHz = message.rate_hz;
    this.endSample = message.first_sample;
    const length = Math.round(PAGE_S * message.rate_hz);
    this.rings = message.leads.map(() => new Float32Array(length).fill(Number.NaN));
  }
}

export function LivePaper({ ecgId }: { ecgId: string }): JSX.Element {
  const tail = useMemo(() => new Tail(), [ecgId]);
  const [wave, setWave] = useState<Waveform | null>(null);
  useEffect(() => {
    let frame = 0;
    const stop = watchWave(ecgId, (message) => {
      tail.add(message);
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => setWave(tail.waveform()));
    });
    return () => {
      cancelAnimationFrame(frame);
      stop();
    };
  }, [ecgId, tail]);
  return (
    <div>
      <p class="live">◉ {t("live")}</p>
      {wave ? <Paper wave={wave} analysis={null} /> : <p class="muted">{t("loading")}</p>}
    </div>
  );
}
