/** Enter a time by hand, or correct one: with what it was where it has a code, by the day where nobody knows the hour. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { type Day, newKey, recordMilestone } from "../state/acts";
import { clock } from "../state/clock";
import { fromLocalInput, toLocalInput } from "../state/format";
import { me } from "../state/session";
import { say, t } from "../texts";
import type { Milestone } from "../wire";
import type { Form, Forms } from "../wireCare";
import { Act, Section } from "./bits";

interface Props {
  caseId: string;
  milestones: Milestone[];
  forms: Forms;
  /** What is chosen to begin with. */
  start?: string;
}

interface Fields {
  which: string;
  when: string;
  /** The day, and perhaps the part of it, where the hour is not known. */
  day: { date: string; zone: string } | null;
  code: string;
  repeat: string;
  note: string;
  /** Made by the form, so that sending it again after a broken line changes nothing. */
  key: string;
}

const localNow = (): string => toLocalInput(clock.now(performance.now()) ?? Date.now());

const fresh = (which: string): Fields => ({
  which,
  when: localNow(),
  day: null,
  code: "",
  repeat: "1",
  note: "",
  key: newKey(),
});

export function EnterMilestone({ caseId, milestones, forms, start = "" }: Props): JSX.Element | null {
  const [fields, setFields] = useState(() => fresh(start));
  const [saved, setSaved] = useState(false);
  if (forms.milestones.length === 0) return null;
  const source = me.value?.user.role ?? "";
  const form = forms.milestones.find((one) => one.id === fields.which);
  const set = (change: Partial<Fields>): void => setFields({ ...fields, ...change });
  const repeats = form?.key ?? null;
  const held = milestones.find((m) => m.id === fields.which && (repeats === null || m.key === fields.repeat));
  const corrects = held?.values.some((value) => value.source === source) ?? false;
  const at = whenSaid(fields);
  const save = async (): Promise<void> => {
    if (at === null) return;
    const value = {
      milestone: fields.which,
      at,
      source,
      ...(repeats !== null && { key: fields.repeat.trim() }),
      ...(fields.note.trim() && { note: fields.note.trim() }),
      ...(fields.code && { code: fields.code }),
    };
    if (!(await recordMilestone(caseId, fields.key, value))) return;
    setFields(fresh(""));
    setSaved(true);
  };
  return (
    <Section title={t("enterMilestone")} acts>
      <form class="form" onSubmit={(event) => event.preventDefault()}>
        <label>
          {t("which")}
          <select
            value={fields.which}
            data-testid="milestone-which"
            onChange={(event) => {
              setFields(fresh(event.currentTarget.value));
              setSaved(false);
            }}
          >
            <option value="">—</option>
            {forms.milestones.map((each) => (
              <option key={each.id} value={each.id}>
                {say(each)}
              </option>
            ))}
          </select>
        </label>
        <When fields={fields} form={form} zones={forms.day_zones} set={set} />
        {form && form.codes.length > 0 && (
          <label>
            {t("whatWas")}
            <select
              value={fields.code}
              data-testid="milestone-code"
              onChange={(event) => set({ code: event.currentTarget.value })}
            >
              <option value="">—</option>
              {form.codes.map((code) => (
                <option key={code.id} value={code.id}>
                  {say(code)}
                </option>
              ))}
            </select>
          </label>
        )}
        {repeats !== null && (
          <label>
            {repeats === "dose" ? t("keyDose") : t("keyPerson")}
            <input
              value={fields.repeat}
              data-testid="milestone-key"
              onInput={(event) => set({ repeat: event.currentTarget.value })}
            />
          </label>
        )}
        <label>
          {corrects ? t("noteRequired") : t("note")}
          <input
            value={fields.note}
            data-testid="milestone-note"
            onInput={(event) => set({ note: event.currentTarget.value })}
          />
        </label>
        <Act
          name={`milestone ${fields.key}`}
          kind="strong"
          testid="milestone-save"
          disabled={
            fields.which === "" ||
            at === null ||
            (repeats !== null && fields.repeat.trim() === "") ||
            (corrects && fields.note.trim() === "")
          }
          run={save}
        >
          {t("save")}
        </Act>
        {saved && <span role="status">✓ {t("saved")}</span>}
      </form>
    </Section>
  );
}

/** What the form says of the time; null while it says nothing. */
function whenSaid({ when, day }: Fields): string | Day | null {
  if (day === null) return when === "" ? null : fromLocalInput(when);
  if (day.date === "") return null;
  return day.zone === "" ? { date: day.date } : day;
}

interface WhenProps {
  fields: Fields;
  form: Form | undefined;
  zones: string[];
  set: (change: Partial<Fields>) => void;
}

function When({ fields, form, zones, set }: WhenProps): JSX.Element {
  const { day } = fields;
  return (
    <>
      {day === null ? (
        <label>
          {t("when")}
          <input
            type="datetime-local"
            step="1"
            value={fields.when}
            data-testid="milestone-when"
            onInput={(event) => set({ when: event.currentTarget.value })}
          />
        </label>
      ) : (
        <>
          <label>
            {t("whenDay")}
            <input
              type="date"
              value={day.date}
              data-testid="milestone-day"
              onInput={(event) => set({ day: { ...day, date: event.currentTarget.value } })}
            />
          </label>
          <label>
            {t("whenZone")}
            <select
              value={day.zone}
              data-testid="milestone-zone"
              onChange={(event) => set({ day: { ...day, zone: event.currentTarget.value } })}
            >
              <option value="">{t("unknown")}</option>
              {zones.map((zone) => (
                <option key={zone} value={zone}>
                  {t("whenHours", { zone })}
                </option>
              ))}
            </select>
          </label>
        </>
      )}
      {form?.day_told && (
        <label class="tick">
          <input
            type="checkbox"
            checked={day !== null}
            data-testid="milestone-by-day"
            onChange={() => set({ day: day === null ? { date: localNow().slice(0, 10), zone: "" } : null })}
          />
          {t("whenByDay")}
        </label>
      )}
    </>
  );
}
