/** What administrators do: each act is one call, its refusal is said in words. */
import type { ImagePatient, NewCode, Paired, QuarantinedFile } from "../wireAdmin";
import { attempt } from "./acts";
import { call, post } from "./api";

const at = encodeURIComponent;
const JSON_BODY = { "content-type": "application/json" };

/** Gives the answer, or null where it was refused (and the refusal is shown). */
async function asked<T>(name: string, run: () => Promise<T>): Promise<T | null> {
  let answer: T | null = null;
  const done = await attempt(name, async () => {
    answer = await run();
    return undefined;
  });
  return done ? answer : null;
}

const told = (name: string, path: string, body: object = {}): Promise<boolean> =>
  attempt(name, () => post<undefined>(path, body));

const changed = (method: "PATCH" | "PUT", name: string, path: string, body: object): Promise<boolean> =>
  attempt(name, async () => {
    await call<unknown>(method, path, { body: JSON.stringify(body), headers: JSON_BODY });
    return undefined;
  });

export const addSite = (site: object) => told("site", "/admin/sites", site);
export const changeSite = (id: string, change: object) =>
  changed("PATCH", `site ${id}`, `/admin/sites/${at(id)}`, change);
export const closeSite = (id: string, reason: string) =>
  told(`site ${id}`, `/admin/sites/${at(id)}/close`, { reason });
export const useSite = (id: string) => told(`site ${id}`, `/admin/sites/${at(id)}/use`);

export const followList = (site: string, list: string | null) =>
  changed("PUT", `rules ${site}`, `/admin/rules/${at(site)}`, { critical_list: list });

export const addDevice = (device: object) =>
  asked("device", () => post<NewCode & { device: string }>("/admin/devices", device));
export const pairingCode = (id: string) =>
  asked(`device ${id}`, () => post<NewCode>(`/admin/devices/${at(id)}/pairing`));
export const revokeDevice = (id: string, reason: string) =>
  told(`device ${id}`, `/admin/devices/${at(id)}/revoke`, { reason });

export const addUser = (user: object) =>
  asked("user", () => post<NewCode & { user: string }>("/admin/users", user));
export const changeUser = (id: string, change: object) =>
  changed("PATCH", `user ${id}`, `/admin/users/${at(id)}`, change);
export const disableUser = (id: string, reason: string) =>
  told(`user ${id}`, `/admin/users/${at(id)}/disable`, { reason });
export const useUser = (id: string) => told(`user ${id}`, `/admin/users/${at(id)}/use`);
export const resetUser = (id: string) =>
  asked(`user ${id}`, () => post<NewCode>(`/admin/users/${at(id)}/reset`));

export const testChannel = (person: string, channel: string) =>
  asked(`test ${person} ${channel}`, () =>
    post<{ sent: boolean }>(`/admin/users/${at(person)}/channels/${at(channel)}/test`),
  );

export const takeFile = (id: string, where: object) =>
  asked(`file ${id}`, () => post<{ case_id: string }>(`/admin/quarantine/${at(id)}/take`, where));
/** Whose a refused image says that it is: the look is noted, with why. */
export const whoseImage = (id: string, reason: string) =>
  asked(`whose ${id}`, () => post<ImagePatient>(`/admin/quarantine/${at(id)}/patient`, { reason }));
export const discardFile = (id: string, reason: string) =>
  asked(`file ${id}`, () =>
    post<{ file: QuarantinedFile }>(`/admin/quarantine/${at(id)}/discard`, { reason }),
  );

export const pairDevice = (code: string) => asked("pair", () => post<Paired>("/pairing", { code }));
export const whoseInvitation = (code: string) =>
  asked("join", () => post<{ user: string }>("/invitation", { code }));
export const join = (code: string, password: string) =>
  asked("join", () => post<{ user: string }>("/join", { code, password }));

/** Every site, or those that were ticked; null while nobody has said: a person of no site would sit before an empty board. */
export function sitesOf(
  role: string,
  every: boolean,
  ticked: ReadonlySet<string>,
): { sites: string[] | null } | null {
  if (every && role !== "clinic") return { sites: null };
  return ticked.size === 0 ? null : { sites: [...ticked] };
}

/** `1234 5678`: as people read digits out. */
export const inFours = (code: string): string => code.replace(/(\d{4})(?=\d)/g, "$1 ");
/** What people type: the digits alone. */
export const digitsOf = (typed: string): string => typed.replace(/\D/g, "");
