/** What waits to be seen to. Pure. */
import type { Role } from "../wire";
import type { ListedFollowUp } from "../wireCare";

/** In the service's order: what is due longest comes first. */
export function overdueFirst(all: readonly ListedFollowUp[]): {
  late: ListedFollowUp[];
  ahead: ListedFollowUp[];
} {
  return { late: all.filter((one) => one.overdue), ahead: all.filter((one) => !one.overdue) };
}

const ANY: readonly Role[] = ["reader", "cardiologist", "ed", "quality"];

/** To whom it is offered to say what came of it: whose list it is on, and who keeps the loop; the service decides. */
export const mayClose = (one: Pick<ListedFollowUp, "role">, role: Role | undefined): boolean =>
  role !== undefined && (role === one.role || ANY.includes(role));
