/** The words of all pages but the clinic's and the login page: they come with the first of those pages. */
import { addTexts } from "./texts";
import { CARE_TEXTS } from "./textsCare";
import { CONTACT_TEXTS } from "./textsContacts";
import { IDENTITY_TEXTS } from "./textsIdentity";
import { PAPER_TEXTS } from "./textsPaper";
import { ROSTER_TEXTS } from "./textsRoster";
import { SIGN_TEXTS } from "./textsSign";

export const REST_TEXTS = {
  ...CARE_TEXTS,
  ...CONTACT_TEXTS,
  ...IDENTITY_TEXTS,
  ...PAPER_TEXTS,
  ...ROSTER_TEXTS,
  ...SIGN_TEXTS,
} as const;

addTexts(REST_TEXTS);
