/** Which sites the board shows, and what of urgency that leaves out. One line that is always there. */
import type { JSX, TargetedKeyboardEvent } from "preact";
import { hasChoice, hidden, showSites, sitesShown, sitesThere } from "../state/filter";
import { placeName, siteName } from "../state/format";
import { lang } from "../state/prefs";
import { me } from "../state/session";
import { t } from "../texts";
import type { Row } from "../wire";

export const FILTER_ID = "site-filter";

export function SiteFilter(): JSX.Element | null {
  const there = sitesThere.value;
  const chosen = sitesShown.value;
  // For whoever has a choice the line is there from the first.
  if (!hasChoice.value) return null;
  const toggle = (id: string, wanted: boolean): void => {
    const next = new Set(chosen);
    if (wanted) next.add(id);
    else next.delete(id);
    showSites(next);
  };
  return (
    <div class="board-bar">
      <details class="site-filter" id={FILTER_ID} data-testid="site-filter" onKeyDown={closeOnEscape}>
        <summary>
          {t("filterSites")}:{" "}
          <b>{chosen.size === 0 ? t("filterAll") : t("filterSome", { n: chosen.size })}</b>
        </summary>
        <fieldset class="card sites">
          <legend class="unseen">{t("filterSites")}</legend>
          <p class="muted">{t("filterHint")}</p>
          {there.map(({ site, open }) => (
            <label key={site.id} class="site">
              <input
                type="checkbox"
                checked={chosen.has(site.id)}
                data-testid={`site-${site.id}`}
                onChange={(event) => toggle(site.id, event.currentTarget.checked)}
              />
              {placeName(site)} <span class="num muted">{t("filterOpen", { n: open })}</span>
            </label>
          ))}
          <ShowAll />
        </fieldset>
      </details>
      {me.value?.user.role === "quality" && <p class="muted">{t("qualityRole")}</p>}
      <LeftOut />
    </div>
  );
}

function closeOnEscape(event: TargetedKeyboardEvent<HTMLDetailsElement>): void {
  if (event.key !== "Escape" || !event.currentTarget.open) return;
  event.stopPropagation();
  event.currentTarget.open = false;
  event.currentTarget.querySelector("summary")?.focus();
}

function ShowAll(): JSX.Element {
  return (
    <button
      type="button"
      class="act act-plain"
      data-testid="show-all-sites"
      disabled={sitesShown.value.size === 0}
      onClick={() => showSites(new Set())}
    >
      {t("filterShowAll")}
    </button>
  );
}

/** A red case is never left out without a word. */
function LeftOut(): JSX.Element | null {
  const { now, urgent } = hidden.value;
  if (sitesShown.value.size === 0) return null;
  const names = [...new Set(now.map((row: Row) => siteName(row)))];
  return (
    <p class="left-out" role="status">
      {now.length > 0 && (
        <b class="left-out-red" data-testid="hidden-red">
          ■ {t("filterHidesRed", { n: now.length, who: names.join(lang.value === "zh" ? "、" : ", ") })}
        </b>
      )}
      {urgent.length > 0 && (
        <span class="left-out-urgent" data-testid="hidden-urgent">
          ▲ {t("filterHidesUrgent", { n: urgent.length })}
        </span>
      )}
      <button type="button" class="act act-link" data-testid="unfilter" onClick={() => showSites(new Set())}>
        {t("filterShowAll")}
      </button>
    </p>
  );
}

/** The key `/`: open the list of sites and stand on the first. */
export function openSiteFilter(): boolean {
  const details = document.getElementById(FILTER_ID);
  if (!(details instanceof HTMLDetailsElement)) return false;
  details.open = true;
  details.querySelector("input")?.focus();
  return true;
}
