/** What one's role is likely to tap next in this case: the press is the time. */
import type { JSX } from "preact";
import { busy, tapMilestone } from "../state/acts";
import { me } from "../state/session";
import { say, t } from "../texts";
import type { Form } from "../wireCare";
import { Act, Section } from "./bits";

export function TapMilestones({ caseId, forms }: { caseId: string; forms: Form[] }): JSX.Element | null {
  const open = forms.filter((form) => form.one_tap && !form.known);
  const next = open.filter((form) => form.next);
  const others = open.filter((form) => !form.next);
  if (open.length === 0) return null;
  return (
    <Section title={t("tapTitle")} acts>
      <div class="form" data-testid="taps">
        {next.length > 0 && (
          <div class="taps">
            {next.map((form) => (
              <Tap key={form.id} caseId={caseId} form={form} strong />
            ))}
          </div>
        )}
        {others.length > 0 && (
          <details open={next.length === 0}>
            <summary>{t("tapOthers", { n: others.length })}</summary>
            <div class="taps">
              {others.map((form) => (
                <Tap key={form.id} caseId={caseId} form={form} />
              ))}
            </div>
          </details>
        )}
        <p class="muted">{t("tapHint")}</p>
      </div>
    </Section>
  );
}

/** The first dose, or of a milestone of persons the one's own. */
function ownKey(form: Form): string | undefined {
  if (form.key === null) return undefined;
  return form.key === "person" ? me.value?.user.id : "1";
}

/** What has a code asks for it: to choose is the tap. */
function Tap({ caseId, form, strong }: { caseId: string; form: Form; strong?: boolean }): JSX.Element {
  const tap = (code?: string): Promise<boolean> => tapMilestone(caseId, form.id, ownKey(form), code);
  if (form.codes.length > 0) {
    return (
      <label class="tap-choice">
        {say(form)}
        <select
          value=""
          data-testid={`tap-${form.id}`}
          disabled={busy.value.has(`tap ${form.id}`)}
          onChange={(event) => {
            const select = event.currentTarget;
            // What the service did not take does not stand there as if it had.
            if (select.value !== "") void tap(select.value).finally(() => (select.value = ""));
          }}
        >
          <option value="">{t("tapWhat")}</option>
          {form.codes.map((code) => (
            <option key={code.id} value={code.id}>
              {say(code)}
            </option>
          ))}
        </select>
      </label>
    );
  }
  return (
    <Act
      name={`tap ${form.id}`}
      kind={strong ? "strong" : "plain"}
      big={strong === true}
      testid={`tap-${form.id}`}
      run={() => tap()}
    >
      {say(form)}
    </Act>
  );
}
