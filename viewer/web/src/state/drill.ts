/** Drills that are under way: never to be taken for a patient. */
import { computed } from "@preact/signals";
import type { Row } from "../wire";
import { rows } from "./live";
import { route } from "./route";

export const isDrill = (row: Pick<Row, "drill"> | undefined): boolean => (row?.drill ?? null) !== null;

/** For the class of whatever shows one case. */
export const drillClass = (row: Pick<Row, "drill"> | undefined): string => (isDrill(row) ? " drill" : "");

/** Real ones keep their order and come first. */
export const realFirst = <T extends Pick<Row, "drill">>(cases: readonly T[]): T[] => [
  ...cases.filter((row) => !isDrill(row)),
  ...cases.filter(isDrill),
];

/** Those that this person sees, the one that ends first before the others. */
export const runningDrills = computed(() =>
  [...rows.value.cases.values()]
    .filter((row) => isDrill(row) && row.state === "open")
    .sort((a, b) => (a.drill?.ends_at ?? "").localeCompare(b.drill?.ends_at ?? "")),
);

/** The page shows one case, and it is a drill: running or over. */
export const drillHere = computed(() => {
  const here = route.value;
  if (here.page === "case") return isDrill(rows.value.cases.get(here.id));
  if (here.page !== "ecg") return false;
  return [...rows.value.cases.values()].some(
    (row) => isDrill(row) && row.ecgs.some((e) => e.ecg_id === here.id),
  );
});
