/** A device takes its token for a code: on the clinic's computer or on a phone, without signing in. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Act } from "../parts/bits";
import { digitsOf, inFours, pairDevice } from "../state/admin";
import { lang } from "../state/prefs";
import { place } from "../state/route";
import "../styles/admin.css";
import { ta } from "../textsAdmin";
import type { Paired } from "../wireAdmin";

const DIGITS = 8;

export function PairPage(): JSX.Element {
  const [code, setCode] = useState(digitsOf(place.value.id));
  const [paired, setPaired] = useState<Paired | null>(null);
  return (
    <main class="login">
      <section class="card" data-testid="pair-page">
        <h2>{ta("pairPage")}</h2>
        {paired ? (
          <Got paired={paired} />
        ) : (
          <form
            onSubmit={async (event) => {
              event.preventDefault();
              setPaired(await pairDevice(code));
            }}
          >
            <p class="muted">{ta("pairPageIntro")}</p>
            <label>
              {ta("pairDigits")}
              <input
                class="num digits"
                inputMode="numeric"
                autocomplete="off"
                data-testid="pair-code"
                value={inFours(code)}
                onInput={(event) => setCode(digitsOf(event.currentTarget.value))}
              />
            </label>
            <Act
              name="pair"
              kind="strong"
              big
              testid="pair-send"
              disabled={code.length !== DIGITS}
              run={async () => setPaired(await pairDevice(code))}
            >
              {ta("pairSend")}
            </Act>
          </form>
        )}
      </section>
    </main>
  );
}

function Got({ paired }: { paired: Paired }): JSX.Element {
  const site = lang.value === "zh" ? paired.site.name_zh : paired.site.name_en;
  return (
    <div class="form">
      <p role="status" data-testid="pair-got">
        ✓ {ta("pairGot", { name: paired.name, site })}
      </p>
      <p>
        <b>! {ta("pairOnce")}</b>
      </p>
      <a
        class="act act-strong act-big"
        data-testid="pair-save"
        download="token.txt"
        href={`data:text/plain;charset=utf-8,${encodeURIComponent(`${paired.token}\n`)}`}
      >
        {ta("pairSave")}
      </a>
    </div>
  );
}
