/** One study: is it true what the report says, and what is there? Series, the one in sight, an earlier one beside it. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useLoaded } from "../../parts/load";
import { useKeydown } from "../../parts/useKeydown";
import {
  type DicomJson,
  inOrder,
  presetsFor,
  priorsPath,
  type Series,
  type StudyRow,
  seriesOf,
  studyOf,
  studyPath,
  thumbnailPath,
} from "../../state/dicomWeb";
import { rows } from "../../state/live";
import { acted } from "../../state/reading";
import { go, search } from "../../state/route";
import { homeOf, may, me } from "../../state/session";
import "../../styles/image.css";
import { t } from "../../texts";
import { ti } from "../../textsImage";
import type { StudyReading } from "../../wireImage";
import { Bar } from "./Bar";
import { FirstPicture } from "./FirstPicture";
import { askEngine, type Held, Pane, type PaneFacts } from "./Pane";
import { ReportPanel } from "./ReportPanel";

const PHONE = "(max-width: 720px)";
const FRESH: Held = {
  tool: "window",
  window: null,
  invert: 0,
  reset: 0,
  clear: 0,
  playing: false,
  planes: false,
};

export function StudyPage({ uid }: { uid: string }): JSX.Element {
  useEffect(() => void askEngine(), []);
  const phone = usePhone();
  const { value, problem } = useLoaded<DicomJson[]>(`${studyPath(uid)}/series`, 0);
  const asked = new URLSearchParams(search.value);
  const series = value && inOrder(value.flatMap((json) => seriesOf(json, uid) ?? []));
  const chosen = series?.find((one) => one.seriesUid === asked.get("series")) ?? series?.[0] ?? null;
  const beside = asked.get("beside");
  const page = useReading(uid);
  return (
    <main class="page image-page" data-testid={`study-${uid}`}>
      <Crumbs page={page} />
      {problem && !value && <p class="trouble">{problem.words}</p>}
      {series && series.length === 0 && <p class="empty">{ti("seriesNone")}</p>}
      <div class={page ? "image-columns with-report" : "image-columns"}>
        <SeriesList series={series ?? []} chosen={chosen} />
        <Reading key={uid} {...{ uid, chosen, beside, phone }} isOnly={series?.length === 1} />
        {page && <ReportPanel uid={uid} page={page} />}
      </div>
      {value?.[0] && <Priors uid={uid} />}
    </main>
  );
}

/** How far the reading is; read anew when something was done here, or its case has changed. */
function useReading(uid: string): StudyReading | null {
  const path = may("imageReport", me.value?.user.role) ? `/imaging/studies/${encodeURIComponent(uid)}` : null;
  const [caseId, setCaseId] = useState<string | null>(null);
  const seq = caseId === null ? 0 : rows.value.cases.get(caseId)?.seq;
  const { value } = useLoaded<StudyReading>(path, `${acted.value} ${seq}`);
  useEffect(() => setCaseId(value?.case_id ?? null), [value?.case_id]);
  return value;
}

/** Back to where studies wait, and to the case, where its ECGs are. */
function Crumbs({ page }: { page: StudyReading | null }): JSX.Element {
  const home = may("imageWorklist", me.value?.user.role) ? "/imaging" : homeOf(me.value?.user.role);
  return (
    <nav class="crumbs">
      <a class="act act-link" href={home}>
        ◂ {t(home === "/imaging" ? "imagingPage" : "back")}
      </a>
      {page?.case_id && (
        <a class="act act-link" href={`/case/${encodeURIComponent(page.case_id)}`} data-testid="open-case">
          {t("openCase")} ▸
        </a>
      )}
    </nav>
  );
}

/** What the address says of the view, with one thing changed. */
function withAsked(name: string, value: string | null): string {
  const asked = new URLSearchParams(search.value);
  if (value === null) asked.delete(name);
  else asked.set(name, value);
  const said = asked.toString();
  return location.pathname + (said === "" ? "" : `?${said}`);
}

function usePhone(): boolean {
  const [phone, setPhone] = useState(() => matchMedia(PHONE).matches);
  useEffect(() => {
    const media = matchMedia(PHONE);
    const look = (): void => setPhone(media.matches);
    media.addEventListener("change", look);
    return () => media.removeEventListener("change", look);
  }, []);
  return phone;
}

function SeriesList({ series, chosen }: { series: readonly Series[]; chosen: Series | null }): JSX.Element {
  return (
    <nav class="series-list" aria-label={ti("seriesList")}>
      {series.map((one) => (
        <button
          key={one.seriesUid}
          type="button"
          class="series"
          aria-pressed={one === chosen}
          data-testid="series"
          onClick={() => go(withAsked("series", one.seriesUid), true)}
        >
          <img src={thumbnailPath(one)} alt="" loading="lazy" width="72" height="72" />
          <span>
            <b>{one.modality ?? t("unknown")}</b> {one.description ?? ti("noDescription")}
            <br />
            <span class="muted num">
              {[
                one.number === null ? null : ti("seriesNumber", { n: one.number }),
                one.count === null ? null : ti("imagesCount", { n: one.count }),
              ]
                .filter(Boolean)
                .join(" · ")}
            </span>
          </span>
        </button>
      ))}
    </nav>
  );
}

interface ReadingProps {
  uid: string;
  chosen: Series | null;
  beside: string | null;
  phone: boolean;
  /** Whether the study has no other series. */
  isOnly: boolean;
}

/** The bar and what it acts on: both panes alike. */
function Reading({ uid, chosen, beside, phone, isOnly }: ReadingProps): JSX.Element {
  const [held, setHeld] = useState<Held>(FRESH);
  const [facts, setFacts] = useState<PaneFacts | null>(null);
  const [cuts, setCuts] = useState(false);
  const take = (change: Partial<Held>): void => setHeld((before) => ({ ...before, ...change }));
  useEffect(() => void askEngine().then((loaded) => setCuts(loaded.canCutAnew())), []);
  useEffect(() => take({ playing: false, planes: false, window: null }), [chosen?.seriesUid]);
  useKeydown((event) => onKey(event, held, facts, take));
  return (
    <section class="image-reading">
      <Bar {...{ held, facts, phone, take }} canCutAnew={cuts} />
      <div class={beside && !phone ? "panes two" : "panes"}>
        {chosen ? (
          <Pane
            key={chosen.seriesUid}
            {...{ series: chosen, held, phone }}
            onFacts={setFacts}
            testid="pane"
            first={isOnly ? uid : null}
          />
        ) : (
          <div class="pane">
            <FirstPicture uid={uid} />
          </div>
        )}
        {beside && !phone && <Beside uid={beside} held={held} />}
      </div>
      <p class="muted screen-only">{!phone && ti("keys")}</p>
    </section>
  );
}

function onKey(
  event: KeyboardEvent,
  held: Held,
  facts: PaneFacts | null,
  take: (change: Partial<Held>) => void,
): void {
  if ((event.target as HTMLElement).closest("input:not([type=range]), textarea, select")) return;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const preset = presetsFor(facts?.series.modality ?? null)[Number(event.key) - 1];
  if (preset) take({ window: { center: preset.center, width: preset.width } });
  else if (event.key === "i") take({ invert: held.invert + 1 });
  else if (event.key === "r") take({ reset: held.reset + 1, window: null });
  else if (event.key === " " && !(event.target as HTMLElement).closest("button, a")) {
    event.preventDefault();
    take({ playing: !held.playing });
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") step(event);
}

/** The slider of the first pane holds the place: what moves it moves the image. */
function step(event: KeyboardEvent): void {
  const slider = document.querySelector<HTMLInputElement>('[data-testid="pane-slider"]');
  if (!slider || event.target === slider) return;
  event.preventDefault();
  slider.value = String(Number(slider.value) + (event.key === "ArrowDown" ? 1 : -1));
  slider.dispatchEvent(new Event("input", { bubbles: true }));
}

/** The first series of an earlier study, under the same tools. */
function Beside({ uid, held }: { uid: string; held: Held }): JSX.Element | null {
  const { value, problem } = useLoaded<DicomJson[]>(`${studyPath(uid)}/series`, 0);
  if (problem && !value) return <p class="trouble">{problem.words}</p>;
  const [first] = inOrder((value ?? []).flatMap((json) => seriesOf(json, uid) ?? []));
  if (!first) return value ? <p class="empty">{ti("seriesNone")}</p> : null;
  return (
    <Pane key={uid} series={first} held={held} phone={false} onFacts={() => undefined} testid="pane-beside" />
  );
}

/** Other studies of the same patient that this reader may know of. */
function Priors({ uid }: { uid: string }): JSX.Element | null {
  const { value } = useLoaded<DicomJson[]>(priorsPath(uid), 0);
  const others = (value ?? []).flatMap((json) => studyOf(json) ?? []);
  const beside = new URLSearchParams(search.value).get("beside");
  return (
    <section class="card">
      <h2>{ti("priors")}</h2>
      {others.length === 0 && <p class="muted">{ti("compareNone")}</p>}
      <ul class="priors">
        {newestFirst(others).map((one) => (
          <li key={one.studyUid}>
            <span class="num">{one.date ?? ti("studyUnknown")}</span> {one.modalities} {one.description}{" "}
            <button
              type="button"
              class="act act-plain"
              data-testid="compare"
              aria-pressed={beside === one.studyUid}
              onClick={() => go(withAsked("beside", beside === one.studyUid ? null : one.studyUid), true)}
            >
              {ti(beside === one.studyUid ? "compareClose" : "compare")}
            </button>{" "}
            <a class="act act-link" href={`/study/${encodeURIComponent(one.studyUid)}`}>
              {ti("openStudy")} ▸
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

const newestFirst = (all: readonly StudyRow[]): StudyRow[] =>
  [...all].sort((a, b) => (b.date ?? "").localeCompare(a.date ?? ""));
