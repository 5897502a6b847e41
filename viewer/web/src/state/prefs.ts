/** The reader's own choices, kept in this browser. */
import { effect, signal } from "@preact/signals";

export type Lang = "zh" | "en";
export type Theme = "light" | "dark";

const store = typeof localStorage === "undefined" ? null : localStorage;
const asked = typeof location === "undefined" ? null : new URLSearchParams(location.search).get("lang");

export const lang = signal<Lang>(firstLang(asked, store?.getItem("lang") ?? null));
export const theme = signal<Theme>(firstTheme(store?.getItem("theme") ?? null));
/** Whether the reader wants to hear alerts; whether the browser lets us is another matter (`sound.ts`). */
export const soundWanted = signal(store?.getItem("sound") !== "off");

/** The address says first, then what was chosen before; Chinese where nothing was said. */
export function firstLang(fromAddress: string | null, kept: string | null): Lang {
  for (const said of [fromAddress, kept]) if (said === "zh" || said === "en") return said;
  return "zh";
}

function firstTheme(kept: string | null): Theme {
  if (kept === "light" || kept === "dark") return kept;
  const dark = typeof matchMedia !== "undefined" && matchMedia("(prefers-color-scheme: dark)").matches;
  return dark ? "dark" : "light";
}

export function keepPrefs(): void {
  effect(() => {
    store?.setItem("lang", lang.value);
    document.documentElement.lang = lang.value === "zh" ? "zh-CN" : "en";
  });
  effect(() => {
    document.documentElement.dataset.theme = theme.value;
  });
}

/** Who has seen the tour on this device. */
export const tourSeen = signal(store?.getItem("tour") ?? "");
export const sawTour = (user: string): boolean => tourSeen.value.split(" ").includes(user);

export function chooseTourSeen(user: string): void {
  if (sawTour(user)) return;
  tourSeen.value = `${tourSeen.value} ${user}`.trim();
  store?.setItem("tour", tourSeen.value);
}

export function chooseTheme(chosen: Theme): void {
  theme.value = chosen;
  store?.setItem("theme", chosen);
}

export function chooseSound(wanted: boolean): void {
  soundWanted.value = wanted;
  store?.setItem("sound", wanted ? "on" : "off");
}
