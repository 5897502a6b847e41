/** One horizontal track from first contact to wire, the totals with their targets, and the other intervals folded. */
import type { JSX } from "preact";
import { hourMinute } from "../state/format";
import { lang } from "../state/prefs";
import { say, t } from "../texts";
import type { Interval, Milestone, Timeline } from "../wire";

/** The totals shown large, where the case has them. */
const TOTALS = ["FMC_TO_WIRE", "DOOR_TO_WIRE"];
/** A segment of unknown or tiny length still gets this share of an average one. */
const LEAST_MIN = 4;

export function Track({ timeline }: { timeline: Timeline }): JSX.Element {
  const byId = new Map(timeline.milestones.map((m) => [m.id, m]));
  const segments = timeline.intervals.filter((each) => each.segment);
  const totals = timeline.intervals.filter((each) => TOTALS.includes(each.id) && !each.segment);
  const others = timeline.intervals.filter((each) => !each.segment && !TOTALS.includes(each.id));
  // What is known comes first; both halves keep the order of the standard.
  others.sort((a, b) => Number(a.minutes === null) - Number(b.minutes === null));
  return (
    <section class="card" aria-label={t("track")}>
      <div class="totals">
        {totals.map((total) => (
          <Total key={total.id} interval={total} milestones={byId} />
        ))}
      </div>
      <ol class="track">
        {segments.map((segment) => (
          <li
            key={segment.id}
            class={segmentClass(segment)}
            style={{ flexGrow: Math.max(LEAST_MIN, segment.minutes ?? LEAST_MIN) }}
            title={`${say(segment)}: ${minutesText(segment)}${conflictHint(segment)}`}
          >
            <span class="segment-end">
              {name(byId, segment.from)} <span class="num muted">{at(byId, segment.from)}</span>
            </span>
            <b class="num segment-bar" data-testid={`interval-${segment.id}`}>
              {minutesText(segment)}
            </b>
            <Late interval={segment} />
          </li>
        ))}
        {segments.length > 0 && (
          <li class="segment-last">
            <span class="segment-end">
              {name(byId, segments.at(-1)?.to)} <span class="num muted">{at(byId, segments.at(-1)?.to)}</span>
            </span>
          </li>
        )}
      </ol>
      <details>
        <summary>{t("moreIntervals")}</summary>
        <table class="plain">
          <tbody>
            {others.map((each) => (
              <tr key={each.id}>
                <th scope="row">{say(each)}</th>
                <td class="num">
                  <b data-testid={`interval-${each.id}`}>{minutesText(each)}</b>{" "}
                  <Missing interval={each} milestones={byId} />
                </td>
                <td>
                  <Target interval={each} /> <Late interval={each} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </section>
  );
}

type ById = ReadonlyMap<string, Milestone>;

function Total({ interval, milestones }: { interval: Interval; milestones: ById }): JSX.Element {
  return (
    <div class="total">
      <span>{say(interval)}</span>
      <b class="num total-value" data-testid={`interval-${interval.id}`}>
        {minutesText(interval)}
      </b>
      <span>
        <Target interval={interval} /> <Late interval={interval} />{" "}
        <Missing interval={interval} milestones={milestones} />
      </span>
    </div>
  );
}

/** One that ends before it begins is no length of time: the times contradict each other, and that is said. */
export function minutesText(interval: Interval): string {
  if (interval.minutes === null) return t("unknown");
  return interval.negative ? t("orderConflict") : t("minutes", { n: interval.minutes });
}

const conflictHint = (interval: Interval): string =>
  interval.negative && interval.minutes !== null
    ? ` · ${t("orderConflictHint", { n: t("minutes", { n: interval.minutes }) })}`
    : "";

function segmentClass(segment: Interval): string {
  if (segment.minutes === null) return "segment open-ended";
  return segment.negative ? "segment conflicting" : "segment";
}

function Target({ interval }: { interval: Interval }): JSX.Element | null {
  if (interval.target_min === null) return null;
  return <span class="muted num">{t("target", { n: interval.target_min })}</span>;
}

function Late({ interval }: { interval: Interval }): JSX.Element | null {
  if (interval.late_by_min === null || interval.late_by_min <= 0) return null;
  return <b class="late num">▲ {t("lateBy", { n: Math.ceil(interval.late_by_min) })}</b>;
}

/** Both ends may be missing; each is named in words. */
function Missing({ interval, milestones }: { interval: Interval; milestones: ById }): JSX.Element | null {
  const missing = interval.missing;
  if (missing.length === 0) return null;
  const what = missing.map((id) => name(milestones, id)).join(lang.value === "zh" ? "、" : ", ");
  return <span class="muted">{t("missing", { what })}</span>;
}

const name = (byId: ById, id: string | undefined): string => {
  const found = id === undefined ? undefined : byId.get(id);
  return found ? say(found) : (id ?? "");
};

const at = (byId: ById, id: string | undefined): string =>
  id === undefined ? "" : hourMinute(byId.get(id)?.at ?? null);
