/** Do images reach the archives that they are sent to? What waits or was refused is sent again from here. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Act } from "../../parts/bits";
import { useLoaded } from "../../parts/load";
import { dateTime } from "../../state/format";
import { asked, sendAgain } from "../../state/imageAsk";
import { tia } from "../../textsImageAsk";
import type { ForwardTo } from "../../wireImageAsk";
import { Counts } from "../image/Share";

export function Forwards(): JSX.Element {
  const { value, problem } = useLoaded<{ destinations: ForwardTo[] }>("/imaging/forwards", asked.value);
  return (
    <>
      <h2>{tia("forwards")}</h2>
      {problem && <p class="trouble">{problem.words}</p>}
      {value?.destinations.length === 0 && <p class="muted">{tia("forwardsNowhere")}</p>}
      <ul class="admin-list">
        {value?.destinations.map((to) => (
          <To key={to.name} to={to} />
        ))}
      </ul>
    </>
  );
}

function To({ to }: { to: ForwardTo }): JSX.Element {
  const [said, setSaid] = useState<number | null>(null);
  const counts = { sent: 0, waiting: 0, refused: 0 };
  for (const one of to.states) counts[one.state] += one.objects;
  const open = to.states.filter((one) => one.state !== "sent");
  return (
    <li class="card" data-testid={`forward-${to.name}`}>
      <p>
        <b>{to.name}</b> <span class="muted">{to.way}</span>{" "}
        <span class="muted">{to.sites.length === 0 ? tia("forwardAll") : to.sites.join(" · ")}</span>
      </p>
      <p>
        <Counts counts={counts} />
      </p>
      {open.map((one) => (
        <p key={one.state} class="muted num admin-detail">
          {one.reason} {one.oldest_at && tia("forwardOldest", { at: dateTime(one.oldest_at) })}
        </p>
      ))}
      {open.length > 0 && (
        <p class="acts">
          <Act
            name={`again ${to.name}`}
            testid={`again-${to.name}`}
            run={async () => setSaid((await sendAgain(to.name))?.objects ?? null)}
          >
            {tia("again")}
          </Act>
        </p>
      )}
      {said !== null && <p role="status">✓ {tia("againDone", { n: said })}</p>}
    </li>
  );
}
