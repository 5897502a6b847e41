/** When the ambulance will be there, by whose word; and a person's own word, which stands before that of positions. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { sayEta } from "../state/acts";
import { clock } from "../state/clock";
import { may, me } from "../state/session";
import { t } from "../texts";
import type { Row } from "../wire";
import { Act, Section } from "./bits";
import { EtaLine } from "./EtaLine";

const LONGEST_MIN = 600;

type Place = "scene" | "hub";

export function Ambulance({ row }: { row: Row }): JSX.Element | null {
  const { scene, hub } = row.eta;
  const driven = row.arrival_mode === 1 || row.arrival_mode === 2 || row.arrival_mode === null;
  const mine = row.state === "open" && may("ambulanceEta", me.value?.user.role);
  if (!scene && !hub && !(driven && mine)) return null;
  return (
    <Section title={t("ambulance")}>
      <div class="form" data-testid="ambulance">
        {!scene && !hub && <p class="muted">{t("etaNone")}</p>}
        {scene && <EtaLine eta={scene} place="scene" />}
        {hub && <EtaLine eta={hub} place="hub" />}
        {mine && <Correct row={row} />}
      </div>
    </Section>
  );
}

function Correct({ row }: { row: Row }): JSX.Element {
  const [place, setPlace] = useState<Place>("hub");
  const [minutes, setMinutes] = useState("");
  const whole = /^\d{1,3}$/.test(minutes) ? Number(minutes) : null;
  const standing = row.eta[place];
  const save = async (): Promise<void> => {
    if (whole === null) return;
    const at = new Date((clock.now(performance.now()) ?? Date.now()) + whole * 60_000).toISOString();
    if (await sayEta(row.case_id, place, at)) setMinutes("");
  };
  return (
    <details>
      <summary data-testid="eta-correct">{t("etaSay")}</summary>
      <form
        class="form eta-form"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <label>
          {t("etaPlace")}
          <select value={place} onChange={(event) => setPlace(event.currentTarget.value as Place)}>
            <option value="hub">{t("etaPlaceHub")}</option>
            <option value="scene">{t("etaPlaceScene")}</option>
          </select>
        </label>
        <label>
          {t("etaMinutes")}
          <input
            inputMode="numeric"
            value={minutes}
            maxLength={3}
            data-testid="eta-minutes"
            onInput={(event) => setMinutes(event.currentTarget.value)}
          />
        </label>
        <Act
          name={`eta ${row.case_id}`}
          kind="strong"
          testid="eta-save"
          disabled={whole === null || whole > LONGEST_MIN}
          run={save}
        >
          {t("etaSave")}
        </Act>
        {standing && standing.source !== "gps" && (
          <Act name={`eta ${row.case_id}`} testid="eta-withdraw" run={() => sayEta(row.case_id, place, null)}>
            {t("etaWithdraw")}
          </Act>
        )}
      </form>
    </details>
  );
}
