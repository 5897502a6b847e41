"""The product over the store in memory: what its shells reach for by name is put in place for the length of a block."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final
from unittest import mock

from greenchannel.alerts import case as case_fold
from greenchannel.alerts.case import Case
from greenchannel.events import Envelope
from greenchannel.service import delivery, delivery_results, duty, outbox, receipts
from tests.simulation import memory_rows

_fold: Final = case_fold.fold


class _FoldedOnce:
    """The fold is pure: each event is folded once for the case that it comes to, whoever asks. A case that differs, if
    only by being another object, is folded anew."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Case | None, Envelope, Case]] = {}

    def fold(self, case: Case | None, envelope: Envelope) -> Case:
        """As `alerts.case.fold`."""
        known = self._known.get(envelope.seq)
        if known is not None and known[0] is case and known[1] is envelope:
            return known[2]
        after = _fold(case, envelope)
        self._known[envelope.seq] = case, envelope, after
        return after


def fold_anew(envelopes: Iterable[Envelope]) -> Case | None:
    """A case folded at once, by the fold itself."""
    case: Case | None = None
    for envelope in envelopes:
        case = _fold(case, envelope)
    return case


class _Silent:
    """Says nothing: what is refused here is refused ten thousand times."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *args, **more: None


@contextlib.contextmanager
def in_memory(new_id: Callable[[str], str]) -> Iterator[None]:
    """Rows of the outbox in memory, ids by the dice, each event folded once."""
    places: tuple[tuple[Any, str, Any], ...] = (
        (outbox, "outbox_rows", memory_rows),
        (delivery, "outbox_rows", memory_rows),
        (receipts, "outbox_rows", memory_rows),
        (duty, "new_id", new_id),
        (delivery_results, "logger", _Silent()),
        (case_fold, "fold", _FoldedOnce().fold),
    )
    with contextlib.ExitStack() as stack:
        for place, name, ours in places:
            stack.enter_context(mock.patch.object(place, name, ours))
        yield
