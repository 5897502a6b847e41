/** Which page is shown, and what every page has around it. */
import { untracked, useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import {
  AdminPage,
  Board,
  CasePage,
  Clinic,
  ClocksPage,
  ContactsPage,
  DetectorsPage,
  DrillPage,
  EcgPage,
  FollowUpsPage,
  HelpPage,
  ImagingPage,
  JoinPage,
  Login,
  PairPage,
  QualityPage,
  RosterPage,
  RulesPage,
  StudyPage,
  TasksPage,
  TourPage,
} from "./pages";
import { Banner } from "./parts/Banner";
import { Trouble } from "./parts/bits";
import { DrillBar } from "./parts/DrillBar";
import { Header, Help, helpOpen, StaleNote } from "./parts/Header";
import { ImageCalls } from "./parts/ImageCalls";
import { NewTasks } from "./parts/NewTasks";
import { SoundBar } from "./parts/SoundBar";
import { useKeydown } from "./parts/useKeydown";
import { drillHere } from "./state/drill";
import { dropFirstPicture } from "./state/firstPicture";
import { line, startLive, stopLive } from "./state/live";
import { loadQuantities } from "./state/quantities";
import { go, route } from "./state/route";
import { homeOf, me } from "./state/session";
import { t } from "./texts";

/** Whoever has a one-time code has no account yet. */
const WITHOUT_SIGNING_IN: ReadonlySet<string> = new Set(["login", "pair", "join"]);

/** Where somebody wanted to go before having to sign in. */
let wanted: string | null = null;
/** Whether this page has once shown somebody where their role begins. */
let landed = false;

export function App(): JSX.Element {
  useSignalEffect(guard);
  useKeydown(onKey);
  const title = route.value.page === "clinic" ? t("clinicTitle") : t("centre");
  const stale = me.value && !line.value.open ? " stale" : "";
  return (
    <div class={`app${stale}${drillHere.value ? " drill" : ""}`}>
      <Header title={title} />
      <DrillBar />
      <SoundBar />
      <Page />
      <div class="floor">
        <StaleNote />
        <Trouble />
        <NewTasks />
        <ImageCalls />
        <Banner />
      </div>
      <Help />
    </div>
  );
}

function Page(): JSX.Element {
  const here = route.value;
  if (here.page === "login") return <Login />;
  if (here.page === "pair") return <PairPage />;
  if (here.page === "join") return <JoinPage />;
  if (!me.value) return <p class="empty">{t("loading")}</p>;
  switch (here.page) {
    case "board":
      return <Board />;
    case "case":
      return <CasePage key={here.id} id={here.id} />;
    case "ecg":
      return <EcgPage key={here.id} id={here.id} />;
    case "study":
      return <StudyPage key={here.id} uid={here.id} />;
    case "clinic":
      return <Clinic />;
    case "clocks":
      return <ClocksPage />;
    case "detectors":
      return <DetectorsPage />;
    case "contacts":
      return <ContactsPage />;
    case "followups":
      return <FollowUpsPage />;
    case "roster":
      return <RosterPage />;
    case "tasks":
      return <TasksPage />;
    case "help":
      return <HelpPage />;
    case "imaging":
      return <ImagingPage />;
    case "tour":
      return <TourPage />;
    case "drill":
      return <DrillPage />;
    case "admin":
      return <AdminPage />;
    case "quality":
      return <QualityPage />;
    case "rules":
      return <RulesPage version={here.version} />;
    default:
      return (
        <main class="page">
          <p>{t("notFound")}</p>
          <a class="act act-link" href="/">
            ◂ {t("back")}
          </a>
        </main>
      );
  }
}

/** Nobody signed in: the login page. Somebody: the line stands, and the login page gives way. */
function guard(): void {
  const who = me.value;
  const page = route.value.page;
  if (page !== "study" || who === null) dropFirstPicture();
  if (who === undefined) return;
  if (who === null) {
    untracked(stopLive);
    landed = false;
    if (!WITHOUT_SIGNING_IN.has(page)) {
      wanted = location.pathname + location.search + location.hash;
      go("/login", true);
    }
    return;
  }
  untracked(() => {
    startLive(who.user.id);
    void loadQuantities();
  });
  const home = homeOf(who.user.role);
  const first = !landed;
  landed = true;
  if (page === "login") {
    go(wanted !== null && wanted !== "/" ? wanted : home, true);
    wanted = null;
  } else if (page === "board" && home !== "/" && (first || home === "/clinic")) go(home, true);
}

function onKey(event: KeyboardEvent): void {
  if ((event.target as HTMLElement).closest("input, textarea, select")) return;
  if (event.key === "?") helpOpen.value = !helpOpen.value;
  else if (event.key === "Escape") helpOpen.value = false;
}
