/** A photograph or document of a paper ECG, under its warning: whose it is stands on the paper alone. */
import type { JSX } from "preact";
import { gathered } from "../state/format";
import { say, t } from "../texts";
import type { PaperPicture as Picture } from "../wire";

/** What a browser shows by itself; anything else is opened by another program. */
const SHOWN = new Set(["jpeg", "png"]);

interface Props {
  paper: Picture;
  /** The reader has it on the screen, or has opened it. */
  onSeen: () => void;
}

export function PaperPicture({ paper, onSeen }: Props): JSX.Element {
  return (
    <section class="card" data-testid="paper-picture">
      <p class="headline">{gathered(say(paper))}</p>
      {SHOWN.has(paper.kind) && (
        <img src={paper.shown} alt={t("paperPicture")} style={{ maxWidth: "100%" }} onLoad={onSeen} />
      )}
      <p>
        <a class="act act-link" href={paper.shown} target="_blank" rel="noreferrer" onClick={onSeen}>
          {t("paperOpen")} ({paper.kind.toUpperCase()})
        </a>
      </p>
    </section>
  );
}
