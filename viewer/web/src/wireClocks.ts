/** The weekly report of device clocks, as docs/wire-protocol.md says. */

/** One device in the weekly report of clocks. */
export interface DeviceClock {
  device: string;
  site: string;
  name: string;
  level: "unset" | "dead_battery" | "jumped" | "off" | "drifting" | "never_compared" | "silent" | "ok";
  offset_s: number | null;
  uncertainty_s: number | null;
  drift_ppm: number | null;
  drift_uncertainty_ppm: number | null;
  jumps: { after: string; before: string; by_s: number; uncertainty_s: number }[];
  suspected_jump: { at: string; to_offset_s: number } | null;
  dead_dates: { seen_at: string; raw: string }[];
  contacts: number;
  last_contact_at: string | null;
}

export interface ClockReport {
  week: string;
  from: string;
  to: string;
  /** False: the week still runs. */
  final: boolean;
  bad: number;
  devices: DeviceClock[];
  weeks: string[];
}
