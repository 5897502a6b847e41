/** The code and styles of a page, or of a part of one, come when somebody goes there. */
import { signal } from "@preact/signals";
import type { ComponentType, JSX } from "preact";
import { useEffect } from "preact/hooks";
import { t } from "../texts";

export type Lazy<P> = ((props: P) => JSX.Element) & {
  /** Ask for it before it is shown. */
  ask: () => void;
};

/** What was not reached is said, with what to do; the rest of the page stays as it is. `part`: of a page that is there. */
export function lazily<P extends object>(
  load: () => Promise<ComponentType<P>>,
  { part: isPart = false } = {},
): Lazy<P> {
  const part = signal<ComponentType<P> | null>(null);
  const failed = signal(false);
  let asked = false;
  const ask = (): void => {
    if (asked) return;
    asked = true;
    load().then(
      (loaded) => {
        part.value = loaded;
      },
      () => {
        failed.value = true;
      },
    );
  };
  const Lazily = (props: P): JSX.Element => {
    useEffect(ask, []);
    const Part = part.value;
    if (Part) return <Part {...props} />;
    if (!failed.value) return <p class="empty">{t("loading")}</p>;
    const Around = isPart ? "div" : "main";
    return (
      <Around class={isPart ? "" : "page"}>
        <p role="alert">{t("pageNotLoaded")}</p>
        {/* A browser remembers that a part was not there, and asks for it anew with the whole page only. */}
        <button type="button" class="act act-strong" data-testid="reload" onClick={() => location.reload()}>
          {t("reload")}
        </button>
      </Around>
    );
  };
  return Object.assign(Lazily, { ask });
}
