/** Images of a case, beside its ECGs: what is there, whether all of it is, and the way to it. */
import type { ComponentChildren, JSX } from "preact";
import { dateTime } from "../state/format";
import { may, me } from "../state/session";
import { t } from "../texts";
import type { CaseImage } from "../wireImage";
import { Section } from "./bits";

export function CaseImages({ images }: { images: readonly CaseImage[] }): JSX.Element | null {
  if (images.length === 0) return null;
  return (
    <Section title={t("images")}>
      <ul class="ecg-list">
        {images.map((one) => (
          <li key={one.study_uid}>
            <Linked image={one}>
              {may("waveform", me.value?.user.role) && (
                <img
                  class="study-thumb"
                  src={`/dicom-web/studies/${encodeURIComponent(one.study_uid)}/thumbnail?viewport=192,192`}
                  alt=""
                  loading="lazy"
                  width="96"
                  height="96"
                />
              )}
              <span>
                <b>{one.modalities.join(" ") || t("unknown")}</b> {one.body_part} {one.description}
                <br />
                <span class="num">{one.study_at ? dateTime(one.study_at) : t("imagesNoTime")}</span>{" "}
                <span class="muted num">{t("imagesReceived", { at: dateTime(one.received_at) })}</span>
                <br />
                <Complete image={one} />
              </span>
            </Linked>
          </li>
        ))}
      </ul>
    </Section>
  );
}

/** Who may not see a trace may not see an image either. */
function Linked({ image, children }: { image: CaseImage; children: ComponentChildren }): JSX.Element {
  if (!may("waveform", me.value?.user.role)) return <p>{children}</p>;
  return (
    <a href={`/study/${encodeURIComponent(image.study_uid)}`} data-testid={`study-link-${image.study_uid}`}>
      {children}
    </a>
  );
}

/** A study that is there in part says so; where nobody has said how many there should be, that is said too. */
function Complete({ image }: { image: CaseImage }): JSX.Element {
  const { instances, expected, complete } = image;
  if (complete === false)
    return (
      <b class="late" data-testid="study-partial">
        {t("imagesPartial", { n: instances, all: expected ?? t("unknown") })}
      </b>
    );
  return <span class="muted num">{t(complete ? "imagesAll" : "imagesSoFar", { n: instances })}</span>;
}
