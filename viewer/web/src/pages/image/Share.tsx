/** The study and its report for another site, so that nobody is examined twice; and where else it went. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { useLoaded } from "../../parts/load";
import { ReasonAct } from "../../parts/ReasonAct";
import { dateTime, placeName } from "../../state/format";
import { byDestination, type Gone } from "../../state/imageAsk";
import { share } from "../../state/reading";
import { may, me } from "../../state/session";
import { tia } from "../../textsImageAsk";
import type { StudyReading } from "../../wireImage";
import type { ForwardedObject, ForwardState, Member } from "../../wireImageAsk";

export function Share({ uid, page }: { uid: string; page: StudyReading }): JSX.Element {
  const [open, setOpen] = useState(false);
  const [site, setSite] = useState("");
  const mayShare = may("imageShare", me.value?.user.role);
  const { value, problem } = useLoaded<{ members: Member[] }>(
    open && mayShare ? "/imaging/members" : null,
    0,
  );
  const has = new Set([page.site?.id, ...page.reading.shared_with.map((one) => one.id)]);
  const others = (value?.members ?? []).filter((one) => !has.has(one.id));
  return (
    <details
      class="card screen-only"
      data-testid="share"
      onToggle={(event) => setOpen((event.currentTarget as HTMLDetailsElement).open)}
    >
      <summary>
        <b>{tia("share")}</b>
        {page.reading.shared_with.length > 0 && (
          <span class="muted" data-testid="shared-with">
            {" "}
            {tia("sharedWith")} {page.reading.shared_with.map(placeName).join(" · ")}
          </span>
        )}
      </summary>
      {mayShare && (
        <>
          <p class="muted">{tia("shareIs")}</p>
          {problem && !value && <p class="trouble">{problem.words}</p>}
          <label>
            {tia("shareTo")}
            <select
              value={site}
              data-testid="share-site"
              onChange={(event) => setSite(event.currentTarget.value)}
            >
              <option value="" />
              {others.map((one) => (
                <option key={one.id} value={one.id}>
                  {placeName(one)}
                </option>
              ))}
            </select>
          </label>
          {site !== "" && (
            <ReasonAct
              name={`share ${uid}`}
              words={tia("shareAct")}
              testid="share-act"
              run={async (reason) => (await share(uid, site, reason, page.case_id)) && setSite("")}
            />
          )}
        </>
      )}
    </details>
  );
}

/** Read when somebody asks: each look is noted. */
export function SentOn({ uid }: { uid: string }): JSX.Element {
  const [open, setOpen] = useState(false);
  const { value, problem } = useLoaded<{ objects: ForwardedObject[] }>(
    open ? `/imaging/studies/${encodeURIComponent(uid)}/forwards` : null,
    0,
  );
  const gone = value && byDestination(value.objects);
  return (
    <details
      class="card screen-only"
      data-testid="sent-on"
      onToggle={(event) => setOpen((event.currentTarget as HTMLDetailsElement).open)}
    >
      <summary>
        <b>{tia("forwards")}</b>
      </summary>
      {problem && !value && <p class="trouble">{problem.words}</p>}
      {gone?.length === 0 && <p class="muted">{tia("forwardsNone")}</p>}
      <ul>
        {gone?.map((one) => (
          <li key={one.destination} data-testid={`sent-to-${one.destination}`}>
            <b>{one.destination}</b> <Counts counts={one.counts} />
            <Why gone={one} />
          </li>
        ))}
      </ul>
    </details>
  );
}

const STATES: readonly ForwardState[] = ["sent", "waiting", "refused"];
const SIGNS: Record<ForwardState, string> = { sent: "✓", waiting: "○", refused: "✕" };

export function Counts({ counts }: { counts: Record<ForwardState, number> }): JSX.Element {
  return (
    <>
      {STATES.filter((state) => counts[state] > 0).map((state) => (
        <span key={state} class={state === "refused" ? "num late" : "num"}>
          {SIGNS[state]} {tia(`forward_${state}`, { n: counts[state] })}{" "}
        </span>
      ))}
    </>
  );
}

function Why({ gone }: { gone: Gone }): JSX.Element | null {
  const other = gone.reason === "names_another_patient";
  const said = [
    other ? null : gone.reason,
    gone.attempts > 0 ? tia("forwardTries", { n: gone.attempts }) : null,
    gone.next_at && tia("forwardNext", { at: dateTime(gone.next_at) }),
    gone.receipt && `${tia("forwardReceipt")} ${gone.receipt}`,
  ].filter(Boolean);
  return (
    <>
      {other && (
        <p class="trouble" data-testid="names-another">
          {tia("forwardOther")}
        </p>
      )}
      {said.length > 0 && <p class="muted num admin-detail">{said.join(" · ")}</p>}
    </>
  );
}
