/** "I cannot take it": two taps, because the next person is called at once, and a reason, which that person reads. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { decline } from "../state/acts";
import { type TextKey, t } from "../texts";
import type { Alert } from "../wire";
import { Act } from "./bits";

/** What it mostly is; anything else is written. */
const QUICK: readonly TextKey[] = ["declineOperating", "declineAway"];

interface Props {
  alert: Alert;
  /** Before the test id, where the same act stands on the page twice. */
  where?: string;
}

export function Decline({ alert, where = "" }: Props): JSX.Element {
  const [asked, setAsked] = useState(false);
  const [reason, setReason] = useState("");
  if (!asked) {
    return (
      <button
        type="button"
        class="act act-quiet"
        data-testid={`${where}decline`}
        onClick={() => setAsked(true)}
      >
        {t("decline")}
      </button>
    );
  }
  return (
    <span class="decline">
      {QUICK.map((key) => (
        <button
          type="button"
          key={key}
          class="act act-plain"
          aria-pressed={reason === t(key)}
          data-testid={`${where}${key}`}
          onClick={() => setReason(t(key))}
        >
          {t(key)}
        </button>
      ))}
      <input
        value={reason}
        placeholder={t("declineReason")}
        aria-label={t("declineReason")}
        maxLength={500}
        data-testid={`${where}decline-reason`}
        onInput={(event) => setReason(event.currentTarget.value)}
      />
      <Act
        name={`decline ${alert.alert_id}`}
        testid={`${where}decline-send`}
        disabled={reason.trim() === ""}
        run={async () => {
          if (await decline(alert.alert_id, reason.trim())) setAsked(false);
        }}
      >
        {t("declineSend")}
      </Act>
      <button type="button" class="act act-quiet" onClick={() => setAsked(false)}>
        {t("cancel")}
      </button>
    </span>
  );
}
