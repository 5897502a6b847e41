/** What all quality pages share: the view that is asked for, the frame that came, and how a page waits. */
import { computed, signal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useEffect } from "preact/hooks";
import { type Loaded, useLoaded } from "../../parts/load";
import { type Asked, before, monthsBefore, readAsked } from "../../state/quality";
import { search } from "../../state/route";
import { t } from "../../texts";
import { tq } from "../../textsQuality";
import type { Frame } from "../../wireQuality";

/** The newest frame that the service has said: it stands while the next page is counted. */
export const frame = signal<Frame | null>(null);
export const asked = computed<Asked>(() => readAsked(search.value));

/** What a page shows; the frame around it follows. */
export function useQuality<T extends { frame: Frame }>(part: string, extra = ""): Loaded<T> {
  const query = new URLSearchParams(asked.value as Record<string, string>).toString() + extra;
  const loaded = useLoaded<T>(`/quality/${part}${query && `?${query.replace(/^&/, "")}`}`, null);
  const { value } = loaded;
  useEffect(() => {
    if (value) frame.value = value.frame;
  }, [value]);
  return loaded;
}

/** What a page says before its numbers are there. */
export function Waiting({ loaded }: { loaded: Loaded<unknown> }): JSX.Element | null {
  if (loaded.problem) return <p class="trouble">{loaded.problem.words}</p>;
  return loaded.value === null ? <p class="muted">{t("loading")}</p> : null;
}

/** The period before this one of the same length, or the same a year before. */
export function earlier(view: Frame["view"], years: boolean): Asked {
  const [from, to] = years
    ? [monthsBefore(view.from_month, 12), monthsBefore(view.to_month, 12)]
    : before(view.from_month, view.to_month);
  return { against_from: from, against_to: to };
}

/** The cases behind a number, folded away: the service names the first of them. */
export function CaseLinks({
  ids,
  more = 0,
  children,
}: {
  ids: readonly string[];
  more?: number;
  children: ComponentChildren;
}): JSX.Element {
  if (ids.length === 0) return <>{children}</>;
  return (
    <details class="case-ids">
      <summary>{children}</summary>
      <ol>
        {ids.map((id, index) => (
          <li key={id}>
            <a href={`/case/${encodeURIComponent(id)}`}>{tq("caseN", { n: index + 1 })}</a>
          </li>
        ))}
      </ol>
      {more > 0 && <p class="muted">{tq("casesShownOf", { n: ids.length, of: ids.length + more })}</p>}
    </details>
  );
}
