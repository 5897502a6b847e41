/** The head of the case page: who, what, on what evidence, who has it, and the one next act. */
import type { JSX } from "preact";
import { openGreen } from "../state/acts";
import { mayDecline } from "../state/alerts";
import { bestEvidence, evidenceWords } from "../state/evidence";
import { dateTime, hourMinute, noteText, patientLine, siteName } from "../state/format";
import { may, me } from "../state/session";
import { proposesChannel, signedFirst } from "../state/verdict";
import { sourceName, type TextKey, t } from "../texts";
import type { CaseDetail, Identity, Row } from "../wire";
import { Round } from "./AlertPeople";
import { Act, CaseMark, Since, Unconfirmed } from "./bits";
import { AlertState, GreenState, NextAct } from "./CaseRow";
import { Decline } from "./Decline";
import { Below, firstWords } from "./Headline";
import { stands } from "./Proposal";
import { RuleLink } from "./RuleLink";

export function CaseHead({ row, detail }: { row: Row; detail: CaseDetail | null }): JSX.Element {
  const evidence = bestEvidence(row);
  const signed = signedFirst(row);
  const mode = row.arrival_mode;
  const modeKey = `arrivalMode${mode}` as TextKey;
  return (
    <section class="card case-head">
      <div>
        <p class="muted num">
          {siteName(row)}
          {row.site.distance_km !== null && ` · ${t("km", { n: Math.round(row.site.distance_km) })}`} ·{" "}
          {patientLine(row)}
          {mode !== null && ` · ${t(modeKey)}`} · {dateTime(row.opened_at)}
          {row.state === "open" && (
            <>
              {" · "}
              <Since at={row.opened_at} />
            </>
          )}
        </p>
        <h2 class="headline">
          <CaseMark row={row} /> {firstWords(row)}
        </h2>
        <p class="below">
          <Below row={row} />
        </p>
        <p class="num">
          {evidence && (
            <>
              {evidenceWords(evidence)} <RuleLink id={evidence.rule} version={readBy(row)} />
            </>
          )}{" "}
          {signed === null && <Unconfirmed row={row} />}
        </p>
        {row.newest_advice?.advice && (
          <p data-testid="case-advice">
            <b>{t("advice")}</b> {row.newest_advice.advice}
          </p>
        )}
        <CallClinic row={row} identity={detail?.identity ?? null} />
        {row.note && <p>{noteText(row.note)}</p>}
        <div>
          <AlertState row={row} />
          {row.alert?.state === "open" && <Round alert={row.alert} />}
        </div>
        {detail?.identity && <FromClinic identity={detail.identity} />}
      </div>
      <div class="case-act">
        <Channel row={row} detail={detail} />
        {row.alert?.state === "open" && <NextAct row={row} big />}
        {row.state === "open" && row.alert && mayDecline(row.alert, me.value) && (
          <Decline alert={row.alert} />
        )}
        {canOpen(row) && (
          <Act
            name={`green ${row.case_id}`}
            kind={proposesChannel(row) ? "urgent" : "plain"}
            big={proposesChannel(row)}
            testid="open-green"
            run={() => openGreen(row.case_id)}
          >
            {t("openGreen")}
          </Act>
        )}
      </div>
    </section>
  );
}

/** By which version of the rules the case's findings were made. */
const readBy = (row: Row): string | null =>
  row.ecgs.find((ecg) => ecg.ecg_id === row.ecg_id)?.rules_version ?? null;

const VITALS_SHOWN = 50;

/** The first number to dial in what the clinic wrote, "13800000000(儿子)"; null where there is none. */
export const numberIn = (said: string | null | undefined): string | null =>
  /\+?\d[\d -]{3,}\d/.exec(said ?? "")?.[0] ?? null;

/** Whom to telephone at the patient's side, for who decides on the case. */
function CallClinic({ row, identity }: { row: Row; identity: Identity | null }): JSX.Element | null {
  const phone = numberIn(identity?.callback_phone) ?? row.site.phone;
  if (row.state !== "open" || !phone || me.value?.user.role === "clinic") return null;
  return (
    <p>
      <a class="act act-plain" href={`tel:${phone}`} data-testid="call-clinic">
        ☎ {t("callClinic")} <span class="num">{phone}</span>
      </a>
    </p>
  );
}

/** What the clinic wrote of the patient. */
function FromClinic({ identity }: { identity: Identity }): JSX.Element {
  const vitals = Object.entries(identity.vitals ?? {}).slice(0, VITALS_SHOWN);
  const facts: [string, string | null | undefined][] = [
    [t("patientName"), identity.name],
    [t("patientPhone"), identity.phone],
    [t("callbackPhone"), identity.callback_phone],
    [t("patientHistory"), identity.history],
    [t("vitals"), vitals.map(([name, value]) => `${name} ${String(value)}`).join(" · ")],
  ];
  return (
    <details data-testid="identity">
      <summary>{t("fromClinic")}</summary>
      <dl class="facts">
        {facts.map(([name, said]) => (
          <div key={name} class="facts-line">
            <dt>{name}</dt>
            <dd class="num">{said || t("unknown")}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

/** A case that was entered from elsewhere may have a channel that this service never opened. */
function Channel({ row, detail }: { row: Row; detail: CaseDetail | null }): JSX.Element | null {
  if (row.green_channel.state !== "closed") return <GreenState row={row} />;
  const said = detail?.timeline.milestones.find((each) => each.id === "GREEN_OPEN" && each.known);
  if (said) {
    const by = said.source === "published_report" ? t("perReport") : sourceName(said.source);
    return (
      <span class="info" data-testid="green-reported">
        ▶ {t("greenReported", { at: hourMinute(said.at), by })}
      </span>
    );
  }
  if (row.state !== "open") return detail && <span class="muted">{t("greenNone")}</span>;
  return <span class="muted">{t("greenNot")}</span>;
}

/** On its own page the channel may be opened whatever the tier: the doctor decides, not the machine. */
const canOpen = (row: Row): boolean =>
  row.state === "open" &&
  row.green_channel.state !== "open" &&
  !stands(row) &&
  may("openChannel", me.value?.user.role);
