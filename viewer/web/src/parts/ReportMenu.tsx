/** The report as a PDF, and the trace on the browser's printer; both in true size. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Waveform } from "../paper/waveform";
import { offerSheet } from "../print/printing";
import { type SheetWords, sheetSvg } from "../print/sheet";
import { dateTime, patientLine, siteName } from "../state/format";
import { lang } from "../state/prefs";
import { may, me } from "../state/session";
import "../styles/print.css";
import "../styles/sign.css";
import { say, t, tierWord } from "../texts";
import type { Analysis, Row } from "../wire";
import { signedLine } from "./SignedReading";

const FORMS = ["auto", "3x4+1R", "6x2", "12x1", "18", "cabrera"] as const;

interface Props {
  ecgId: string;
  row: Row;
  wave: Waveform | null;
  analysis: Analysis | null;
}

export function ReportMenu({ ecgId, row, wave, analysis }: Props): JSX.Element {
  const [form, setForm] = useState<string>("auto");
  const [paper, setPaper] = useState("landscape");
  const [named, setNamed] = useState(true);
  const role = me.value?.user.role;
  useEffect(
    () => (wave ? offerSheet(() => sheetSvg(wave, wordsOf(row, ecgId, wave, analysis))) : undefined),
    [wave, row, ecgId, analysis],
  );
  const asked = new URLSearchParams({ lang: lang.value, form, paper, named: String(named) });
  return (
    <details class="card report" data-testid="report">
      <summary>{t("report")}</summary>
      <div class="report-fields">
        <label>
          {t("reportForm")}
          <select value={form} data-testid="report-form" onChange={(e) => setForm(e.currentTarget.value)}>
            {FORMS.map((each) => (
              <option key={each} value={each}>
                {formName(each)}
              </option>
            ))}
          </select>
        </label>
        <label>
          {t("reportPage")}
          <select value={paper} onChange={(e) => setPaper(e.currentTarget.value)}>
            <option value="landscape">{t("reportLandscape")}</option>
            <option value="portrait">{t("reportPortrait")}</option>
          </select>
        </label>
        {may("names", role) && (
          <label class="sign-check">
            <input type="checkbox" checked={named} onChange={(e) => setNamed(e.currentTarget.checked)} />
            {t("reportName")}
          </label>
        )}
      </div>
      <div class="acts">
        <a
          class="act act-strong"
          target="_blank"
          rel="noopener"
          data-testid="report-open"
          href={`/api/v1/ecgs/${encodeURIComponent(ecgId)}/report?${asked}`}
        >
          {t("reportOpen")}
        </a>
        {wave && (
          <button type="button" class="act act-plain" data-testid="report-print" onClick={() => print()}>
            {t("reportPrint")}
          </button>
        )}
      </div>
    </details>
  );
}

function formName(form: (typeof FORMS)[number]): string {
  const names: Record<string, string> = {
    auto: t("reportAuto"),
    "3x4+1R": "3×4+II",
    "6x2": "6×2",
    "12x1": "12×1",
    "18": "18",
    cabrera: "Cabrera",
  };
  return names[form] ?? form;
}

/** No name of a patient: what the page's head says, whose words the conclusion is, and the scale. */
function wordsOf(row: Row, ecgId: string, wave: Waveform, analysis: Analysis | null): SheetWords {
  const summary = row.ecgs.find((ecg) => ecg.ecg_id === ecgId);
  const lines = [
    `${patientLine(row)} · ${siteName(row)} · ${t("printReceived", { at: dateTime(summary?.received_at) })} · ${ecgId}`,
    signedLine(row, ecgId),
  ];
  if (analysis) {
    const said = analysis.findings.map(say).join(lang.value === "zh" ? ";" : "; ");
    lines.push(`${t("machine")}: ${tierWord(analysis.tier)} ${said || t("noRule")}`);
  }
  return {
    title: t("printTitle"),
    lines: lines.flatMap((line) => broken(line, lang.value === "zh" ? 78 : 150)),
    more: t("printMore"),
    foot: t("printFoot", { rate: wave.rateHz, s: Math.min(10, wave.durationS).toFixed(1) }),
    check: t("printCheck"),
  };
}

/** Lines of at most so many letters. */
function broken(said: string, most: number): string[] {
  const parts: string[] = [];
  for (let i = 0; i < said.length; i += most) parts.push(said.slice(i, i + most));
  return parts;
}
