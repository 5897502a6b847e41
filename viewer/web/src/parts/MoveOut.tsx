/** ECGs and studies that were filed to the wrong patient go to another case, with what was said of them. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { moveOut } from "../state/acts";
import { dateTime, headline, patientLine, siteName, timeOfDay } from "../state/format";
import { rows } from "../state/live";
import { may, me } from "../state/session";
import { tm } from "../textsMove";
import type { Row } from "../wire";
import type { CaseImage } from "../wireImage";
import { Act } from "./bits";

const NEW = "";
const TYPED = "?";

interface Props {
  row: Row;
  images: readonly CaseImage[];
}

export function MoveOut({ row, images }: Props): JSX.Element | null {
  const [ecgs, setEcgs] = useState<readonly string[]>([]);
  const [studies, setStudies] = useState<readonly string[]>([]);
  const [target, setTarget] = useState(NEW);
  const [typed, setTyped] = useState("");
  const role = me.value?.user.role;
  const offered = may("join", role) && row.state !== "merged" ? row.ecgs : [];
  const shown = may("moveImages", role) && row.state !== "merged" ? images : [];
  if (row.drill || offered.length + shown.length === 0) return null;
  // What has left meanwhile is chosen no more.
  const chosenEcgs = ecgs.filter((id) => offered.some((one) => one.ecg_id === id));
  const chosenStudies = studies.filter((uid) => shown.some((one) => one.study_uid === uid));
  const into = target === TYPED ? typed.trim() : target;
  const n = chosenEcgs.length + chosenStudies.length;
  return (
    <details class="card screen-only" data-testid="move-out">
      <summary data-testid="move-out-open">{tm("title")}</summary>
      <div class="form">
        <p class="muted">{tm("hint")}</p>
        {offered.map((one) => (
          <Choice key={one.ecg_id} id={one.ecg_id} chosen={ecgs} choose={setEcgs}>
            {tm("ecg")} <span class="num">{timeOfDay(one.received_at)}</span>
          </Choice>
        ))}
        {shown.map((one) => (
          <Choice key={one.study_uid} id={one.study_uid} chosen={studies} choose={setStudies}>
            {tm("images")} <b>{one.modalities.join(" ")}</b> {one.body_part} {one.description}{" "}
            <span class="num">{dateTime(one.study_at ?? one.received_at)}</span>
          </Choice>
        ))}
        <label>
          {tm("target")}
          <select
            value={target}
            data-testid="move-target"
            onChange={(event) => setTarget(event.currentTarget.value)}
          >
            <option value={NEW}>{tm("newCase")}</option>
            {others(row).map((other) => (
              <option key={other.case_id} value={other.case_id}>
                {dateTime(other.opened_at)} · {patientLine(other)} · {siteName(other)} · {headline(other)}
              </option>
            ))}
            <option value={TYPED}>{tm("otherCase")}</option>
          </select>
        </label>
        {target === TYPED && (
          <label>
            {tm("caseId")}
            <input
              value={typed}
              maxLength={64}
              data-testid="move-case-id"
              onInput={(event) => setTyped(event.currentTarget.value)}
            />
          </label>
        )}
        <Act
          name={`move ${row.case_id}`}
          kind="amber"
          testid="move-send"
          disabled={n === 0 || (target === TYPED && into === "")}
          run={async () => {
            if (await moveOut(row.case_id, chosenEcgs, chosenStudies, into === NEW ? null : into)) {
              setEcgs([]);
              setStudies([]);
            }
          }}
        >
          {tm("move", { n })}
        </Act>
      </div>
    </details>
  );
}

interface ChoiceProps {
  id: string;
  chosen: readonly string[];
  choose: (chosen: readonly string[]) => void;
  children: JSX.Element | (JSX.Element | string | null)[];
}

function Choice({ id, chosen, choose, children }: ChoiceProps): JSX.Element {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={chosen.includes(id)}
        data-testid={`move-${id}`}
        onChange={(event) =>
          choose(event.currentTarget.checked ? [...chosen, id] : chosen.filter((one) => one !== id))
        }
      />
      <span>{children}</span>
    </label>
  );
}

/** Open cases of the same site, the newest first: nothing moves between sites. */
const others = (row: Row): Row[] =>
  [...rows.value.cases.values()]
    .filter(
      (one) =>
        one.case_id !== row.case_id && one.state === "open" && !one.drill && one.site.id === row.site.id,
    )
    .sort((one, other) => other.opened_at.localeCompare(one.opened_at));
