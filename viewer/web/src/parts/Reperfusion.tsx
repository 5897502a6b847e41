/** When the wire is likely to cross, and what the written rule says of it. Never an order. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { get, Problem } from "../state/api";
import { type Checked, queryOf, verdictOn } from "../state/checklist";
import { nowMs } from "../state/clock";
import { hourMinute, span } from "../state/format";
import { lang } from "../state/prefs";
import { may, me } from "../state/session";
import { say, t } from "../texts";
import type { Dido, Prediction, Reperfusion } from "../wireCare";
import { Act, Section } from "./bits";

export function ReperfusionPanel({ caseId, clock }: { caseId: string; clock: Reperfusion }): JSX.Element {
  return (
    <Section title={t("reperfusion")}>
      <div class="reperfusion" data-testid="reperfusion" data-verdict={clock.verdict}>
        <Verdict clock={clock} />
        {clock.prediction && <Predicted clock={clock} prediction={clock.prediction} />}
        {clock.dido && <DidoLine dido={clock.dido} />}
        {clock.verdict !== "over" && may("sign", me.value?.user.role) && <Checklist caseId={caseId} />}
      </div>
    </Section>
  );
}

const names = (all: readonly { zh: string; en: string }[]): string =>
  all.map(say).join(lang.value === "zh" ? "、" : "; ");

function Verdict({ clock }: { clock: Reperfusion }): JSX.Element {
  return (
    <>
      <p class="verdict" data-testid="verdict">
        {say(clock)}
      </p>
      {clock.straddles && <p>{t("straddles")}</p>}
      {clock.missing.length > 0 && (
        <p data-testid="reperfusion-missing">{t("missingInputs", { names: names(clock.missing) })}</p>
      )}
      {clock.against_lysis.length > 0 && <p>{t("againstLysis", { names: names(clock.against_lysis) })}</p>}
      {clock.verdict !== "over" && <p class="muted">{t("reperfusionNoOrder")}</p>}
    </>
  );
}

const whole = (minutes: number): number => Math.round(minutes);

function Predicted({ clock, prediction: p }: { clock: Reperfusion; prediction: Prediction }): JSX.Element {
  const fmc = p.fmc_to_wire_min;
  const limitAt = clock.dx_at && new Date(Date.parse(clock.dx_at) + clock.limit_min * 60_000).toISOString();
  return (
    <div data-testid="prediction">
      <p class="num">
        {t("predictedWire")} <b class="predicted-at">{hourMinute(p.median_at)}</b> ({hourMinute(p.low_at)}–
        {hourMinute(p.high_at)}) · {t("predictedFrom", { n: whole(p.median_min) })}
      </p>
      <Range p={p} limit={clock.limit_min} />
      <p class="num">
        {t("predictedRange", {
          pct: Math.round(clock.interval_share * 100),
          low: whole(p.low_min),
          high: whole(p.high_min),
        })}{" "}
        · {t(p.basis === "clinic" ? "predictedBasisClinic" : "predictedBasisNetwork", { n: p.cases })}
        {limitAt && ` · ${t("limitAt", { n: clock.limit_min, at: hourMinute(limitAt) })}`}
      </p>
      {fmc && (
        <p class="num muted">
          {t("predictedFmc", { n: whole(fmc.median), low: whole(fmc.low), high: whole(fmc.high) })}
        </p>
      )}
    </div>
  );
}

/** The interval with its middle against the limit, on one line from the diagnosis on. */
function Range({ p, limit }: { p: Prediction; limit: number }): JSX.Element {
  const end = Math.max(p.high_min, limit) * 1.1;
  const at = (minutes: number): string => `${(100 * Math.max(0, minutes)) / end}%`;
  return (
    <div class="range" aria-hidden="true">
      <span class="range-span" style={{ left: at(p.low_min), width: at(p.high_min - p.low_min) }} />
      <span class="range-middle" style={{ left: at(p.median_min) }} />
      <span class="range-limit num" style={{ left: at(limit) }}>
        {limit}
      </span>
    </div>
  );
}

function DidoLine({ dido }: { dido: Dido }): JSX.Element {
  return (
    <p class="num" data-testid="dido" data-state={dido.state}>
      <b>{t("dido")}</b> <DidoWords dido={dido} />{" "}
      {dido.due_at && (dido.state === "running" || dido.state === "late") && (
        <span class="muted">{t("didoTarget", { n: dido.target_min, at: hourMinute(dido.due_at) })}</span>
      )}
    </p>
  );
}

/** It ticks here; the service counts the same way. */
function DidoWords({ dido }: { dido: Dido }): JSX.Element {
  const now = nowMs.value;
  if (dido.state === "done" && dido.door_at && dido.out_at) {
    const minutes = (Date.parse(dido.out_at) - Date.parse(dido.door_at)) / 60_000;
    return (
      <span class={minutes > dido.target_min ? "late" : ""}>{t("didoDone", { n: whole(minutes) })}</span>
    );
  }
  if (dido.due_at === null || now === null) return <span class="muted">{t("didoUnknown")}</span>;
  const left = (Date.parse(dido.due_at) - now) / 1000;
  return (
    <b class={left < 0 ? "late dido-left" : "dido-left"}>
      {left < 0 ? `! ${t("didoLate", { for: span(-left) })}` : t("didoLeft", { for: span(left) })}
    </b>
  );
}

/** What the rule says once a doctor has gone through the contraindications. Nothing of it is kept. */
function Checklist({ caseId }: { caseId: string }): JSX.Element {
  const [known, setKnown] = useState<Reperfusion | null>(null);
  const [present, setPresent] = useState<ReadonlySet<string>>(new Set());
  const [checked, setChecked] = useState<Checked | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const ask = async (query: string): Promise<Reperfusion | null> => {
    try {
      const answer = await get<Reperfusion>(`/cases/${encodeURIComponent(caseId)}/reperfusion${query}`);
      setProblem(null);
      return answer;
    } catch (failure) {
      if (!(failure instanceof Problem)) throw failure;
      setProblem(failure.words);
      return null;
    }
  };
  const check = async (): Promise<void> => {
    const query = queryOf(present);
    const clock = await ask(query);
    setChecked(clock && { query, clock });
  };
  const toggle = (id: string): void => {
    const next = new Set(present);
    if (!next.delete(id)) next.add(id);
    setPresent(next);
    setChecked(null);
  };
  const verdict = verdictOn(checked, present);
  return (
    <details
      data-testid="checklist"
      onToggle={(event) => {
        if (event.currentTarget.open && known === null) void ask("").then(setKnown);
      }}
    >
      <summary>{t("checklist")}</summary>
      {problem && <p class="trouble">{problem}</p>}
      {known && (
        <div class="form">
          <p class="muted">{t("checklistHint")}</p>
          {(known.contraindications ?? []).map((one) => (
            <label key={one.id} class="tick">
              <input type="checkbox" checked={present.has(one.id)} onChange={() => toggle(one.id)} />
              {say(one)}
            </label>
          ))}
          <Act name="checklist" testid="checklist-done" run={check}>
            {t("checklistDone")}
          </Act>
          {verdict && (
            <div class="checked" role="status" data-testid="checklist-verdict">
              <Verdict clock={verdict} />
            </div>
          )}
        </div>
      )}
    </details>
  );
}
