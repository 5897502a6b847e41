/** Who changed what, and when? */
import type { JSX } from "preact";
import { useLoaded } from "../../parts/load";
import { actorText, dateTime } from "../../state/format";
import { ADMIN_TEXTS, type AdminText, ta } from "../../textsAdmin";
import type { AdminChange } from "../../wireAdmin";

const NOBODY: ReadonlyMap<string, string> = new Map();

export function Changes(): JSX.Element {
  const { value, problem } = useLoaded<{ changes: AdminChange[] }>("/admin/changes", null);
  return (
    <>
      <h2>{ta("changes")}</h2>
      {problem && <p class="trouble">{problem.words}</p>}
      {value?.changes.length === 0 && <p class="muted">{ta("changesNone")}</p>}
      <ul class="admin-changes">
        {value?.changes.map((one) => (
          <li key={one.seq} data-testid="admin-change">
            <time class="num" dateTime={one.at}>
              {dateTime(one.at)}
            </time>{" "}
            <b>{whatSaid(one.what)}</b> <span class="admin-detail">{one.detail}</span>{" "}
            <span class="muted">{one.name ?? actorText(one.actor, null, NOBODY)}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

function whatSaid(what: string): string {
  const key = `what_${what}`;
  return key in ADMIN_TEXTS ? ta(key as AdminText) : what;
}
