/** Who is on duty, what is in doubt, and how one gives one's own shift away. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Section } from "../parts/bits";
import { GiveShift } from "../parts/GiveShift";
import { useLoaded } from "../parts/load";
import { useRosterNow } from "../parts/OnDutyNow";
import { nowMs } from "../state/clock";
import { dateTime, hourMinute } from "../state/format";
import { lang } from "../state/prefs";
import { byDay, onDutyNow, shiftsOf } from "../state/roster";
import { may, me } from "../state/session";
import { shiftName, TEXTS, type TextKey, t } from "../texts";
import type { DutyHealth, Roster, RosterProblem, RosterProblems, Shift } from "../wireDuty";

export function RosterPage(): JSX.Element {
  const [changes, setChanges] = useState(0);
  const { value: roster, problem } = useLoaded<Roster>("/roster", changes);
  const who = me.value?.user;
  return (
    <main class="page roster" data-testid="roster-page">
      <h2>{t("rosterPage")}</h2>
      {problem && <p class="trouble">{problem.words}</p>}
      <Now />
      {may("dutyOfOthers", who?.role) && <Doubts changes={changes} />}
      {who && roster && may("giveShift", who.role) && (
        <Section title={t("rosterMine")}>
          <Mine roster={roster} person={who.id} changed={() => setChanges((count) => count + 1)} />
        </Section>
      )}
      {roster && (
        <Section title={t("rosterAhead")}>
          <Days roster={roster} />
        </Section>
      )}
    </main>
  );
}

function Now(): JSX.Element | null {
  const now = useRosterNow();
  if (!now) return null;
  return (
    <Section title={t("rosterNow")}>
      <ul class="roster-now" data-testid="roster-now">
        {onDutyNow(now, me.value).map(([place, shift]) => (
          <li key={place} data-testid={`now-${place}`}>
            <span class="muted">{shiftName(place)}</span>
            {shift ? <Holder shift={shift} /> : <b class="late">! {t("rosterNobody")}</b>}
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Holder({ shift }: { shift: Shift }): JSX.Element {
  return (
    <span>
      <b>{shift.name ?? shift.person}</b>{" "}
      <span class="muted num">{t("rosterUntil", { at: hourMinute(shift.to) })}</span>{" "}
      {may("dutyOfOthers", me.value?.user.role) && <Reachable person={shift.person} />}
    </span>
  );
}

/** For who keeps the roster: would an alert get through? */
function Reachable({ person }: { person: string }): JSX.Element | null {
  const { value } = useLoaded<DutyHealth>(`/duty/channels?person=${encodeURIComponent(person)}`, null);
  if (!value) return null;
  if (value.reachable) return <span class="muted">✓ {t("rosterReachable")}</span>;
  return (
    <b class="late" data-testid={`unreachable-${person}`}>
      ✕ {t("dutyUnreachable")} ({value.why?.[lang.value] ?? t("reasonUnknown")})
    </b>
  );
}

function Doubts({ changes }: { changes: number }): JSX.Element | null {
  const { value } = useLoaded<RosterProblems>("/roster/problems", changes);
  if (!value) return null;
  return (
    <Section title={t("rosterProblems")}>
      {value.problems.length === 0 ? (
        <p class="muted">✓ {t("rosterProblemsNone")}</p>
      ) : (
        <ul class="roster-problems" data-testid="roster-problems">
          {value.problems.map((one) => (
            <li key={`${one.role}${one.site}${one.problem}${one.person}${one.from}`}>
              <b class="late">! {problemName(one)}</b> {shiftName(one.role)} {one.name ?? one.person}{" "}
              {one.site && <span>{one.site} </span>}
              <span class="num">
                {dateTime(one.from).slice(5, 16)} – {dateTime(one.to).slice(5, 16)}
              </span>{" "}
              {one.said_at && (
                <span class="muted num">{t("problemSaid", { at: dateTime(one.said_at).slice(5, 16) })}</span>
              )}
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

function problemName(one: RosterProblem): string {
  const key = `problem_${one.problem}`;
  return key in TEXTS ? t(key as TextKey) : one.problem;
}

interface MineProps {
  roster: Roster;
  person: string;
  changed: () => void;
}

function Mine({ roster, person, changed }: MineProps): JSX.Element {
  const [giving, setGiving] = useState<string | null>(null);
  const [said, setSaid] = useState<string[]>([]);
  const shifts = shiftsOf(roster, person, nowMs.value);
  return (
    <>
      {said.map((words) => (
        <p key={words} role="status" data-testid="given">
          {words}
        </p>
      ))}
      {shifts.length === 0 && <p class="muted">{t("rosterMineNone")}</p>}
      <ul class="my-shifts">
        {shifts.map((shift) => (
          <li key={shift.shift_id} data-testid="my-shift">
            <span>
              <b>{shiftName(shift.role)}</b> <span class="num">{spanOf(shift)}</span>
            </span>
            {giving === shift.shift_id ? (
              <GiveShift
                shift={shift}
                leave={() => setGiving(null)}
                done={(words) => {
                  setGiving(null);
                  setSaid(words);
                  changed();
                }}
              />
            ) : (
              <button
                type="button"
                class="act act-plain"
                data-testid="give-shift"
                onClick={() => setGiving(shift.shift_id)}
              >
                {t("giveShift")}
              </button>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}

/** `12-01 08:00 – 20:00`, with the second day where it is another. */
function spanOf(shift: Shift): string {
  const [from, to] = [dateTime(shift.from), dateTime(shift.to)];
  const end = from.slice(0, 10) === to.slice(0, 10) ? to.slice(11, 16) : to.slice(5, 16);
  return `${from.slice(5, 16)} – ${end}`;
}

function Days({ roster }: { roster: Roster }): JSX.Element {
  return (
    <ul class="days">
      {byDay(roster).map(([day, shifts]) => (
        <li key={day}>
          <b class="num">{day.slice(5)}</b>
          <ul>
            {shifts.map((shift) => (
              <li key={shift.shift_id} class={shift.person === me.value?.user.id ? "mine" : ""}>
                <span class="num">
                  {hourMinute(shift.from)}–{hourMinute(shift.to)}
                </span>{" "}
                <span class="muted">{shiftName(shift.role)}</span> {shift.name ?? shift.person}
                {shift.site && <span class="muted"> {shift.site}</span>}
              </li>
            ))}
          </ul>
        </li>
      ))}
    </ul>
  );
}
