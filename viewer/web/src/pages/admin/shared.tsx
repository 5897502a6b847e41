/** What the pages of administration share: fields of a form, a code that is shown once. */
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { Qr } from "../../parts/Qr";
import { inFours } from "../../state/admin";
import { dateTime, hourMinute } from "../../state/format";
import { lang } from "../../state/prefs";
import { t } from "../../texts";
import { ta } from "../../textsAdmin";
import type { AdminSite, NewCode } from "../../wireAdmin";

interface FieldProps {
  words: string;
  value: string;
  set: (value: string) => void;
  testid: string;
  hint?: string;
  required?: boolean;
  pattern?: string;
  inputMode?: "text" | "tel" | "decimal" | "numeric";
  disabled?: boolean;
}

export function Field(props: FieldProps): JSX.Element {
  const { words, value, set, testid, hint, required, pattern, inputMode, disabled } = props;
  return (
    <label>
      <span>
        {words}
        {hint && <span class="muted"> · {hint}</span>}
      </span>
      <input
        value={value}
        required={required === true}
        pattern={pattern}
        inputMode={inputMode ?? "text"}
        disabled={disabled === true}
        data-testid={testid}
        onInput={(event) => set(event.currentTarget.value)}
      />
    </label>
  );
}

export const ID_PATTERN = "[A-Za-z0-9][A-Za-z0-9_.\\-]{0,63}";
export const PHONE_PATTERN = "[0-9+()\\- ]{3,32}";

export const siteWords = (site: AdminSite): string => (lang.value === "zh" ? site.name_zh : site.name_en);

export function SiteChoice(props: {
  sites: readonly AdminSite[];
  value: string;
  set: (id: string) => void;
  testid: string;
}): JSX.Element {
  return (
    <label>
      {ta("site")}
      <select
        value={props.value}
        required
        data-testid={props.testid}
        onChange={(event) => props.set(event.currentTarget.value)}
      >
        <option value="" disabled />
        {props.sites
          .filter((one) => !one.disabled)
          .map((one) => (
            <option key={one.id} value={one.id}>
              {siteWords(one)} · {one.id}
            </option>
          ))}
      </select>
    </label>
  );
}

interface CodeProps {
  title: string;
  how: string;
  url: string;
  made: NewCode;
  long?: boolean;
  close: () => void;
}

/** Digits to read out, a picture to scan, and until when they are good. */
export function OnceCode({ title, how, url, made, long, close }: CodeProps): JSX.Element {
  const here = `${url}#${made.code}`;
  useEffect(() => {
    document.querySelector<HTMLElement>(".once-code")?.scrollIntoView({ block: "nearest" });
  }, [made.code]);
  return (
    <section class="card once-code" data-testid="once-code" aria-label={title}>
      <h3>{title}</h3>
      <div class="once-code-both">
        <Qr text={here} label={ta("qrOf", { url })} />
        <div>
          <p class="once-digits num" data-testid="once-digits">
            {inFours(made.code)}
          </p>
          <p class="muted num">
            {ta("codeUntil", { at: long ? dateTime(made.expires_at) : hourMinute(made.expires_at) })}
          </p>
          <p>{how}</p>
        </div>
      </div>
      <p class="acts">
        <button type="button" class="act act-plain" data-testid="once-close" onClick={close}>
          {t("close")}
        </button>
      </p>
    </section>
  );
}
