/** What an analysis says of the trace on the paper: beats, evidence that may be drawn, leads that may not be relied on. Pure. */
import type { Analysis, Beat, Evidence } from "../wire";
import { type BeatMarks, beatMarks } from "./median";

export interface Facts {
  rS: number[];
  beats: Beat[];
  marks: BeatMarks | null;
  evidence: Evidence[];
  /** Whose evidence is drawn: of the recording as it came (null), or with swapped electrodes put right. */
  trace: "corrected" | null;
  unusable: Set<string>;
}

const NOTHING: Facts = { rS: [], beats: [], marks: null, evidence: [], trace: null, unusable: new Set() };

export function factsOf(analysis: Analysis | null, corrected = false): Facts {
  if (!analysis) return NOTHING;
  const { fiducials, measurements, quality, findings } = analysis;
  const leads = (corrected ? analysis.corrected?.measurements : measurements)?.leads ?? {};
  const unusable = Object.entries(leads).filter(([, lead]) => lead.usable === false);
  return {
    rS: fiducials?.r_s ?? [],
    beats: fiducials?.beats ?? [],
    marks: beatMarks(fiducials?.r_s ?? [], fiducials?.beats ?? []),
    evidence: findings.flatMap((finding) => finding.evidence),
    trace: corrected ? "corrected" : null,
    // A bad cable is a bad lead under its own name; put right, it may be another that suffers.
    unusable: new Set([...(corrected ? [] : quality.bad_leads), ...unusable.map(([name]) => name)]),
  };
}
