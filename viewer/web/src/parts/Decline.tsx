/** "I cannot take it": two taps, because the next person is called at once. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { decline } from "../state/acts";
import { t } from "../texts";
import type { Alert } from "../wire";
import { Act } from "./bits";

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
