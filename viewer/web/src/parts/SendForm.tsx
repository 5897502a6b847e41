/** Send one ECG: a file, a few fields, one big button. The file stays chosen until the service has it. */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { trouble } from "../state/acts";
import { call, Problem } from "../state/api";
import { clock } from "../state/clock";
import { fromLocalInput, hourMinute, patientLine, timeOfDay } from "../state/format";
import { rows } from "../state/live";
import { me } from "../state/session";
import { type TextKey, t } from "../texts";
import type { Row } from "../wire";
import { Section } from "./bits";

interface Sent {
  ecg_id: string;
  case_id: string;
  duplicate: boolean;
}

type State =
  | { kind: "ready" }
  | { kind: "sending" }
  | { kind: "failed"; retryable: boolean }
  | { kind: "sent"; sent: Sent; at: string | null };

/** Where the chest cables sat, as the service names it. */
const ELECTRODES: readonly (readonly [string, TextKey])[] = [
  ["standard", "electrodesStandard"],
  ["right", "electrodesRight"],
  ["posterior", "electrodesPosterior"],
  ["posterior_right", "electrodesBoth"],
];

interface Props {
  /** The case that the ECG belongs to; null for a new patient. */
  into: Row | null;
  leave: () => void;
  onSent: (caseId: string) => void;
}

export function SendForm({ into, leave, onSent }: Props): JSX.Element {
  const form = useRef<HTMLFormElement>(null);
  const [state, setState] = useState<State>({ kind: "ready" });
  const caseId = into?.case_id ?? null;
  useEffect(() => {
    if (caseId === null) return;
    setState({ kind: "ready" });
    form.current?.scrollIntoView({ block: "center" });
    form.current?.querySelector<HTMLElement>("input[type=file]")?.focus();
  }, [caseId]);
  const send = async (): Promise<void> => {
    const element = form.current;
    if (!element || state.kind === "sending") return;
    setState({ kind: "sending" });
    const site = me.value?.user.sites?.[0];
    try {
      const body = sendFields(new FormData(element), { site, case_id: caseId ?? undefined });
      const sent = await call<Sent>("POST", "/ecgs", { body });
      trouble.value = null;
      setState({ kind: "sent", sent, at: serverNow() });
      element.reset();
      onSent(sent.case_id);
    } catch (failure) {
      if (!(failure instanceof Problem)) throw failure;
      trouble.value = failure;
      setState({ kind: "failed", retryable: failure.retryable });
    }
  };
  return (
    <Section title={into ? t("againFor", whoOf(into)) : t("sendNew")}>
      <form
        ref={form}
        class="form send-form"
        data-case={caseId ?? ""}
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <label class="file">
          {t("chooseFile")}
          <input type="file" name="file" multiple required data-testid="send-file" />
        </label>
        <label class="file">
          {t("electrodes")}
          <select name="electrode_set" data-testid="send-electrodes">
            {ELECTRODES.map(([id, name]) => (
              <option key={id} value={id === "standard" ? "" : id}>
                {t(name)}
              </option>
            ))}
          </select>
        </label>
        {into === null && <PatientFields />}
        <button
          type="submit"
          class="act act-strong act-big"
          disabled={state.kind === "sending"}
          data-testid="send"
        >
          {state.kind === "sending" ? t("sending") : t("send")}
        </button>
        {into && (
          <button type="button" class="act act-plain" data-testid="send-new" onClick={leave}>
            {t("againNew")}
          </button>
        )}
        <p role="status" data-testid="send-state">
          {state.kind === "sent" &&
            `✓ ${t("stateReceived")} ${timeOfDay(receivedAt(state.sent) ?? state.at)}`}
          {state.kind === "sent" && state.sent.duplicate && ` ${t("sentDuplicate")}`}
          {state.kind === "failed" && (state.retryable ? t("fileKept") : t("fileOther"))}
        </p>
      </form>
    </Section>
  );
}

const whoOf = (row: Row): { who: string; at: string } => ({
  who: patientLine(row),
  at: hourMinute(row.opened_at),
});

/** What is known of a new patient; every field may stay empty. */
function PatientFields(): JSX.Element {
  return (
    <>
      <label>
        {t("age")}
        <input type="number" name="age" min="0" max="130" inputMode="numeric" data-testid="send-age" />
      </label>
      <label>
        {t("sex")}
        <select name="sex" data-testid="send-sex">
          <option value="">{t("notKnown")}</option>
          <option value="male">{t("male")}</option>
          <option value="female">{t("female")}</option>
        </select>
      </label>
      <label>
        {t("chestPain")}
        <select name="chest_pain" data-testid="send-chest-pain">
          <option value="">{t("notKnown")}</option>
          <option value="yes">{t("yes")}</option>
          <option value="no">{t("no")}</option>
        </select>
      </label>
      <label>
        {t("onset")}
        <input type="datetime-local" name="onset_at" data-testid="send-onset" />
      </label>
      <label>
        {t("patientRef")}
        <input name="patient_ref" maxLength={64} autocomplete="off" data-testid="send-ref" />
      </label>
      <label>
        {t("patientNameOptional")}
        <input name="name" maxLength={100} autocomplete="off" data-testid="send-name" />
      </label>
      <label class="file">
        {t("callbackOptional")}
        <input type="tel" name="callback_phone" autocomplete="off" data-testid="send-callback" />
      </label>
    </>
  );
}

/** The instant that the service gives; its clock where the row has not come yet. Never this device's own. */
const receivedAt = (sent: Sent): string | null =>
  rows.value.cases.get(sent.case_id)?.ecgs.find((ecg) => ecg.ecg_id === sent.ecg_id)?.received_at ?? null;

function serverNow(): string | null {
  const now = clock.now(performance.now());
  return now === null ? null : new Date(now).toISOString();
}

/** A field left empty is unknown and is not sent. */
export function sendFields(data: FormData, more: Record<string, string | undefined>): FormData {
  const out = new FormData();
  for (const [name, value] of data) {
    if (value === "") continue;
    out.append(name, name === "onset_at" && typeof value === "string" ? fromLocalInput(value) : value);
  }
  for (const [name, value] of Object.entries(more)) if (value !== undefined) out.append(name, value);
  return out;
}
