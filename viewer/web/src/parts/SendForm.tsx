/** Send one ECG: a file, four fields, one big button. The file stays chosen until the service has it. */
import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { trouble } from "../state/acts";
import { call, Problem } from "../state/api";
import { fromLocalInput, timeOfDay } from "../state/format";
import { me } from "../state/session";
import { t } from "../texts";
import { Section } from "./bits";

interface Sent {
  ecg_id: string;
  case_id: string;
  duplicate: boolean;
}

type State =
  | { kind: "ready" }
  | { kind: "sending" }
  | { kind: "failed" }
  | { kind: "sent"; at: string; duplicate: boolean };

export function SendForm({ onSent }: { onSent: (caseId: string) => void }): JSX.Element {
  const form = useRef<HTMLFormElement>(null);
  const [state, setState] = useState<State>({ kind: "ready" });
  const send = async (): Promise<void> => {
    const element = form.current;
    if (!element || state.kind === "sending") return;
    setState({ kind: "sending" });
    try {
      const sent = await call<Sent>("POST", "/ecgs", { body: fields(new FormData(element)) });
      trouble.value = null;
      setState({ kind: "sent", at: new Date().toISOString(), duplicate: sent.duplicate });
      element.reset();
      onSent(sent.case_id);
    } catch (failure) {
      if (!(failure instanceof Problem)) throw failure;
      trouble.value = failure.words;
      setState({ kind: "failed" });
    }
  };
  return (
    <Section title={t("clinicTitle")}>
      <form
        ref={form}
        class="form send-form"
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <label class="file">
          {t("chooseFile")}
          <input type="file" name="file" multiple required data-testid="send-file" />
        </label>
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
        <button
          type="submit"
          class="act act-strong act-big"
          disabled={state.kind === "sending"}
          data-testid="send"
        >
          {state.kind === "sending" ? t("sending") : t("send")}
        </button>
        <p role="status" data-testid="send-state">
          {state.kind === "sent" && `✓ ${t("stateReceived")} ${timeOfDay(state.at)}`}
          {state.kind === "sent" && state.duplicate && ` ${t("sentDuplicate")}`}
          {state.kind === "failed" && t("fileKept")}
        </p>
      </form>
    </Section>
  );
}

/** A field left empty is unknown and is not sent. */
function fields(data: FormData): FormData {
  const out = new FormData();
  for (const [name, value] of data) {
    if (value === "") continue;
    out.append(name, name === "onset_at" && typeof value === "string" ? fromLocalInput(value) : value);
  }
  const site = me.value?.user.sites?.[0];
  if (site !== undefined) out.append("site", site);
  return out;
}
