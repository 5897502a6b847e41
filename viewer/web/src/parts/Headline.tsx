/** What the case shows, in words: the doctor's once signed, the machine's below and marked as such. */
import type { JSX } from "preact";
import { headline, timeOfDay } from "../state/format";
import { agreed, disagreed, onPaper, signedFirst } from "../state/verdict";
import { t, tierWord } from "../texts";
import type { Reading, Row } from "../wire";
import { signedTierWord } from "./bits";

/** The words that stand first. */
export const firstWords = (row: Row): string => signedFirst(row)?.text ?? headline(row);

/** Who signed it and when. */
export const signature = (reading: Reading): string =>
  t("signedBy", { who: reading.name ?? reading.actor ?? t("unknown"), at: timeOfDay(reading.at) });

/** What a signed reading stands beside: the first one that it amends, and why it differs from the machine's. */
export function Amends({ reading }: { reading: Reading }): JSX.Element | null {
  const { amends, reason } = reading;
  if (!amends && !reason) return null;
  return (
    <>
      {amends && (
        <span class="amends muted" data-testid="amends">
          {t("signAmends", {
            n: amends.readings,
            who: amends.name ?? t("unknown"),
            at: timeOfDay(amends.at),
            text: amends.text,
          })}
        </span>
      )}
      {reason && <span class="amends muted">{t("signWhy", { reason })}</span>}
    </>
  );
}

/** Below the headline: who signed it, and what else was said of the case. */
export function Below({ row }: { row: Row }): JSX.Element | null {
  const { reading } = row;
  const first = signedFirst(row);
  if (first) {
    return (
      <>
        <span class="signature num">
          ✓ {signature(first)}
          <Amends reading={first} />
        </span>
        {row.tier !== null && <MachineSaid row={row} />}
      </>
    );
  }
  return (
    reading && (
      <span class="signature">
        {t("reading")}: {signedTierWord(reading.tier)} {reading.text}{" "}
        <span class="num muted">{signature(reading)}</span>
      </span>
    )
  );
}

function MachineSaid({ row }: { row: Row }): JSX.Element | null {
  if (row.tier === null) return null;
  return (
    <span class="machine-said muted" data-testid="machine-said">
      <WhoSaid row={row} /> {disagreed(row) && `${t("notAgreed")}: `}
      {tierWord(row.tier)} · {headline(row)}
    </span>
  );
}

function WhoSaid({ row }: { row: Row }): JSX.Element {
  if (onPaper(row)) return <span>{t("paperPicture")}</span>;
  if (agreed(row)) return <span>{t("machineSaid")}</span>;
  return <span class="unconfirmed">{t("machine")}</span>;
}
