/** A thumbnail of the two worst leads, read when it comes into view. */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { drawThumb, thumbSize } from "../paper/drawThumb";
import { inkOf } from "../paper/ink";
import { thumbnailLeads } from "../paper/layout";
import { loadWaveform, type Waveform } from "../paper/waveform";
import { Problem } from "../state/api";
import { theme } from "../state/prefs";
import { t } from "../texts";
import { useTries } from "./load";

interface Props {
  ecgId: string | null;
  worst: readonly string[];
  /** A running stream has no finished waveform yet. */
  live: boolean;
  /** A picture of paper has no waveform. */
  paper: boolean;
}

export function Thumb({ ecgId, worst, live, paper }: Props): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [wave, setWave] = useState<Waveform | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const tries = useTries(problem);
  const shade = theme.value;

  useEffect(() => {
    setWave(null);
    const element = canvas.current;
    if (!element || ecgId === null || live || paper) return;
    let gone = false;
    const observer = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      loadWaveform(ecgId).then(
        (loaded) => {
          if (gone) return;
          setWave(loaded);
          setProblem(null);
        },
        (failure: unknown) => {
          // Without its thumbnail a row still says everything; the ECG page tells why there is no waveform.
          if (!(failure instanceof Problem)) throw failure;
          if (!gone) setProblem(failure);
        },
      );
    });
    observer.observe(element);
    return () => {
      gone = true;
      observer.disconnect();
    };
  }, [ecgId, live, paper, tries]);

  const leads = wave ? thumbnailLeads(worst, wave.leads) : [];
  useEffect(() => {
    if (canvas.current && wave && leads.length > 0)
      drawThumb(canvas.current, wave, leads, inkOf(canvas.current));
  }, [wave, leads.join(), shade]);

  const { widthPx, heightPx } = thumbSize(2);
  if (ecgId === null) return <span class="thumb no-thumb" style={{ width: `${widthPx}px` }} />;
  if (paper)
    return (
      <span class="thumb on-paper" style={{ width: `${widthPx}px`, height: `${heightPx}px` }}>
        {t("paperPicture")}
      </span>
    );
  return (
    <span class="thumb" style={{ width: `${widthPx}px`, height: `${heightPx}px` }}>
      {live && <span class="live">◉ {t("live")}</span>}
      <canvas
        ref={canvas}
        width={widthPx}
        height={heightPx}
        role="img"
        aria-label={`${t("ecgs")} ${leads.join(" ")}`}
      />
    </span>
  );
}
