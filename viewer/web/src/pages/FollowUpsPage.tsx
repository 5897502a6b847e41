/** Which loops are still open, and which are late? What waits to be seen to, over all cases. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Act, TierMark } from "../parts/bits";
import { useLoaded } from "../parts/load";
import { followUpDone } from "../state/acts";
import { nowMs } from "../state/clock";
import { mayClose, overdueFirst } from "../state/followups";
import { dateTime, patientWords, placeName, span } from "../state/format";
import { me } from "../state/session";
import { roleName, say, t } from "../texts";
import type { FollowUps, ListedFollowUp } from "../wireCare";

const AGAIN_MS = 60_000;

export function FollowUpsPage(): JSX.Element {
  const [changes, setChanges] = useState(0);
  void nowMs.value;
  const stamp = `${changes} ${Math.floor(performance.now() / AGAIN_MS)}`;
  const { value: list, problem } = useLoaded<FollowUps>("/followups", stamp);
  const { late, ahead } = overdueFirst(list?.followups ?? []);
  const part = (all: readonly ListedFollowUp[]): JSX.Element => (
    <ul class="followup-list">
      {all.map((one) => (
        <One
          key={one.followup_id ?? `${one.case.case_id}${one.about}`}
          one={one}
          changed={() => setChanges((count) => count + 1)}
        />
      ))}
    </ul>
  );
  return (
    <main class="page followups" data-testid="followups-page">
      <h2>{t("followupsPage")}</h2>
      <p class="muted">{t("followupsIntro")}</p>
      {problem && <p class="trouble">{problem.words}</p>}
      {!list && !problem && <p class="muted">{t("loading")}</p>}
      {list && list.followups.length === 0 && <p class="card">✓ {t("followupsNone")}</p>}
      {late.length > 0 && (
        <section data-testid="followups-late">
          <h3 class="late">! {t("followupsLate", { n: late.length })}</h3>
          {part(late)}
        </section>
      )}
      {ahead.length > 0 && (
        <section data-testid="followups-ahead">
          <h3>{t("followupsAhead", { n: ahead.length })}</h3>
          {part(ahead)}
        </section>
      )}
      {list && list.total > list.followups.length && (
        <p class="muted">{t("followupsMore", { n: list.total, shown: list.followups.length })}</p>
      )}
    </main>
  );
}

function One({ one, changed }: { one: ListedFollowUp; changed: () => void }): JSX.Element {
  const about = one.case;
  const now = nowMs.value;
  const late = now === null ? 0 : (now - Date.parse(one.due_at)) / 1000;
  return (
    <li
      class={one.overdue ? "card followup is-late" : "card followup"}
      data-testid={`followup-${one.kind}-${about.case_id}`}
    >
      <p>
        <b>{say(one)}</b> <span class="muted">{roleName(one.role)}</span> ·{" "}
        <b class={one.overdue ? "num late" : "num"}>
          {one.overdue
            ? `! ${t("followupLate", { for: span(late) })}`
            : t("followupDue", { at: dateTime(one.due_at).slice(0, 16) })}
        </b>
      </p>
      <p class="num">
        {about.tier && <TierMark tier={about.tier} />} {placeName(about.site)}{" "}
        {patientWords(about.age_years, about.sex)} ·{" "}
        <a href={`/case/${encodeURIComponent(about.case_id)}`}>
          {t("followupOpened", { at: dateTime(about.opened_at).slice(0, 16) })} ▸
        </a>
      </p>
      {one.followup_id === null ? (
        <p class="muted">{t("followupItself")}</p>
      ) : (
        mayClose(one, me.value?.user.role) && <Result one={one} id={one.followup_id} changed={changed} />
      )}
    </li>
  );
}

interface ResultProps {
  one: ListedFollowUp;
  id: string;
  changed: () => void;
}

function Result({ one, id, changed }: ResultProps): JSX.Element {
  const [result, setResult] = useState("");
  const now = nowMs.value;
  const early = now !== null && now < Date.parse(one.earliest_at);
  return (
    <div class="followup-act">
      {early && <p class="muted">{t("followupEarly", { at: dateTime(one.earliest_at).slice(0, 16) })}</p>}
      <select
        value={result}
        aria-label={t("followupDone")}
        data-testid="followup-result"
        onChange={(event) => setResult(event.currentTarget.value)}
      >
        <option value="">{t("followupChoose")}</option>
        {one.results.map((each) => (
          <option key={each.id} value={each.id} disabled={early && !each.at_once}>
            {say(each)}
          </option>
        ))}
      </select>
      <Act
        name={`followup ${id}`}
        kind="strong"
        testid="followup-save"
        disabled={result === ""}
        run={async () => (await followUpDone(id, result)) && changed()}
      >
        {t("followupSave")}
      </Act>
    </div>
  );
}
