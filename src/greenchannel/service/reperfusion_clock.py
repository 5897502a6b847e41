"""The reperfusion clock of the service: earlier cases, learned from once for each state of the log."""

from collections.abc import Sequence

from greenchannel.alerts.case import Case
from greenchannel.alerts.reperfusion import Course
from greenchannel.alerts.reperfusion_case import View, course_of, view
from greenchannel.clock import Clock
from greenchannel.service.hub import Hub

Way = tuple[str | None, int]  # site (None: all of them) and arrival mode


class ReperfusionClock:
    """Keeps the course of each case that is over, by case; made anew only for a case that has changed."""

    def __init__(self, hub: Hub, clock: Clock) -> None:
        self._hub = hub
        self._clock = clock
        self._seq = -1
        self._cases: dict[str, tuple[Case, Course | None]] = {}
        self._by_way: dict[Way, list[Course]] = {}
        self.learned = 0  # courses that were made; a test counts them

    def of(self, case: Case, contraindicated: frozenset[str] | None = None) -> View:
        """The clock of a case now; see `reperfusion_case.view`."""
        mode = case.arrival_mode or 0
        return view(
            case,
            self._clock.now(),
            clinic=self.courses(case.site, mode),
            network=self.courses(None, mode),
            contraindicated=contraindicated,
        )

    def courses(self, site: str | None, mode: int) -> Sequence[Course]:
        """The cases of a site (None: of all sites) that came this way and are over."""
        self._refresh()
        return self._by_way.get((site, mode), [])

    def _refresh(self) -> None:
        if self._seq == self._hub.seq:
            return
        changed = [c for c in self._hub.cases.values() if self._known(c.case_id) is not c]
        touched = False
        for case in changed:
            before = self._cases.get(case.case_id)
            course = course_of(case)
            self._cases[case.case_id] = case, course
            self.learned += course is not None
            touched = touched or course is not None or (before is not None and before[1] is not None)
        if touched:
            self._by_way = {}
            for case, course in self._cases.values():
                if course is not None and case.arrival_mode is not None and case.state != "merged":
                    for site in (case.site, None):
                        self._by_way.setdefault((site, case.arrival_mode), []).append(course)
        self._seq = self._hub.seq

    def _known(self, case_id: str) -> Case | None:
        known = self._cases.get(case_id)
        return None if known is None else known[0]
