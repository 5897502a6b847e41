/** Who needs me now? */
import { computed, signal } from "@preact/signals";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { CaseRow } from "../parts/CaseRow";
import { DutyPanel } from "../parts/DutyPanel";
import { EcgPanel } from "../parts/EcgPanel";
import { useFilling } from "../parts/filling";
import { helpOpen } from "../parts/Header";
import { useHeldLayout } from "../parts/heldOrder";
import { openSiteFilter, SiteFilter } from "../parts/SiteFilter";
import { useKeydown } from "../parts/useKeydown";
import { acknowledge, openGreen } from "../state/acts";
import { nextAct } from "../state/alerts";
import { layout, sitesShown } from "../state/filter";
import { line, rowSignal, rows } from "../state/live";
import { type Opened, panelOf } from "../state/panel";
import { go } from "../state/route";
import type { SectionId } from "../state/rows";
import { me } from "../state/session";
import { type TextKey, t } from "../texts";

const opened = signal<Opened | null>(null);
const selected = computed(() => opened.value?.caseId ?? null);

const SECTIONS: readonly { id: Exclude<SectionId, "closed">; shape: string; title: TextKey }[] = [
  { id: "now", shape: "■", title: "sectionNow" },
  { id: "urgent", shape: "▲", title: "sectionUrgent" },
  { id: "rest", shape: "○", title: "sectionRest" },
];
/** Beside the list there is room for paper only on a wide screen; elsewhere the ECG has its own page. */
const SPLIT = "(min-width: 1100px)";

export function Board(): JSX.Element {
  useKeydown(onKey);
  const { layout: order, waiting, onPointer, onLeave } = useHeldLayout(layout.value, sitesShown.value);
  const row = selected.value === null ? undefined : rowSignal(selected.value).value;
  const panel = opened.value && row ? panelOf(opened.value, row) : null;
  const none = order.now.length + order.urgent.length + order.rest.length + order.closed.length === 0;
  return (
    <main class={panel ? "board split" : "board"}>
      <div class="list">
        <DutyPanel />
        <SiteFilter />
        <div onPointerMove={onPointer} onPointerDown={onPointer} onPointerLeave={onLeave}>
          {SECTIONS.map((section) => (
            <BoardSection key={section.id} {...section} order={order[section.id]} waiting={waiting} />
          ))}
          {none && <p class="empty">{line.value.open ? t("emptyAll") : t("loading")}</p>}
          {order.closed.length > 0 && <Closed order={order.closed} />}
        </div>
      </div>
      {panel?.ecgId && (
        <aside class="beside" aria-label={t("openEcg")}>
          <button type="button" class="act act-plain beside-close" onClick={() => select(null)}>
            ✕ {t("close")}
          </button>
          {panel.other && (
            <button
              type="button"
              class="act act-amber beside-other"
              data-testid="other-more-urgent"
              onClick={() => select(selected.value)}
            >
              <span role="alert">▲ {t("otherMoreUrgent")}</span>
            </button>
          )}
          <EcgPanel key={panel.ecgId} ecgId={panel.ecgId} row={row} />
        </aside>
      )}
    </main>
  );
}

interface SectionProps {
  id: SectionId;
  order: readonly string[];
  shape?: string;
  title?: TextKey;
  waiting?: number;
}

function BoardSection({ id, order, shape, title, waiting = 0 }: SectionProps): JSX.Element {
  const drawn = useFilling(order.length);
  return (
    <section class={`section section-${id}`} data-testid={`section-${id}`}>
      {title && (
        <h2>
          <span aria-hidden="true">{shape}</span> {t(title)} <span class="num">{order.length}</span>
          {id === "now" && (
            <span class="waiting" role="status">
              {waiting > 0 ? t("newBelow", { n: waiting }) : ""}
            </span>
          )}
        </h2>
      )}
      {id === "now" && order.length === 0 && <p class="empty">{t("emptyNow")}</p>}
      <ul class="rows">
        {order.slice(0, drawn).map((caseId) => (
          <CaseRow key={caseId} id={caseId} selected={selected.value === caseId} open={openRow} />
        ))}
      </ul>
    </section>
  );
}

/** Folded as a rule: its rows are made when somebody wants them. */
function Closed({ order }: { order: readonly string[] }): JSX.Element {
  const [open, setOpen] = useState(false);
  return (
    <details class="closed" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        {t("sectionClosed")} <span class="num">{order.length}</span>
      </summary>
      {open && <BoardSection id="closed" order={order} />}
    </details>
  );
}

/** Opens what is most urgent in the case now. */
function select(caseId: string | null): void {
  opened.value = caseId === null ? null : { caseId, ecgId: rows.value.cases.get(caseId)?.ecg_id ?? null };
}

function openRow(caseId: string): void {
  const row = rows.value.cases.get(caseId);
  if (!row) return;
  if (row.ecg_id === null) go(`/case/${encodeURIComponent(caseId)}`);
  else if (matchMedia(SPLIT).matches) select(selected.value === caseId ? null : caseId);
  else go(`/ecg/${encodeURIComponent(row.ecg_id)}`);
}

/** J/K walk the list as it is shown, Enter opens, A confirms, G opens the channel, / chooses sites. */
function onKey(event: KeyboardEvent): void {
  const target = event.target as HTMLElement;
  if (event.ctrlKey || event.metaKey || event.altKey || helpOpen.value) return;
  if (target.closest("input, textarea, select")) return;
  const key = event.key.toLowerCase();
  if (key === "j" || key === "k") step(key === "j" ? 1 : -1);
  else if (key === "/") {
    if (!openSiteFilter()) return;
  } else if (key === "escape") select(null);
  else if (key === "enter" && !target.closest("button, a, summary")) withFocused((id) => openRow(id));
  else if (key === "a") withFocused((id) => void confirm(id));
  else if (key === "g") withFocused((id) => void openChannel(id));
  else return;
  if (key !== "enter") event.preventDefault();
}

const shownRows = (): HTMLElement[] =>
  [...document.querySelectorAll<HTMLElement>("li[data-case]")].filter((row) => row.offsetParent !== null);

const focusedId = (): string | null =>
  document.activeElement?.closest<HTMLElement>("li[data-case]")?.dataset.case ?? null;

function step(by: 1 | -1): void {
  const list = shownRows();
  const current = focusedId() ?? selected.value;
  const from = list.findIndex((row) => row.dataset.case === current);
  const next = list[from < 0 ? 0 : Math.min(list.length - 1, Math.max(0, from + by))];
  next?.querySelector<HTMLElement>(".row-open")?.focus();
  next?.scrollIntoView({ block: "nearest" });
  if (selected.value !== null && next?.dataset.case) select(next.dataset.case);
}

function withFocused(run: (caseId: string) => void): void {
  const id = focusedId() ?? selected.value ?? null;
  if (id !== null) run(id);
}

async function confirm(caseId: string): Promise<void> {
  const row = rows.value.cases.get(caseId);
  if (row?.alert && nextAct(row, me.value) === "ack") await acknowledge(row.alert.alert_id);
}

/** The key does what the button offers: never before somebody has confirmed. */
async function openChannel(caseId: string): Promise<void> {
  const row = rows.value.cases.get(caseId);
  if (row && nextAct(row, me.value) === "openGreen") await openGreen(caseId);
}
