/** The first minutes of a new colleague: a sample case, step by step. */
import type { JSX } from "preact";
import { Tour } from "../parts/Tour";
import { me } from "../state/session";

export function TourPage(): JSX.Element | null {
  const who = me.value;
  return who ? <Tour key={who.user.id} who={who} /> : null;
}
