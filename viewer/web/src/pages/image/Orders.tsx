/** What was asked for, and has it come? The list of one site, as its machines are told of it. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useLoaded } from "../../parts/load";
import { ReasonAct } from "../../parts/ReasonAct";
import { dateTime, placeName } from "../../state/format";
import { asked, cancelOrder } from "../../state/imageAsk";
import { imagesChanged } from "../../state/live";
import { may, me } from "../../state/session";
import { type ImageAskText, tia } from "../../textsImageAsk";
import type { ImageOrder, Member } from "../../wireImageAsk";

const STATES = { waiting: "orderWaits", come: "orderCame", cancelled: "orderCancelled" } as const;
const SIGNS = { waiting: "○", come: "✓", cancelled: "–" } as const;

export function Orders(): JSX.Element | null {
  const [open, setOpen] = useState(false);
  const [site, setSite] = useState("");
  const sees = may("names", me.value?.user.role);
  const { value } = useLoaded<{ members: Member[] }>(open && sees ? "/imaging/members" : null, 0);
  const own = (value?.members ?? []).filter((one) => one.own);
  const only = own.length === 1 ? own[0]?.id : undefined;
  useEffect(() => {
    if (only !== undefined) setSite(only);
  }, [only]);
  if (!sees) return null;
  return (
    <details
      class="card"
      data-testid="orders"
      onToggle={(event) => setOpen((event.currentTarget as HTMLDetailsElement).open)}
    >
      <summary>
        <b>{tia("orders")}</b>
      </summary>
      <p class="muted">{tia("ordersWhere")}</p>
      {only === undefined && (
        <label>
          {tia("orderSite")}
          <select
            value={site}
            data-testid="orders-site"
            onChange={(event) => setSite(event.currentTarget.value)}
          >
            <option value="" />
            {own.map((one) => (
              <option key={one.id} value={one.id}>
                {placeName(one)}
              </option>
            ))}
          </select>
        </label>
      )}
      {site !== "" && <OfSite key={site} site={site} />}
    </details>
  );
}

function OfSite({ site }: { site: string }): JSX.Element {
  const path = `/imaging/orders?site=${encodeURIComponent(site)}&settled=true`;
  const { value, problem } = useLoaded<{ orders: ImageOrder[] }>(
    path,
    `${asked.value} ${imagesChanged.value}`,
  );
  return (
    <>
      {problem && !value && <p class="trouble">{problem.words}</p>}
      {value?.orders.length === 0 && <p class="muted">{tia("ordersNone")}</p>}
      <ul class="order-list">
        {value?.orders.map((one) => (
          <li key={one.accession} data-testid={`order-${one.accession}`}>
            <p>
              <b>
                {SIGNS[one.state]} {tia(STATES[one.state])}
              </b>{" "}
              {one.priority !== "ROUTINE" && (
                <b class="late">▲ {tia(`priority_${one.priority}` as ImageAskText)}</b>
              )}{" "}
              <b>{one.modality}</b> {one.body_part} {one.description}{" "}
              <a class="act act-link" href={`/case/${encodeURIComponent(one.case_id)}`}>
                {one.name ?? one.patient_ref} ▸
              </a>
              <br />
              <span class="muted num">
                {dateTime(one.ordered_at)} · {one.accession} {one.reason}
              </span>
            </p>
            {one.state === "waiting" && may("send", me.value?.user.role) && (
              <ReasonAct
                name={`cancel ${one.accession}`}
                words={tia("orderCancel")}
                testid={`cancel-${one.accession}`}
                run={(note) => cancelOrder(one.accession, note)}
              />
            )}
          </li>
        ))}
      </ul>
    </>
  );
}
