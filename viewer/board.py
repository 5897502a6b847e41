"""The cases that boards show, kept up to date change by change, and a heap of what the hour alone will change.

Ten thousand cases are over for each hundred that are not: nothing here looks at all of them but the first count.
"""

import heapq
from collections.abc import Iterable
from datetime import datetime

from greenchannel.alerts.case import Case
from greenchannel.service.hub import Hub
from greenchannel.viewer.places import changes_at, is_live, on_board


class Board:
    """Folds the hub's changes. `reset` makes it count again, where it cannot be sure that it had them all."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._cases: dict[str, Case] | None = None
        self._due: list[tuple[datetime, str]] = []
        self._due_at: dict[str, datetime] = {}  # the entry of the heap that counts for a case; others are old
        self._moved: dict[
            str, int
        ] = {}  # moved by the hour since their last event; the log's number at that time

    def reset(self) -> None:
        """Forget everything; the next question counts the hub's cases."""
        self._cases = None
        self._due, self._due_at, self._moved = [], {}, {}

    def take(self, cases: Iterable[Case], now: datetime) -> None:
        """These cases have changed."""
        if self._cases is None:
            return  # the first question will find them
        for case in cases:
            self._moved.pop(case.case_id, None)
            self._cases[case.case_id] = case
            due_at = changes_at(case)
            if (
                due_at is None or due_at <= now
            ):  # the row that goes out with this change is at its place already
                self._due_at.pop(case.case_id, None)
            else:
                self._wait(case, due_at)

    def cases(self, now: datetime) -> list[Case]:
        """All that boards show, as of the last `turn`."""
        return list(self._counted(now).values())

    def turn(self, now: datetime) -> tuple[list[Case], list[Case]]:
        """Let the hour come to `now`; return the cases that moved up by it and those that left the board."""
        cases = self._counted(now)
        moved: list[Case] = []
        left: list[Case] = []
        while self._due and self._due[0][0] <= now:
            due_at, case_id = heapq.heappop(self._due)
            if self._due_at.get(case_id) != due_at:
                continue
            del self._due_at[case_id]
            case = cases[case_id]
            if is_live(case):
                self._moved[case_id] = self._hub.seq
                moved.append(case)
            elif not on_board(case, now):
                del cases[case_id]
                left.append(case)
        return moved, left

    def moved_since(self, after: int, now: datetime) -> list[Case]:
        """The cases that moved by the hour alone, and of which a client that is at `after` may not know it."""
        cases = self._counted(now)
        return [cases[case_id] for case_id, seq in self._moved.items() if seq >= after]

    def _counted(self, now: datetime) -> dict[str, Case]:
        if self._cases is None:
            shown = [case for case in self._hub.cases.values() if on_board(case, now)]
            for case in shown:
                due_at = changes_at(case)
                if due_at is not None:  # one that has passed comes with the next turn
                    self._wait(case, due_at)
            self._cases = {case.case_id: case for case in shown}
        return self._cases

    def _wait(self, case: Case, due_at: datetime) -> None:
        if self._due_at.get(case.case_id) != due_at:
            self._due_at[case.case_id] = due_at
            heapq.heappush(self._due, (due_at, case.case_id))
