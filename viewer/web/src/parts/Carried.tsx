/** A report that was signed for another patient, before its study was moved to this one. */
import type { JSX } from "preact";
import { dateTime } from "../state/format";
import { may, me } from "../state/session";
import { t } from "../texts";
import { tm } from "../textsMove";
import type { ImageReading } from "../wireImage";

export function Carried({ reading }: { reading: ImageReading }): JSX.Element | null {
  const { moved } = reading;
  if (!moved || moved.carried.length === 0) return null;
  return (
    <p class="late" role="alert" data-testid="report-carried">
      ▲ {tm("carried", { who: moved.by ?? t("unknown"), at: dateTime(moved.at) })}
      {may("imageRead", me.value?.user.role) && <> — {tm("confirmHint")}</>}
    </p>
  );
}
