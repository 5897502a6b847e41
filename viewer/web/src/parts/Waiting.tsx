/** What is kept on this device and not yet with the service: counted, said in words, never called sent. */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { timeOfDay } from "../state/format";
import type { Kept } from "../state/outbox";
import { lang } from "../state/prefs";
import { enteredWords, refusalOf } from "../state/refusal";
import { me } from "../state/session";
import { arrived, others, refused, removeKept, sending, takeOver, waiting } from "../state/waiting";
import { t } from "../texts";

interface Props {
  /** What is put right at present: its form says so itself. */
  fixing: string | null;
  /** How often something was kept here: each time it is shown. */
  kept: number;
  /** Nobody fills in a form, so that the page may move to what was refused. */
  calm: boolean;
  fix: (one: Kept) => void;
}

/** What has come to be is scrolled to: whoever sent it may look at another patient's card. */
function useSeen(times: number, may: boolean): { current: HTMLElement | null } {
  const here = useRef<HTMLElement>(null);
  const before = useRef(0);
  useEffect(() => {
    if (times > before.current && may) {
      here.current?.scrollIntoView({ block: "center" });
      here.current?.focus({ preventScroll: true });
    }
    before.current = times;
  }, [times, may]);
  return here;
}

export function Waiting({ fixing, kept, calm, fix }: Props): JSX.Element {
  const mine = waiting.value;
  const wrong = refused.value.filter((one) => one.id !== fixing);
  const waits = useSeen(kept, true);
  const refusals = useSeen(wrong.length, calm);
  return (
    <>
      {mine.length > 0 && (
        <section ref={waits} tabIndex={-1} class="card waiting-card" role="status" data-testid="waiting">
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
        <section ref={refusals} tabIndex={-1} class="card refused-card" role="alert" data-testid="refused">
          <h2>! {t("refusedTitle", { n: wrong.length })}</h2>
          <ul>
            {wrong.map((one) => (
              <Refused key={one.id} one={one} fix={fix} />
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

function Refused({ one, fix }: { one: Kept; fix: (one: Kept) => void }): JSX.Element {
  const [sure, setSure] = useState(false);
  const why = refusalOf(one)?.words;
  return (
    <li data-testid="refused-one">
      <About one={one} />
      <p>{why}</p>
      <p class="acts">
        <button type="button" class="act act-strong" data-testid="refused-fix" onClick={() => fix(one)}>
          {t("refusedFix")}
        </button>
        {one.caseId !== null && (
          <button
            type="button"
            class="act act-strong"
            data-testid="refused-as-new"
            onClick={() => fix({ ...one, caseId: null })}
          >
            {t("refusedAsNew")}
          </button>
        )}
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
