/** The doctor's reading: agree, amend or disagree, with advice to the clinic. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { signReading } from "../state/acts";
import { lang } from "../state/prefs";
import { say, type TextKey, t } from "../texts";
import type { Analysis, Row, Tier } from "../wire";
import { Act, signedTierWord } from "./bits";

const CHIPS: readonly TextKey[] = [
  "chipRest",
  "chipOxygen",
  "chipLine",
  "chipAspirin",
  "chipTransfer",
  "chipRepeat",
  "chipExtra",
];
const TIERS: readonly Tier[] = ["ACT", "CRIT", "URG", "FLAG", "REC", "NONE"];
/** Until the doctor says otherwise a paper ECG stays as urgent as it came. */
const PAPER_TIER: Tier = "URG";
type Mode = "agree" | "amend" | "disagree";

interface Props {
  ecgId: string;
  /** Null for a paper ECG: there is nothing to agree with. */
  analysis: Analysis | null;
  row: Row;
}

/** The machine's words as a draft; the doctor's name makes them a reading. */
const draftOf = (analysis: Analysis | null): string =>
  analysis === null
    ? ""
    : analysis.findings.length === 0
      ? t("noRule")
      : analysis.findings.map(say).join(lang.value === "zh" ? ";" : "; ");

export function SignForm({ ecgId, analysis, row }: Props): JSX.Element {
  const first: Mode = analysis ? "agree" : "disagree";
  const [mode, setMode] = useState<Mode>(first);
  const [text, setText] = useState("");
  const [tier, setTier] = useState<Tier>(analysis?.tier ?? PAPER_TIER);
  const [advice, setAdvice] = useState("");
  const edit = (next: Mode): void => {
    setMode(next);
    setText(next === "amend" ? (row.reading?.text ?? draftOf(analysis)) : "");
    setTier(next === "amend" && analysis ? analysis.tier : "NONE");
  };
  const sign = async (): Promise<void> => {
    const agreed = mode === "agree" && analysis !== null;
    const reading = {
      text: agreed ? draftOf(analysis) : text.trim(),
      tier: agreed ? analysis.tier : tier,
      advice: advice.trim() || null,
    };
    if (await signReading(ecgId, reading)) {
      setMode(first);
      setText("");
      setAdvice("");
    }
  };
  return (
    <section class="card sign" data-testid="sign-form">
      {mode !== "agree" && (
        <>
          <label>
            {t("signText")}
            <textarea
              rows={3}
              value={text}
              data-testid="sign-text"
              onInput={(event) => setText(event.currentTarget.value)}
            />
          </label>
          <label>
            {t("signTier")}
            <select
              value={tier}
              data-testid="sign-tier"
              onChange={(e) => setTier(e.currentTarget.value as Tier)}
            >
              {TIERS.map((each) => (
                <option key={each} value={each}>
                  {each} {signedTierWord(each)}
                </option>
              ))}
            </select>
          </label>
        </>
      )}
      <label>
        {t("adviceFor")}
        <textarea
          rows={2}
          value={advice}
          data-testid="sign-advice"
          onInput={(event) => setAdvice(event.currentTarget.value)}
        />
      </label>
      <div class="chips">
        {CHIPS.map((chip) => (
          <button
            type="button"
            key={chip}
            class="chip"
            onClick={() =>
              setAdvice((said) => (said ? `${said}${lang.value === "zh" ? ";" : "; "}${t(chip)}` : t(chip)))
            }
          >
            + {t(chip)}
          </button>
        ))}
      </div>
      <div class="acts">
        {mode === "agree" ? (
          <>
            <Act name={`reading ${ecgId}`} kind="strong" testid="sign-agree" run={sign}>
              {t("agree")}
            </Act>
            <Act name="amend" testid="sign-amend" run={() => edit("amend")}>
              {t("amend")}
            </Act>
            <Act name="disagree" testid="sign-disagree" run={() => edit("disagree")}>
              {t("disagree")}
            </Act>
          </>
        ) : (
          <>
            <Act
              name={`reading ${ecgId}`}
              kind="strong"
              testid="sign-send"
              disabled={text.trim() === ""}
              run={sign}
            >
              {t("sign")}
            </Act>
            {analysis && (
              <Act name="cancel" run={() => setMode("agree")}>
                {t("cancel")}
              </Act>
            )}
          </>
        )}
      </div>
    </section>
  );
}
