/** Who would not hear an alert? Everybody, by every channel, each with a test. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Act } from "../../parts/bits";
import { useLoaded } from "../../parts/load";
import { testChannel } from "../../state/admin";
import { dateTime } from "../../state/format";
import { lang } from "../../state/prefs";
import { roleName } from "../../texts";
import { ta } from "../../textsAdmin";
import type { AdminPerson } from "../../wireAdmin";
import type { ChannelHealth } from "../../wireDuty";

const LOOK_MS = 2000;
const LOOKS = 10;
const BOARD = "live";

export function Channels(): JSX.Element {
  const [changes, setChanges] = useState(0);
  const [looks, setLooks] = useState(0);
  const [only, setOnly] = useState(false);
  const { value, problem } = useLoaded<{ people: AdminPerson[] }>("/admin/channels", changes);
  useEffect(() => {
    if (looks === 0) return;
    const timer = setTimeout(() => {
      setLooks(looks - 1);
      setChanges((count) => count + 1);
    }, LOOK_MS);
    return () => clearTimeout(timer);
  }, [looks]);
  const people = (value?.people ?? []).filter((one) => !only || !one.reachable);
  return (
    <>
      <h2>{ta("channels")}</h2>
      {problem && <p class="trouble">{problem.words}</p>}
      <label class="tick">
        <input type="checkbox" checked={only} onChange={(event) => setOnly(event.currentTarget.checked)} />
        {ta("onlyUnreached")}
      </label>
      <ul class="admin-list">
        {people.map((one) => (
          <li key={one.person} class="card" data-testid={`reach-${one.person}`}>
            <p>
              <b>{one.name}</b> <span class="muted">{roleName(one.role)}</span>{" "}
              {one.reachable ? (
                <span class="done">✓ {ta("reachable")}</span>
              ) : (
                <b class="late">
                  ✕ {ta("unreachable")}
                  {one.why?.[lang.value] && ` (${one.why[lang.value]})`}
                </b>
              )}
            </p>
            <ul class="channel-rows">
              {one.channels
                .filter((each) => each.address || each.works !== null)
                .map((each) => (
                  <OneChannel key={each.channel} person={one} channel={each} tested={() => setLooks(LOOKS)} />
                ))}
            </ul>
          </li>
        ))}
      </ul>
    </>
  );
}

function OneChannel(props: { person: AdminPerson; channel: ChannelHealth; tested: () => void }): JSX.Element {
  const { person, channel, tested } = props;
  const [said, setSaid] = useState("");
  const works = channel.works;
  return (
    <li data-testid={`channel-${person.person}-${channel.channel}`}>
      <span>
        <b>{channel[lang.value]}</b>{" "}
        {!channel.address ? (
          <span class="muted">{ta("noAddress")}</span>
        ) : works === null ? (
          <span class="muted">{ta("untested")}</span>
        ) : works ? (
          <span class="done">✓ {ta("works")}</span>
        ) : (
          <b class="late">
            ✕ {ta("fails")}
            {channel.last_reason?.[lang.value] && ` (${channel.last_reason[lang.value]})`}
          </b>
        )}
        {channel.tested_at && (
          <span class="muted num"> · {ta("testedAt", { at: dateTime(channel.tested_at) })}</span>
        )}
        {said && (
          <span class="info" role="status">
            {" "}
            · {said}
          </span>
        )}
      </span>
      {channel.address && channel.channel !== BOARD && (
        <Act
          name={`test ${person.person} ${channel.channel}`}
          testid={`test-${person.person}-${channel.channel}`}
          run={async () => {
            const answer = await testChannel(person.person, channel.channel);
            if (!answer) return;
            setSaid(ta(answer.sent ? "testSent" : "testAgain"));
            tested();
          }}
        >
          {ta("test")}
          <span class="unseen">{ta("testOf", { who: person.name, channel: channel[lang.value] })}</span>
        </Act>
      )}
    </li>
  );
}
