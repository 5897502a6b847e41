/** What could not be read, why, and what becomes of it? */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Act } from "../../parts/bits";
import { useLoaded } from "../../parts/load";
import { ReasonAct } from "../../parts/ReasonAct";
import { discardFile, takeFile } from "../../state/admin";
import { dateTime } from "../../state/format";
import { ta } from "../../textsAdmin";
import type { AdminSite, QuarantinedFile } from "../../wireAdmin";
import { adviceOn, WhatImage } from "./QuarantinedImage";
import { Field, SiteChoice } from "./shared";

export function Quarantine(): JSX.Element {
  const [changes, setChanges] = useState(0);
  const [said, setSaid] = useState<string | null>(null);
  const { value, problem } = useLoaded<{ files: QuarantinedFile[] }>("/admin/quarantine", changes);
  const { value: places } = useLoaded<{ sites: AdminSite[] }>("/admin/sites", null);
  const files = value?.files ?? [];
  const waiting = files.filter((one) => one.settled === null);
  const done = files.filter((one) => one.settled !== null);
  const changed = (caseId: string | null): void => {
    setSaid(caseId);
    setChanges((count) => count + 1);
  };
  return (
    <>
      <h2>{ta("quarantine")}</h2>
      {problem && <p class="trouble">{problem.words}</p>}
      {said && (
        <p class="card" role="status" data-testid="quarantine-said">
          <a href={`/case/${encodeURIComponent(said)}`}>{ta("retryDone", { id: said })}</a>
        </p>
      )}
      {value && waiting.length === 0 && <p class="muted">✓ {ta("quarantineNone")}</p>}
      <ul class="admin-list">
        {waiting.map((file) => (
          <li key={file.id} class="card" data-testid="quarantined">
            <Said file={file} />
            {file.whole && <WhatImage file={file} />}
            <Deal file={file} sites={places?.sites ?? []} changed={changed} />
          </li>
        ))}
      </ul>
      {done.length > 0 && (
        <details class="card">
          <summary>{ta("quarantineDone", { n: done.length })}</summary>
          <ul class="admin-list">
            {done.map((file) => (
              <li key={file.id}>
                <Said file={file} />
                {file.settled && (
                  <p data-testid="quarantine-settled">
                    <b>{ta(`settled_${file.settled.what}`)}</b> {file.settled.reason}{" "}
                    <span class="muted num">
                      {dateTime(file.settled.at)} {file.settled.name ?? file.settled.actor}
                    </span>
                  </p>
                )}
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

function Said({ file }: { file: QuarantinedFile }): JSX.Element {
  const advice = adviceOn(file.reason);
  return (
    <>
      <p>
        <b class="num">{dateTime(file.at)}</b>{" "}
        <span class="muted">
          {ta("from")} {file.name ?? file.actor} ·{" "}
          <span class="num">{ta("bytes", { n: file.size_bytes })}</span>
        </span>
        {!file.whole && <b class="late"> ! {ta("notWhole")}</b>}
      </p>
      <p class="admin-detail">
        <code>{file.reason}</code> {file.detail}
      </p>
      {advice && file.settled === null && <p data-testid="file-advice">▸ {advice}</p>}
    </>
  );
}

function Deal(props: {
  file: QuarantinedFile;
  sites: readonly AdminSite[];
  changed: (caseId: string | null) => void;
}): JSX.Element {
  const { file, changed } = props;
  const [open, setOpen] = useState(false);
  const [site, setSite] = useState("");
  const [caseId, setCaseId] = useState("");
  const named = caseId.trim();
  return (
    <div class="acts">
      <a class="act act-plain" href={file.file} download={file.id}>
        {ta("download")}
      </a>
      {file.whole && !open && (
        <button
          type="button"
          class="act act-plain"
          data-testid={`file-retry-${file.id}`}
          onClick={() => setOpen(true)}
        >
          {ta("retry")}
        </button>
      )}
      {open && (
        <div class="reason-act">
          <SiteChoice sites={props.sites} value={site} set={setSite} testid="file-site" />
          <Field words={ta("retryCase")} value={caseId} set={setCaseId} testid="file-case" />
          <p class="acts">
            <Act
              name={`file ${file.id}`}
              kind="strong"
              testid="file-take"
              disabled={site === "" && named === ""}
              run={async () => {
                const got = await takeFile(file.id, named === "" ? { site } : { case_id: named });
                if (got) changed(got.case_id);
              }}
            >
              {ta("retry")}
            </Act>
            <button type="button" class="act act-plain" onClick={() => setOpen(false)}>
              {ta("cancel")}
            </button>
          </p>
        </div>
      )}
      <ReasonAct
        name={`file ${file.id}`}
        words={ta("discard")}
        testid={`file-discard-${file.id}`}
        run={async (reason) => (await discardFile(file.id, reason)) && changed(null)}
      />
    </div>
  );
}
