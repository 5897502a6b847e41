/** An act that takes something away: it asks why, not whether one is sure. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ta } from "../textsAdmin";
import { Act } from "./bits";

interface Props {
  /** Of the call, so that one tap is one call. */
  name: string;
  words: string;
  hint?: string;
  testid: string;
  run: (reason: string) => Promise<unknown>;
}

export function ReasonAct({ name, words, hint, testid, run }: Props): JSX.Element {
  const [asking, setAsking] = useState(false);
  const [reason, setReason] = useState("");
  if (!asking) {
    return (
      <button type="button" class="act act-plain" data-testid={testid} onClick={() => setAsking(true)}>
        {words}
      </button>
    );
  }
  return (
    <form
      class="reason-act"
      onSubmit={(event) => {
        event.preventDefault();
        if (reason.trim() !== "") void run(reason.trim());
      }}
    >
      {hint && <p class="muted">{hint}</p>}
      <label>
        {ta("reason")}
        <input
          value={reason}
          maxLength={500}
          required
          data-testid={`${testid}-reason`}
          ref={(input) => input?.focus()}
          onInput={(event) => setReason(event.currentTarget.value)}
        />
      </label>
      <p class="acts">
        <Act
          name={name}
          kind="amber"
          testid={`${testid}-sure`}
          disabled={reason.trim() === ""}
          run={() => void run(reason.trim())}
        >
          {words}
        </Act>
        <button type="button" class="act act-plain" onClick={() => setAsking(false)}>
          {ta("cancel")}
        </button>
      </p>
    </form>
  );
}
