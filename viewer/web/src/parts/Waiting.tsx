/** What is kept on this device and not yet with the service: counted, said in words, never called sent. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { timeOfDay } from "../state/format";
import type { Kept } from "../state/outbox";
import { lang } from "../state/prefs";
import { enteredWords, refusalOf } from "../state/refusal";
import { me } from "../state/session";
import { arrived, others, refused, removeKept, sending, takeOver, waiting } from "../state/waiting";
import { t } from "../texts";

export function Waiting({ fixing, fix }: { fixing: string | null; fix: (one: Kept) => void }): JSX.Element {
  const mine = waiting.value;
  const wrong = refused.value.filter((one) => one.id !== fixing);
  return (
    <>
      {mine.length > 0 && (
        <section class="card waiting-card" role="status" data-testid="waiting">
          <h2>○ {t(sending.value ? "savedSending" : "savedWaits", { n: mine.length })}</h2>
          <p>{t("savedNote")}</p>
          <ul>
            {mine.map((one) => (
              <li key={one.id} data-testid="waiting-one">
                <About one={one} />
              </li>
            ))}
          </ul>
        </section>
      )}
      {wrong.length > 0 && (
        <section class="card refused-card" role="alert" data-testid="refused">
          <h2>! {t("refusedTitle", { n: wrong.length })}</h2>
          <ul>
            {wrong.map((one) => (
              <Refused key={one.id} one={one} fix={() => fix(one)} />
            ))}
          </ul>
        </section>
      )}
      {mine.length === 0 && arrived.value.size > 0 && (
        <p class="muted" role="status" data-testid="arrived">
          ✓ {t("sentCount", { n: arrived.value.size })}
        </p>
      )}
      <Others />
    </>
  );
}

function About({ one }: { one: Kept }): JSX.Element {
  return (
    <span>
      {one.caseId === null ? enteredWords(one) : t("again")} ·{" "}
      {one.files.map((file) => file.name).join(" + ")}{" "}
      <span class="muted num">{t("savedAt", { at: timeOfDay(one.keptAt) })}</span>
    </span>
  );
}

function Refused({ one, fix }: { one: Kept; fix: () => void }): JSX.Element {
  const [sure, setSure] = useState(false);
  const why = refusalOf(one)?.words;
  return (
    <li data-testid="refused-one">
      <About one={one} />
      <p>{why}</p>
      <p class="acts">
        <button type="button" class="act act-strong" data-testid="refused-fix" onClick={fix}>
          {t("refusedFix")}
        </button>
        <button
          type="button"
          class="act act-plain"
          data-testid="refused-remove"
          onClick={() => (sure ? void removeKept(one.id) : setSure(true))}
        >
          {t(sure ? "refusedRemoveSure" : "refusedRemove")}
        </button>
      </p>
    </li>
  );
}

/** Of others on the same device: whose and how many, and nothing of their patients. */
export function Others(): JSX.Element | null {
  const [said, setSaid] = useState<string | null>(null);
  const who = me.value;
  if (others.value.length === 0) return said === null ? null : <p role="status">{said}</p>;
  const take = async (from: string): Promise<void> => {
    const n = await takeOver(from);
    setSaid(n > 0 ? t("othersTaken", { n }) : t("othersTakeNone"));
  };
  return (
    <section class="card" role="status" data-testid="others-wait" lang={lang.value === "zh" ? "zh-CN" : "en"}>
      {others.value.map(({ user, name, n }) => (
        <div key={user} class="other-waits">
          <p>
            ! <b>{t("othersWait", { who: name, n })}</b> {t("othersLogin", { who: name })}
          </p>
          {who && (
            <button
              type="button"
              class="act act-plain"
              data-testid="others-take"
              onClick={() => void take(user)}
            >
              {t("othersTake")}
            </button>
          )}
        </div>
      ))}
      {said !== null && <p role="status">{said}</p>}
    </section>
  );
}
