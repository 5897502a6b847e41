/** A sample case for the tour: made up here, in the browser; nothing of it comes from the service or goes to it. */
import type { Waveform } from "../paper/waveform";
import type { Analysis, Beat, Me, Row, Task } from "../wire";

const MARK_ZH = "【示例】";
const MARK_EN = "[SAMPLE] ";
export const SAMPLE_ECG = "sample-ecg";
const RATE_HZ = 250;
const SECONDS = 10;
const EVERY_S = 0.8;
const FIRST_R_S = 0.6;

/** ST level of each lead in mV: a picture of an anterior infarction, of nobody. */
const ST_MV: Record<string, number> = {
  V1: 0.15,
  V2: 0.42,
  V3: 0.5,
  V4: 0.35,
  V5: 0.15,
  III: -0.12,
  aVF: -0.1,
};
const R_MV: Record<string, number> = {
  I: 0.7,
  II: 0.8,
  III: 0.3,
  aVR: -0.7,
  aVL: 0.4,
  aVF: 0.5,
  V1: 0.2,
  V2: 0.4,
  V3: 0.6,
  V4: 1.0,
  V5: 1.1,
  V6: 0.9,
};

const beats = (): number[] => {
  const found: number[] = [];
  for (let at = FIRST_R_S; at < SECONDS - 0.5; at += EVERY_S) found.push(at);
  return found;
};

const hill = (atS: number, centreS: number, widthS: number): number =>
  Math.exp(-0.5 * ((atS - centreS) / widthS) ** 2);

const ramp = (value: number): number => Math.min(1, Math.max(0, value));

function level(lead: string, atS: number, rS: number): number {
  const r = R_MV[lead] ?? 0.5;
  const st = ST_MV[lead] ?? 0;
  const since = atS - rS;
  const plateau = ramp((since - 0.04) / 0.02) * ramp((0.34 - since) / 0.12);
  return (
    0.1 * Math.sign(r) * hill(atS, rS - 0.16, 0.022) +
    r * hill(atS, rS, 0.012) -
    0.2 * Math.abs(r) * hill(atS, rS + 0.03, 0.01) +
    0.2 * Math.sign(r) * hill(atS, rS + 0.27, 0.045) +
    st * plateau
  );
}

export function sampleWaveform(): Waveform {
  const leads = Object.keys(R_MV);
  const samples = leads.map((lead) => {
    const row = new Float32Array(RATE_HZ * SECONDS);
    for (const rS of beats()) {
      const first = Math.max(0, Math.floor((rS - 0.3) * RATE_HZ));
      for (let i = first; i < Math.min(row.length, (rS + 0.5) * RATE_HZ); i++)
        row[i] = (row[i] ?? 0) + level(lead, i / RATE_HZ, rS);
    }
    return row;
  });
  return { leads, rateHz: RATE_HZ, durationS: SECONDS, samples };
}

const evidence = (lead: string) => ({
  lead,
  quantity: "stj_mv",
  value: ST_MV[lead] ?? 0,
  threshold: lead === "V2" || lead === "V3" ? 0.2 : 0.1,
  rule: "STE-1",
  relation: ">=" as const,
  trace: null,
});

const FINDING: Row["findings"][number] = {
  id: "STE-1",
  tier: "ACT",
  zh: `${MARK_ZH}考虑急性前壁心肌梗死`,
  en: `${MARK_EN}Consider acute anterior infarction`,
  territories: ["anterior"],
  evidence: ["V2", "V3", "V4"].map(evidence),
  downgraded_by: [],
  restored_by: [],
};

export function sampleAnalysis(): Analysis {
  const marks = beats().map(
    (rS): Beat => ({
      p_on_s: rS - 0.2,
      p_off_s: rS - 0.11,
      qrs_on_s: rS - 0.04,
      qrs_off_s: rS + 0.055,
      t_peak_s: rS + 0.27,
      t_off_s: rS + 0.36,
    }),
  );
  return {
    leads: Object.keys(R_MV),
    rate_hz: RATE_HZ,
    duration_s: SECONDS,
    patient: { age_years: 61, sex: "male" },
    tier: "ACT",
    findings: [FINDING],
    measurements: {
      heart_rate_bpm: 60 / EVERY_S,
      pr_ms: 160,
      qrs_ms: 95,
      qt_ms: 400,
      qtc_fridericia_ms: 430,
      axis_deg: 40,
      rhythm: null,
      leads: {},
    },
    fiducials: { r_s: beats(), beats: marks },
    quality: { acceptable: true, bad_leads: [], reversal: null, messages: [] },
    version: { software: "sample", rules: "sample" },
  };
}

/** How far the sample has come by what the reader pressed. */
export interface Progress {
  acked: boolean;
  green: boolean;
  accepted: boolean;
  done: boolean;
}

export const BEGINNING: Progress = { acked: false, green: false, accepted: false, done: false };

const iso = (ms: number): string => new Date(ms).toISOString();

/** The row as the service would give it, so that the real parts of the pages show it. */
export function sampleRow(who: Me, startMs: number, progress: Progress): Row {
  const at = iso(startMs);
  const later = iso(startMs + 20_000);
  const self = { person: who.user.id, name: who.user.name };
  const role = who.user.role === "clinic" ? "cathlab" : who.user.role;
  const tasks: Task[] = progress.green
    ? [
        {
          task_id: "sample-task",
          kind: "sample",
          role,
          state: progress.done ? "done" : progress.accepted ? "accepted" : "given",
          zh: `${MARK_ZH}准备就绪`,
          en: `${MARK_EN}Make ready`,
          steps: [],
          given_at: later,
          accepted_at: progress.accepted ? later : null,
          accepted_by: progress.accepted ? self : null,
          done_at: progress.done ? later : null,
          done_by: progress.done ? self : null,
          cancelled_at: null,
        },
      ]
    : [];
  return {
    case_id: "sample",
    seq: 1,
    state: "open",
    opened_at: at,
    last_event_at: at,
    note: "示例，不是真实患者 / Sample: not a real patient",
    site: {
      id: "sample",
      name_zh: `${MARK_ZH}某某卫生院`,
      name_en: `${MARK_EN}A clinic`,
      distance_km: 38,
      phone: null,
    },
    patient: { age_years: 61, sex: "male", chest_pain: true },
    arrival_mode: null,
    tier: "ACT",
    order: [0, "sample"],
    order_zh: null,
    order_en: null,
    headline_zh: FINDING.zh,
    headline_en: FINDING.en,
    findings: [FINDING],
    worst_leads: ["V2", "V3"],
    ecg_id: SAMPLE_ECG,
    ecgs: [
      {
        ecg_id: SAMPLE_ECG,
        state: "alerted",
        tier: "ACT",
        received_at: at,
        acceptable: true,
        bad_leads: [],
        leads: Object.keys(R_MV),
        rate_hz: RATE_HZ,
        duration_s: SECONDS,
        live: false,
        signed_tier: null,
        advice_seen_at: null,
        rules_version: null,
        not_analysed: null,
        format: null,
        same_as: null,
      },
    ],
    record_again: null,
    rings_at: null,
    alert: {
      alert_id: "sample-alert",
      tier: "ACT",
      state: progress.acked ? "acknowledged" : "open",
      opened_at: at,
      acknowledged_at: progress.acked ? later : null,
      acknowledged_by: progress.acked ? self : null,
      held_by: progress.acked ? self : null,
      given_to: null,
      round: 1,
      step: 0,
      steps: 4,
      next_due_at: iso(startMs + 60_000),
      follow_up_at: null,
      exhausted: false,
      people: [],
    },
    green_channel: {
      state: progress.green ? "open" : "closed",
      channel_id: progress.green ? "sample-channel" : null,
      opened_at: progress.green ? later : null,
      opened_by: progress.green ? self : null,
      stood_down_at: null,
      stood_down_by: null,
      reason: null,
      proposed: null,
    },
    tasks,
    eta: { scene: null, hub: null },
    feedback: null,
    diagnosed_at: null,
    identity_conflicts: [],
    patient_doubts: [],
    identity_checked: null,
    reading: null,
    newest_advice: null,
    advice_withdrawn: null,
  };
}
