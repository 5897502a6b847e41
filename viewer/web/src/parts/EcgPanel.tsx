/** Is it true? The paper, what the machine concludes and on what evidence, and the doctor's answer. */
import { Fragment, type JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { loadWaveform, type Waveform } from "../paper/waveform";
import { markOpened } from "../state/acts";
import { Problem } from "../state/api";
import { evidenceOf, type FindingEvidence } from "../state/evidence";
import { gathered, patientLine, siteName, timeOfDay } from "../state/format";
import { showCase } from "../state/live";
import { lang } from "../state/prefs";
import { quantity } from "../state/quantities";
import { rulesHref } from "../state/rules";
import { may, me } from "../state/session";
import { signedOf } from "../state/verdict";
import { pairText, say, type TextKey, t } from "../texts";
import type { Analysis, Ecg, Finding, Row, RuleSet } from "../wire";
import { TierMark } from "./bits";
import { EvidenceList } from "./EvidenceList";
import { LaterLivePaper, LaterPaper, ReportMenuLater, SignFormLater } from "./laterParts";
import { useLoaded, useTries } from "./load";
import { PaperPicture } from "./PaperPicture";
import { RuleLink } from "./RuleLink";
import { SignedReading } from "./SignedReading";
import { useRules } from "./useRules";

interface Props {
  ecgId: string;
  row: Row | undefined;
}

export function EcgPanel({ ecgId, row }: Props): JSX.Element {
  const summary = row?.ecgs.find((ecg) => ecg.ecg_id === ecgId);
  const role = me.value?.user.role;
  const live = summary?.live ?? false;
  const watched = live && may("waveform", role);
  const { value: ecg, problem } = useLoaded<Ecg>(`/ecgs/${encodeURIComponent(ecgId)}`, row?.seq);
  const onPaper = (summary?.not_analysed ?? null) !== null || (ecg?.paper ?? null) !== null;
  const { wave, words } = useWaveform(live || onPaper ? null : ecgId);
  const [seen, setSeen] = useState(false);
  const shown = wave !== null || seen;
  useEffect(() => {
    if ((shown || live) && may("opened", role)) void markOpened(ecgId);
  }, [ecgId, shown, live, role]);
  const caseId = row?.case_id ?? null;
  useEffect(() => (caseId === null ? undefined : showCase(caseId)), [caseId]);
  const analysis = ecg?.analysis ?? null;
  return (
    <article class="ecg" data-testid={`ecg-${ecgId}`}>
      <header class="ecg-head">
        {row && (
          <h2>
            {patientLine(row)} · {siteName(row)} · <span class="num">{timeOfDay(ecg?.states.received)}</span>
            <DeviceClock ecg={ecg} />
          </h2>
        )}
      </header>
      {watched && <LaterLivePaper ecgId={ecgId} />}
      {live && !watched && <p class="muted">{t("problemRight")}</p>}
      {ecg?.paper && <PaperPicture paper={ecg.paper} onSeen={() => setSeen(true)} />}
      {!live && wave && <LaterPaper wave={wave} analysis={analysis} ecgId={ecgId} />}
      {!live && !onPaper && !wave && <p class="muted">{words ?? t("loading")}</p>}
      {problem && <p class="trouble">{problem.words}</p>}
      <div class="ecg-below">
        {analysis ? (
          <Conclusion ecgId={ecgId} analysis={analysis} row={row} />
        ) : (
          !onPaper && <p class="card muted">{t("notAnalysed")}</p>
        )}
        {may("sign", role) && (analysis || onPaper) && row && row.state === "open" && (
          <SignFormLater key={`${me.value?.user.id} ${ecgId}`} ecgId={ecgId} analysis={analysis} row={row} />
        )}
        {!live && !onPaper && row && may("waveform", role) && (
          <ReportMenuLater ecgId={ecgId} row={row} wave={wave} analysis={analysis} />
        )}
      </div>
    </article>
  );
}

function useWaveform(ecgId: string | null): { wave: Waveform | null; words: string | null } {
  const [held, setHeld] = useState<{ id: string; wave: Waveform | null; problem: Problem | null } | null>(
    null,
  );
  const here = held?.id === ecgId ? held : null;
  const tries = useTries(here?.problem ?? null);
  useEffect(() => {
    if (ecgId === null) return;
    let gone = false;
    loadWaveform(ecgId).then(
      (wave) => !gone && setHeld({ id: ecgId, wave: wave.samples.length > 0 ? wave : null, problem: null }),
      (failure: unknown) => {
        if (!(failure instanceof Problem)) throw failure;
        if (!gone) setHeld({ id: ecgId, wave: null, problem: failure });
      },
    );
    return () => {
      gone = true;
    };
  }, [ecgId, tries]);
  return { wave: here?.wave ?? null, words: here && (here.problem?.words ?? t("noWaveform")) };
}

function DeviceClock({ ecg }: { ecg: Ecg | null }): JSX.Element | null {
  const offset = ecg?.device_offset_s ?? null;
  if (offset === null || Math.round(offset) === 0) return null;
  const sign = offset < 0 ? "−" : "+";
  return (
    <span class="muted num"> ({t("clockOffset", { n: `${sign}${Math.round(Math.abs(offset))} s` })})</span>
  );
}

interface ConclusionProps {
  ecgId: string;
  analysis: Analysis;
  row: Row | undefined;
}

/** The doctor's words on this ECG stand before the machine's. */
function Conclusion({ ecgId, analysis, row }: ConclusionProps): JSX.Element {
  const signed = signedOf(row, ecgId);
  const same = signed?.tier === analysis.tier;
  const version = analysis.version.rules;
  const lowered = analysis.findings.some((each) => each.downgraded_by.length + each.restored_by.length > 0);
  const evidence = evidenceOf(analysis.findings);
  const { rules } = useRules(lowered ? version : null);
  return (
    <section class="card conclusion" data-testid="conclusion">
      {signed && <SignedReading signed={signed} />}
      <h3>
        {t("conclusion")}{" "}
        {same ? (
          <span class="muted">{t("machineSaid")}</span>
        ) : (
          <span class="unconfirmed">{t("machine")}</span>
        )}{" "}
        <TierMark tier={analysis.tier} />
        {signed && !same && <span class="muted">{t("notAgreed")}</span>}
      </h3>
      {analysis.findings.length === 0 && <p class="headline">{t("noRule")}</p>}
      {analysis.findings.map((finding, index) => (
        <FindingView
          key={finding.id}
          finding={finding}
          evidence={evidence[index] ?? NO_EVIDENCE}
          version={version}
          rules={rules}
        />
      ))}
      <Quality analysis={analysis} row={row} />
      <Measurements analysis={analysis} />
      <p class="muted num">
        <a href={rulesHref(version)}>{t("rulesVersion", { ...analysis.version })}</a>
      </p>
    </section>
  );
}

const NO_EVIDENCE: FindingEvidence = { groups: [], sameAs: [] };

interface FindingProps {
  finding: Finding;
  evidence: FindingEvidence;
  version: string;
  rules: RuleSet | null;
}

function FindingView({ finding, evidence, version, rules }: FindingProps): JSX.Element {
  return (
    <div class="finding" data-testid={`finding-${finding.id}`}>
      <p class="headline">{gathered(say(finding))}</p>
      <p class="muted">
        {t("rule")} <RuleLink id={finding.id} version={version} />
        <Reasons text="downgraded" ids={finding.downgraded_by} version={version} rules={rules} />
        <Reasons text="restored" ids={finding.restored_by} version={version} rules={rules} />
      </p>
      <EvidenceList id={finding.id} version={version} {...evidence} />
    </div>
  );
}

interface ReasonsProps {
  text: "downgraded" | "restored";
  ids: string[];
  version: string;
  rules: RuleSet | null;
}

/** The text with each reason at its place as a link. */
function Reasons({ text, ids, version, rules }: ReasonsProps): JSX.Element | null {
  if (ids.length === 0) return null;
  const [before = "", after = ""] = t(text).split("{by}");
  return (
    <>
      {" · "}
      {before}
      {ids.map((id, index) => (
        <Fragment key={id}>
          {index > 0 && (lang.value === "zh" ? "、" : ", ")}
          <RuleLink id={id} version={version} rules={rules} />
        </Fragment>
      ))}
      {after}
    </>
  );
}

function Quality({ analysis, row }: { analysis: Analysis; row: Row | undefined }): JSX.Element | null {
  const { quality } = analysis;
  const again = row?.record_again;
  // What the clinic is asked to do says most of it already.
  const asked = again ? say(again) : "";
  const messages = quality.messages.map(messageText).filter((said) => said !== "" && !asked.includes(said));
  if (quality.acceptable && quality.bad_leads.length === 0 && messages.length === 0 && !again) return null;
  return (
    <div class="quality">
      <b>
        ↻ {t("quality")}
        {!quality.acceptable && `: ${t("qualityPoor")}`}
      </b>
      {quality.bad_leads.length > 0 && <p>{t("badLeads", { leads: quality.bad_leads.join(" ") })}</p>}
      {again && <p>{gathered(asked)}</p>}
      {messages.length > 0 && <p>{gathered(messages.join(lang.value === "zh" ? ";" : "; "))}</p>}
    </div>
  );
}

/** A message comes as text or in both languages. */
function messageText(message: unknown): string {
  if (typeof message === "string") return message;
  const both = message as { zh?: string; en?: string };
  return both[lang.value] ?? "";
}

const MEASURES: readonly (readonly [name: string, keyof Omit<Analysis["measurements"], "leads">])[] = [
  ["HR", "heart_rate_bpm"],
  ["PR", "pr_ms"],
  ["QRS", "qrs_ms"],
  ["QT", "qt_ms"],
  ["QTcF", "qtc_fridericia_ms"],
  ["axis", "axis_deg"],
  ["rhythm", "rhythm"],
];
const NAMED: Record<string, TextKey> = { HR: "heartRate", axis: "axis", rhythm: "rhythm" };
/** Rhythm words of the measurements; others are shown as they come. */
const RHYTHMS: Record<string, readonly [string, string]> = {
  sinus: ["窦性", "sinus"],
  atrial_fibrillation: ["心房颤动", "atrial fibrillation"],
  atrial_flutter: ["心房扑动", "atrial flutter"],
  paced: ["起搏", "paced"],
  unknown: ["未知", "unknown"],
};

function Measurements({ analysis }: { analysis: Analysis }): JSX.Element {
  return (
    <dl class="measures" aria-label={t("measurements")}>
      {MEASURES.map(([name, key]) => {
        const value = analysis.measurements?.[key] ?? null;
        const rhythm = typeof value === "string" ? RHYTHMS[value] : undefined;
        const shown = typeof value === "number" ? quantity(key, value) : rhythm ? pairText(rhythm) : value;
        return (
          <div key={name}>
            <dt>{NAMED[name] ? t(NAMED[name]) : name}</dt>
            <dd class="num">{shown ?? t("unknown")}</dd>
          </div>
        );
      })}
    </dl>
  );
}
