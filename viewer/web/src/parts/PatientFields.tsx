/** What is known of a new patient: age and sex, chest pain, onset; each may stay unknown. */
import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { clock } from "../state/clock";
import { toLocalInput } from "../state/format";
import type { Fault } from "../state/refusal";
import { type TextKey, t } from "../texts";

type Fields = Readonly<Record<string, string>>;

/** Minutes before now that most onsets are told in. */
const ONSETS_MIN = [0, 30, 60, 120] as const;

export function PatientFields(props: {
  fields: Fields;
  faults: Readonly<Record<string, Fault>>;
  children: ComponentChildren;
}): JSX.Element {
  const { fields, faults } = props;
  const more = ["patient_ref", "name", "callback_phone", "electrode_set"].some((name) => name in fields);
  return (
    <>
      <div class="who">
        <label>
          {t("age")}
          <input
            type="number"
            name="age"
            min="0"
            max="130"
            inputMode="numeric"
            defaultValue={fields.age}
            aria-invalid={faults.age !== undefined}
            data-testid="send-age"
          />
          <FaultLine of="age" faults={faults} />
        </label>
        <Choice
          name="sex"
          legend="sex"
          chosen={fields.sex}
          options={[
            ["male", "male"],
            ["female", "female"],
          ]}
        />
      </div>
      <Choice
        name="chest_pain"
        legend="chestPain"
        chosen={fields.chest_pain}
        options={[
          ["yes", "yes"],
          ["no", "no"],
        ]}
      />
      <Onset said={fields.onset_at} />
      <FaultLine of="onset_at" faults={faults} />
      <details open={more} class="whole">
        <summary>{t("moreFields")}</summary>
        <div class="form">
          <label>
            {t("patientNameOptional")}
            <input
              name="name"
              maxLength={100}
              autocomplete="off"
              defaultValue={fields.name}
              data-testid="send-name"
            />
          </label>
          <label>
            {t("patientRef")}
            <input
              name="patient_ref"
              maxLength={64}
              autocomplete="off"
              defaultValue={fields.patient_ref}
              data-testid="send-ref"
            />
          </label>
          <label>
            {t("callbackOptional")}
            <input
              type="tel"
              name="callback_phone"
              maxLength={64}
              aria-invalid={faults.callback_phone !== undefined}
              autocomplete="off"
              defaultValue={fields.callback_phone}
              data-testid="send-callback"
            />
            <FaultLine of="callback_phone" faults={faults} />
          </label>
          {props.children}
        </div>
      </details>
    </>
  );
}

/** Beside the field, while it is typed. */
function FaultLine(props: { of: string; faults: Readonly<Record<string, Fault>> }): JSX.Element | null {
  const fault = props.faults[props.of];
  if (fault === undefined) return null;
  return (
    <span class="field-fault" role="status" data-testid={`fault-${props.of}`}>
      ! {t(fault)}
    </span>
  );
}

interface ChoiceProps {
  name: string;
  legend: TextKey;
  options: readonly (readonly [value: string, word: TextKey])[];
  chosen: string | undefined;
}

/** Large buttons side by side; "unknown" is one of them and stands until something else is known. */
function Choice({ name, legend, options, chosen = "" }: ChoiceProps): JSX.Element {
  return (
    <fieldset class="choose">
      <legend>{t(legend)}</legend>
      {[...options, ["", "notKnown"] as const].map(([value, word]) => (
        <label key={value}>
          <input
            type="radio"
            name={name}
            value={value}
            defaultChecked={value === chosen}
            data-testid={`send-${name}-${value || "unknown"}`}
          />
          <span>{t(word)}</span>
        </label>
      ))}
    </fieldset>
  );
}

/** As people tell it: just now, an hour ago; or the time itself; or not known. */
function Onset({ said }: { said: string | undefined }): JSX.Element {
  const [how, setHow] = useState<number | "other" | "unknown">(said ? "other" : "unknown");
  const [at, setAt] = useState(said ? toLocalInput(Date.parse(said)).slice(0, 16) : "");
  const choose = (which: typeof how): void => {
    setHow(which);
    const nowMs = clock.now(performance.now()) ?? Date.now();
    if (typeof which === "number") setAt(toLocalInput(nowMs - which * 60_000).slice(0, 16));
    if (which === "unknown") setAt("");
  };
  const word = (which: number): string => {
    if (which === 0) return t("onsetNow");
    return which < 60 ? t("onsetBefore", { n: which }) : t("onsetHours", { n: which / 60 });
  };
  return (
    <fieldset class="choose">
      <legend>{t("onset")}</legend>
      {[...ONSETS_MIN, "other" as const, "unknown" as const].map((which) => (
        <label key={which}>
          <input
            type="radio"
            name="onset_how"
            value={String(which)}
            checked={how === which}
            data-testid={`send-onset-${which}`}
            onChange={() => choose(which)}
          />
          <span>
            {typeof which === "number" ? word(which) : t(which === "other" ? "onsetOther" : "onsetOpen")}
          </span>
        </label>
      ))}
      {how === "unknown" ? null : (
        <input
          class="whole"
          type="datetime-local"
          name="onset_at"
          aria-label={t("onset")}
          value={at}
          data-testid="send-onset"
          onInput={(event) => {
            setAt(event.currentTarget.value);
            setHow("other");
          }}
        />
      )}
    </fieldset>
  );
}
