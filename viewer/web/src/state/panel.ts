/** The ECG beside the list: it stays the one that was opened, whatever comes of its case. Pure. */
import type { Row } from "../wire";

export interface Opened {
  readonly caseId: string;
  /** The most urgent of the case when it was opened; null where it had none. */
  readonly ecgId: string | null;
}

export interface Panel {
  readonly ecgId: string | null;
  /** Another of the case that is more urgent now: offered, never put under a hand that reads or writes. */
  readonly other: string | null;
}

export function panelOf({ ecgId }: Opened, row: Row): Panel {
  const stays = ecgId !== null && row.ecgs.some((ecg) => ecg.ecg_id === ecgId);
  return stays
    ? { ecgId, other: row.ecg_id === ecgId ? null : row.ecg_id }
    : { ecgId: row.ecg_id, other: null };
}
