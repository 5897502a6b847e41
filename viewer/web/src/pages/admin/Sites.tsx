/** Which clinics and hospitals are there, and how are they reached? */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Act } from "../../parts/bits";
import { useLoaded } from "../../parts/load";
import { ReasonAct } from "../../parts/ReasonAct";
import { addSite, changeSite, closeSite, useSite } from "../../state/admin";
import { t } from "../../texts";
import { ta } from "../../textsAdmin";
import type { AdminSite } from "../../wireAdmin";
import { Field, ID_PATTERN, PHONE_PATTERN, siteWords } from "./shared";

export function Sites(): JSX.Element {
  const [changes, setChanges] = useState(0);
  const [adding, setAdding] = useState(false);
  const { value, problem } = useLoaded<{ sites: AdminSite[] }>("/admin/sites", changes);
  const changed = (): void => setChanges((count) => count + 1);
  return (
    <>
      <h2>{ta("sites")}</h2>
      {problem && <p class="trouble">{problem.words}</p>}
      {adding ? (
        <section class="card">
          <h3>{ta("siteAdd")}</h3>
          <SiteForm
            site={null}
            done={() => {
              setAdding(false);
              changed();
            }}
            leave={() => setAdding(false)}
          />
        </section>
      ) : (
        <p class="acts">
          <button type="button" class="act act-strong" data-testid="site-add" onClick={() => setAdding(true)}>
            ＋ {ta("siteAdd")}
          </button>
        </p>
      )}
      <ul class="admin-list">
        {value?.sites.map((site) => (
          <OneSite key={site.id} site={site} changed={changed} />
        ))}
      </ul>
    </>
  );
}

function OneSite({ site, changed }: { site: AdminSite; changed: () => void }): JSX.Element {
  const [editing, setEditing] = useState(false);
  return (
    <li class={`card${site.disabled ? " is-off" : ""}`} data-testid={`site-${site.id}`}>
      <p>
        <b>{siteWords(site)}</b> <span class="muted">{site.id}</span> · {ta(`kind_${site.kind}`)}
        {site.disabled && <b> · ■ {ta("siteClosed")}</b>}
      </p>
      {editing ? (
        <SiteForm
          site={site}
          done={() => {
            setEditing(false);
            changed();
          }}
          leave={() => setEditing(false)}
        />
      ) : (
        <>
          <dl class="facts">
            <Fact name={ta("town")} said={site.town} />
            <Fact name={ta("phone")} said={site.phone} />
            <Fact name={ta("fallbackPhone")} said={site.fallback_phone} />
            <Fact name={ta("distance")} said={site.distance_km === null ? null : String(site.distance_km)} />
          </dl>
          <div class="acts">
            <button
              type="button"
              class="act act-plain"
              data-testid={`site-change-${site.id}`}
              onClick={() => setEditing(true)}
            >
              {ta("change")}
            </button>
            {site.disabled ? (
              <Act
                name={`site ${site.id}`}
                testid={`site-use-${site.id}`}
                run={async () => (await useSite(site.id)) && changed()}
              >
                {ta("siteUse")}
              </Act>
            ) : (
              <ReasonAct
                name={`site ${site.id}`}
                words={ta("siteClose")}
                hint={ta("siteCloseHint")}
                testid={`site-close-${site.id}`}
                run={async (reason) => (await closeSite(site.id, reason)) && changed()}
              />
            )}
          </div>
        </>
      )}
    </li>
  );
}

export const Fact = ({ name, said }: { name: string; said: string | null }): JSX.Element => (
  <div class="facts-line">
    <dt>{name}</dt>
    <dd class="num">{said ?? t("unknown")}</dd>
  </div>
);

const kmOf = (typed: string): number | null => (typed.trim() === "" ? null : Number(typed));
const orNull = (typed: string): string | null => (typed.trim() === "" ? null : typed.trim());

function SiteForm(props: { site: AdminSite | null; done: () => void; leave: () => void }): JSX.Element {
  const { site } = props;
  const [id, setId] = useState("");
  const [zh, setZh] = useState(site?.name_zh ?? "");
  const [en, setEn] = useState(site?.name_en ?? "");
  const [kind, setKind] = useState<string>(site?.kind ?? "clinic");
  const [town, setTown] = useState(site?.town ?? "");
  const [phone, setPhone] = useState(site?.phone ?? "");
  const [fallback, setFallback] = useState(site?.fallback_phone ?? "");
  const [km, setKm] = useState(site?.distance_km === null || !site ? "" : String(site.distance_km));
  const save = async (): Promise<void> => {
    const given = {
      name_zh: zh.trim(),
      name_en: en.trim(),
      kind,
      town: orNull(town),
      phone: orNull(phone),
      fallback_phone: orNull(fallback),
      distance_km: kmOf(km),
    };
    const done = site ? await changeSite(site.id, given) : await addSite({ id: id.trim(), ...given });
    if (done) props.done();
  };
  return (
    <form
      class="form admin-form"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      {site === null && (
        <Field
          words={ta("id")}
          hint={ta("idHint")}
          value={id}
          set={setId}
          testid="site-id"
          pattern={ID_PATTERN}
          required
        />
      )}
      <Field words={ta("nameZh")} value={zh} set={setZh} testid="site-zh" required />
      <Field words={ta("nameEn")} value={en} set={setEn} testid="site-en" required />
      <label>
        {ta("kind")}
        <select value={kind} onChange={(event) => setKind(event.currentTarget.value)}>
          <option value="clinic">{ta("kind_clinic")}</option>
          <option value="hub">{ta("kind_hub")}</option>
        </select>
      </label>
      <Field words={ta("town")} value={town} set={setTown} testid="site-town" />
      <Field
        words={ta("phone")}
        value={phone}
        set={setPhone}
        testid="site-phone"
        pattern={PHONE_PATTERN}
        inputMode="tel"
      />
      <Field
        words={ta("fallbackPhone")}
        value={fallback}
        set={setFallback}
        testid="site-fallback"
        pattern={PHONE_PATTERN}
        inputMode="tel"
      />
      <Field
        words={ta("distance")}
        value={km}
        set={setKm}
        testid="site-km"
        pattern="[0-9]{1,4}(\.[0-9]+)?"
        inputMode="decimal"
      />
      <p class="acts">
        <button type="submit" class="act act-strong" data-testid="site-save">
          {ta("save")}
        </button>
        <button type="button" class="act act-plain" onClick={props.leave}>
          {ta("cancel")}
        </button>
      </p>
    </form>
  );
}
