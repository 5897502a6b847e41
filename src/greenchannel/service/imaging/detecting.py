"""Detectors look at studies that have come: off the event loop, within a time limit, and only where a site wants it.

What they say is an event on the study's own stream, so that nothing is asked twice after a restart. It can move a
study up and nothing else; whatever goes wrong is "not analysed".
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import structlog

from greenchannel.alerts.case import Case
from greenchannel.alerts.imaging.reading import Reading
from greenchannel.events import Envelope, ImageDetected, ImageStudySettled
from greenchannel.service.desk import Desk
from greenchannel.service.errors import NotFound
from greenchannel.service.imaging.detector_process import DetectorProcess
from greenchannel.service.imaging.records import ImageSeries, ImageStudy
from greenchannel.service.imaging.threads import in_detectors
from greenchannel.service.keeping import keep_running
from greenchannel.store.writer import Tx
from greenchannel.triage.detectors.plugin import DetectorResult, Status, result
from greenchannel.triage.detectors.statuses import Statuses
from greenchannel.triage.detectors.volume import Facts

logger = structlog.get_logger(__name__)

LIMIT_S: Final = 120.0  # for all detectors of one series  [E]
MOST_BYTES: Final = 1_000_000_000  # of one series; more is not read  [E]
MOST_SERIES: Final = 8  # of one study, the first by number  [E]
_PAUSE_S: Final = 0.5
_MOST_WAITING: Final = (
    100_000  # where nobody looks, as in an engine beside the service, the oldest are forgotten
)


class Detecting:
    """Runs beside a serving desk; it is found by `detecting_of`."""

    def __init__(self, desk: Desk, *, limit_s: float = LIMIT_S) -> None:
        self._process = DetectorProcess(desk.settings.detector_models)
        self.detectors = self._process.detectors
        self.statuses = Statuses(desk.settings.detectors, self.detectors)
        self._images = desk.images
        self._readings = desk.image_readings
        self._limit_s = limit_s
        self._waiting: deque[tuple[int, str]] = deque(maxlen=_MOST_WAITING)  # the event's number, the study
        self._task: asyncio.Task[None] | None = None
        desk.image_readings.casework.on_write.append(self._on_write)

    async def start(self) -> None:
        """Begin with what was not looked at before."""
        self._waiting.extend((0, one.study_uid) for one in self._readings.all() if one.report is None)
        self._task = asyncio.create_task(keep_running("detectors", self.step, _PAUSE_S), name="detectors")

    async def stop(self) -> None:
        """End; what was not finished is looked at after the next start."""
        self._process.stop()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def silent_studies(self, name: str, site: str) -> int:
        """Studies of a site that this version of a detector has looked at."""
        version = self.detectors[name].card.version
        return sum(
            one.site == site
            and any(
                said.plugin == name and said.version == version and said.raised is not None
                for said in one.detected
            )
            for one in self._readings.all()
        )

    def status(self, name: str, site: str) -> Status:
        """What holds for a detector at a site now."""
        if self.statuses.chosen(name, site) is Status.UNVALIDATED:
            return Status.UNVALIDATED
        return self.statuses.now(name, site, self.silent_studies(name, site))

    def _on_write(self, tx: Tx, envelope: Envelope, case: Case) -> None:
        if isinstance(envelope.event, ImageStudySettled) and not case.is_drill:
            self._waiting.append((envelope.seq, envelope.event.study_uid))

    # ------------------------------------------------------------ one round

    async def step(self) -> None:
        """Look at all studies that wait and are committed."""
        while self._waiting and self._waiting[0][0] <= self._readings.casework.book.seq:
            _, study_uid = self._waiting.popleft()
            await self.look_at(study_uid)

    async def look_at(self, study_uid: str) -> None:
        """Let the detectors of its site look at a study, and write down what they say."""
        reading = self._readings.known(study_uid)
        if reading is None or reading.site is None or reading.report is not None:
            return
        statuses = {name: self.status(name, reading.site) for name in self.detectors}
        wanted = [name for name, status in statuses.items() if status is not Status.UNVALIDATED]
        if not wanted:
            return
        try:
            study = await self._images.study(study_uid)
        except NotFound:  # erased meanwhile
            return
        wanted = [name for name in wanted if not self._looked(reading, name, study)]
        if not wanted or not study.settled:
            return
        answers = await self._said(study, wanted)
        if self._process.stopped:  # it was ended by us and says nothing about the study
            return
        for name, (said, series_uid) in answers.items():
            said = msgspec.structs.replace(said, status=statuses[name])
            await self._readings.detected(study_uid, _event(said, study.instances, series_uid))

    async def _said(self, study: ImageStudy, names: list[str]) -> Mapping[str, tuple[DetectorResult, str]]:
        """Of each detector that is meant for one of the series: what it says, and of which series."""
        said: dict[str, tuple[DetectorResult, str]] = {}
        for series in (await self._images.series(study.study_uid))[:MOST_SERIES]:
            facts = _facts(study, series)
            meant = [name for name in names if self.detectors[name].meant_for(facts)]
            if not meant:
                continue
            for one in await self._of_series(study, series, meant):
                before = said.get(one.plugin)
                if before is None or _weight(one) > _weight(before[0]):
                    said[one.plugin] = (one, series.series_uid)
        return said

    async def _of_series(
        self, study: ImageStudy, series: ImageSeries, names: list[str]
    ) -> list[DetectorResult]:
        if study.completeness == "partial":
            return self._all(names, "incomplete")
        stored = await self._images.instances(study.study_uid, series.series_uid)
        if sum(one.size_bytes for one in stored) > MOST_BYTES:
            return self._all(names, "too_many_slices")
        try:
            files = [await self._images.bytes_of(one.sop_uid) for one in stored]
        except NotFound:
            return []
        return await in_detectors(self._process.look, files, names, self._limit_s)

    def _all(self, names: list[str], reason: str) -> list[DetectorResult]:
        return [result(self.detectors[name].card, Status.SILENT, reason=reason) for name in names]

    def _looked(self, reading: Reading, name: str, study: ImageStudy) -> bool:
        """Has this version looked at the study as it is now?"""
        version = self.detectors[name].card.version
        return any(
            one.plugin == name
            and one.version == version
            and (one.evidence or {}).get("instances") == study.instances
            and (one.reason != "incomplete" or study.completeness == "partial")
            for one in reading.detected
        )


def _weight(said: DetectorResult) -> int:
    """What of several series is said of the study: what raises it, then what was looked at."""
    return 0 if said.raised is None else 2 if said.raised else 1


def _facts(study: ImageStudy, series: ImageSeries) -> Facts:
    """What the rows say of a series; enough to see whether a detector is meant for it."""
    texts = (study.text.description, series.text.description, series.text.protocol)
    return Facts(
        modality=series.modality,
        body_part=series.body_part or study.text.body_part,
        texts=tuple(one for one in texts if one),
        age_years=study.text.age_years,
        view=series.text.view_position,
    )


def _event(said: DetectorResult, instances: int, series_uid: str) -> ImageDetected:
    evidence: dict[str, Any] = {"instances": instances, "series_uid": series_uid}
    if said.evidence:
        evidence["values"] = msgspec.to_builtins(said.evidence)
    return ImageDetected(
        plugin=said.plugin,
        version=said.version,
        status=said.status.value,
        raised=said.raised,
        reason=said.reason,
        evidence=evidence,
    )


def detecting_of(desk: Desk) -> Detecting:
    """The part of a desk in which detectors run."""
    return next(part for part in desk.parts if isinstance(part, Detecting))
