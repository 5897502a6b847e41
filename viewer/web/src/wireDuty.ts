/** How people are reached, and who is on duty, as docs/wire-protocol.md says. */
import type { Said } from "./wire";
import type { Reason } from "./wireAlert";

/** One channel of one person; `works` is null where nothing is known. */
export interface ChannelHealth extends Said {
  channel: string;
  /** Is there an address on it? The board needs none. */
  address: boolean;
  public: boolean;
  enough_alone: boolean;
  works: boolean | null;
  tested_at: string | null;
  last_ok_at: string | null;
  last_failed_at: string | null;
  last_reason: Reason | null;
}

export interface DutyHealth {
  person: string;
  /** How the newest shift was begun. */
  duty: { at: string; role: string | null; sound: boolean } | null;
  sound: boolean | null;
  reachable: boolean;
  why: Reason | null;
  working: string[];
  channels: ChannelHealth[];
}

export interface Contact {
  id: string;
  channel: string;
  form: string;
  enabled: boolean;
  public: boolean;
  entered_by: "person" | "administrator";
  created_at: string;
}

export interface ContactChannel extends Said {
  channel: string;
  public: boolean;
  /** Of the addresses that a person may enter alone. */
  schemes: string[];
}

export interface Contacts {
  contacts: Contact[];
  channels: ContactChannel[];
  /** `applicationServerKey` of a browser. */
  push_key: string;
}

export interface NewContact {
  contact: Contact;
  /** Of a webhook's signatures; shown this once. */
  secret: string | null;
}

/** One shift; `role` is the place in the roster. */
export interface Shift {
  shift_id: string;
  role: string;
  person: string;
  name: string | null;
  /** Null: of the whole network. */
  site: string | null;
  from: string;
  to: string;
  instead_of: string | null;
}

type ByPlace = Record<string, Shift | null>;

export interface RosterNow {
  at: string;
  roles: ByPlace;
  /** Of the sites that have shifts of their own now. */
  sites: Record<string, ByPlace>;
}

export interface Roster {
  from: string;
  to: string;
  roles: Record<string, Shift[]>;
}

export interface RosterProblem extends Said {
  role: string;
  site: string | null;
  problem: "empty" | "disabled" | "unreachable" | string;
  person: string | null;
  name: string | null;
  from: string;
  to: string;
  said_at: string | null;
}

export interface RosterProblems {
  at: string;
  problems: RosterProblem[];
}

export interface RosterChange {
  warnings: (Said & { code: string })[];
}
