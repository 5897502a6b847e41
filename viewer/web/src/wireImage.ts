/** Images of a case, as `GET /cases/{id}` has them. */

export interface CaseImage {
  study_uid: string;
  case_id: string | null;
  modalities: string[];
  body_part: string | null;
  /** Free text of the sender; null also for who may not know the patient. */
  description: string | null;
  priority: string | null;
  study_at: string | null;
  /** As the file has it, where its time is not known. */
  study_date: string | null;
  received_at: string;
  instances: number;
  expected: number | null;
  /** Null: nobody has said how many images there should be. */
  complete: boolean | null;
}
