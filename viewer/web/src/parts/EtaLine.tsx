/** When the ambulance will be there, and who says so. */
import type { JSX } from "preact";
import { nowMs } from "../state/clock";
import { hourMinute, span } from "../state/format";
import { sourceName, t } from "../texts";
import type { Eta } from "../wire";

export function EtaLine({ eta, place }: { eta: Eta; place: "scene" | "hub" }): JSX.Element {
  const now = nowMs.value;
  const left = now === null ? null : (Date.parse(eta.at) - now) / 1000;
  return (
    <p class="eta num" data-testid={`eta-${place}`}>
      {t(place === "hub" ? "etaHub" : "etaScene")} <b>{hourMinute(eta.at)}</b> ·{" "}
      {left !== null && <b>{t(left < 0 ? "etaPassed" : "etaIn", { for: span(Math.abs(left)) })}</b>}{" "}
      <span class="muted">
        {sourceName(eta.source)} {hourMinute(eta.given_at)}
        {eta.uncertainty_s !== null &&
          eta.uncertainty_s >= 30 &&
          ` ±${Math.ceil(eta.uncertainty_s / 60)} min`}
      </span>
    </p>
  );
}
