/** The rules of one version for a part that shows them; a failed reading is tried again. */
import { useEffect, useState } from "preact/hooks";
import { Problem } from "../state/api";
import { loadRules } from "../state/rules";
import type { RuleSet } from "../wire";
import { useTries } from "./load";

export interface RulesRead {
  rules: RuleSet | null;
  problem: Problem | null;
}

export function useRules(version: string | null): RulesRead {
  const [read, setRead] = useState<RulesRead & { version: string | null }>({
    rules: null,
    problem: null,
    version,
  });
  const tries = useTries(read.version === version ? read.problem : null);
  useEffect(() => {
    if (version === null) return;
    let gone = false;
    loadRules(version).then(
      (rules) => !gone && setRead({ rules, problem: null, version }),
      (failure: unknown) => {
        if (!(failure instanceof Problem)) throw failure;
        if (!gone) setRead({ rules: null, problem: failure, version });
      },
    );
    return () => {
      gone = true;
    };
  }, [version, tries]);
  return read.version === version ? read : { rules: null, problem: null };
}
