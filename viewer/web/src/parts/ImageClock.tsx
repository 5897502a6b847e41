/** How long a study may still wait for its report: ticking, and in words where it is late. */
import type { JSX } from "preact";
import { nowMs } from "../state/clock";
import { dateTime, duration } from "../state/format";
import { clockAt } from "../state/reading";
import { say, t } from "../texts";
import type { ImageReading } from "../wireImage";

export function ImageClockView({ reading }: { reading: ImageReading }): JSX.Element {
  const { clock } = reading;
  if (reading.signed_at !== null)
    return (
      <span class="num signed-at" data-testid="image-clock">
        ✓ {t("imageSignedAt", { at: dateTime(reading.signed_at) })}
      </span>
    );
  if (nowMs.value === null) return <span class="num">{t("unknown")}</span>;
  const { left_s } = clockAt(clock.started_at, clock.due_at, nowMs.value);
  const late = left_s < 0;
  return (
    <time
      class={late ? "num late" : "num"}
      dateTime={clock.due_at}
      title={say(clock)}
      data-testid="image-clock"
    >
      {t(late ? "imageLate" : "imageLeft", { for: duration(Math.abs(left_s)) })}
      {clock.arrival_unknown && <span class="muted"> {t("imageArrivalUnknown")}</span>}
    </time>
  );
}
