/** A page that is loaded when somebody goes there, and kept from then on. */
import type { ComponentType, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { t } from "../texts";

export type Loader = () => Promise<ComponentType>;

const kept = new Map<Loader, ComponentType>();

export function Later({ load }: { load: Loader }): JSX.Element {
  const [, again] = useState(0);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    if (kept.has(load)) return;
    load().then(
      (page) => {
        kept.set(load, page);
        again((count) => count + 1);
      },
      () => setFailed(true), // no line, or a newer version of the pages took the place of this one
    );
  }, [load]);
  const Page = kept.get(load);
  if (Page) return <Page />;
  return (
    <p class="empty" role={failed ? "alert" : undefined}>
      {failed ? t("problemNetwork") : t("loading")}
    </p>
  );
}
