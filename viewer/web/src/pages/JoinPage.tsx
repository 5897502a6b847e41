/** A person comes in for the first time: an invitation becomes a password of one's own. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Act } from "../parts/bits";
import { attempt } from "../state/acts";
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
  const [joined, setJoined] = useState(false);
  const differs = again !== "" && again !== password;
  const ready = password.length >= LEAST && again === password;
  const send = async (): Promise<void> => {
    if (!ready || (!joined && (await join(code, password)) === null)) return;
    setJoined(true);
    // The invitation is used up: from here on only the signing in is tried again.
    if (
      await attempt(`sign in ${user}`, async () => {
        await signIn(user, password);
        return undefined;
      })
    )
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
      {joined && (
        <p role="status" data-testid="join-done">
          ✓ {ta("joinDone", { user })}
        </p>
      )}
      <Act name="join" kind="strong" big testid="join-send" disabled={!ready} run={() => void send()}>
        {ta(joined ? "joinSignIn" : "joinSend")}
      </Act>
      {joined && (
        <a class="act act-link" href="/login" data-testid="join-login">
          {ta("joinLogin")}
        </a>
      )}
    </form>
  );
}
