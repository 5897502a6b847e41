/** From a rule's name to where it is explained, in the version by which the ECG was read. */
import type { JSX } from "preact";
import { ruleOf, rulesHref } from "../state/rules";
import { pairText, REASONS, say } from "../texts";
import type { RuleSet } from "../wire";

interface Props {
  id: string;
  /** Null: not known, so what holds now. */
  version: string | null;
  /** Where they are at hand the rule is named by its term, too. */
  rules?: RuleSet | null;
}

export function RuleLink({ id, version, rules = null }: Props): JSX.Element {
  return (
    <a class="rule-link" href={rulesHref(version, id)} data-testid={`rule-${id}`}>
      {nameOf(id, rules)}
    </a>
  );
}

function nameOf(id: string, rules: RuleSet | null): string {
  if (REASONS[id]) return pairText(REASONS[id]);
  const rule = rules && ruleOf(id, rules);
  if (!rule) return id;
  // A guard has no id that anybody speaks, only a key.
  return /^[a-z]/.test(id) ? say(rule) : `${id} ${say(rule)}`;
}
