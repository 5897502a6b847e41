/** An earlier ECG of the same patient: chosen, laid beneath this one, and what has changed since in words and numbers. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { BeatMarks } from "../paper/median";
import { loadWaveform, type Waveform } from "../paper/waveform";
import { Problem } from "../state/api";
import { dateTime } from "../state/format";
import { lang } from "../state/prefs";
import { quantity } from "../state/quantities";
import { say, t } from "../texts";
import type { ComparedBeat, EarlierEcg, Previous, Serial } from "../wireSerial";
import { useLoaded } from "./load";

/** What the paper needs of it. */
export interface EarlierShown {
  wave: Waveform;
  rS: number[];
  marks: BeatMarks | null;
  /** By how much R of this ECG's beat lies later than R of the earlier one's. */
  shiftS: number;
  serial: Serial;
}

interface Props {
  ecgId: string;
  choose(shown: EarlierShown | null): void;
  /** Whether it lies on the paper; null where none was chosen. */
  overlaid: boolean | null;
}

/** A look at a patient's other ECGs is noted by the service: nothing is asked before somebody wants to see them. */
export function EarlierChoice({ ecgId, choose, overlaid }: Props): JSX.Element {
  const [wanted, setWanted] = useState(false);
  const [chosen, setChosen] = useState<string | null>(null);
  const path = `/ecgs/${encodeURIComponent(ecgId)}`;
  const { value: past, problem } = useLoaded<Previous>(wanted ? `${path}/previous` : null, ecgId);
  const drawable = past?.previous.filter((one) => one.not_analysed === null) ?? [];
  const other = chosen ?? (wanted ? (drawable[0]?.ecg_id ?? null) : null);
  const compare = other === null ? null : `${path}/serial?with=${encodeURIComponent(other)}`;
  const { value: serial, problem: refused } = useLoaded<Serial>(compare, other);
  const failed = useShown(other, serial, choose);
  const trouble = problem ?? refused ?? failed;
  const toggle = (): void => {
    setWanted(!wanted);
    setChosen(null);
  };
  return (
    <div class="earlier">
      <div class="choice">
        <button type="button" class="switch" aria-pressed={wanted} data-testid="earlier" onClick={toggle}>
          {t("earlierEcgs")}
        </button>
        {drawable.length > 1 && (
          <label>
            <span class="visually-hidden">{t("earlierChoose")}</span>
            <select value={other ?? ""} onChange={(event) => setChosen(event.currentTarget.value)}>
              {drawable.map((one) => (
                <option key={one.ecg_id} value={one.ecg_id}>
                  {nameOf(one)}
                </option>
              ))}
            </select>
          </label>
        )}
        {wanted && past && drawable.length === 0 && <span class="muted">{t("earlierNone")}</span>}
        {serial && overlaid === true && (
          <span class="muted num">
            <span class="earlier-line" aria-hidden="true" />{" "}
            {t("earlierShown", { at: dateTime(serial.earlier.at) })}
          </span>
        )}
        {serial && overlaid === false && <span class="muted">{t("earlierNoBeat")}</span>}
      </div>
      {trouble && <p class="trouble">{trouble.words}</p>}
    </div>
  );
}

const nameOf = (one: EarlierEcg): string => {
  const site = lang.value === "zh" ? one.site.name_zh : one.site.name_en;
  return `${dateTime(one.at)} · ${site} · ${one.tier ?? t("unknown")}`;
};

/** Loads the other waveform and hands it to the paper with what it is aligned by. */
function useShown(
  other: string | null,
  serial: Serial | null,
  choose: (shown: EarlierShown | null) => void,
): Problem | null {
  const [failed, setFailed] = useState<Problem | null>(null);
  useEffect(() => {
    setFailed(null);
    if (other === null || serial === null) {
      choose(null);
      return;
    }
    let gone = false;
    loadWaveform(other).then(
      (wave) => {
        if (gone) return;
        const { earlier, later } = serial.beats;
        const shiftS = earlier && later ? (serial.shift_ms ?? 0) / 1000 : 0;
        choose({ wave, rS: serial.r_s.earlier, marks: marksOf(earlier), shiftS, serial });
      },
      (failure: unknown) => {
        if (!(failure instanceof Problem)) throw failure;
        if (!gone) setFailed(failure);
      },
    );
    return () => {
      gone = true;
    };
  }, [other, serial]);
  return failed;
}

const marksOf = (beat: ComparedBeat | null): BeatMarks | null =>
  beat && { onS: beat.qrs_on_s - beat.r_s, jS: beat.qrs_off_s - beat.r_s };

/** ST and T are what a reader compares; the rest stands among the differences. */
const COLUMNS = [
  ["stj_mv", "serialSt"],
  ["t_mv", "serialT"],
] as const;

/** Below the paper, which must not move when the comparison comes. */
export function Changes({ serial }: { serial: Serial }): JSX.Element {
  if (!serial.compared)
    return (
      <p class="muted" data-testid="serial">
        {t("serialNot", { why: serial.reason ? say(serial.reason) : t("unknown") })}
      </p>
    );
  return (
    <section class="card serial" data-testid="serial">
      <h3>{t("serialTitle", { at: dateTime(serial.earlier.at) })}</h3>
      {serial.differences.length === 0 && <p>{t("serialNothing")}</p>}
      <ul class="serial-differences">
        {serial.differences.map((one) => (
          <li key={`${one.lead} ${one.quantity}`}>{say(one)}</li>
        ))}
      </ul>
      <details>
        <summary>{t("serialAll")}</summary>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: on a phone it scrolls, and must be reached by the keyboard. */}
        <section class="serial-table" tabIndex={0} aria-label={t("serialAll")}>
          <table class="num">
            <thead>
              <tr>
                <th rowSpan={2}>{t("serialLead")}</th>
                {COLUMNS.map(([key, name]) => (
                  <th key={key} colSpan={3}>
                    {t(name)}
                  </th>
                ))}
              </tr>
              <tr>
                {COLUMNS.map(([key]) =>
                  (["serialThen", "serialNow", "serialChange"] as const).map((name) => (
                    <th key={`${key} ${name}`}>{t(name)}</th>
                  )),
                )}
              </tr>
            </thead>
            <tbody>
              {Object.entries(serial.leads).map(([lead, change]) => (
                <tr key={lead}>
                  <th>{lead}</th>
                  {COLUMNS.map(([key]) => {
                    const value = change.values[key];
                    const beyond = change.exceeds.includes(key);
                    return (["earlier", "later", "change"] as const).map((part) => {
                      const said = value?.[part] ?? null;
                      const words = said === null ? t("unknown") : quantity(key, said);
                      return (
                        <td key={`${key} ${part}`}>
                          {part === "change" && beyond ? <b title={t("serialBeyond")}>▲ {words}</b> : words}
                        </td>
                      );
                    });
                  })}
                </tr>
              ))}
            </tbody>
          </table>
          <p class="muted">▲ {t("serialBeyond")}</p>
        </section>
      </details>
    </section>
  );
}
