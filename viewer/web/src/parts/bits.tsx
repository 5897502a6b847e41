/** Small parts used everywhere. */
import type { ComponentChildren, JSX } from "preact";
import { useRef } from "preact/hooks";
import { busy, trouble } from "../state/acts";
import { nowMs } from "../state/clock";
import { isDrill } from "../state/drill";
import { dateTime, duration } from "../state/format";
import { agreed, onPaper, shownTier, signedFirst } from "../state/verdict";
import { TIERS, t, tierWord } from "../texts";
import type { Row, Tier } from "../wire";
import { useGuard } from "./guard";

/** How long since an instant, ticking with the service's clock; the instant itself on hover. */
export function Since({ at }: { at: string | null }): JSX.Element {
  if (at === null || nowMs.value === null) return <span class="num">{t("unknown")}</span>;
  return (
    <time class="num" dateTime={at} title={dateTime(at)}>
      {duration((nowMs.value - Date.parse(at)) / 1000)}
    </time>
  );
}

export const tierClass = (tier: Tier | null): string => `tier-${(tier ?? "none").toLowerCase()}`;

/** Shape, word and colour together. */
export function TierMark({ tier, signed }: { tier: Tier | null; signed?: boolean }): JSX.Element {
  if (tier === null) return <span class="tier tier-none">{t("notAnalysed")}</span>;
  return (
    <span class={`tier ${tierClass(tier)}`}>
      <span aria-hidden="true">{TIERS[tier].shape}</span> {signed ? signedTierWord(tier) : tierWord(tier)}
    </span>
  );
}

/** What a doctor's tier is called: that no rule fired is the machine's to say. */
export const signedTierWord = (tier: Tier): string => (tier === "NONE" ? t("noUrgency") : tierWord(tier));

/** What the case as a whole is: closed or merged where it is, and its tier where it has one; a doctor's before the machine's. */
export function CaseMark({ row }: { row: Row }): JSX.Element {
  const ended = row.state === "open" ? null : t(row.state === "closed" ? "caseClosed" : "caseMerged");
  const waits = row.state === "open" && row.ecgs.length > 0;
  const tier = shownTier(row);
  return (
    <>
      {isDrill(row) && (
        <b class="drill-word" data-testid="drill-word">
          {t("drillPage")}
        </b>
      )}{" "}
      {ended && (
        <span class="tier tier-none" data-testid="case-ended">
          <span aria-hidden="true">✓</span> {ended}
        </span>
      )}
      {ended && tier !== null && " "}
      {(tier !== null || waits) && <TierMark tier={tier} signed={signedFirst(row) !== null} />}
    </>
  );
}

/** The machine's words are a proposal until a doctor has signed the same; without an ECG it has said nothing. */
export function Unconfirmed({ row }: { row: Row }): JSX.Element | null {
  if (agreed(row) || row.tier === null) return null;
  return <span class="unconfirmed">{t(onPaper(row) ? "unconfirmed" : "machine")}</span>;
}

interface ActProps {
  name: string;
  run: () => unknown;
  children: ComponentChildren;
  kind?: "urgent" | "amber" | "plain" | "strong";
  testid?: string;
  big?: boolean;
  disabled?: boolean;
}

/** A button for one act: quiet while its call is on the way. */
export function Act({ name, run, children, kind = "plain", testid, big, disabled }: ActProps): JSX.Element {
  const button = useRef<HTMLButtonElement>(null);
  const { guarded, takes } = useGuard(button, name);
  const waiting = busy.value.has(name);
  return (
    <button
      ref={button}
      type="button"
      class={`act act-${kind}${big ? " act-big" : ""}`}
      aria-busy={waiting}
      aria-disabled={guarded || undefined}
      disabled={waiting || disabled === true}
      data-testid={testid}
      onClick={(event) => {
        event.stopPropagation();
        if (takes(event.currentTarget.getBoundingClientRect())) run();
      }}
    >
      {children}
    </button>
  );
}

/** What went wrong: it stays until it is put away or the next act succeeds. */
export function Trouble(): JSX.Element | null {
  if (trouble.value === null) return null;
  const { words, details } = trouble.value;
  return (
    <div class="trouble" role="alert" data-testid="trouble">
      <div class="trouble-text">
        {words}
        {details !== "" && (
          <details>
            <summary>{t("details")}</summary>
            <p class="muted">{details}</p>
          </details>
        )}
      </div>
      <button
        type="button"
        class="act act-plain"
        onClick={() => {
          trouble.value = null;
        }}
      >
        {t("close")}
      </button>
    </div>
  );
}

interface SectionProps {
  title: string;
  children: ComponentChildren;
  id?: string;
  /** There is something to do in it, and nothing to read: it is left out on paper. */
  acts?: boolean;
}

export function Section(props: SectionProps): JSX.Element {
  return (
    <section class={props.acts ? "card screen-only" : "card"} id={props.id}>
      <h2>{props.title}</h2>
      {props.children}
    </section>
  );
}
