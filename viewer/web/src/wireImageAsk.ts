/** Asking for images, members of the network, images that are sent on: as docs/wire-protocol.md says. */
export interface Member {
  id: string;
  name_zh: string;
  name_en: string;
  /** Of those that the asking person sees. */
  own: boolean;
}

export interface ImageOrder {
  accession: string;
  state: "waiting" | "come" | "cancelled";
  study_uid: string;
  case_id: string;
  ordered_at: string;
  modality: string;
  body_part: string | null;
  description: string | null;
  reason: string | null;
  priority: string;
  patient_ref: string;
  name: string | null;
}

export type ForwardState = "waiting" | "sent" | "refused";
export interface ForwardedObject {
  destination: string;
  sop_uid: string;
  state: ForwardState;
  attempts: number;
  next_at: string | null;
  reason: string | null;
  receipt: string | null;
  ended_at: string | null;
}
export interface ForwardTo {
  name: string;
  way: string;
  sites: string[];
  states: { state: ForwardState; objects: number; oldest_at: string | null; reason: string | null }[];
}
