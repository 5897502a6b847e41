/** Quality: where do we lose time? One view over all pages, held in the address. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { nowMs } from "../../state/clock";
import { dateTime } from "../../state/format";
import { type Asked, hrefOf, monthsBefore, PARTS, type Part } from "../../state/quality";
import { go, route } from "../../state/route";
import { may, me } from "../../state/session";
import "../../styles/quality.css";
import "../../styles/qualityPrint.css";
import { say } from "../../texts";
import { type QualityText, tq } from "../../textsQuality";
import type { QualityView, Said } from "../../wireQuality";
import { Cases } from "./Cases";
import { Charts } from "./Charts";
import { Delays } from "./Delays";
import { CaseFormPage } from "./Form";
import { Gaps } from "./Gaps";
import { Groups } from "./Groups";
import { Loop } from "./Loop";
import { Overview } from "./Overview";
import { Report } from "./Report";
import { asked, frame } from "./shared";

const PAGES: Record<Part, () => JSX.Element> = {
  overview: Overview,
  delays: Delays,
  charts: Charts,
  loop: Loop,
  groups: Groups,
  cases: Cases,
  gaps: Gaps,
  report: Report,
};

export function QualityPage(): JSX.Element {
  const here = route.value;
  if (!may("quality", me.value?.user.role)) {
    return (
      <main class="page">
        <p role="alert">{tq("onlyQuality")}</p>
      </main>
    );
  }
  if (here.page === "quality" && here.part === "form" && here.id)
    return <CaseFormPage key={here.id} id={here.id} />;
  const named = here.page === "quality" ? here.part || "overview" : "overview";
  const part = PARTS.find((one) => one === named) ?? "overview";
  const Shown = PAGES[part];
  return (
    <main class="page qpage" data-testid="quality-page">
      <nav class="quality-nav" aria-label={tq("title")}>
        {PARTS.map((one) => (
          <a
            key={one}
            class="switch"
            href={hrefOf(one, asked.value)}
            data-testid={`quality-${one}`}
            aria-current={part === one ? "page" : undefined}
          >
            {tq(`part_${one}`)}
          </a>
        ))}
      </nav>
      <h2 class="quality-title">
        {tq(`ask_${part}`)} <span class="muted quality-part">{tq(`part_${part}`)}</span>
      </h2>
      <Bar part={part} />
      <Shown />
    </main>
  );
}

function Bar({ part }: { part: Part }): JSX.Element {
  const held = frame.value;
  if (!held) return <p class="muted">{tq("loadSlow")}</p>;
  const { view } = held;
  const take = (change: Asked): void => go(hrefOf(part, asked.value, change), false);
  const last = held.months.at(-1) ?? view.to_month;
  const spans: [QualityText, number][] = [
    ["lastMonth", 1],
    ["lastQuarter", 3],
    ["lastHalf", 6],
    ["lastYear", 12],
  ];
  return (
    <section class="quality-bar" aria-label={tq("view")}>
      <div class="quality-choices">
        <Choice name="standard" options={held.standards} value={view.standard} take={take} />
        <OneMonth months={held.months} view={view} take={take} />
        <MonthChoice name="from" months={held.months} value={view.from_month} take={take} />
        <MonthChoice name="to" months={held.months} value={view.to_month} take={take} />
        <Choice
          name="by"
          options={held.groupings}
          value={view.by}
          take={(to) => take({ ...to, group: "" })}
        />
        <Choice
          name="group"
          options={[said("", "wholeNetwork"), ...held.groups.map(withCount)]}
          value={view.group}
          take={take}
        />
        <Choice
          name="hours"
          options={(["all", "on", "off"] as const).map((id) => said(id, `hours_${id}`))}
          value={view.hours}
          take={take}
        />
      </div>
      <div class="quality-acts">
        {spans.map(([name, n]) => {
          const from = monthsBefore(last, n - 1);
          return (
            <a
              key={name}
              class="switch"
              href={hrefOf(part, asked.value, { from, to: last })}
              data-testid={`period-${n}`}
              aria-current={view.from_month === from && view.to_month === last ? "true" : undefined}
            >
              {tq(name)}
            </a>
          );
        })}
        <button type="button" class="switch" data-testid="quality-print" onClick={() => print()}>
          {tq("print")}
        </button>
        <CopyLink />
      </div>
      <p class="quality-scope num" data-testid="quality-scope">
        <b>{wordOf(held.standards, view.standard)}</b> ·{" "}
        {tq("inView", { n: held.cases, from: view.from_month, to: view.to_month })}
        {view.group && ` · ${wordOf(held.groups, view.group)}`}
        {view.hours !== "all" && ` · ${tq(`hours_${view.hours}` as QualityText)}`}
        <span class="print-only">
          {" "}
          ·{" "}
          {tq("printed", {
            at: dateTime(new Date(nowMs.value ?? Date.now()).toISOString()).slice(0, 16),
          })}
        </span>
      </p>
    </section>
  );
}

const said = (id: string, key: QualityText): Said => ({ id, zh: tq(key), en: tq(key) });
const withCount = (one: Said & { n: number }): Said => ({
  id: one.id,
  zh: `${one.zh} (${one.n})`,
  en: `${one.en} (${one.n})`,
});
const wordOf = (from: readonly Said[], id: string): string => {
  const found = from.find((one) => one.id === id);
  return found ? say(found) : id;
};

interface ChoiceProps {
  name: "standard" | "by" | "group" | "hours";
  options: readonly Said[];
  value: string;
  take: (change: Asked) => void;
}

function Choice({ name, options, value, take }: ChoiceProps): JSX.Element {
  return (
    <label>
      {tq(name)}
      <select
        value={value}
        data-testid={`ask-${name}`}
        onChange={(event) => take({ [name]: event.currentTarget.value })}
      >
        {options.map((one) => (
          <option key={one.id} value={one.id}>
            {say(one)}
          </option>
        ))}
      </select>
    </label>
  );
}

/** One month, in one act: most questions are of one. */
function OneMonth(props: {
  months: readonly string[];
  view: QualityView;
  take: (change: Asked) => void;
}): JSX.Element {
  const { months, view, take } = props;
  return (
    <label>
      {tq("month")}
      <select
        value={view.from_month === view.to_month ? view.from_month : ""}
        data-testid="ask-month"
        onChange={(event) => take({ from: event.currentTarget.value, to: event.currentTarget.value })}
      >
        <option value="">—</option>
        {[...months].reverse().map((month) => (
          <option key={month}>{month}</option>
        ))}
      </select>
    </label>
  );
}

interface MonthProps {
  name: "from" | "to";
  months: readonly string[];
  value: string;
  take: (change: Asked) => void;
}

function MonthChoice({ name, months, value, take }: MonthProps): JSX.Element {
  const all = months.includes(value) ? months : [value, ...months].sort();
  return (
    <label>
      {tq(name)}
      <select
        value={value}
        data-testid={`ask-${name}`}
        onChange={(event) => take({ [name]: event.currentTarget.value })}
      >
        {all.map((month) => (
          <option key={month}>{month}</option>
        ))}
      </select>
    </label>
  );
}

/** The link holds what the service chose, too: next month it shows the same period. */
function CopyLink(): JSX.Element {
  const [done, setDone] = useState(false);
  const held = frame.value;
  const copy = async (): Promise<void> => {
    if (!held) return;
    const { view } = held;
    const whole = new URLSearchParams({
      standard: view.standard,
      from: view.from_month,
      to: view.to_month,
      by: view.by,
      ...(view.group && { group: view.group }),
      ...(view.hours !== "all" && { hours: view.hours }),
      ...asked.value,
    });
    history.replaceState(null, "", `${location.pathname}?${whole}`);
    try {
      await navigator.clipboard.writeText(location.href);
    } catch {
      // Over plain HTTP there is no clipboard: the address bar holds the link.
    }
    setDone(true);
    setTimeout(() => setDone(false), 2000);
  };
  return (
    <button type="button" class="switch" data-testid="copy-link" onClick={() => void copy()}>
      {done ? `✓ ${tq("copied")}` : tq("copyLink")}
    </button>
  );
}
