/** The head of every page: who is on duty, whether the line stands, and the reader's own switches. */
import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { clock, nowMs } from "../state/clock";
import { health, ownHealth, shiftToBegin } from "../state/duty";
import { duration, hourMinute } from "../state/format";
import { board, line } from "../state/live";
import { chooseTheme, lang, theme } from "../state/prefs";
import { demo, may, me, signOut } from "../state/session";
import { soundState, toggleSound } from "../state/sound";
import { roleName, shiftShort, type TextKey, t } from "../texts";
import type { Row } from "../wire";
import { useHealth } from "./DutyPanel";
import { Nav } from "./Nav";
import { OnDutyNow } from "./OnDutyNow";

export const helpOpen = signal(false);

export function Header({ title }: { title: string }): JSX.Element {
  const who = me.value;
  return (
    <header class="head">
      {(demo.value.demo || who?.demo) && (
        <p class="demo" data-testid="demo-banner">
          {t("demoBanner")}
          <StoryWaits />
        </p>
      )}
      <div class="head-row">
        <h1>
          <a href="/">{title}</a>
        </h1>
        {who && <Duty />}
        <div class="switches">
          {nowMs.value !== null && (
            <span class="num clock" title={t("serverTime")}>
              {hourMinute(new Date(nowMs.value).toISOString())}
            </span>
          )}
          {who && <Connection />}
          {who && <Sound />}
          <button
            type="button"
            class="switch"
            data-testid="lang"
            aria-label={lang.value === "zh" ? "中/EN: English" : "中/EN: 中文"}
            onClick={() => {
              lang.value = lang.value === "zh" ? "en" : "zh";
            }}
          >
            中/EN
          </button>
          <button
            type="button"
            class="switch theme-switch"
            data-testid="theme"
            aria-label={theme.value === "light" ? t("themeDark") : t("themeLight")}
            onClick={() => chooseTheme(theme.value === "light" ? "dark" : "light")}
          >
            ◐
          </button>
          {who && (
            <button
              type="button"
              class="switch wide-only"
              aria-label={t("helpTitle")}
              onClick={() => {
                helpOpen.value = true;
              }}
            >
              ?
            </button>
          )}
          {who && (
            <button
              type="button"
              class="switch sign-out"
              data-testid="sign-out"
              onClick={() => void signOut()}
            >
              {t("signOut")}
            </button>
          )}
        </div>
      </div>
      <Nav />
    </header>
  );
}

/** The demo's clock stands while the story waits for an answer or the channel. */
function StoryWaits(): JSX.Element | null {
  void nowMs.value;
  // Once a channel is open the visitor's part is over; then the clock stands for the staff, or at the story's end.
  const over = board.value.now.some((row) => row.green_channel.state === "open");
  const waiting = clock.stands && !over ? board.value.now.find(awaits) : undefined;
  if (!waiting) return null;
  const what = t(waiting.alert?.state === "open" ? "ack" : "openGreen");
  const mine = may("openChannel", me.value?.user.role);
  return (
    <b role="status" data-testid="story-waits">
      {" "}
      · {t(mine ? "storyWaits" : "storyWaitsOthers", { what })}
    </b>
  );
}

const awaits = (row: Row): boolean =>
  row.alert?.state === "open" || (row.tier === "ACT" && row.green_channel.state === "closed");

/** Oneself, and who is on duty now. */
const SESSION_SOON_MS = 30 * 60_000;

function Duty(): JSX.Element | null {
  const who = me.value;
  const begin = shiftToBegin(who, nowMs.value) !== null;
  useHealth(begin);
  if (!who) return null;
  const { shift, next_shift: next } = who;
  const known = ownHealth(health.value, who);
  const doctor = may("answer", who.user.role);
  const endsAt = who.session_ends_at ?? null;
  const endsSoon =
    endsAt !== null && nowMs.value !== null && Date.parse(endsAt) - nowMs.value < SESSION_SOON_MS;
  return (
    <div class="duty">
      {endsSoon && (
        <p class="late" role="status" data-testid="session-soon">
          ⚠ {t("sessionEnds", { at: hourMinute(endsAt) })}
        </p>
      )}
      <p data-testid="duty">
        {who.on_duty && shift ? (
          <>
            {t("onDuty")} <b>{who.user.name}</b> {shiftShort(shift.role)}{" "}
            <span class="num">
              {hourMinute(shift.from)}–{hourMinute(shift.to)}
            </span>
          </>
        ) : (
          <>
            <b>{who.user.name}</b> {roleName(who.user.role)}
            {doctor && ` · ${t("offDuty")}`}
          </>
        )}
        {begin && known && !known.reachable && (
          <a class="late" href="/contacts" data-testid="duty-unreachable">
            {" "}
            ✕ {t("dutyUnreachable")}
          </a>
        )}
        {next && doctor && (
          <span class="muted" data-testid="next-shift">
            {" "}
            ▸ {t("nextShift")} {next.person === who.user.id ? t("shiftYours") : next.name}{" "}
            <span class="num">{hourMinute(next.from)}</span>
          </span>
        )}
      </p>
      <OnDutyNow />
    </div>
  );
}

/** Local seconds without a line; reading the tick makes it count. */
export function lostFor(): string {
  void nowMs.value;
  const since = line.value.lostAtMs;
  return since === null ? "" : duration((performance.now() - since) / 1000);
}

function Connection(): JSX.Element {
  const { open } = line.value;
  return (
    <span class={open ? "switch-text" : "switch-text lost"} data-testid="connection">
      <span aria-hidden="true">{open ? "●" : "✕"}</span>{" "}
      {open ? t("connected") : t("lost", { for: lostFor() })}
    </span>
  );
}

function Sound(): JSX.Element {
  const state = soundState();
  const words = { on: t("soundOn"), off: t("soundOff"), waiting: t("soundWaiting") };
  return (
    <button
      type="button"
      class={state === "on" ? "switch sound" : "switch sound sound-missing"}
      data-testid="sound"
      title={state === "waiting" ? t("soundHint") : undefined}
      aria-pressed={state === "on"}
      onClick={(event) => {
        // The page's own listener for the first tap would otherwise have enabled it already.
        event.stopPropagation();
        void toggleSound();
      }}
    >
      {state === "on" ? "♪" : "⚠"} {words[state]}
    </button>
  );
}

export function StaleNote(): JSX.Element | null {
  if (line.value.open || !me.value) return null;
  return <p class="stale-note">{t("staleNote", { for: lostFor() })}</p>;
}

const LIST_KEYS: readonly [string, TextKey][] = [
  ["J / K", "helpNext"],
  ["Enter", "helpOpen"],
  ["A", "helpAck"],
  ["G", "helpGreen"],
  ["/", "helpFilterBoard"],
];
const COMMON_KEYS: readonly [string, TextKey][] = [
  ["C", "helpCalipers"],
  ["Esc", "helpClose"],
  ["?", "helpTitle"],
];

/** All keys, over the page: what is behind it cannot be reached until it is shut. */
export function Help(): JSX.Element | null {
  const dialog = useRef<HTMLDialogElement>(null);
  const open = helpOpen.value;
  useEffect(() => {
    if (open) dialog.current?.showModal();
  }, [open]);
  if (!open) return null;
  const shut = (): void => {
    helpOpen.value = false;
  };
  return (
    <dialog ref={dialog} class="help card" aria-labelledby="help-title" data-testid="help" onClose={shut}>
      <h2 id="help-title">{t("helpTitle")}</h2>
      <Keys title="helpList" keys={LIST_KEYS} />
      <Keys title="helpEverywhere" keys={COMMON_KEYS} />
      <p class="acts">
        <button type="button" class="act act-plain" onClick={shut}>
          {t("close")}
        </button>
        <a class="act act-link" href="/help" data-testid="help-more" onClick={shut}>
          {t("helpMore")} ▸
        </a>
        <a class="act act-link" href="/tour" data-testid="help-tour" onClick={shut}>
          {t("tourLink")} ▸
        </a>
      </p>
    </dialog>
  );
}

function Keys({ title, keys }: { title: TextKey; keys: readonly [string, TextKey][] }): JSX.Element {
  return (
    <>
      <h3>{t(title)}</h3>
      <dl class="keys">
        {keys.map(([key, said]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{t(said)}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
