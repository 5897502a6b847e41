/** Which device's clock is wrong, by how much, since when? The weekly report, for who keeps the devices. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { useLoaded } from "../parts/load";
import { dateTime, duration } from "../state/format";
import { type TextKey, t } from "../texts";
import type { ClockReport, DeviceClock } from "../wireClocks";

const WEEK_S = 7 * 86_400;

export function ClocksPage(): JSX.Element {
  const [week, setWeek] = useState("");
  const path = `/devices/clocks${week && `?week=${encodeURIComponent(week)}`}`;
  const { value: report, problem } = useLoaded<ClockReport>(path, null);
  return (
    <main class="page">
      <nav class="crumbs">
        <a class="act act-link" href="/">
          ◂ {t("back")}
        </a>
      </nav>
      <h2>{t("clocksPage")}</h2>
      <p class="muted">{t("clocksIntro")}</p>
      {problem && <p class="trouble">{problem.words}</p>}
      {report && (
        <>
          <label class="clock-week">
            <span>{t("clocksWeek")}</span>
            <select
              value={week}
              data-testid="clock-week"
              onChange={(event) => setWeek(event.currentTarget.value)}
            >
              <option value="">{t("clocksNow")}</option>
              {report.weeks.map((each) => (
                <option key={each}>{each}</option>
              ))}
            </select>
          </label>
          <p class={report.bad > 0 ? "late" : "muted"} role="status" data-testid="clocks-bad">
            {report.bad > 0 ? `▲ ${t("clocksBad", { n: report.bad })}` : t("clocksGood")}
          </p>
          <ul class="clock-list">
            {report.devices.map((each) => (
              <Clock key={each.device} clock={each} />
            ))}
          </ul>
        </>
      )}
    </main>
  );
}

const GOOD = new Set<DeviceClock["level"]>(["ok", "never_compared"]);

function Clock({ clock }: { clock: DeviceClock }): JSX.Element {
  const good = GOOD.has(clock.level);
  return (
    <li class="card" data-testid={`clock-${clock.device}`}>
      <p>
        <b>{clock.name}</b> <span class="muted">{clock.device}</span> ·{" "}
        <span class={good ? "muted" : "late"}>
          {good ? "" : "▲ "}
          {t(`clockLevel_${clock.level}` as TextKey)}
        </span>
      </p>
      <dl class="facts">
        <Fact name={t("clockOff")} said={offset(clock.offset_s, clock.uncertainty_s)} />
        <Fact name={t("clockDrift")} said={drift(clock)} />
        <Fact
          name={t("clockSeen")}
          said={clock.last_contact_at ? dateTime(clock.last_contact_at) : t("clockNever")}
        />
      </dl>
      {clock.jumps.map((jump) => (
        <p key={jump.before} class="num">
          {t("clockJump", {
            after: dateTime(jump.after),
            before: dateTime(jump.before),
            by: offset(jump.by_s, jump.uncertainty_s),
          })}
        </p>
      ))}
      {clock.suspected_jump && (
        <p class="num">{t("clockSuspected", { at: dateTime(clock.suspected_jump.at) })}</p>
      )}
      {clock.dead_dates.map((each) => (
        <p key={each.seen_at} class="num">
          {t("clockDead", { raw: each.raw.replace("T", " "), at: dateTime(each.seen_at) })}
        </p>
      ))}
    </li>
  );
}

const Fact = ({ name, said }: { name: string; said: string }): JSX.Element => (
  <div class="facts-line">
    <dt>{name}</dt>
    <dd class="num">{said}</dd>
  </div>
);

/** `快 01:30 ±2 秒`: how far, and which way. */
function offset(seconds: number | null, halfWidth: number | null): string {
  if (seconds === null) return t("unknown");
  const way = t(seconds >= 0 ? "clockFast" : "clockSlow");
  const width = halfWidth === null ? "" : ` ${t("uncertain", { n: Math.ceil(halfWidth) })}`;
  return `${way} ${duration(Math.abs(seconds))}${width}`;
}

function drift(clock: DeviceClock): string {
  if (clock.drift_ppm === null) return t("unknown");
  const inAWeek = duration(Math.abs(clock.drift_ppm) * 1e-6 * WEEK_S);
  const width = Math.ceil(clock.drift_uncertainty_ppm ?? 0);
  return `${clock.drift_ppm.toFixed(1)} ±${width} ppm (${t("clockPerWeek", { n: inAWeek })})`;
}
