/** Why something that was sent did not become an ECG, in words. */
import { type TextKey, t } from "../texts";
import { Problem } from "./api";
import { dateTime, patientWords } from "./format";
import { type Kept, SENT_BEFORE } from "./outbox";

/** What was entered of a patient, as a line names them. */
export const enteredWords = ({ fields }: Kept): string =>
  patientWords(fields.age === undefined ? null : Number(fields.age), fields.sex ?? null);

const asText = (value: unknown): string | null => (typeof value === "string" ? value : null);

/** What the page calls the fields of the service. */
const FIELDS: Readonly<Record<string, TextKey>> = {
  age: "age",
  sex: "sex",
  chest_pain: "chestPain",
  onset_at: "onset",
  name: "patientNameOptional",
  patient_ref: "patientRef",
  callback_phone: "callbackOptional",
  electrode_set: "electrodes",
};

export const fieldWords = (name: string): string => {
  const key = FIELDS[name];
  return key === undefined ? name : t(key);
};

/** What of an ECG that was taken could not be kept. */
export const droppedWords = (names: readonly string[]): string =>
  t("dropped", { fields: names.map(fieldWords).join("、") });

/** Null where nothing was refused. */
export function refusalOf(one: Kept): Pick<Problem, "words" | "details"> | null {
  if (one.refused === null) return null;
  const { status, code, said } = one.refused;
  if (code === "drill_case") return { words: t("refusedDrill"), details: "" };
  const field = asText(said.expected)?.split(":")[0];
  if (code === "bad_field" && field !== undefined) {
    const problem = new Problem(status, code, said);
    return {
      words: `${t("problemRefused")} ${t("fieldRefused", { field: fieldWords(field) })}`,
      details: problem.details,
    };
  }
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

export type Fault = "faultAge" | "faultOnset" | "faultPhone";
const AHEAD_MS = 5 * 60_000;
const DIALLED = /\d{5}/;

/** What is wrong with a field as it stands, by its name; a number that nobody can dial is told, and hinders nothing. */
export function faultsOf(fields: Readonly<Record<string, string>>, nowMs: number): Record<string, Fault> {
  const found: Record<string, Fault> = {};
  const { age, onset_at, callback_phone } = fields;
  if (age !== undefined && !(Number(age) >= 0 && Number(age) <= 130)) found.age = "faultAge";
  if (onset_at !== undefined && Date.parse(onset_at) > nowMs + AHEAD_MS) found.onset_at = "faultOnset";
  if (callback_phone !== undefined && !DIALLED.test(callback_phone.replace(/[\s-]/g, "")))
    found.callback_phone = "faultPhone";
  return found;
}
