/** The words of all pages but the clinic's and the login page: they come with the first of those pages. */
import { addTexts } from "./texts";
import { CARE_TEXTS } from "./textsCare";
import { CONTACT_TEXTS } from "./textsContacts";
import { IDENTITY_TEXTS } from "./textsIdentity";
import { ROSTER_TEXTS } from "./textsRoster";

export const REST_TEXTS = {
  ...CARE_TEXTS,
  ...CONTACT_TEXTS,
  ...IDENTITY_TEXTS,
  ...ROSTER_TEXTS,
} as const;

addTexts(REST_TEXTS);
