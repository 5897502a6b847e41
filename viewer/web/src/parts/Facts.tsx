/** What is known of a case that is no time: bypassed departments, the Killip class. What was said first is kept. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { recordFact } from "../state/acts";
import { dateTime } from "../state/format";
import { say, t } from "../texts";
import type { Fact } from "../wire";
import { Act, Section } from "./bits";

interface Props {
  caseId: string;
  facts: Fact[];
  /** Those that this role may say. */
  mine: string[];
}

export function Facts({ caseId, facts, mine }: Props): JSX.Element {
  // What is asked for together is a long list: whoever may not say it sees of it what is known.
  const shown = facts.filter((fact) => fact.known || !fact.group || mine.includes(fact.id));
  return (
    <Section title={t("factsTitle")}>
      <div class="facts" data-testid="facts">
        {shown.map((fact) => (
          <OneFact key={fact.id} caseId={caseId} fact={fact} may={mine.includes(fact.id)} />
        ))}
      </div>
    </Section>
  );
}

const word = (fact: Fact, code: string | null): string => {
  const known = fact.codes.find((one) => one.id === code);
  return known ? say(known) : (code ?? `— ${t("unknown")}`);
};

function OneFact({ caseId, fact, may }: { caseId: string; fact: Fact; may: boolean }): JSX.Element {
  return (
    <div class="fact" data-testid={`fact-${fact.id}`}>
      <b>{say(fact)}</b> <span class={fact.known ? undefined : "muted"}>{word(fact, fact.code)}</span>
      {fact.values.length > 0 && <Said fact={fact} />}
      {may && <SayFact caseId={caseId} fact={fact} />}
    </div>
  );
}

function Said({ fact }: { fact: Fact }): JSX.Element {
  return (
    <ul class="muted">
      {fact.values.map((value) => (
        <li key={value.recorded_at}>
          {word(fact, value.code)} <time class="num">{dateTime(value.recorded_at)}</time>{" "}
          {value.actor_name ?? value.source}
          {value.correction && ` · ${t("correction")}`}
          {value.note && ` · ${value.note}`}
        </li>
      ))}
    </ul>
  );
}

function SayFact({ caseId, fact }: { caseId: string; fact: Fact }): JSX.Element {
  const [code, setCode] = useState("");
  const [note, setNote] = useState("");
  const corrects = fact.code !== null && code !== "" && code !== fact.code;
  const save = async (): Promise<void> => {
    const value = { fact: fact.id, code, ...(note.trim() && { note: note.trim() }) };
    if (!(await recordFact(caseId, value))) return;
    setCode("");
    setNote("");
  };
  return (
    <div class="form fact-form">
      <label>
        {t("whatWas")}
        <select
          value={code}
          data-testid={`fact-code-${fact.id}`}
          onChange={(event) => setCode(event.currentTarget.value)}
        >
          <option value="">—</option>
          {fact.codes.map((one) => (
            <option key={one.id} value={one.id}>
              {say(one)}
            </option>
          ))}
        </select>
      </label>
      {corrects && (
        <label>
          {t("noteRequired")}
          <input
            value={note}
            data-testid={`fact-note-${fact.id}`}
            onInput={(event) => setNote(event.currentTarget.value)}
          />
        </label>
      )}
      {code !== "" && code !== fact.code && (
        <Act
          name={`fact ${fact.id}`}
          testid={`fact-save-${fact.id}`}
          disabled={corrects && note.trim() === ""}
          run={save}
        >
          {t("save")}
        </Act>
      )}
    </div>
  );
}
