/** Why care was late, and what a registry leaves out: what was said of the case, and one press to add to it. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Act, Section } from "../../parts/bits";
import { recordFact } from "../../state/acts";
import { say } from "../../texts";
import { tq } from "../../textsQuality";
import type { Fact } from "../../wire";

interface Props {
  caseId: string;
  facts: Fact[];
  mine: string[];
}

const GROUPS = [
  ["delay", "reasonsTitle"],
  ["exclusion", "exclusionsTitle"],
] as const;

export function Reasons({ caseId, facts, mine }: Props): JSX.Element {
  return (
    <>
      {GROUPS.map(([group, title]) => (
        <Section key={group} title={tq(title)}>
          <Group
            name={group}
            caseId={caseId}
            facts={facts.filter((one) => one.group === group)}
            mine={mine}
          />
        </Section>
      ))}
    </>
  );
}

function Group({ name, caseId, facts, mine }: Props & { name: string }): JSX.Element {
  const [chosen, setChosen] = useState("");
  const there = facts.filter((one) => one.code === "yes");
  const open = facts.filter((one) => one.code === null && mine.includes(one.id));
  const save = async (): Promise<void> => {
    if (await recordFact(caseId, { fact: chosen, code: "yes" })) setChosen("");
  };
  return (
    <div class="form" data-testid={`reasons-${name}`}>
      <ul>
        {there.map((one) => (
          <li key={one.id} data-testid={`reason-${one.id}`}>
            ✓ <b>{say(one)}</b>
          </li>
        ))}
      </ul>
      {open.length > 0 && (
        <>
          <label>
            {tq("reasonAdd")}
            <select
              value={chosen}
              data-testid={`reason-choose-${name}`}
              onChange={(event) => setChosen(event.currentTarget.value)}
            >
              <option value="">{tq("reasonChoose")}</option>
              {open.map((one) => (
                <option key={one.id} value={one.id}>
                  {say(one)}
                </option>
              ))}
            </select>
          </label>
          {chosen !== "" && (
            <Act name={`reason ${caseId} ${chosen}`} kind="strong" testid={`reason-save-${name}`} run={save}>
              {tq("reasonAdd")}
            </Act>
          )}
        </>
      )}
    </div>
  );
}
