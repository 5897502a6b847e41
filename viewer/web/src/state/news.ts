/** Red cases that came while this page was open and called somebody else: told once, by a sound and in the title. */
import { signal } from "@preact/signals";
import type { Me, Row } from "../wire";
import { callsMe } from "./alerts";
import { may } from "./session";

/** Those that came while the page was behind another one; put away once it is looked at. */
export const unlooked = signal<readonly Row[]>([]);

/** What the page that is shown has to say in the title of the window, while nobody is called; null for nothing. */
export const titleNote = signal<string | null>(null);

export class News {
  private known: Set<string> | null = null;

  /**
   * The red cases that are new since the last time. What is there when the page begins is no news, nor is what calls
   * this person, which rings until it is answered, nor what somebody has answered already.
   */
  take(reds: readonly Row[], who: Me | null | undefined): Row[] {
    const before = this.known;
    this.known = new Set([...(before ?? []), ...reds.map((row) => row.case_id)]);
    if (before === null || !may("answer", who?.user.role)) return [];
    return reds.filter(
      (row) => !before.has(row.case_id) && !callsMe(row.alert, who) && row.alert?.state !== "acknowledged",
    );
  }

  forget(): void {
    this.known = null;
  }
}

/** What is heard once: each by its name, and none before the page was able to sound. */
export class Heard {
  private readonly names = new Set<string>();

  /** `sound` tells whether it was heard. */
  tell(names: readonly string[], sound: () => boolean): void {
    const fresh = names.filter((name) => !this.names.has(name));
    if (fresh.length > 0 && sound()) for (const name of fresh) this.names.add(name);
  }
}
