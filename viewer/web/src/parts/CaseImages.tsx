/** Images of a case, beside its ECGs: what is there, whether all of it is, and the way to it. */
import type { ComponentChildren, JSX } from "preact";
import { dateTime, personName } from "../state/format";
import { acted, seen } from "../state/reading";
import { may, me } from "../state/session";
import { studyWords } from "../state/studyWords";
import { say, t } from "../texts";
import type { CaseImage, StudyReading } from "../wireImage";
import { Act, Section } from "./bits";
import { Carried } from "./Carried";
import { ImageClockView } from "./ImageClock";
import { useLoaded } from "./load";
import { StudyNotes } from "./StudyNotes";

interface Props {
  images: readonly CaseImage[];
  /** Changes with the case: what is said of its images may have changed too. */
  stamp: number | undefined;
}

export function CaseImages({ images, stamp }: Props): JSX.Element | null {
  if (images.length === 0) return null;
  return (
    <Section title={t("images")}>
      <ul class="ecg-list">
        {images.map((one) => (
          <li key={one.study_uid}>
            <Linked image={one}>
              {may("images", me.value?.user.role) && (
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
                <b>{one.modalities.join(" ") || t("unknown")}</b> {studyWords(one)}
                <br />
                <span class="num">{one.study_at ? dateTime(one.study_at) : t("imagesNoTime")}</span>{" "}
                <span class="muted num">{t("imagesReceived", { at: dateTime(one.received_at) })}</span>
                <br />
                <Complete image={one} />
                <StudyNotes study={one} />
              </span>
            </Linked>
            <Result uid={one.study_uid} stamp={stamp} />
          </li>
        ))}
      </ul>
    </Section>
  );
}

/** What the radiologist signed, in short: the whole of it stands beside the images. */
function Result({ uid, stamp }: { uid: string; stamp: number | undefined }): JSX.Element | null {
  const role = me.value?.user.role;
  const path = may("imageReport", role) ? `/imaging/studies/${encodeURIComponent(uid)}` : null;
  const { value } = useLoaded<StudyReading>(path, `${stamp} ${acted.value}`);
  if (!value) return null;
  const { reading } = value;
  const signed = reading.signed ?? [];
  const last = signed.at(-1);
  if (!last)
    return (
      <p data-testid="image-waits">
        {t("imageWaits")} <ImageClockView reading={reading} />
      </p>
    );
  const looks = reading.seen.filter((one) => one.report_id === last.report_id);
  const mine = looks.some((one) => one.person?.person === me.value?.user.id);
  return (
    <div class="signed" data-testid="image-result">
      {reading.critical.length > 0 && (
        <p class="critical-word">
          ■ {t("imageCritical")}: {reading.critical.map(say).join(" · ")}
        </p>
      )}
      <Carried reading={reading} />
      {signed.map((one) => (
        <p key={one.report_id}>
          <b>{one.addendum_name ? say(one.addendum_name) : t("imageResult")}</b>
          {one.provisional && <b class="late"> {t("imageProvisional")}</b>} {one.impression}{" "}
          <span class="muted num">
            ✓ {personName(one.person)} {dateTime(one.at)}
          </span>
        </p>
      ))}
      {looks.map((one) => (
        <p key={one.person?.person} class="muted num" data-testid="image-was-seen">
          ✓ {t("imageSeenAt", { who: personName(one.person), at: dateTime(one.at) })}
        </p>
      ))}
      {!mine && may("imageSeen", role) && (
        <Act name={`seen ${uid}`} kind="strong" testid="image-seen" run={() => seen(uid)}>
          {t("imageSeen")}
        </Act>
      )}
    </div>
  );
}

/** Who may not see a trace may not see an image either. */
function Linked({ image, children }: { image: CaseImage; children: ComponentChildren }): JSX.Element {
  if (!may("images", me.value?.user.role)) return <p>{children}</p>;
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
