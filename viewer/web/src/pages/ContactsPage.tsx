/** How am I reached, and does it work? One's own channels, each with its last test. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Act, Section } from "../parts/bits";
import { ChannelList, DutyCheck, Reach } from "../parts/DutyCheck";
import { useLoaded } from "../parts/load";
import { enableContact, enterAddress, enterable, needsNumber, removeContact } from "../state/contacts";
import { health, loadHealth, ownHealth } from "../state/duty";
import { dateTime } from "../state/format";
import { lang } from "../state/prefs";
import { lookAtPush, pushState, turnPushOff, turnPushOn } from "../state/push";
import { me } from "../state/session";
import { say, t } from "../texts";
import type { Contact, Contacts } from "../wireDuty";

export function ContactsPage(): JSX.Element {
  const [changes, setChanges] = useState(0);
  const { value: known, problem } = useLoaded<Contacts>("/me/contacts", changes);
  const reached = ownHealth(health.value, me.value);
  const changed = (): void => setChanges((count) => count + 1);
  useEffect(() => void loadHealth(), [changes]);
  return (
    <main class="page contacts" data-testid="contacts-page">
      <h2>{t("contactsPage")}</h2>
      <p class="muted">{t("contactsIntro")}</p>
      {problem && <p class="trouble">{problem.words}</p>}
      {known && <Own known={known} changed={changed} />}
      {known && <Push known={known} changed={changed} />}
      {known && <Add known={known} changed={changed} />}
      <Section title={t("dutyTestTitle")}>
        <div class="form">
          <DutyCheck intro={<p>{t("dutyTestIntro")}</p>} listen={t("dutyTestListen")} />
          {reached && <Reach known={reached} />}
          {reached && <ChannelList known={reached} />}
        </div>
      </Section>
    </main>
  );
}

interface Props {
  known: Contacts;
  changed: () => void;
}

function Own({ known, changed }: Props): JSX.Element {
  if (known.contacts.length === 0) return <p class="card late">! {t("contactsNone")}</p>;
  return (
    <ul class="contact-list">
      {known.contacts.map((one) => (
        <OneContact key={one.id} one={one} name={nameOf(known, one.channel)} changed={changed} />
      ))}
    </ul>
  );
}

const nameOf = (known: Contacts, channel: string): string =>
  known.channels.find((one) => one.channel === channel)?.[lang.value] ?? channel;

function OneContact(props: { one: Contact; name: string; changed: () => void }): JSX.Element {
  const { one, name, changed } = props;
  const [sure, setSure] = useState(false);
  return (
    <li class="card contact" data-testid={`contact-${one.channel}`}>
      <p>
        <b>{name}</b> {!one.enabled && <span class="late">! {t("contactOff")}</span>}{" "}
        <span class="muted num">
          {t(one.entered_by === "person" ? "contactByMe" : "contactByAdmin", {
            at: dateTime(one.created_at),
          })}
        </span>
      </p>
      <p class="acts">
        <Act
          name={`contact ${one.id}`}
          testid={`contact-${one.enabled ? "stop" : "use"}-${one.channel}`}
          run={async () => (await enableContact(one.id, !one.enabled)) && changed()}
        >
          {t(one.enabled ? "contactStop" : "contactUse")}
        </Act>
        <Act
          name={`contact ${one.id}`}
          kind={sure ? "amber" : "plain"}
          testid={`contact-remove-${one.channel}`}
          run={async () => {
            if (!sure) setSure(true);
            else if (await removeContact(one.id)) changed();
          }}
        >
          {t(sure ? "contactRemoveSure" : "contactRemove")}
        </Act>
      </p>
    </li>
  );
}

/** An address is typed once and never shown again, not even to who typed it. */
function Add({ known, changed }: Props): JSX.Element {
  const { own, administrators } = enterable(known.channels);
  const [channel, setChannel] = useState(own[0]?.channel ?? "");
  const [address, setAddress] = useState("");
  const [number, setNumber] = useState("");
  const [secret, setSecret] = useState<string | null>(null);
  const spec = own.find((one) => one.channel === channel);
  const schemes = (spec?.schemes ?? []).map((one) => `${one}://`);
  const save = async (): Promise<void> => {
    const done = await enterAddress(channel, address.trim(), needsNumber(channel) ? number.trim() : "");
    if (!done) return;
    setAddress("");
    setNumber("");
    setSecret(done.secret);
    changed();
  };
  return (
    <Section title={t("contactAdd")}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <label>
          {t("contactChannel")}
          <select
            value={channel}
            data-testid="contact-channel"
            onChange={(event) => setChannel(event.currentTarget.value)}
          >
            {own.map((one) => (
              <option key={one.channel} value={one.channel}>
                {say(one)}
              </option>
            ))}
          </select>
        </label>
        <label>
          {t("contactAddress")}
          <input
            value={address}
            autocomplete="off"
            spellcheck={false}
            data-testid="contact-address"
            placeholder={t("contactAddressHint", { schemes: schemes.join(" / ") })}
            onInput={(event) => setAddress(event.currentTarget.value)}
          />
        </label>
        {needsNumber(channel) && (
          <label>
            {t("contactNumber")}
            <input
              type="tel"
              value={number}
              autocomplete="off"
              data-testid="contact-number"
              onInput={(event) => setNumber(event.currentTarget.value)}
            />
          </label>
        )}
        {known.contacts.some((one) => one.channel === channel) && <p class="muted">{t("contactReplaces")}</p>}
        <Act name="contact" kind="strong" testid="contact-save" disabled={address.trim() === ""} run={save}>
          {t("contactSave")}
        </Act>
        {secret !== null && (
          <p class="checked" role="status" data-testid="contact-secret">
            {t("contactSecret")} <code>{secret}</code>
          </p>
        )}
        {administrators.length > 0 && (
          <p class="muted">
            {t("contactOfAdmins", {
              names: administrators.map(say).join(lang.value === "zh" ? "、" : ", "),
            })}
          </p>
        )}
      </form>
    </Section>
  );
}

function Push({ known, changed }: Props): JSX.Element {
  const ids = known.contacts.map((one) => one.id).join(" ");
  useEffect(() => void lookAtPush(ids.split(" ")), [ids]);
  const state = pushState.value;
  return (
    <Section title={t("push")}>
      <div class="form" data-testid="push" data-state={state}>
        {state === "on" && <p>✓ {t("pushOn")}</p>}
        {state === "off" && <p>{t("pushOff")}</p>}
        {state === "denied" && <p class="late">! {t("pushDenied")}</p>}
        {state === "impossible" && <p class="muted">{t("pushImpossible")}</p>}
        {state === "off" && (
          <Act
            name="push"
            kind="strong"
            testid="push-on"
            run={async () => (await turnPushOn(known.push_key)) && changed()}
          >
            {t("pushTurnOn")}
          </Act>
        )}
        {state === "on" && (
          <Act name="push" testid="push-off" run={async () => (await turnPushOff()) && changed()}>
            {t("pushTurnOff")}
          </Act>
        )}
        {state !== "impossible" && <p class="muted">{t("pushNotEnough")}</p>}
      </div>
    </Section>
  );
}
