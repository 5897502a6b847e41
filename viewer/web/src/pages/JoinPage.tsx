/** A person comes in for the first time: an invitation becomes a password of one's own. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Act } from "../parts/bits";
import { digitsOf, inFours, join, whoseInvitation } from "../state/admin";
import { go, place } from "../state/route";
import { signIn } from "../state/session";
import "../styles/admin.css";
import { ta } from "../textsAdmin";

const DIGITS = 12;
const LEAST = 8;

export function JoinPage(): JSX.Element {
  const [code, setCode] = useState(digitsOf(place.value.id));
  const [user, setUser] = useState<string | null>(null);
  return (
    <main class="login">
      <section class="card" data-testid="join-page">
        <h2>{ta("joinPage")}</h2>
        {user !== null ? (
          <Choose user={user} code={code} />
        ) : (
          <form
            onSubmit={async (event) => {
              event.preventDefault();
              setUser((await whoseInvitation(code))?.user ?? null);
            }}
          >
            <p class="muted">{ta("joinIntro")}</p>
            <label>
              {ta("joinDigits")}
              <input
                class="num digits"
                inputMode="numeric"
                autocomplete="one-time-code"
                data-testid="join-code"
                value={inFours(code)}
                onInput={(event) => setCode(digitsOf(event.currentTarget.value))}
              />
            </label>
            <Act
              name="join"
              kind="strong"
              big
              testid="join-next"
              disabled={code.length !== DIGITS}
              run={async () => setUser((await whoseInvitation(code))?.user ?? null)}
            >
              {ta("joinNext")}
            </Act>
          </form>
        )}
      </section>
    </main>
  );
}

function Choose({ user, code }: { user: string; code: string }): JSX.Element {
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const differs = again !== "" && again !== password;
  const ready = password.length >= LEAST && again === password;
  const send = async (): Promise<void> => {
    if (!ready || (await join(code, password)) === null) return;
    await signIn(user, password);
    go("/", true);
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <p data-testid="join-user">{ta("joinAs", { user })}</p>
      <input type="text" autocomplete="username" value={user} readOnly hidden />
      <label>
        {ta("joinPassword")}
        <input
          type="password"
          autocomplete="new-password"
          data-testid="join-password"
          value={password}
          onInput={(event) => setPassword(event.currentTarget.value)}
        />
      </label>
      <label>
        {ta("joinRepeat")}
        <input
          type="password"
          autocomplete="new-password"
          data-testid="join-again"
          value={again}
          onInput={(event) => setAgain(event.currentTarget.value)}
        />
      </label>
      {differs && (
        <p class="late" role="alert">
          ! {ta("joinDiffers")}
        </p>
      )}
      <Act name="join" kind="strong" big testid="join-send" disabled={!ready} run={() => void send()}>
        {ta("joinSend")}
      </Act>
    </form>
  );
}
