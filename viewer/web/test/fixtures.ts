/** Rows as the service sends them, for the tests. */
import type { Alert, AlertPerson, EcgSummary, Evidence, Me, Reading, Role, Row, Task } from "../src/wire";

export const AT = "2026-03-02T08:05:00.000Z";

export const EVIDENCE: Evidence = {
  lead: "V3",
  quantity: "stj_mv",
  value: 0.51,
  threshold: 0.2,
  rule: "STE-1",
  relation: ">=",
  trace: null,
};

/** An ECG that nobody has read. */
export function summary(id: string, change: Partial<EcgSummary> = {}): EcgSummary {
  return {
    ecg_id: id,
    state: "received",
    tier: null,
    received_at: AT,
    acceptable: null,
    bad_leads: [],
    leads: [],
    rate_hz: null,
    duration_s: null,
    live: false,
    signed_tier: null,
    signed_seq: null,
    advice_seen_at: null,
    rules_version: null,
    not_analysed: null,
    format: "dicom",
    same_as: null,
    ...change,
  };
}

export function reading(change: Partial<Reading> = {}): Reading {
  return { ecg_id: "e_1", text: "早期复极", tier: "NONE", advice: null, name: "陈医生", at: AT, ...change };
}

export function row(change: Partial<Row> = {}): Row {
  return {
    case_id: "c_1",
    seq: 1,
    state: "open",
    opened_at: AT,
    last_event_at: AT,
    note: null,
    site: { id: "yinzhao", name_zh: "阴赵卫生院", name_en: "Yinzhao Clinic", distance_km: 38, phone: null },
    patient: { age_years: 61, sex: "male", chest_pain: true },
    arrival_mode: 2,
    tier: "ACT",
    order: [0, 0, 1789000000, "c_1"],
    order_zh: null,
    order_en: null,
    headline_zh: "考虑急性广泛前壁心肌梗死",
    headline_en: "Consider acute extensive anterior infarction",
    findings: [
      {
        id: "STE-1",
        tier: "ACT",
        zh: "考虑急性广泛前壁心肌梗死",
        en: "Consider acute extensive anterior infarction",
        territories: ["extensive_anterior"],
        evidence: [{ ...EVIDENCE, lead: "V2", value: 0.42 }, EVIDENCE],
        downgraded_by: [],
        restored_by: [],
      },
    ],
    worst_leads: ["V3", "V2"],
    ecg_id: "e_1",
    ecgs: [],
    record_again: null,
    rings_at: null,
    alert: null,
    green_channel: {
      state: "closed",
      channel_id: null,
      opened_at: null,
      opened_by: null,
      stood_down_at: null,
      stood_down_by: null,
      reason: null,
      proposed: null,
    },
    tasks: [],
    eta: { scene: null, hub: null },
    feedback: null,
    diagnosed_at: null,
    identity_conflicts: [],
    patient_doubts: [],
    identity_checked: null,
    reading: null,
    newest_advice: null,
    advice_withdrawn: null,
    ...change,
  };
}

export function person(id: string, change: Partial<AlertPerson> = {}): AlertPerson {
  return {
    person: id,
    name: id,
    role: "first",
    step: 0,
    channel: "live",
    rings: 1,
    sent_at: AT,
    delivered_at: null,
    seen_at: null,
    acknowledged_at: null,
    declined_at: null,
    unreachable_at: null,
    unreachable: null,
    ...change,
  };
}

export function alert(people: AlertPerson[], change: Partial<Alert> = {}): Alert {
  return {
    alert_id: "a_1",
    tier: "ACT",
    state: "open",
    opened_at: AT,
    acknowledged_at: null,
    acknowledged_by: null,
    held_by: null,
    given_to: null,
    round: 1,
    step: 0,
    steps: 4,
    next_due_at: null,
    follow_up_at: null,
    exhausted: false,
    people,
    ...change,
  };
}

export function somebody(id: string, role: Role): Me {
  return {
    user: { id, name: id, role, sites: null },
    on_duty: true,
    shift: null,
    next_shift: null,
    fallback: null,
    demo: false,
    session_ends_at: null,
    server_time: AT,
    version: "0",
  };
}

export function task(id: string, change: Partial<Task> = {}): Task {
  return {
    task_id: id,
    kind: "ready_cathlab",
    role: "cathlab",
    state: "given",
    zh: "导管室准备就绪",
    en: "Cath lab ready",
    steps: [],
    given_at: AT,
    accepted_at: null,
    accepted_by: null,
    done_at: null,
    done_by: null,
    cancelled_at: null,
    ...change,
  };
}
