/**
 * The picture that came with the page itself, before any script ran. It is moved to where the study's page wants it, never
 * asked for again, and gone as soon as another page is shown or nobody is signed in.
 */
const ID = "first-picture";
/** A picture that does not come must not keep the images themselves away. */
const LONGEST_MS = 3000;

let kept: { uid: string; picture: HTMLImageElement } | null = null;

const frame = (): HTMLElement | null =>
  typeof document === "undefined" ? null : document.getElementById(ID);
const failed = (picture: HTMLImageElement): boolean => picture.complete && picture.naturalWidth === 0;

/** The picture of this study, out of the page that brought it; null where none came, or it was refused. */
export function takeFirstPicture(uid: string): HTMLImageElement | null {
  const brought = frame();
  const picture = brought?.querySelector("img");
  if (brought && picture) kept = { uid: brought.dataset.study ?? "", picture };
  brought?.remove();
  return kept?.uid === uid && !failed(kept.picture) ? kept.picture : null;
}

export function dropFirstPicture(): void {
  frame()?.remove();
  kept?.picture.remove();
  kept = null;
}

/** When the picture is here, or there is none to wait for: what is large comes after it on a thin line. */
export function firstPictureCame(): Promise<void> {
  const picture = kept?.picture ?? frame()?.querySelector("img");
  if (!picture || picture.complete) return Promise.resolve();
  return new Promise((done) => {
    for (const name of ["load", "error"]) picture.addEventListener(name, () => done(), { once: true });
    setTimeout(done, LONGEST_MS);
  });
}
