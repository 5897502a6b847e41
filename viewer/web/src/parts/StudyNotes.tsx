/** What a reader must know of whom a study names: the files may say another, or be read in a wrong charset. */
import type { JSX } from "preact";
import { tm } from "../textsMove";
import type { CaseImage } from "../wireImage";

export function StudyNotes({ study }: { study: CaseImage }): JSX.Element {
  return (
    <>
      {study.names_other && (
        <span class="late" data-testid="names-other">
          {" "}
          {tm("namesOther")}
        </span>
      )}
      {study.charset_assumed && (
        <span class="muted" data-testid="charset-assumed">
          {" "}
          {tm("charsetAssumed", { charset: study.charset_assumed.toUpperCase() })}
        </span>
      )}
      {study.charset_doubtful && (
        <span class="late" data-testid="charset-doubtful">
          {" "}
          {tm("charsetDoubtful")}
        </span>
      )}
    </>
  );
}
