/** What a doctor signed for one ECG, on its page and on paper. */
import type { JSX } from "preact";
import { type SignedOf, signedOf } from "../state/verdict";
import { t } from "../texts";
import type { Row } from "../wire";
import { signedTierWord, TierMark } from "./bits";
import { Amends, signature } from "./Headline";

export function SignedReading({ signed: { tier, reading } }: { signed: SignedOf }): JSX.Element {
  return (
    <p class="signed" data-testid="signed-reading">
      <b>{t("reading")}</b> <TierMark tier={tier} signed />{" "}
      {reading ? (
        <>
          {reading.text} <span class="muted num">✓ {signature(reading)}</span>
          <Amends reading={reading} />
        </>
      ) : (
        <span class="muted">✓ {t("signedEarlier")}</span>
      )}
    </p>
  );
}

/** The same in a line of plain text. */
export function signedLine(row: Row, ecgId: string): string {
  const signed = signedOf(row, ecgId);
  if (signed === null) return t("printUnsigned");
  const { tier, reading } = signed;
  const words = reading ? `${reading.text} · ${signature(reading)}` : t("signedEarlier");
  return `${t("reading")}: ${signedTierWord(tier)} ${words}`;
}
