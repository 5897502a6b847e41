/** Why something that was sent did not become an ECG, in words. */
import { t } from "../texts";
import { Problem } from "./api";
import { dateTime, patientWords } from "./format";
import { type Kept, SENT_BEFORE } from "./outbox";

/** What was entered of a patient, as a line names them. */
export const enteredWords = ({ fields }: Kept): string =>
  patientWords(fields.age === undefined ? null : Number(fields.age), fields.sex ?? null);

const asText = (value: unknown): string | null => (typeof value === "string" ? value : null);

/** Null where nothing was refused. */
export function refusalOf(one: Kept): Pick<Problem, "words" | "details"> | null {
  if (one.refused === null) return null;
  const { status, code, said } = one.refused;
  if (code !== SENT_BEFORE) return new Problem(status, code, said);
  const at = asText(said.at);
  const age_years = typeof said.age_years === "number" ? said.age_years : null;
  const words = t(one.caseId === null ? "sentBefore" : "sentBeforeAgain", {
    at: at === null ? t("sentEarlier") : dateTime(at),
    who: patientWords(age_years, asText(said.sex)),
    now: enteredWords(one),
  });
  return { words, details: "" };
}
