/** One's own shift, or a part of it, to somebody else of the roster. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { nowMs } from "../state/clock";
import { fromLocalInput, toLocalInput } from "../state/format";
import { giveShift, othersIn } from "../state/roster";
import { say, t } from "../texts";
import type { Roster, Shift } from "../wireDuty";
import { Act } from "./bits";
import { useLoaded } from "./load";

/** Whoever was on duty lately, or will be soon, can be given a shift. */
const AROUND_MS = 60 * 86_400_000;

interface Props {
  shift: Shift;
  leave: () => void;
  done: (words: string[]) => void;
}

export function GiveShift({ shift, leave, done }: Props): JSX.Element {
  const [around] = useState(() => {
    const now = nowMs.value ?? Date.parse(shift.from);
    const [from, to] = [now - AROUND_MS, now + AROUND_MS].map((at) => new Date(at).toISOString());
    return `/roster?from=${encodeURIComponent(from ?? "")}&to=${encodeURIComponent(to ?? "")}`;
  });
  const { value: roster } = useLoaded<Roster>(around, null);
  const [to, setTo] = useState("");
  const [reason, setReason] = useState("");
  const [part, setPart] = useState<{ from: string; until: string } | null>(null);
  const others = roster ? othersIn(roster, shift.person) : [];
  const send = async (): Promise<void> => {
    const change = await giveShift(shift.shift_id, {
      to,
      reason: reason.trim(),
      from: part && fromLocalInput(part.from),
      until: part && fromLocalInput(part.until),
    });
    if (change === null) return;
    const name = others.find((one) => one.person === to)?.name ?? to;
    done([
      `✓ ${t("given", { who: name })}`,
      ...change.warnings.map((one) => t("giveWarns", { words: say(one) })),
    ]);
  };
  const local = (iso: string): string => toLocalInput(Date.parse(iso)).slice(0, 16);
  return (
    <form
      class="form give-form"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <label>
        {t("giveTo")}
        <select value={to} data-testid="give-to" onChange={(event) => setTo(event.currentTarget.value)}>
          <option value="">—</option>
          {others.map((one) => (
            <option key={one.person} value={one.person}>
              {one.name}
            </option>
          ))}
        </select>
      </label>
      <label>
        {t("giveReason")}
        <input
          value={reason}
          maxLength={500}
          data-testid="give-reason"
          onInput={(event) => setReason(event.currentTarget.value)}
        />
      </label>
      <label class="tick">
        <input
          type="checkbox"
          checked={part !== null}
          data-testid="give-part"
          onChange={() => setPart(part === null ? { from: local(shift.from), until: local(shift.to) } : null)}
        />
        {t("givePart")}
      </label>
      {part && (
        <>
          <label>
            {t("giveFrom")}
            <input
              type="datetime-local"
              value={part.from}
              onInput={(event) => setPart({ ...part, from: event.currentTarget.value })}
            />
          </label>
          <label>
            {t("giveUntil")}
            <input
              type="datetime-local"
              value={part.until}
              onInput={(event) => setPart({ ...part, until: event.currentTarget.value })}
            />
          </label>
        </>
      )}
      <p class="acts">
        <Act
          name={`shift ${shift.shift_id}`}
          kind="strong"
          testid="give-send"
          disabled={to === "" || reason.trim() === ""}
          run={send}
        >
          {t("giveSend")}
        </Act>
        <button type="button" class="act act-plain" onClick={leave}>
          {t("cancel")}
        </button>
      </p>
    </form>
  );
}
