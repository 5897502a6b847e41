/** Which machines send, when were they heard of last, and which of them is not paired? */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Act } from "../../parts/bits";
import { useLoaded } from "../../parts/load";
import { ReasonAct } from "../../parts/ReasonAct";
import { addDevice, pairingCode, revokeDevice } from "../../state/admin";
import { nowMs } from "../../state/clock";
import { dateTime, duration, hourMinute } from "../../state/format";
import { type TextKey, t } from "../../texts";
import { ta } from "../../textsAdmin";
import type { AdminDevice, AdminSite, NewCode } from "../../wireAdmin";
import { Fact } from "./Sites";
import { Field, ID_PATTERN, OnceCode, SiteChoice, siteWords } from "./shared";

const LOOK_MS = 3000;

interface Shown extends NewCode {
  device: string;
  since: string | null;
}

export function Devices(): JSX.Element {
  const [changes, setChanges] = useState(0);
  const [shown, setShown] = useState<Shown | null>(null);
  const { value, problem } = useLoaded<{ devices: AdminDevice[] }>("/admin/devices", changes);
  const { value: places } = useLoaded<{ sites: AdminSite[] }>("/admin/sites", null);
  const changed = (): void => setChanges((count) => count + 1);
  const waits = shown !== null && Date.parse(shown.expires_at) > (nowMs.value ?? 0);
  useEffect(() => {
    if (!waits) return;
    const timer = setInterval(changed, LOOK_MS);
    return () => clearInterval(timer);
  }, [waits]);
  const device = value?.devices.find((one) => one.id === shown?.device);
  const paired = shown !== null && device !== undefined && device.paired_at !== shown.since;
  const show = (id: string, made: NewCode): void => {
    const before = value?.devices.find((one) => one.id === id)?.paired_at ?? null;
    setShown({ code: made.code, expires_at: made.expires_at, device: id, since: before });
    changed();
  };
  return (
    <>
      <h2>{ta("devices")}</h2>
      {problem && <p class="trouble">{problem.words}</p>}
      {shown && paired && (
        <p class="card" role="status" data-testid="pair-done">
          {device?.name}: {ta("pairDone")}
        </p>
      )}
      {shown && !paired && (
        <OnceCode
          title={ta("pairTitle", { name: device?.name ?? shown.device })}
          how={ta("pairHow", { url: `${location.origin}/pair` })}
          url={`${location.origin}/pair`}
          made={shown}
          close={() => setShown(null)}
        />
      )}
      <AddDevice sites={places?.sites ?? []} made={show} />
      {value?.devices.length === 0 && <p class="muted">{ta("devicesNone")}</p>}
      <ul class="admin-list">
        {value?.devices.map((one) => (
          <OneDevice
            key={one.id}
            device={one}
            site={places?.sites.find((site) => site.id === one.site)}
            show={show}
            changed={changed}
          />
        ))}
      </ul>
    </>
  );
}

interface OneProps {
  device: AdminDevice;
  site: AdminSite | undefined;
  show: (id: string, made: NewCode) => void;
  changed: () => void;
}

function OneDevice({ device, site, show, changed }: OneProps): JSX.Element {
  return (
    <li class={`card${device.disabled ? " is-off" : ""}`} data-testid={`device-${device.id}`}>
      <p>
        <b>{device.name}</b> <span class="muted">{device.id}</span> · {site ? siteWords(site) : device.site}
        {device.disabled && <b> · ■ {ta("deviceRevoked")}</b>}
        {device.code_until && (
          <span class="info num"> · {ta("deviceWaits", { at: hourMinute(device.code_until) })}</span>
        )}
        {device.paired_at && !device.disabled && (
          <span class="muted num"> · {ta("devicePaired", { at: dateTime(device.paired_at) })}</span>
        )}
      </p>
      <dl class="facts">
        <Fact name={ta("deviceEcg")} said={device.last_ecg_at ? dateTime(device.last_ecg_at) : ta("never")} />
        <Fact
          name={ta("deviceSeen")}
          said={device.last_contact_at ? dateTime(device.last_contact_at) : ta("never")}
        />
        <Fact name={ta("deviceClock")} said={clockOf(device)} />
      </dl>
      <div class="acts">
        <Act
          name={`device ${device.id}`}
          testid={`device-code-${device.id}`}
          run={async () => {
            const made = await pairingCode(device.id);
            if (made) show(device.id, made);
          }}
        >
          {ta(device.paired_at ? "deviceCodeAgain" : "deviceCode")}
        </Act>
        {!device.disabled && (
          <ReasonAct
            name={`device ${device.id}`}
            words={ta("deviceRevoke")}
            testid={`device-revoke-${device.id}`}
            run={async (reason) => (await revokeDevice(device.id, reason)) && changed()}
          />
        )}
      </div>
    </li>
  );
}

/** How far it is off, and whether that is much. */
function clockOf(device: AdminDevice): string | null {
  if (device.clock_level === null) return null;
  const level = t(`clockLevel_${device.clock_level}` as TextKey);
  if (device.offset_s === null) return level;
  const off = ta(device.offset_s >= 0 ? "clockFast" : "clockSlow", {
    n: duration(Math.abs(device.offset_s)),
  });
  return `${off} · ${level}`;
}

function AddDevice(props: {
  sites: readonly AdminSite[];
  made: (id: string, made: NewCode) => void;
}): JSX.Element {
  const [open, setOpen] = useState(false);
  const [id, setId] = useState("");
  const [name, setName] = useState("");
  const [site, setSite] = useState("");
  if (!open) {
    return (
      <p class="acts">
        <button type="button" class="act act-strong" data-testid="device-add" onClick={() => setOpen(true)}>
          ＋ {ta("deviceAdd")}
        </button>
      </p>
    );
  }
  return (
    <section class="card">
      <h3>{ta("deviceAdd")}</h3>
      <form
        class="form admin-form"
        onSubmit={async (event) => {
          event.preventDefault();
          const made = await addDevice({ id: id.trim(), name: name.trim(), site });
          if (!made) return;
          setOpen(false);
          setId("");
          setName("");
          props.made(made.device, made);
        }}
      >
        <Field
          words={ta("id")}
          hint={ta("idHint")}
          value={id}
          set={setId}
          testid="device-id"
          pattern={ID_PATTERN}
          required
        />
        <Field words={ta("name")} value={name} set={setName} testid="device-name" required />
        <SiteChoice sites={props.sites} value={site} set={setSite} testid="device-site" />
        <p class="acts">
          <button type="submit" class="act act-strong" data-testid="device-save">
            {ta("deviceCode")}
          </button>
          <button type="button" class="act act-plain" onClick={() => setOpen(false)}>
            {ta("cancel")}
          </button>
        </p>
      </form>
    </section>
  );
}
