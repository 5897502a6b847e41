/** The pages that a role has, one tap away; what waits there is counted. */
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { nowMs } from "../state/clock";
import { rows } from "../state/live";
import { sawTour } from "../state/prefs";
import { type Route, route } from "../state/route";
import { homeOf, may, me } from "../state/session";
import { openCount } from "../state/tasks";
import { type TextKey, t } from "../texts";
import type { Role } from "../wire";
import type { ClockReport } from "../wireClocks";
import { useLoaded } from "./load";

const REPORT_AGAIN_MS = 600_000;

interface Place {
  page: Route["page"];
  href: string;
  title: TextKey;
  count?: () => JSX.Element | null;
}

function placesOf(role: Role): Place[] {
  const clinic = role === "clinic";
  const tasks: Place[] = may("task", role)
    ? [{ page: "tasks", href: "/tasks", title: "tasksPage", count: Tasks }]
    : [];
  const numbers: Place[] =
    may("quality", role) && !clinic ? [{ page: "quality", href: "/quality", title: "qualityPage" }] : [];
  const first: Place = clinic
    ? { page: "clinic", href: "/clinic", title: "clinicPage" }
    : { page: "board", href: "/", title: "boardPage" };
  const images: Place[] = may("imageWorklist", role)
    ? [{ page: "imaging", href: "/imaging", title: "imagingPage" }]
    : [];
  const begins = homeOf(role);
  return [
    ...(begins === "/quality" ? numbers : []),
    ...(begins === "/imaging" ? images : []),
    ...(begins === "/tasks" ? [...tasks, first] : [first, ...tasks]),
    ...(begins === "/imaging" ? [] : images),
    { page: "roster", href: "/roster", title: "rosterPage" },
    ...(may("followups", role)
      ? [{ page: "followups", href: "/followups", title: "followupsPage" } as const]
      : []),
    ...(homeOf(role) === "/quality" ? [] : numbers),
    { page: "contacts", href: "/contacts", title: "contactsPage" },
    { page: "rules", href: "/rules", title: "rulesPage" },
    ...(may("deviceClocks", role)
      ? [{ page: "clocks", href: "/clocks", title: "clocksPage", count: BadClocks } as const]
      : []),
    ...(may("detectorResults", role) && !may("administer", role)
      ? [{ page: "detectors", href: "/detectors", title: "detectorsPage" } as const]
      : []),
    { page: "help", href: "/help", title: "helpPage", count: FirstTime },
    ...(headOfDuty() ? [{ page: "drill", href: "/drill", title: "drillPage" } as const] : []),
    ...(may("administer", role) ? [{ page: "admin", href: "/admin", title: "adminPage" } as const] : []),
  ];
}

/** Who is head of duty now starts and ends drills; administrators find them among their pages. */
const headOfDuty = (): boolean => me.value?.on_duty === true && me.value.shift?.role === "head";

export function Nav(): JSX.Element | null {
  const role = me.value?.user.role;
  const here = useRef<HTMLElement>(null);
  const page = route.value.page;
  // On a phone the row is longer than the screen: where one is, is in sight.
  useEffect(() => {
    const current = here.current?.querySelector<HTMLElement>('[aria-current="page"]');
    if (here.current && current) here.current.scrollLeft = current.offsetLeft - here.current.clientWidth / 3;
  }, [page, role]);
  if (!role) return null;
  return (
    <nav class="nav" ref={here} aria-label={t("menu")}>
      {placesOf(role).map(({ page: to, href, title, count: Count }) => (
        <a
          key={to}
          class="switch"
          href={href}
          data-testid={`${to}-link`}
          aria-current={page === to ? "page" : undefined}
        >
          {t(title)}
          {Count && <Count />}
        </a>
      ))}
    </nav>
  );
}

function Tasks(): JSX.Element | null {
  const count = openCount(rows.value.cases.values(), me.value?.user.role);
  return count === 0 ? null : (
    <b class="badge num" data-testid="tasks-badge">
      {count}
    </b>
  );
}

/** Until the tour was seen here, or put away. */
function FirstTime(): JSX.Element | null {
  const who = me.value?.user.id;
  return who === undefined || sawTour(who) ? null : (
    <b class="first-time" data-testid="first-time">
      {t("firstTime")}
    </b>
  );
}

/** How many clocks the newest report names, beside the link to it. */
function BadClocks(): JSX.Element | null {
  void nowMs.value;
  const again = Math.floor(performance.now() / REPORT_AGAIN_MS);
  const { value } = useLoaded<ClockReport>("/devices/clocks", again);
  return value && value.bad > 0 ? (
    <b class="late" data-testid="clocks-badge">
      ▲{value.bad}
    </b>
  ) : null;
}
