/** Who are you? In the demo one tap is enough. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Others } from "../parts/Waiting";
import { trouble } from "../state/acts";
import { Problem } from "../state/api";
import { titleNote } from "../state/news";
import { lang } from "../state/prefs";
import { demo, ended, may, signIn } from "../state/session";
import { ring } from "../state/sound";
import { look } from "../state/waiting";
import { roleName, t } from "../texts";

/** A session that ended by itself: said in red, in the title, and to those whom alerts call with sound. */
function Ended(): JSX.Element | null {
  const who = ended.value;
  const called = may("answer", who?.user.role);
  const [heard, setHeard] = useState(false);
  useEffect(() => (called && !heard ? ring("medium") : undefined), [called, heard]);
  useEffect(() => {
    if (who === null) return;
    titleNote.value = t("endedTitle");
    return () => {
      titleNote.value = null;
    };
  }, [who]);
  if (who === null) return null;
  return (
    <section class="trouble" role="alert" data-testid="session-ended">
      <b>{t(called ? "endedCalled" : "ended", { who: who.user.name })}</b>
      {called && !heard && (
        <button type="button" class="act act-plain" onClick={() => setHeard(true)}>
          {t("endedHeard")}
        </button>
      )}
    </section>
  );
}

export function Login(): JSX.Element {
  const [user, setUser] = useState("");
  const [password, setPassword] = useState("");
  const [waiting, setWaiting] = useState(false);
  useEffect(() => void look(), []);
  const enter = async (name: string, secret: string): Promise<void> => {
    setWaiting(true);
    try {
      await signIn(name, secret);
      trouble.value = null;
    } catch (failure) {
      if (!(failure instanceof Problem)) throw failure;
      trouble.value = failure.status === 401 ? { words: t("signInWrong"), details: "" } : failure;
    } finally {
      setWaiting(false);
    }
  };
  return (
    <main class="login">
      <Ended />
      <Others />
      {demo.value.demo && (
        <section class="card">
          <h2>{t("demoTap")}</h2>
          <div class="demo-roles">
            {demo.value.users.map((each) => (
              <button
                type="button"
                key={each.user}
                class="act act-plain act-big"
                disabled={waiting}
                data-testid={`demo-login-${each.user}`}
                onClick={() => void enter(each.user, each.password)}
              >
                <b>{roleName(each.role)}</b> {lang.value === "zh" ? each.name_zh : each.name_en}
              </button>
            ))}
          </div>
        </section>
      )}
      <form
        class="card"
        onSubmit={(event) => {
          event.preventDefault();
          void enter(user, password);
        }}
      >
        <h2>{t("signIn")}</h2>
        <label>
          {t("user")}
          <input
            name="user"
            autocomplete="username"
            required
            value={user}
            onInput={(event) => setUser(event.currentTarget.value)}
          />
        </label>
        <label>
          {t("password")}
          <input
            name="password"
            type="password"
            autocomplete="current-password"
            required
            value={password}
            onInput={(event) => setPassword(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="act act-strong act-big" disabled={waiting} data-testid="sign-in">
          {t("signIn")}
        </button>
        <a class="act act-link" href="/join" data-testid="join-link">
          {t("joinLink")}
        </a>
      </form>
    </main>
  );
}
