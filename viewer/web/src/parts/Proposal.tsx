/** What the machine proposes: tasks prepared and not sent. Opening is a person's act. */
import type { JSX } from "preact";
import { openGreen } from "../state/acts";
import { hourMinute } from "../state/format";
import { lang } from "../state/prefs";
import { may, me } from "../state/session";
import { roleName, say, t } from "../texts";
import type { PreparedTask, Role, Row } from "../wire";
import { Act } from "./bits";

export const stands = (row: Row): boolean => row.green_channel.proposed?.stands ?? false;

/** Where the alert still waits, to answer it is the next act; opening answers it, too. */
export function Proposal({ row }: { row: Row }): JSX.Element | null {
  const proposed = row.green_channel.proposed;
  if (!proposed?.stands) return null;
  const comma = lang.value === "zh" ? "、" : ", ";
  const count = proposed.tasks.length;
  return (
    <section class="card proposal" data-testid="proposal">
      <h2>◇ {t("proposalTitle")}</h2>
      <p class="muted">
        {t("proposalWhy", { at: hourMinute(proposed.at), rules: proposed.rules.join(comma) })}
      </p>
      {may("openChannel", me.value?.user.role) ? (
        <Act
          name={`green ${row.case_id}`}
          kind={row.alert?.state === "open" ? "plain" : "urgent"}
          big
          testid="open-green"
          run={() => openGreen(row.case_id)}
        >
          {t("proposalOpen", { n: count })}
        </Act>
      ) : (
        <p>
          <b>{t("proposalWaits")}</b>
        </p>
      )}
      <p>{t("proposalPrepared", { n: count })}</p>
      <dl class="facts" data-testid="prepared-tasks">
        {byRole(proposed.tasks).map(([role, tasks]) => (
          <div key={role} class="facts-line">
            <dt>{roleName(role)}</dt>
            <dd>{tasks.map(say).join(comma)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

/** In the order of the table. */
function byRole(tasks: readonly PreparedTask[]): [Role, PreparedTask[]][] {
  const found = new Map<Role, PreparedTask[]>();
  for (const task of tasks) found.set(task.role, [...(found.get(task.role) ?? []), task]);
  return [...found];
}
