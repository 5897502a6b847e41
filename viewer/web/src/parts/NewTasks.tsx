/** The green channel has opened and nobody of one's role has taken its tasks: heard once for each, and shown until then. */
import { computed, useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { realFirst } from "../state/drill";
import { siteName } from "../state/format";
import { rows } from "../state/live";
import { Heard } from "../state/news";
import { route } from "../state/route";
import { me } from "../state/session";
import { soundOnce } from "../state/sound";
import { callingChannels } from "../state/tasks";
import { t } from "../texts";

const waiting = computed(() => realFirst(callingChannels(rows.value.cases.values(), me.value)));

export function NewTasks(): JSX.Element | null {
  const heard = useRef(new Heard());
  useSignalEffect(() => {
    const channels = waiting.value.map((row) => row.green_channel.channel_id ?? "");
    heard.current.tell(channels, () => soundOnce("medium"));
  });
  const [first] = waiting.value;
  if (!first || route.value.page === "tasks" || route.value.page === "clinic") return null;
  const role = me.value?.user.role;
  const count = waiting.value
    .flatMap((row) => row.tasks)
    .filter((task) => task.role === role && task.state === "given").length;
  return (
    <div class="new-tasks" role="status" data-testid="new-tasks">
      <span>
        ▶ <b>{t("tasksNew", { n: count })}</b> · {siteName(first)}
      </span>
      <a class="act act-strong" href="/tasks">
        {t("tasksSee")} ▸
      </a>
    </div>
  );
}
