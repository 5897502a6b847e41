/** What is said of a study: its clock, the report as it was signed, and for who reads it the form. */
import type { JSX } from "preact";
import { Act, Section } from "../../parts/bits";
import { Carried } from "../../parts/Carried";
import { ImageClockView } from "../../parts/ImageClock";
import { ReasonAct } from "../../parts/ReasonAct";
import { StudyNotes } from "../../parts/StudyNotes";
import { dateTime, personName, placeName } from "../../state/format";
import { claim, markStat, release, seen } from "../../state/reading";
import { may, me } from "../../state/session";
import { say } from "../../texts";
import { ti } from "../../textsImage";
import type { SignedReport, StudyReading } from "../../wireImage";
import { CriticalDuty } from "./Critical";
import { Detectors } from "./Detectors";
import { Privacy } from "./Privacy";
import { AddendumForm, ReportForm } from "./ReportForm";
import { RungPeople } from "./Rung";
import { SentOn, Share } from "./Share";

export function ReportPanel({ uid, page }: { uid: string; page: StudyReading }): JSX.Element {
  const { reading } = page;
  const role = me.value?.user.role;
  const mine = reading.claimed_by?.person === me.value?.user.id;
  const signed = reading.signed ?? [];
  return (
    <aside class="report-panel" data-testid="report-panel">
      <section class="card">
        <p>
          <b>{say(reading.clock)}</b> <ImageClockView reading={reading} />
        </p>
        {page.site && <p class="muted">{placeName(page.site)}</p>}
        <p>
          {reading.stat_by && (
            <b class="late" data-testid="stat-by">
              ▲ STAT {personName(reading.stat_by)} {reading.stat_reason}
            </b>
          )}
          {page.critical_indications.map((one) => (
            <span key={one.zh} class="indication">
              ▲ {say(one)}
            </span>
          ))}
        </p>
        {page.why && <p class="muted">{say(page.why)}</p>}
        <Detectors detected={page.detected} />
        {may("images", role) && <Privacy uid={uid} />}
        {reading.claimed_by && signed.length === 0 && (
          <p data-testid="claimed-by">{ti("claimedBy", { who: personName(reading.claimed_by) })}</p>
        )}
        {signed.length === 0 && may("imageRead", role) && (
          <p class="acts">
            {mine ? (
              <Act name={`release ${uid}`} testid="release" run={() => release(uid)}>
                {ti("release")}
              </Act>
            ) : (
              <Act
                name={`claim ${uid}`}
                kind="strong"
                testid="claim"
                run={() => claim(uid, reading.claimed_by !== null)}
              >
                {ti(reading.claimed_by ? "takeOver" : "claim")}
              </Act>
            )}
          </p>
        )}
        {signed.length === 0 && reading.stat_by === null && may("imageStat", role) && (
          <ReasonAct
            name={`stat ${uid}`}
            words={ti("statAct")}
            hint={ti("statHint")}
            testid="stat"
            run={(reason) => markStat(uid, reason)}
          />
        )}
        {signed.length === 0 && <RungPeople rung={reading.rung ?? []} />}
      </section>
      <Carried reading={reading} />
      <p>
        <StudyNotes study={page.study} />
      </p>
      <CriticalDuty uid={uid} page={page} />
      {signed.map((one) => (
        <Signed key={one.report_id} report={one} />
      ))}
      {signed.length > 0 && <AfterSigning uid={uid} page={page} />}
      {signed.length === 0 && !may("imageRead", role) && <p class="muted">{ti("notReported")}</p>}
      {signed.length === 0 && mine && page.choices && <ReportForm uid={uid} page={page} />}
      <Share uid={uid} page={page} />
      {may("images", role) && <SentOn uid={uid} />}
    </aside>
  );
}

export function Signed({ report }: { report: SignedReport }): JSX.Element {
  return (
    <section class="card signed" data-testid="image-report">
      <h2>
        {report.addendum_name ? say(report.addendum_name) : ti("report")}
        {report.provisional && <b class="late"> {ti("provisional")}</b>}
      </h2>
      {report.critical.length > 0 && (
        <p class="critical-word" data-testid="critical-named">
          ■ {ti("critical")}: {report.critical.map(say).join(" · ")}
        </p>
      )}
      {report.findings !== "" && (
        <>
          <h3>{ti("findings")}</h3>
          <p class="report-text">{report.findings}</p>
        </>
      )}
      <h3>{ti("impression")}</h3>
      <p class="report-text">
        <b>{report.impression}</b>
      </p>
      <p class="muted num">
        ✓ {personName(report.person)} {dateTime(report.at)}
      </p>
    </section>
  );
}

function AfterSigning({ uid, page }: { uid: string; page: StudyReading }): JSX.Element {
  const { reading } = page;
  const role = me.value?.user.role;
  const last = reading.signed?.at(-1)?.report_id;
  const own = reading.seen.some((one) => one.person?.person === me.value?.user.id && one.report_id === last);
  const files = `/api/v1/imaging/studies/${encodeURIComponent(uid)}`;
  return (
    <>
      <Section title={ti("afterReport")}>
        <p class="acts">
          {may("imageSeen", role) && !own && (
            <Act name={`seen ${uid}`} kind="strong" testid="image-seen" run={() => seen(uid)}>
              {ti("seenAct")}
            </Act>
          )}
          <a class="act act-plain" href={`${files}/report.pdf`} target="_blank" rel="noopener">
            PDF
          </a>
          <a class="act act-plain" href={`${files}/report.dcm`} download>
            DICOM SR
          </a>
        </p>
        <ul>
          {reading.seen.map((one) => (
            <li key={`${one.person?.person}${one.report_id}`} class="muted" data-testid="result-seen">
              ✓ {ti("seenBy", { who: personName(one.person), at: dateTime(one.at) })}
            </li>
          ))}
        </ul>
      </Section>
      {page.choices && <AddendumForm uid={uid} page={page} />}
    </>
  );
}
