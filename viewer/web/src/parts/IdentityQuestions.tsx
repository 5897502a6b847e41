/** Whose is this ECG? What the service asks, until a person who looked says so. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { identityChecked } from "../state/acts";
import { dateTime } from "../state/format";
import { lang } from "../state/prefs";
import { may, me } from "../state/session";
import { type TextKey, t } from "../texts";
import type { Row } from "../wire";
import { Act } from "./bits";

const NOTE_LENGTH = 500;

export function IdentityQuestions({ row }: { row: Row }): JSX.Element | null {
  const asked = row.identity_conflicts.length + row.patient_doubts.length > 0;
  const check = row.identity_checked;
  if (!asked) {
    if (!check) return null;
    const words = { who: check.name ?? check.person, at: dateTime(check.at), note: check.note };
    return (
      <p class="muted" data-testid="identity-checked">
        ✓ {t("identityCheckedBy", words)}
      </p>
    );
  }
  return (
    <section class="conflict" role="alert">
      <Conflicts row={row} />
      <ImagesOfOthers row={row} />
      {row.patient_doubts.map((each) => (
        <div key={each.ecg_id} data-testid="patient-doubt">
          <h2>▲ {t("patientDoubtText")}</h2>
          <p class="conflict-links">
            <EcgLink id={each.ecg_id} words={t("patientDoubtThis")} />
            <EcgLink id={each.own_ecg_id} words={t("patientDoubtOwn")} />
            <EcgLink id={each.like_ecg_id} words={t("patientDoubtLike")} />
            <span class="muted num">{dateTime(each.at)}</span>
          </p>
        </div>
      ))}
      {may("checkIdentity", me.value?.user.role) && <Checked caseId={row.case_id} />}
    </section>
  );
}

function Conflicts({ row }: { row: Row }): JSX.Element | null {
  const asked = row.identity_conflicts.filter((each) => each.existing_ecg_id !== null);
  if (asked.length === 0) return null;
  const others = new Set(asked.flatMap((each) => each.existing_ecg_id ?? []));
  return (
    <div data-testid="identity-conflict">
      <h2>▲ {t("identityConflictText")}</h2>
      <p class="conflict-links">
        {[...others].map((ecgId) => (
          <EcgLink key={ecgId} id={ecgId} words={t("identityConflictEcg")} />
        ))}
        <span class="muted num">{dateTime(asked.at(-1)?.at)}</span>
      </p>
    </div>
  );
}

function ImagesOfOthers({ row }: { row: Row }): JSX.Element | null {
  const asked = row.identity_conflicts.filter((each) => each.study_uid);
  if (asked.length === 0) return null;
  const studies = new Set(asked.flatMap((each) => each.study_uid ?? []));
  const differs = [...new Set(asked.flatMap((each) => each.differs ?? []))];
  const comma = lang.value === "zh" ? "、" : ", ";
  const what = differs.map((one) => t(`differs_${one}` as TextKey)).join(comma);
  const refused = asked.some((each) => (each.differs ?? []).length === 0);
  return (
    <div data-testid="images-of-others">
      {differs.length > 0 && <h2>▲ {t("imagesDiffer", { what })}</h2>}
      {refused && <h2>▲ {t("imagesRefused")}</h2>}
      <p class="conflict-links">
        {[...studies].map((uid) => (
          <a key={uid} class="act act-link" href={`/study/${encodeURIComponent(uid)}`}>
            {t("imagesOfOthersStudy")} ▸
          </a>
        ))}
        <span class="muted num">{dateTime(asked.at(-1)?.at)}</span>
      </p>
    </div>
  );
}

const EcgLink = ({ id, words }: { id: string; words: string }): JSX.Element => (
  <a class="act act-link" href={`/ecg/${encodeURIComponent(id)}`}>
    {words} ▸
  </a>
);

function Checked({ caseId }: { caseId: string }): JSX.Element {
  const [note, setNote] = useState("");
  return (
    <p class="conflict-links">
      <input
        value={note}
        placeholder={t("identityCheckNote")}
        aria-label={t("identityCheckNote")}
        maxLength={NOTE_LENGTH}
        data-testid="identity-note"
        onInput={(event) => setNote(event.currentTarget.value)}
      />
      <Act
        name={`identity ${caseId}`}
        testid="identity-check"
        disabled={note.trim() === ""}
        run={() => identityChecked(caseId, note.trim())}
      >
        {t("identityChecked")}
      </Act>
    </p>
  );
}
