/** One's own addresses, and what may be entered as one. */
import type { ContactChannel, NewContact } from "../wireDuty";
import { attempt } from "./acts";
import { call } from "./api";

const at = encodeURIComponent;
/** To a gateway one says which number it is to call. */
const WITH_NUMBER: readonly string[] = ["sms", "phone"];
/** This browser has a button of its own. */
const BY_BROWSER = "webpush";

/** The channels of which a person may enter an address; all others an administrator enters. */
export function enterable(channels: readonly ContactChannel[]): {
  own: ContactChannel[];
  administrators: ContactChannel[];
} {
  const others = channels.filter((one) => one.channel !== BY_BROWSER);
  return {
    own: others.filter((one) => one.schemes.length > 0),
    administrators: others.filter((one) => one.schemes.length === 0),
  };
}

export const needsNumber = (channel: string): boolean => WITH_NUMBER.includes(channel);

/** Gives the secret of a webhook's signatures, which is shown this once; null where there is none or it was refused. */
export async function enterAddress(
  channel: string,
  address: string,
  to: string,
): Promise<{ secret: string | null } | null> {
  let secret: string | null = null;
  const body = JSON.stringify({ address, ...(to !== "" && { to }) });
  const done = await attempt("contact", async () => {
    const headers = { "content-type": "application/json" };
    const answer = await call<NewContact>("PUT", `/me/contacts/${at(channel)}`, { body, headers });
    secret = answer.secret;
    return undefined;
  });
  return done ? { secret } : null;
}

export const enableContact = (id: string, enabled: boolean): Promise<boolean> =>
  attempt(`contact ${id}`, () =>
    call<undefined>("PATCH", `/me/contacts/${at(id)}`, {
      body: JSON.stringify({ enabled }),
      headers: { "content-type": "application/json" },
    }),
  );

export const removeContact = (id: string): Promise<boolean> =>
  attempt(`contact ${id}`, () => call<undefined>("DELETE", `/me/contacts/${at(id)}`));
