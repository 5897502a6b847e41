/** Words of pages that are loaded when somebody goes there: not part of the first load, held to the same rules. */
import { lang } from "./state/prefs";

export type Pair = readonly [zh: string, en: string];

/** What `t` is for the words of every page, for those of one catalogue. */
export function speaker<K extends string>(
  texts: Record<K, Pair>,
): (key: K, fill?: Record<string, string | number>) => string {
  return (key, fill = {}) =>
    texts[key][lang.value === "zh" ? 0 : 1].replace(/\{(\w+)\}/g, (whole: string, name: string) =>
      String(fill[name] ?? whole),
    );
}
