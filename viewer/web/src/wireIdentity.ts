/** Whose something is, as docs/wire-protocol.md says. */
export interface IdentityConflict {
  at: string;
  /** Null: it is about images. */
  existing_ecg_id: string | null;
  study_uid?: string | null;
  /** In what images that were taken name another person; none: they were refused. */
  differs?: string[];
}
