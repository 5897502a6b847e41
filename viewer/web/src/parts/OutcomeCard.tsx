/** What became of the patient, told to the clinic that saw the patient first; and the proof that it was read there. */
import type { JSX } from "preact";
import { feedbackSeen, sendFeedback } from "../state/acts";
import { dateTime } from "../state/format";
import { may, me } from "../state/session";
import { say, t } from "../texts";
import type { Row } from "../wire";
import type { Outcome, Told } from "../wireCare";
import { Act, Section } from "./bits";
import { minutesText } from "./Track";

export function OutcomeCard({ row, outcome }: { row: Row; outcome: Outcome }): JSX.Element {
  const role = me.value?.user.role;
  const { state } = outcome;
  const at = dateTime(state === "seen" ? outcome.seen?.at : outcome.sent?.at);
  return (
    <Section title={t("outcome")}>
      <div class="form" data-testid="outcome" data-state={state}>
        <p class={state === "changed" ? "late" : state === "unknown" ? "muted" : ""}>
          {state === "seen" && "✓ "}
          {state === "changed" && "! "}
          {t(`outcome_${state}`, { at })}
        </p>
        {state !== "unknown" && (
          <dl class="facts">
            <Line name={t("diagnosisIs")} told={outcome.diagnosis} />
            <Line name={t("outcomeIs")} told={outcome.outcome} />
            {outcome.intervals
              .filter((one) => one.minutes !== null)
              .map((one) => (
                <div key={one.id} class="facts-line">
                  <dt>{say(one)}</dt>
                  <dd class="num">{minutesText(one)}</dd>
                </div>
              ))}
          </dl>
        )}
        {(state === "ready" || state === "changed") && may("feedback", role) && (
          <Act
            name={`feedback ${row.case_id}`}
            kind="strong"
            testid="feedback-send"
            run={() => sendFeedback(row.case_id)}
          >
            {t("feedbackSend")}
          </Act>
        )}
        {state === "sent" && may("feedbackSeen", role) && (
          <Act
            name={`feedback ${row.case_id}`}
            kind="strong"
            big
            testid="feedback-seen"
            run={() => feedbackSeen(row.case_id)}
          >
            {t("feedbackSeen")}
          </Act>
        )}
      </div>
    </Section>
  );
}

function Line({ name, told }: { name: string; told: Told | null }): JSX.Element {
  const words = told?.zh && told.en ? say({ zh: told.zh, en: told.en }) : told?.code;
  return (
    <div class="facts-line">
      <dt>{name}</dt>
      <dd>
        {told === null ? (
          t("unknown")
        ) : (
          <>
            <b>{words ?? t("unknown")}</b> {told.note} <span class="muted num">{dateTime(told.at)}</span>
          </>
        )}
      </dd>
    </div>
  );
}
