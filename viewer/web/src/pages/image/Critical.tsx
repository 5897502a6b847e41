/** A critical result is told when somebody who can act has said it back, and right: until then it stands here. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Act } from "../../parts/bits";
import { nowMs } from "../../state/clock";
import { dateTime, duration, personName } from "../../state/format";
import {
  saidBack,
  type Told,
  tellCritical,
  untoldVersions,
  type Version,
  versionOf,
} from "../../state/reading";
import { ROLES, say } from "../../texts";
import { type ImageText, ti } from "../../textsImage";
import type { CriticalCall, StudyReading } from "../../wireImage";

export function CriticalDuty({ uid, page }: { uid: string; page: StudyReading }): JSX.Element | null {
  const { reading } = page;
  if (reading.critical.length === 0) return null;
  const untold = reading.untold.length > 0;
  return (
    <section class={untold ? "card critical-duty" : "card"} data-testid="critical-duty">
      <h2>
        ■ {ti("critical")}: {reading.critical.map(say).join(" · ")}
      </h2>
      {untold ? <Untold page={page} /> : <p data-testid="critical-told">✓ {ti("criticalTold")}</p>}
      <ul>
        {(reading.calls ?? []).map((one) => (
          <CallLine key={one.call_id} call={one} page={page} />
        ))}
      </ul>
      {untold && page.choices && <CallForm uid={uid} page={page} />}
    </section>
  );
}

function Untold({ page }: { page: StudyReading }): JSX.Element {
  const due = page.reading.untold.map((one) => Date.parse(one.due_at)).sort((a, b) => a - b)[0];
  const left_s = due === undefined || nowMs.value === null ? null : (due - nowMs.value) / 1000;
  return (
    <p class="critical-word num" role="alert" data-testid="critical-untold">
      {ti("criticalUntold")}{" "}
      {left_s !== null && ti(left_s < 0 ? "lateFor" : "leftFor", { for: duration(Math.abs(left_s)) })}
    </p>
  );
}

const versionWord = (number: number): string =>
  number > 0 ? ti("versionAddendum", { n: number }) : ti("versionReport");

const wayWord = (way: string): string => ti(`way_${way}` as ImageText);

function CallLine({ call, page }: { call: CriticalCall; page: StudyReading }): JSX.Element {
  const role = page.choices?.to_roles.find((one) => one.id === call.to_role);
  const known = (ROLES as Record<string, readonly [string, string]>)[call.to_role];
  const to = role ? say(role) : known ? say({ zh: known[0], en: known[1] }) : call.to_role;
  return (
    <li class="num" data-testid="critical-call">
      {call.closed ? "✓" : "✕"} {dateTime(call.told_at)} {personName(call.person)} → {to} ·{" "}
      {wayWord(call.way)}
      {(page.reading.signed ?? []).length > 1 &&
        ` · ${call.report_ids.map((one) => versionWord(versionOf(page.reading, one))).join(" + ")}`}{" "}
      · {call.reached ? ti("reached") : ti("notReached")}
      {call.read_back !== null && ` · ${ti("readBackWas", { said: call.read_back })}`}
      {call.read_back !== null && ` · ${ti(call.read_back_right ? "readBackRight" : "readBackWrong")}`}
    </li>
  );
}

/** Which texts the call was about. What is signed while the form is open is not ticked: nobody has spoken of it yet. */
function WhatWasTold(props: {
  untold: readonly Version[];
  chosen: readonly string[];
  choose: (reportIds: string[]) => void;
}): JSX.Element {
  const { untold, chosen, choose } = props;
  return (
    <fieldset data-testid="call-what">
      <legend>{ti("toldWhat")}</legend>
      {untold.map(({ report_id, number, critical }) => (
        <label key={report_id} class="check">
          <input
            type="checkbox"
            checked={chosen.includes(report_id)}
            data-testid={`call-what-${number}`}
            onChange={(event) =>
              choose(
                event.currentTarget.checked
                  ? [...chosen, report_id]
                  : chosen.filter((one) => one !== report_id),
              )
            }
          />
          <span>
            {versionWord(number)}: {critical.map(say).join(" · ")}
          </span>
        </label>
      ))}
      {chosen.length === 0 && <p class="critical-word">{ti("toldNothing")}</p>}
    </fieldset>
  );
}

function CallForm({ uid, page }: { uid: string; page: StudyReading }): JSX.Element {
  const roles = page.choices?.to_roles ?? [];
  const untold = untoldVersions(page.reading);
  const [told, setTold] = useState<Told>({
    report_ids: untold.map((one) => one.report_id),
    to_role: roles[0]?.id ?? "clinic",
    way: page.choices?.ways[0] ?? "phone",
    reached: true,
    read_back: null,
    read_back_right: false,
    note: null,
  });
  const [case_id] = useState(page.case_id); // stays where the study moves during the call
  const change = (more: Partial<Told>): void => setTold((before) => ({ ...before, ...more }));
  const chosen = untold.map((one) => one.report_id).filter((one) => told.report_ids.includes(one));
  const closes = told.reached && saidBack(told.read_back) && told.read_back_right;
  return (
    <div class="form" data-testid="call-form">
      {(untold.length > 1 || chosen.length === 0) && (
        <WhatWasTold untold={untold} chosen={chosen} choose={(report_ids) => change({ report_ids })} />
      )}
      <label>
        {ti("toldTo")}
        <select
          value={told.to_role}
          data-testid="call-role"
          onChange={(event) => change({ to_role: event.currentTarget.value })}
        >
          {roles.map((one) => (
            <option key={one.id} value={one.id}>
              {say(one)}
            </option>
          ))}
        </select>
      </label>
      <label>
        {ti("toldWay")}
        <select
          value={told.way}
          data-testid="call-way"
          onChange={(event) => change({ way: event.currentTarget.value })}
        >
          {(page.choices?.ways ?? []).map((way) => (
            <option key={way} value={way}>
              {wayWord(way)}
            </option>
          ))}
        </select>
      </label>
      <label class="check">
        <input
          type="checkbox"
          checked={told.reached}
          data-testid="call-reached"
          onChange={(event) => change({ reached: event.currentTarget.checked })}
        />
        <span>{ti("reachedChoice")}</span>
      </label>
      {told.reached && (
        <>
          <label>
            {ti("readBack")}
            <textarea
              rows={2}
              value={told.read_back ?? ""}
              data-testid="call-read-back"
              onInput={(event) => change({ read_back: event.currentTarget.value })}
            />
          </label>
          <label class="check">
            <input
              type="checkbox"
              checked={told.read_back_right}
              data-testid="call-right"
              onChange={(event) => change({ read_back_right: event.currentTarget.checked })}
            />
            <span>{ti("readBackChoice")}</span>
          </label>
        </>
      )}
      <Act
        name={`critical ${uid}`}
        kind={closes ? "strong" : "plain"}
        disabled={chosen.length === 0}
        testid="call-send"
        run={() =>
          tellCritical(uid, {
            ...told,
            case_id,
            report_ids: chosen,
            read_back: told.reached && told.read_back?.trim() ? told.read_back.trim() : null,
            read_back_right: told.reached && told.read_back_right,
          })
        }
      >
        {ti(closes ? "callClose" : "callTried")}
      </Act>
    </div>
  );
}
