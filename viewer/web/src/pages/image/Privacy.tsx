/** What may name the patient in pictures and private elements of a study, by their headers: said before they leave. */
import type { JSX } from "preact";
import { useLoaded } from "../../parts/load";
import { ti } from "../../textsImage";
import type { ImagePrivacy } from "../../wireImage";

export function Privacy({ uid }: { uid: string }): JSX.Element | null {
  const { value } = useLoaded<ImagePrivacy>(`/imaging/studies/${encodeURIComponent(uid)}/privacy`, 0);
  if (!value) return null;
  const all = value.images;
  const { yes } = value.burned_in;
  const usual = value.usually_burned_in;
  const unknown = value.burned_in.unknown - usual;
  return (
    <div data-testid="privacy">
      {yes > 0 && <p class="trouble">! {ti("privacyBurnedIn", { n: yes, all })}</p>}
      {usual > 0 && <p class="trouble">! {ti("privacyUsual", { n: usual, all })}</p>}
      {unknown > 0 && <p class="muted">{ti("privacyUnknown", { n: unknown, all })}</p>}
      {value.with_private_elements > 0 && (
        <p class="muted">{ti("privacyPrivate", { n: value.with_private_elements, all })}</p>
      )}
    </div>
  );
}
