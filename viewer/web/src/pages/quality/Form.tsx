/** The national form of one case as the log fills it; what is missing is entered here, what is wrong corrected, both kept. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { EnterMilestone } from "../../parts/EnterMilestone";
import { Facts } from "../../parts/Facts";
import { useLoaded } from "../../parts/load";
import { dateTime } from "../../state/format";
import { rows, showCase } from "../../state/live";
import { hrefOf, percent } from "../../state/quality";
import { place } from "../../state/route";
import { say, sourceName } from "../../texts";
import { tq } from "../../textsQuality";
import type { CaseDetail, Fact } from "../../wire";
import type { Forms } from "../../wireCare";
import type { CaseForm, FormField } from "../../wireQuality";
import { Reasons } from "./Reasons";
import { asked, Waiting } from "./shared";

export function CaseFormPage({ id }: { id: string }): JSX.Element {
  const [which, setWhich] = useState("");
  useEffect(() => showCase(id), [id]);
  const stamp = rows.value.cases.get(id)?.seq;
  const path = encodeURIComponent(id);
  const loaded = useLoaded<CaseForm>(`/quality/form/${path}`, stamp);
  const { value: detail } = useLoaded<CaseDetail>(`/cases/${path}`, stamp);
  const { value: forms } = useLoaded<Forms>(`/cases/${path}/forms`, stamp);
  const told = loaded.value;
  const at = place.value.id;
  useEffect(() => {
    if (told && at) document.getElementById(`field-${at}`)?.scrollIntoView({ block: "center" });
  }, [told !== null, at]);
  const enter = (milestone: string): void => {
    setWhich(milestone);
    document.getElementById("enter")?.scrollIntoView({ block: "start" });
  };
  return (
    <main class="page qpage" data-testid="form-page">
      <nav class="crumbs">
        <a class="act act-link" href={hrefOf("gaps", asked.value)}>
          ◂ {tq("formBack")}
        </a>
        <a class="act act-link" href={`/case/${path}`} data-testid="form-case">
          {tq("caseBack")} ▸
        </a>
      </nav>
      <h2>{tq("formOf")}</h2>
      <Waiting loaded={loaded} />
      {told && (
        <>
          <p class="num" data-testid="form-filled">
            <b>{say(told.site)}</b> · {id} ·{" "}
            {told.required > 0 &&
              tq("gapsFilled", {
                filled: told.filled,
                required: told.required,
                share: percent(told.filled / told.required),
                untyped: told.untyped,
              })}
          </p>
          <div class="columns form-columns">
            <div>
              {told.sections.map((section) => (
                <section key={section.id} class="card">
                  <h3>{say(section)}</h3>
                  <dl class="form-fields">
                    {section.fields.map((field) => (
                      <Field
                        key={field.id}
                        field={field}
                        enter={forms?.milestones.some((one) => one.id === field.milestone) ? enter : null}
                      />
                    ))}
                  </dl>
                </section>
              ))}
            </div>
            <div id="enter" class="form-enter">
              {detail && forms && (
                <>
                  <p class="muted">{tq("formEnterHow")}</p>
                  <EnterMilestone
                    key={which}
                    caseId={id}
                    milestones={detail.timeline.milestones}
                    forms={forms}
                    start={which}
                  />
                  <Reasons caseId={id} facts={detail.timeline.facts} mine={forms.facts} />
                  <details>
                    <summary>{tq("factsRest")}</summary>
                    <Facts caseId={id} facts={detail.timeline.facts.filter(isOther)} mine={forms.facts} />
                  </details>
                </>
              )}
            </div>
          </div>
        </>
      )}
    </main>
  );
}

/** What has no list of its own above. */
const isOther = (fact: Fact): boolean => fact.group !== "delay" && fact.group !== "exclusion";

interface FieldProps {
  field: FormField;
  enter: ((milestone: string) => void) | null;
}

function Field({ field, enter }: FieldProps): JSX.Element {
  const { milestone } = field;
  const known = field.value !== null;
  const problem = field.problem_zh && field.problem_en;
  return (
    <div
      id={`field-${field.id}`}
      class={known || !field.required ? "form-field" : "form-field form-gap"}
      data-testid={`field-${field.id}`}
    >
      <dt>
        {say(field)} {field.required && <span class="muted">({tq("formRequired")})</span>}
      </dt>
      <dd>
        <b class="num">{known ? shown(field) : tq("formMissing")}</b>{" "}
        {!known && field.required && <span class="late">▲ {tq("formOwner", { who: say(field.owner) })}</span>}
        {field.source && <span class="muted"> {tq("formSource", { source: sourceName(field.source) })}</span>}
        {field.corrected && <span class="muted"> ✎ {tq("corrected")}</span>}
        {problem && (
          <span class="late"> ▲ {say({ zh: field.problem_zh ?? "", en: field.problem_en ?? "" })}</span>
        )}
        {enter && milestone && (
          <button
            type="button"
            class="act act-plain form-act"
            data-testid={`enter-${field.id}`}
            onClick={() => enter(milestone)}
          >
            {tq("formEnter")}
          </button>
        )}
      </dd>
    </div>
  );
}

const INSTANT = /^\d{4}-\d{2}-\d{2}T/;

function shown(field: FormField): string {
  if (field.value !== null && INSTANT.test(field.value)) return dateTime(field.value);
  return field.value_zh !== null && field.value_en !== null
    ? say({ zh: field.value_zh, en: field.value_en })
    : (field.value ?? "");
}
