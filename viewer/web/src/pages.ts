/**
 * All pages, each a piece of its own that is asked for when it is shown. The clinic's and the login page have their
 * styles with them; all others share `rest`.
 */
import { lazily } from "./parts/lazily";
import type { Route } from "./state/route";

const rest = () => import("./rest");

export const Board = lazily(() =>
  Promise.all([import("./pages/Board"), rest()]).then(([page]) => page.Board),
);
export const CasePage = lazily(() =>
  Promise.all([import("./pages/CasePage"), rest()]).then(([page]) => page.CasePage),
);
export const Clinic = lazily(() => import("./pages/Clinic").then((page) => page.Clinic));
export const ClocksPage = lazily(() =>
  Promise.all([import("./pages/ClocksPage"), rest()]).then(([page]) => page.ClocksPage),
);
export const ContactsPage = lazily(() =>
  Promise.all([import("./pages/ContactsPage"), rest()]).then(([page]) => page.ContactsPage),
);
export const EcgPage = lazily(() =>
  Promise.all([import("./pages/EcgPage"), rest()]).then(([page]) => page.EcgPage),
);
export const FollowUpsPage = lazily(() =>
  Promise.all([import("./pages/FollowUpsPage"), rest()]).then(([page]) => page.FollowUpsPage),
);
export const Login = lazily(() => import("./pages/Login").then((page) => page.Login));
export const RosterPage = lazily(() =>
  Promise.all([import("./pages/RosterPage"), rest()]).then(([page]) => page.RosterPage),
);
export const RulesPage = lazily(() =>
  Promise.all([import("./pages/RulesPage"), rest()]).then(([page]) => page.RulesPage),
);
export const TasksPage = lazily(() =>
  Promise.all([import("./pages/TasksPage"), rest()]).then(([page]) => page.TasksPage),
);

export const ImagingPage = lazily(() =>
  Promise.all([import("./pages/image/ImagingPage"), rest()]).then(([page]) => page.ImagingPage),
);
export const DetectorsPage = lazily(() =>
  Promise.all([import("./pages/DetectorsPage"), rest()]).then(([page]) => page.DetectorsPage),
);
export const StudyPage = lazily(() =>
  Promise.all([import("./pages/image/StudyPage"), rest()]).then(([page]) => page.StudyPage),
);

// What administrators see, and who comes in by a code, has words and styles of its own.
export const AdminPage = lazily(() => import("./pages/admin").then((page) => page.AdminPage));
export const QualityPage = lazily(() =>
  Promise.all([import("./pages/quality"), rest()]).then(([page]) => page.QualityPage),
);
export const DrillPage = lazily(() =>
  Promise.all([import("./pages/DrillPage"), rest()]).then(([page]) => page.DrillPage),
);
export const HelpPage = lazily(() =>
  Promise.all([import("./pages/HelpPage"), rest()]).then(([page]) => page.HelpPage),
);
export const TourPage = lazily(() =>
  Promise.all([import("./pages/TourPage"), rest()]).then(([page]) => page.TourPage),
);
export const JoinPage = lazily(() => import("./pages/JoinPage").then((page) => page.JoinPage));
export const PairPage = lazily(() => import("./pages/PairPage").then((page) => page.PairPage));

/** The page of the address is on its way while the service is asked who is there. */
export function askFor(page: Route["page"]): void {
  if (page === "clinic") Clinic.ask();
  if (page === "login") Login.ask();
  if (page === "board") Board.ask();
  if (page === "study") StudyPage.ask();
}
