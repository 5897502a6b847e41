/** The report as it is written: a template, findings, impression, what is critical. Nothing is taken or signed by itself. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Act } from "../../parts/bits";
import { lang } from "../../state/prefs";
import {
  addendum,
  begun,
  keepDraft,
  type Signing,
  sign,
  typed,
  unsignable,
  unticked,
} from "../../state/reading";
import { say } from "../../texts";
import { ti } from "../../textsImage";
import type { Coded, ReportTemplate, StudyReading } from "../../wireImage";

interface Props {
  uid: string;
  page: StudyReading;
}

export function ReportForm({ uid, page }: Props): JSX.Element {
  const kept = page.draft;
  const [report, setReport] = useState<Signing>({
    findings: kept?.findings ?? "",
    impression: kept?.impression ?? "",
    template: kept?.template ?? null,
    critical: kept?.critical ?? [],
    provisional: kept?.provisional ?? false,
  });
  const [case_id] = useState(page.case_id); // stays where the study moves while this is written
  const [over, setOver] = useState<ReportTemplate | null>(null); // one that would write over a person's words
  const [asking, setAsking] = useState(false); // about what the template says and nobody has ticked
  const templates = page.choices?.templates ?? [];
  const change = (more: Partial<Signing>): void => setReport((before) => ({ ...before, ...more }));
  const take = (one: ReportTemplate): void => {
    setOver(null);
    change({ findings: one.findings[lang.value], impression: one.impression[lang.value], template: one.id });
  };
  const why = unsignable(report);
  const keep = (): void => {
    if (begun(report)) void keepDraft(uid, report);
  };
  /** A tick is kept at once; the last one taken away, too. */
  const tick = (more: Partial<Signing>): void => {
    change(more);
    void keepDraft(uid, { ...report, ...more });
  };
  const left = unticked(report, templates);
  const named = (codes: string[]): string =>
    (page.choices?.critical_results ?? [])
      .filter((one) => codes.includes(one.id))
      .map(say)
      .join(" · ");
  return (
    <section class="card form" data-testid="report-form">
      <h2>{ti("write")}</h2>
      <label>
        {ti("template")}
        <select
          data-testid="report-template"
          value={over?.id ?? report.template ?? ""}
          onChange={(event) => {
            const found = templates.find((one) => one.id === event.currentTarget.value);
            if (found && typed(report, templates)) setOver(found);
            else if (found) take(found);
          }}
        >
          <option value="">{ti("templateNone")}</option>
          {templates.map((one) => (
            <option key={one.id} value={one.id}>
              {say(one.name)}
            </option>
          ))}
        </select>
      </label>
      {over && (
        <p class="acts" role="alert">
          {ti("templateOver")}{" "}
          <Act name={`over ${uid}`} testid="template-over" run={() => take(over)}>
            {ti("templateTake")}
          </Act>
          <Act name={`leave ${uid}`} testid="template-leave" run={() => setOver(null)}>
            {ti("templateLeave")}
          </Act>
        </p>
      )}
      <label>
        {ti("findings")}
        <textarea
          rows={7}
          value={report.findings}
          data-testid="report-findings"
          onInput={(event) => change({ findings: event.currentTarget.value })}
          onBlur={keep}
        />
      </label>
      <label>
        {ti("impression")}
        <textarea
          rows={3}
          value={report.impression}
          data-testid="report-impression"
          onInput={(event) => change({ impression: event.currentTarget.value })}
          onBlur={keep}
        />
      </label>
      <Criticals
        results={page.choices?.critical_results ?? []}
        chosen={report.critical}
        choose={(critical) => tick({ critical })}
      />
      <label class="check">
        <input
          type="checkbox"
          checked={report.provisional}
          data-testid="report-provisional"
          onChange={(event) => tick({ provisional: event.currentTarget.checked })}
        />
        <span>{ti("provisionalChoice")}</span>
      </label>
      {why && <p class="muted">{ti(why === "blank" ? "fillBlanks" : "fillAll")}</p>}
      <Act
        name={`report ${uid}`}
        kind="strong"
        big
        testid="report-sign"
        disabled={why !== null}
        run={() => (left.length > 0 ? setAsking(true) : sign(uid, { ...report, case_id }))}
      >
        {ti("sign")}
      </Act>
      {asking && left.length > 0 && (
        <div role="alert" data-testid="unticked">
          <p>{ti("untickedAsk", { what: named(left) })}</p>
          <p class="acts">
            <Act
              name={`tick ${uid}`}
              kind="strong"
              testid="unticked-tick"
              run={() => tick({ critical: [...report.critical, ...left] })}
            >
              {ti("untickedTick")}
            </Act>
            <Act
              name={`report ${uid}`}
              testid="unticked-sign"
              disabled={why !== null}
              run={() => sign(uid, { ...report, case_id })}
            >
              {ti("untickedSign")}
            </Act>
          </p>
        </div>
      )}
    </section>
  );
}

interface CriticalsProps {
  results: readonly Coded[];
  chosen: readonly string[];
  choose: (chosen: string[]) => void;
}

function Criticals({ results, chosen, choose }: CriticalsProps): JSX.Element {
  return (
    <details open={chosen.length > 0}>
      <summary data-testid="criticals">
        {ti("criticalChoice")} {chosen.length > 0 && <b class="badge num">{chosen.length}</b>}
      </summary>
      {results.map((one) => (
        <label class="check" key={one.id}>
          <input
            type="checkbox"
            checked={chosen.includes(one.id)}
            data-testid={`critical-${one.id}`}
            onChange={(event) =>
              choose(event.currentTarget.checked ? [...chosen, one.id] : chosen.filter((id) => id !== one.id))
            }
          />
          <span>{say(one)}</span>
        </label>
      ))}
    </details>
  );
}

/** The report stays as it was signed: what is to be said after it stands beside it. */
export function AddendumForm({ uid, page }: Props): JSX.Element {
  const reasons = page.choices?.addendum_reasons ?? [];
  const [text, setText] = useState("");
  const [reason, setReason] = useState(reasons[0]?.id ?? "addition");
  const [critical, setCritical] = useState<string[]>([]);
  const [case_id] = useState(page.case_id); // stays where the study moves while this is written
  return (
    <details class="card form">
      <summary data-testid="addendum">{ti("addendum")}</summary>
      <label>
        {ti("addendumReason")}
        <select
          value={reason}
          data-testid="addendum-reason"
          onChange={(event) => setReason(event.currentTarget.value)}
        >
          {reasons.map((one) => (
            <option key={one.id} value={one.id}>
              {say(one)}
            </option>
          ))}
        </select>
      </label>
      <label>
        {ti("addendumText")}
        <textarea
          rows={3}
          value={text}
          data-testid="addendum-text"
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <Criticals results={page.choices?.critical_results ?? []} chosen={critical} choose={setCritical} />
      <Act
        name={`addendum ${uid}`}
        testid="addendum-sign"
        disabled={text.trim() === ""}
        run={async () => {
          if (await addendum(uid, { text: text.trim(), reason, critical, case_id })) setText("");
        }}
      >
        {ti("addendumSign")}
      </Act>
    </details>
  );
}
