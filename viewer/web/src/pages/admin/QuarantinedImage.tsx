/** What image was refused, why, and what can be done? Read when somebody asks; whose it says that it is, on a reason. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { useLoaded } from "../../parts/load";
import { ReasonAct } from "../../parts/ReasonAct";
import { whoseImage } from "../../state/admin";
import { dateTime, placeName } from "../../state/format";
import { t } from "../../texts";
import { QUARANTINE_TEXTS, type QuarantineText, tqi } from "../../textsQuarantine";
import type { ImagePatient, QuarantinedFile, QuarantinedImage } from "../../wireAdmin";

/** What can be done about a reason; null: its own words say all that is known. */
export function adviceOn(reason: string): string | null {
  const key = `advice_${reason}`;
  return key in QUARANTINE_TEXTS ? tqi(`advice_${reason}` as QuarantineText) : null;
}

export function WhatImage({ file }: { file: QuarantinedFile }): JSX.Element {
  const [asked, setAsked] = useState(false);
  const at = `/admin/quarantine/${encodeURIComponent(file.id)}`;
  const { value, problem } = useLoaded<{ image: QuarantinedImage | null }>(asked ? `${at}/image` : null, 0);
  return (
    <details
      data-testid={`file-what-${file.id}`}
      onToggle={(event) => setAsked((event.currentTarget as HTMLDetailsElement).open)}
    >
      <summary>{tqi("what")}</summary>
      {problem && !value && <p class="trouble">{problem.words}</p>}
      {value && value.image === null && <p class="muted">{tqi("noImage")}</p>}
      {value?.image && <Image image={value.image} at={at} file={file} />}
    </details>
  );
}

function Image(props: { image: QuarantinedImage; at: string; file: QuarantinedFile }): JSX.Element {
  const { image, at, file } = props;
  const when = image.study_at ? dateTime(image.study_at) : (image.study_date ?? t("unknown"));
  return (
    <div class="quarantined-image" data-testid="quarantined-image">
      {image.shown ? (
        <img src={`/api/v1${at}/preview`} alt={tqi("picture")} width="192" height="192" loading="lazy" />
      ) : (
        <p class="muted">{tqi("notShown")}</p>
      )}
      <div>
        <p>
          <b>{image.modality ?? t("unknown")}</b> {image.body_part} <span class="num">{when}</span>{" "}
          {image.cols !== null && (
            <span class="muted num">
              {image.cols} × {image.rows}
              {(image.frames ?? 1) > 1 && ` × ${image.frames}`}
            </span>
          )}
        </p>
        <p class="muted num admin-detail">{image.study_uid}</p>
        {image.here && (
          <p data-testid="study-here">
            {tqi("here", { site: placeName(image.here.site) })}{" "}
            <a class="act act-link" href={`/case/${encodeURIComponent(image.here.case_id)}`}>
              {image.here.case_id} ▸
            </a>
          </p>
        )}
        {!image.numbered && <p class="late">! {tqi("noNumber")}</p>}
        <Whose file={file} />
      </div>
    </div>
  );
}

function Whose({ file }: { file: QuarantinedFile }): JSX.Element {
  const [whose, setWhose] = useState<ImagePatient | null>(null);
  if (whose === null) {
    return (
      <ReasonAct
        name={`whose ${file.id}`}
        words={tqi("whose")}
        hint={tqi("whoseHint")}
        testid={`file-whose-${file.id}`}
        run={async (reason) => setWhose(await whoseImage(file.id, reason))}
      />
    );
  }
  return (
    <p data-testid="image-patient">
      <b>{whose.name ?? t("unknown")}</b>{" "}
      <span class="num">
        {tqi("number", { n: whose.number ?? t("unknown") })} · {whose.birth_date ?? t("unknown")}
      </span>{" "}
      <span class="muted">{whose.institution}</span>
    </p>
  );
}
