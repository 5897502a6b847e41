"""The due times of the closed loop: what was not seen to in time is said once, in the taking command."""

import msgspec

from greenchannel.alerts import closed_loop
from greenchannel.service.casework import Casework
from greenchannel.store.deadlines import Deadline
from greenchannel.store.writer import Tx

FOLLOW_UP = closed_loop.FOLLOW_UP


class FollowUps:
    """Fires them for the duty."""

    def __init__(self, casework: Casework) -> None:
        self._casework = casework

    def fire(self, tx: Tx, deadline: Deadline) -> None:
        """Write down what is overdue now; nothing where somebody has seen to it."""
        case = self._casework.current(tx, deadline.stream.partition(":")[2])
        events = closed_loop.on_due(case, msgspec.json.decode(deadline.payload), deadline.due_at)
        if events:
            self._casework.write(tx, case, case.case_id, events, "service")
