/** What detectors said of a study, and the cards of all of them: always under the banner. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { useLoaded } from "../../parts/load";
import { inWords, isNamed } from "../../state/detected";
import { may, me } from "../../state/session";
import { say } from "../../texts";
import { type ImageText, ti } from "../../textsImage";
import type { Detected, DetectorCard, DetectorCards } from "../../wireImage";

/** A detector may move a study up and says nothing else: what it measured stands under the banner, a hint as well. */
export function Detectors({ detected }: { detected: readonly Detected[] }): JSX.Element | null {
  if (detected.length === 0) return null;
  return (
    <ul class="detectors">
      {detected.map((one) => (
        <li key={`${one.plugin}${one.version}`} data-testid={`detected-${one.plugin}`}>
          {isNamed(one) && (
            <p class="unvalidated" data-testid="unvalidated">
              ! {say(one.banner)}
            </p>
          )}
          <span class="muted">
            {one.title ? say(one.title) : one.plugin} {one.version} · {say(one.said)}
          </span>
          {one.evidence.map((value) => (
            <p key={`${value.quantity}${value.place?.en}`} class="num" data-testid="detector-evidence">
              {inWords(value, say)}
            </p>
          ))}
        </li>
      ))}
    </ul>
  );
}

/** The cards, read when somebody opens them. */
export function Cards(): JSX.Element | null {
  const [open, setOpen] = useState(false);
  const path = open ? "/imaging/detectors" : null;
  const { value, problem } = useLoaded<DetectorCards>(path, 0);
  if (!may("imageWorklist", me.value?.user.role)) return null;
  return (
    <details
      class="card"
      data-testid="detector-cards"
      onToggle={(event) => setOpen((event.currentTarget as HTMLDetailsElement).open)}
    >
      <summary>{ti("detectorCards")}</summary>
      {problem && !value && <p class="trouble">{problem.words}</p>}
      {value && <p class="unvalidated">! {say(value.banner)}</p>}
      {value?.detectors.map((card) => (
        <One key={card.name} card={card} />
      ))}
    </details>
  );
}

function One({ card }: { card: DetectorCard }): JSX.Element {
  const statuses = [...new Set(Object.values(card.status))];
  return (
    <section>
      <h3>
        {say(card.title)} <span class="muted num">{card.version}</span>
      </h3>
      <p class="muted">{statuses.map((one) => ti(`status_${one}` as ImageText)).join(" · ")}</p>
      <p>
        <b>{ti("detectorUse")}</b> {say(card.intended_use)}
      </p>
      <p>
        <b>{ti("detectorLimits")}</b> {say(card.limits)}
      </p>
      <p class="muted">
        <b>{ti("detectorData")}</b> {say(card.data)} {card.author}
      </p>
    </section>
  );
}
