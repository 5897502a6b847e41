/** Administration: what is there, and where it is changed. */
import type { ComponentType, JSX } from "preact";
import { route } from "../../state/route";
import { may, me } from "../../state/session";
import "../../styles/admin.css";
import { type AdminText, ta } from "../../textsAdmin";
import { Changes } from "./Changes";
import { Channels } from "./Channels";
import { Devices } from "./Devices";
import { Forwards } from "./Forwards";
import { Quarantine } from "./Quarantine";
import { Rules } from "./Rules";
import { Sites } from "./Sites";
import { Users } from "./Users";

const PARTS: readonly [name: AdminText, href: string, is: AdminText, page: ComponentType | null][] = [
  ["sites", "/admin/sites", "sitesIs", Sites],
  ["devices", "/admin/devices", "devicesIs", Devices],
  ["users", "/admin/users", "usersIs", Users],
  ["channels", "/admin/channels", "channelsIs", Channels],
  ["roster", "/roster", "rosterIs", null],
  ["rules", "/admin/rules", "rulesIs", Rules],
  ["quarantine", "/admin/quarantine", "quarantineIs", Quarantine],
  ["forwards", "/admin/forwards", "forwardsIs", Forwards],
  ["detectors", "/detectors", "detectorsIs", null],
  ["drill", "/drill", "drillIs", null],
  ["changes", "/admin/changes", "changesIs", Changes],
];

export function AdminPage(): JSX.Element {
  const here = route.value;
  const part = here.page === "admin" ? here.part : "";
  if (!may("administer", me.value?.user.role)) {
    return (
      <main class="page">
        <p role="alert">{ta("onlyAdmin")}</p>
      </main>
    );
  }
  const chosen = PARTS.find(([name]) => name === part);
  const Chosen = chosen?.[3] ?? Overview;
  return (
    <main class="page admin" data-testid="admin-page">
      <nav class="admin-nav" aria-label={ta("title")}>
        <a class="switch" href="/admin" aria-current={part === "" ? "page" : undefined}>
          {ta("title")}
        </a>
        {PARTS.map(([name, href]) => (
          <a
            key={name}
            class="switch"
            href={href}
            data-testid={`admin-${name}`}
            aria-current={part === name ? "page" : undefined}
          >
            {ta(name)}
          </a>
        ))}
      </nav>
      <Chosen />
    </main>
  );
}

function Overview(): JSX.Element {
  return (
    <>
      <h2>{ta("title")}</h2>
      <p class="muted">{ta("intro")}</p>
      <ul class="admin-cards">
        {PARTS.map(([name, href, is]) => (
          <li key={name}>
            <a class="card" href={href}>
              <b>{ta(name)}</b>
              <span class="muted">{ta(is)}</span>
            </a>
          </li>
        ))}
      </ul>
    </>
  );
}
