"""Looks at images in the access log: scrolling through 300 slices is one look, not 300. From any thread."""

import threading
from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from greenchannel.clock import Clock
from greenchannel.service.imaging.records import ImageStudy
from greenchannel.store.access import AccessLog

LOOK_AGAIN: Final = timedelta(minutes=10)  # within it the same look at a study is not noted again  [E]
_REMEMBERED: Final = 10_000


class Looking:
    """Notes looks and searches."""

    def __init__(self, access: AccessLog, clock: Clock) -> None:
        self._access = access
        self._clock = clock
        self._noted: OrderedDict[tuple[str, str, str], datetime] = OrderedDict()
        self._lock = threading.Lock()

    def looked(self, actor: str, action: str, study: ImageStudy) -> None:
        """Somebody looks at a study."""
        now = self._clock.now()
        if self._is_new((actor, action, study.study_uid), now):
            self._access.note(actor, action, study.case_id, study.study_uid, now)

    def searched(self, actor: str, by: Iterable[str], found: int) -> None:
        """Somebody searched; by which attributes is noted, not for which values: these may name a patient."""
        detail = f"by {', '.join(sorted(by)) or 'nothing'}: {found} found"
        self._access.note(actor, "search_images", None, detail, self._clock.now())

    def _is_new(self, key: tuple[str, str, str], now: datetime) -> bool:
        with self._lock:
            last = self._noted.get(key)
            if last is not None and timedelta(0) <= now - last < LOOK_AGAIN:
                return False
            self._noted[key] = now
            self._noted.move_to_end(key)
            while len(self._noted) > _REMEMBERED:
                self._noted.popitem(last=False)
            return True
