/** Send one ECG: a file, four fields, one big button. It is kept on this device before anything goes out. */
import type { JSX, TargetedEvent } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { trouble } from "../state/acts";
import { clock } from "../state/clock";
import { fromLocalInput, hourMinute, patientLine, timeOfDay } from "../state/format";
import { rows } from "../state/live";
import type { Kept, Sent } from "../state/outbox";
import { type Fault, faultsOf, fieldWords, refusalOf } from "../state/refusal";
import { type Draft, draftOf, keepAndSend, newDraftId, type Outcome } from "../state/waiting";
import { type TextKey, t } from "../texts";
import type { Row } from "../wire";
import { Section } from "./bits";
import { PatientFields } from "./PatientFields";

type State =
  | { kind: "fault"; field: string }
  | { kind: "ready" }
  | { kind: "sending" }
  | { kind: "noFile" }
  | Outcome;

/** Where the chest cables sat, as the service names it. */
const ELECTRODES: readonly (readonly [string, TextKey])[] = [
  ["standard", "electrodesStandard"],
  ["right", "electrodesRight"],
  ["posterior", "electrodesPosterior"],
  ["posterior_right", "electrodesBoth"],
];

interface Props {
  /** The case that the ECG belongs to; null for a new patient. */
  caseId: string | null;
  /** Its row, for the words; null where there is none. */
  into: Row | null;
  /** What the service did not take, to be put right; null for a new one. */
  fix: Kept | null;
  /** Somebody has begun to fill it in: from now on it stays, whatever arrives. */
  touched: () => void;
  /** The service did not take what is in the form; it stays there. */
  hold: (id: string) => void;
  /** Put right what was refused, or take it off its case. */
  putRight: (one: Kept) => void;
  /** The form is done with; what was in it may wait for the network. */
  leave: (waits: boolean) => void;
  onSent: (sent: Sent) => void;
}

export function SendForm({
  into,
  fix,
  touched,
  hold,
  putRight,
  leave,
  onSent,
  ...about
}: Props): JSX.Element {
  const form = useRef<HTMLFormElement>(null);
  const [draft, setDraft] = useState<Draft>(fix ? draftOf(fix) : blank);
  const [state, setState] = useState<State>({ kind: "ready" });
  const [faults, setFaults] = useState<Record<string, Fault>>({});
  const caseId = fix ? fix.caseId : about.caseId;
  useEffect(() => {
    if (caseId === null && fix === null) return;
    form.current?.scrollIntoView({ block: "center" });
    form.current?.querySelector<HTMLElement>("input[type=file]")?.focus();
  }, [caseId, fix]);
  const take = (files: FileList | null | undefined): void => {
    if (!files || files.length === 0 || state.kind === "sending") return;
    setDraft({ id: draft.id, caseId: draft.caseId, fields: draft.fields, files: [...files] });
    touched();
    // What was said of the file before does not stand beside the new one.
    if (state.kind === "refused" || state.kind === "unreadable") trouble.value = null;
    setState({ kind: "ready" });
  };
  const check = (): Record<string, Fault> => {
    const data = form.current ? sendFields(new FormData(form.current)) : {};
    const found = faultsOf(data, clock.now(performance.now()) ?? Date.now());
    setFaults(found);
    return found;
  };
  const send = async (): Promise<void> => {
    const element = form.current;
    if (!element || state.kind === "sending") return;
    if (draft.files.length === 0) return setState({ kind: "noFile" });
    const entered = sendFields(new FormData(element));
    const wrongField = Object.entries(check()).find(([, fault]) => fault !== "faultPhone")?.[0];
    if (wrongField !== undefined) {
      reach(element, wrongField);
      return setState({ kind: "fault", field: wrongField });
    }
    setState({ kind: "sending" });
    let outcome: Outcome;
    try {
      outcome = await keepAndSend({ ...draft, caseId, fields: entered });
    } catch (failure) {
      // Whatever it was: the form can be sent again.
      setState({ kind: "ready" });
      throw failure;
    }
    setState(outcome);
    trouble.value = outcome.kind === "refused" ? refusalOf(outcome.one) : null;
    if (outcome.kind === "refused") hold(draft.id);
    if (outcome.kind === "nowhere") setDraft({ ...draft, triedAt: outcome.triedAt });
    if (outcome.kind !== "sent" && outcome.kind !== "waiting") return;
    setDraft(blank());
    if (outcome.kind === "sent") onSent(outcome.sent);
    else leave(true);
  };
  const fields = fix?.fields ?? {};
  const wrong = state.kind === "refused" ? state.one : fix;
  return (
    <Section title={into ? t("againFor", whoOf(into)) : t("sendNew")}>
      <form
        ref={form}
        class="form send-form"
        data-case={caseId ?? ""}
        data-testid="send-form"
        noValidate
        onInput={() => {
          touched();
          check();
        }}
        onDragOver={(event) => event.preventDefault()}
        onDrop={(event) => {
          event.preventDefault();
          take(event.dataTransfer?.files);
        }}
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        {/* What would be typed while it goes out would be lost. */}
        <fieldset class="send-fields" disabled={state.kind === "sending"} data-testid="send-fields">
          <Files draft={draft} take={take} drop={() => setDraft({ ...draft, files: [] })} />
          {caseId === null ? (
            <PatientFields key={draft.id} fields={fields} faults={faults}>
              <Electrodes chosen={fields.electrode_set} />
            </PatientFields>
          ) : (
            <Electrodes key={draft.id} chosen={fields.electrode_set} />
          )}
        </fieldset>
        <button
          type="submit"
          class="act act-strong act-big send-big"
          disabled={state.kind === "sending"}
          data-testid="send"
        >
          {state.kind === "sending" ? t("sending") : t("send")}
        </button>
        {(caseId !== null || fix) && (
          <button type="button" class="act act-plain" data-testid="send-new" onClick={() => leave(false)}>
            {t(fix ? "cancel" : "againNew")}
          </button>
        )}
        {caseId !== null && wrong && (
          <button
            type="button"
            class="act act-strong"
            data-testid="send-as-new"
            onClick={() => putRight({ ...wrong, caseId: null })}
          >
            {t("refusedAsNew")}
          </button>
        )}
        <Said state={state} />
      </form>
    </Section>
  );
}

/** To the field itself, also where it is folded away. */
function reach(form: HTMLFormElement, name: string): void {
  const field = form.querySelector<HTMLElement>(`[name="${name}"]`);
  field?.closest("details")?.setAttribute("open", "");
  field?.focus();
}

const blank = (): Draft => ({ id: newDraftId(), caseId: null, files: [], fields: {} });

/** A file of the machine, or a photograph; what was chosen stays chosen until the service has it. */
function Files(props: {
  draft: Draft;
  take: (files: FileList | null) => void;
  drop: () => void;
}): JSX.Element {
  const { draft, take, drop } = props;
  const names = draft.files.map((file) => file.name).join(" + ");
  const input = (event: TargetedEvent<HTMLInputElement>): void => {
    take(event.currentTarget.files);
    // The same file, mended, can be chosen again.
    event.currentTarget.value = "";
  };
  return (
    <div class="files">
      <label class="act act-big file-choose">
        <span aria-hidden="true">＋</span> {t("chooseFile")}
        <input class="unseen" type="file" multiple data-testid="send-file" onChange={input} />
      </label>
      <label class="act file-photo">
        {t("takePhoto")}
        <input
          class="unseen"
          type="file"
          accept="image/*"
          capture="environment"
          data-testid="send-photo"
          onChange={input}
        />
      </label>
      {names === "" ? (
        <p class="muted wide-only">{t("dropHere")}</p>
      ) : (
        <p class="file-names" data-testid="send-chosen">
          <span>✓ {t("fileChosen", { names })}</span>
          <button type="button" class="act act-plain" onClick={drop}>
            {t("fileRemove")}
          </button>
        </p>
      )}
      {draft.files.some((file) => file.type.startsWith("image/")) && <p class="muted">{t("photoNote")}</p>}
    </div>
  );
}

function Electrodes({ chosen }: { chosen: string | undefined }): JSX.Element {
  return (
    <label class="whole">
      {t("electrodes")}
      <select name="electrode_set" data-testid="send-electrodes">
        {ELECTRODES.map(([id, name]) => (
          <option key={id} value={id === "standard" ? "" : id} selected={id === chosen}>
            {t(name)}
          </option>
        ))}
      </select>
    </label>
  );
}

/** What became of it, in words: received, saved, refused, or none of them. */
function Said({ state }: { state: State }): JSX.Element {
  const here = useRef<HTMLParagraphElement>(null);
  useEffect(() => {
    if (state.kind !== "ready" && state.kind !== "sending" && state.kind !== "fault")
      here.current?.scrollIntoView({ block: "center" });
  }, [state]);
  return (
    <p ref={here} role="status" class={`send-said send-${state.kind}`} data-testid="send-state">
      {state.kind === "sent" && `✓ ${t("stateReceived")} ${timeOfDay(receivedAt(state.sent))}`}
      {state.kind === "waiting" && `○ ${t("savedHere")}`}
      {state.kind === "fault" && `! ${t("faultFirst", { field: fieldWords(state.field) })}`}
      {state.kind === "noFile" && `! ${t("fileFirst")}`}
      {state.kind === "unreadable" && `! ${t("fileGone")}`}
      {state.kind === "refused" && `! ${refusalOf(state.one)?.words ?? ""} ${t("fileOther")}`}
      {state.kind === "nowhere" && `! ${t(state.full ? "storeFull" : "storeNone")}`}
    </p>
  );
}

const whoOf = (row: Row): { who: string; at: string } => ({
  who: patientLine(row),
  at: hourMinute(row.opened_at),
});

/** The instant that the service gives; never this device's own. */
const receivedAt = (sent: Sent): string | null =>
  rows.value.cases.get(sent.case_id)?.ecgs.find((ecg) => ecg.ecg_id === sent.ecg_id)?.received_at ?? null;

/** A field left empty is unknown and is not sent. */
export function sendFields(data: FormData): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [name, value] of data) {
    if (typeof value !== "string" || value.trim() === "" || name === "onset_how") continue;
    out[name] = name === "onset_at" ? fromLocalInput(value) : value.trim();
  }
  return out;
}
