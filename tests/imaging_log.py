"""A small log of the reading of one study, with due times, and a clock that the test turns."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from greenchannel.alerts.alert_deadlines import Deadline
from greenchannel.alerts.imaging import clock, receipts
from greenchannel.alerts.imaging.clock import People
from greenchannel.alerts.imaging.reading import Reading, fold
from greenchannel.events import (
    AlertExhausted,
    AlertSent,
    AnyEvent,
    Envelope,
    ImageConfirmationOverdue,
    ImageCriticalOverdue,
    ImageReadingWanted,
    image_stream,
)

T0 = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
STUDY = "1.2.3"
PEOPLE = People(radiologists=("rad1", "rad2"), head="head", channels={"rad2": ("live", "phone")})


def minutes(m: float) -> datetime:
    return T0 + timedelta(minutes=m)


def wanted(*, due_min: float = 60, critical: bool = False, started_min: float = 0) -> ImageReadingWanted:
    return ImageReadingWanted(
        study_uid=STUDY,
        site="s_1",
        case_id="c_1",
        clock="emergency_ct",
        started_at=minutes(started_min),
        due_at=minutes(due_min),
        arrival_unknown=False,
        critical=critical,
        shares=(0.5, 0.8, 1.0),
    )


class ImageLog:
    """Appends events, sets due times, and fires them as the clock is turned. With `pages` everybody who is rung has a
    page open, which says at once that it has the ring."""

    def __init__(
        self, want: ImageReadingWanted | None = None, people: People = PEOPLE, *, pages: bool = True
    ) -> None:
        self.pages = pages
        self.envelopes: list[Envelope] = []
        self.now = T0
        self.people = people
        self.state: Reading | None = None
        self.waiting: dict[str, Deadline] = {}
        self.taken: set[str] = set()
        self.want(want or wanted())

    @property
    def reading(self) -> Reading:
        assert self.state is not None
        return self.state

    def want(self, one: ImageReadingWanted) -> None:
        self.add(clock.want(self.state, one, self.now, self.people, "a_1"))

    def add(self, events: Sequence[AnyEvent]) -> list[AnyEvent]:
        for event in events:
            envelope = Envelope(
                seq=10 + len(self.envelopes),
                stream=image_stream(STUDY),
                version=1 + len(self.envelopes),
                at=self.now,
                clock="server",
                actor="service",
                event=event,
            )
            self.envelopes.append(envelope)
            self.state = fold(self.state, envelope)
            for deadline in clock.deadlines(envelope, self.reading):
                if deadline.id not in self.taken:
                    self.waiting[deadline.id] = deadline
        if self.pages:
            for event in [one for one in events if isinstance(one, AlertSent) and one.channel == "live"]:
                self.add(receipts.on_page(self.reading, event.alert_id, event.person, looked=False))
        return list(events)

    def turn(self, to: datetime) -> list[tuple[float, str]]:
        """Fire all that falls due up to `to`, each at its time; gives minute and who was rung, or what was said."""
        said: list[tuple[float, str]] = []
        while due := min((d for d in self.waiting.values() if d.due_at <= to), key=_order, default=None):
            del self.waiting[due.id]
            self.taken.add(due.id)
            self.now = max(self.now, due.due_at)
            at_min = (self.now - T0).total_seconds() / 60
            for event in self.add(clock.on_due(self.reading, due, self.now, lambda: self.people)):
                match event:
                    case AlertSent():
                        said.append((at_min, f"{event.person}/{event.channel}"))
                    case AlertExhausted():
                        said.append((at_min, "clinic"))
                    case ImageCriticalOverdue():
                        said.append((at_min, "untold"))
                    case ImageConfirmationOverdue():
                        said.append((at_min, "unconfirmed"))
                    case _:
                        pass
        self.now = max(self.now, to)
        return said


def _order(deadline: Deadline) -> tuple[datetime, str]:
    return deadline.due_at, deadline.id
