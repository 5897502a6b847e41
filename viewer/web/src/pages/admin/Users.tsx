/** Who may come in, as what, and for which sites? */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Act } from "../../parts/bits";
import { useLoaded } from "../../parts/load";
import { ReasonAct } from "../../parts/ReasonAct";
import { addUser, changeUser, disableUser, resetUser, sitesOf, useUser } from "../../state/admin";
import { dateTime } from "../../state/format";
import { me } from "../../state/session";
import { roleName } from "../../texts";
import { ta } from "../../textsAdmin";
import type { Role } from "../../wire";
import type { AdminSite, AdminUser, NewCode } from "../../wireAdmin";
import { Field, ID_PATTERN, OnceCode, siteWords } from "./shared";

interface Loaded {
  users: AdminUser[];
  roles: Role[];
}

export function Users(): JSX.Element {
  const [changes, setChanges] = useState(0);
  const [shown, setShown] = useState<(NewCode & { user: string }) | null>(null);
  const [adding, setAdding] = useState(false);
  const { value, problem } = useLoaded<Loaded>("/admin/users", changes);
  const { value: places } = useLoaded<{ sites: AdminSite[] }>("/admin/sites", null);
  const changed = (): void => setChanges((count) => count + 1);
  const sites = places?.sites ?? [];
  const show = (user: string, made: NewCode): void => {
    setShown({ user, code: made.code, expires_at: made.expires_at });
    changed();
  };
  return (
    <>
      <h2>{ta("users")}</h2>
      {problem && <p class="trouble">{problem.words}</p>}
      {shown && (
        <OnceCode
          title={ta("inviteTitle", {
            name: value?.users.find((one) => one.id === shown.user)?.name ?? shown.user,
          })}
          how={ta("inviteHow", { url: `${location.origin}/join` })}
          url={`${location.origin}/join`}
          made={shown}
          long
          close={() => setShown(null)}
        />
      )}
      {adding ? (
        <section class="card">
          <h3>{ta("userAdd")}</h3>
          <UserForm
            user={null}
            roles={value?.roles ?? []}
            sites={sites}
            leave={() => setAdding(false)}
            save={async (id, given) => {
              const made = await addUser({ id, ...given });
              if (!made) return;
              setAdding(false);
              show(made.user, made);
            }}
          />
        </section>
      ) : (
        <p class="acts">
          <button type="button" class="act act-strong" data-testid="user-add" onClick={() => setAdding(true)}>
            ＋ {ta("userAdd")}
          </button>
        </p>
      )}
      <ul class="admin-list">
        {value?.users.map((user) => (
          <OneUser
            key={user.id}
            user={user}
            roles={value.roles}
            sites={sites}
            changed={changed}
            show={show}
          />
        ))}
      </ul>
    </>
  );
}

interface OneProps {
  user: AdminUser;
  roles: readonly Role[];
  sites: readonly AdminSite[];
  changed: () => void;
  show: (user: string, made: NewCode) => void;
}

function siteNames(user: AdminUser, sites: readonly AdminSite[]): string {
  if (user.sites === null) return ta("everySite");
  return user.sites
    .map((id) => sites.find((one) => one.id === id))
    .map((site, index) => (site ? siteWords(site) : (user.sites?.[index] ?? "")))
    .join("、");
}

function OneUser({ user, roles, sites, changed, show }: OneProps): JSX.Element {
  const [editing, setEditing] = useState(false);
  return (
    <li class={`card${user.disabled ? " is-off" : ""}`} data-testid={`user-${user.id}`}>
      <p>
        <b>{user.name}</b> <span class="muted">{user.id}</span> · {roleName(user.role)} ·{" "}
        <span class="muted">{siteNames(user, sites)}</span>
        {user.disabled && <b> · ■ {ta("userDisabled")}</b>}
        {user.code_until && (
          <span class="info num"> · {ta("userInvited", { at: dateTime(user.code_until) })}</span>
        )}
      </p>
      {editing ? (
        <UserForm
          user={user}
          roles={roles}
          sites={sites}
          leave={() => setEditing(false)}
          save={async (_, given) => {
            if (!(await changeUser(user.id, given))) return;
            setEditing(false);
            changed();
          }}
        />
      ) : (
        <UserActs user={user} edit={() => setEditing(true)} changed={changed} show={show} />
      )}
    </li>
  );
}

function UserActs(props: {
  user: AdminUser;
  edit: () => void;
  changed: () => void;
  show: (user: string, made: NewCode) => void;
}): JSX.Element {
  const { user, changed } = props;
  const [sure, setSure] = useState(false);
  const own = user.id === me.value?.user.id;
  if (user.disabled) {
    return (
      <div class="acts">
        <Act
          name={`user ${user.id}`}
          testid={`user-use-${user.id}`}
          run={async () => (await useUser(user.id)) && changed()}
        >
          {ta("userUse")}
        </Act>
      </div>
    );
  }
  return (
    <div class="acts">
      <button type="button" class="act act-plain" data-testid={`user-change-${user.id}`} onClick={props.edit}>
        {ta("change")}
      </button>
      {!own && (
        <Act
          name={`user ${user.id}`}
          kind={sure ? "amber" : "plain"}
          testid={`user-reset-${user.id}`}
          run={async () => {
            if (!sure) return setSure(true);
            const made = await resetUser(user.id);
            setSure(false);
            if (made) props.show(user.id, made);
          }}
        >
          {ta(sure ? "userResetSure" : "userReset")}
        </Act>
      )}
      <ReasonAct
        name={`user ${user.id}`}
        words={ta("userDisable")}
        testid={`user-disable-${user.id}`}
        run={async (reason) => (await disableUser(user.id, reason)) && changed()}
      />
      {sure && <p class="muted">{ta("userResetHint")}</p>}
    </div>
  );
}

interface FormProps {
  user: AdminUser | null;
  roles: readonly Role[];
  sites: readonly AdminSite[];
  save: (id: string, given: object) => Promise<void>;
  leave: () => void;
}

function UserForm({ user, roles, sites, save, leave }: FormProps): JSX.Element {
  const [id, setId] = useState("");
  const [name, setName] = useState(user?.name ?? "");
  const [role, setRole] = useState<string>(user?.role ?? "clinic");
  const [every, setEvery] = useState(user !== null && user.sites === null);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set(user?.sites ?? []));
  const needsSite = role === "clinic";
  const all = every && !needsSite;
  const given = sitesOf(role, every, chosen);
  const toggle = (site: string): void => {
    const next = new Set(chosen);
    if (!next.delete(site)) next.add(site);
    setChosen(next);
  };
  return (
    <form
      class="form admin-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (given) void save(id.trim(), { name: name.trim(), role, ...given });
      }}
    >
      {user === null && (
        <Field
          words={ta("userLogin")}
          hint={ta("idHint")}
          value={id}
          set={setId}
          testid="user-id"
          pattern={ID_PATTERN}
          required
        />
      )}
      <Field words={ta("userName")} value={name} set={setName} testid="user-name" required />
      <label>
        {ta("role")}
        <select value={role} data-testid="user-role" onChange={(event) => setRole(event.currentTarget.value)}>
          {roles.map((one) => (
            <option key={one} value={one}>
              {roleName(one)}
            </option>
          ))}
        </select>
      </label>
      <fieldset class="admin-sites">
        <legend>{ta("userSites")}</legend>
        <label class="tick">
          <input
            type="checkbox"
            checked={all}
            disabled={needsSite}
            data-testid="user-every"
            onChange={(event) => setEvery(event.currentTarget.checked)}
          />
          {ta("everySite")}
        </label>
        {!all &&
          sites
            .filter((one) => !one.disabled || chosen.has(one.id))
            .map((one) => (
              <label class="tick" key={one.id}>
                <input
                  type="checkbox"
                  checked={chosen.has(one.id)}
                  data-testid={`user-site-${one.id}`}
                  onChange={() => toggle(one.id)}
                />
                {siteWords(one)}
              </label>
            ))}
        {!given && <p class="late">! {ta(needsSite ? "clinicNeedsSite" : "userNeedsSite")}</p>}
      </fieldset>
      <p class="acts">
        <button type="submit" class="act act-strong" data-testid="user-save" disabled={given === null}>
          {ta("save")}
        </button>
        <button type="button" class="act act-plain" onClick={leave}>
          {ta("cancel")}
        </button>
      </p>
    </form>
  );
}
