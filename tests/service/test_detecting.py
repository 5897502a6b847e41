"""Detectors beside the service: only where a site wants them, once, off the event loop, and never in the way."""

import asyncio
import io
import multiprocessing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

from greenchannel.events import ImageDetected
from greenchannel.service.desk import Desk
from greenchannel.service.errors import NotFound
from greenchannel.service.imaging import detecting
from greenchannel.service.imaging.archive import ImageArchive
from greenchannel.service.imaging.detecting import Detecting
from greenchannel.service.imaging.detector_process import DetectorProcess
from greenchannel.store.errors import BlobDamaged
from greenchannel.triage.detectors.statuses import LIMITS, StatusError, Statuses
from tests.desk_world import World
from tests.imaging_files import ROOT_UID, ct, written

STUDY = f"{ROOT_UID}.1"


def head_with_clot(number: int) -> bytes:
    """A slice of a drawn head with blood on one side."""
    image = pydicom.dcmread(io.BytesIO(ct(number, size=180)))
    y, x = np.mgrid[:180, :180] - 89.5
    z = number * 5.0 - 65
    values = np.where((x / 75) ** 2 + (y / 88) ** 2 + (z / 80) ** 2 < 1, 900.0, -1000.0)
    values = np.where((x / 68) ** 2 + (y / 81) ** 2 + (z / 73) ** 2 < 1, 34.0, values)
    values = np.where((x - 30) ** 2 + (y - 10) ** 2 + z**2 < 14**2, 65.0, values)
    values += np.random.default_rng(number).normal(0, 3, values.shape)
    image.PixelSpacing = [1.0, 1.0]
    image.PatientAge = "060Y"
    image.PixelData = np.rint(values + 1024).clip(0, 4095).astype("<u2").tobytes()
    return written(image)


async def arrived(desk: Desk, slices: range, *, expected: int) -> None:
    """A study of a clinic, as far as it comes."""
    for number in slices:
        await desk.images.receive(head_with_clot(number), source="device:ecg-yinzhao", site_id="yinzhao")
    await desk.images.finish({STUDY: expected}, source="device:ecg-yinzhao")


def played(
    tmp_path: Path, chosen: str, *, slices: range = range(1, 26), expected: int = 25
) -> tuple[World, list[ImageDetected]]:
    """What the detectors of the site said of the study, asked twice."""
    world = World(folder=tmp_path)
    world.settings = replace(world.settings, detectors=chosen)
    said: list[ImageDetected] = []

    async def play() -> None:
        async with world.desk() as desk:
            part = Detecting(desk)
            await arrived(desk, slices, expected=expected)
            await part.look_at(STUDY)
            await part.look_at(STUDY)
            said.extend(desk.image_readings.reading(STUDY).detected)

    asyncio.run(play())
    return world, said


def test_it_runs_by_itself_when_a_study_has_come(tmp_path: Path) -> None:
    """Committed, then looked at in a round of the part."""
    world = World(folder=tmp_path)
    world.settings = replace(world.settings, detectors="head_blood=silent")

    async def play() -> None:
        async with world.desk() as desk:
            part = Detecting(desk)
            await arrived(desk, range(1, 26), expected=25)
            await part.step()
            assert [one.plugin for one in desk.image_readings.reading(STUDY).detected] == ["head_blood"]
            assert part.silent_studies("head_blood", "yinzhao") == 1

    asyncio.run(play())


def test_without_a_site_that_wants_it_nothing_looks(tmp_path: Path) -> None:
    """Unvalidated is off."""
    assert played(tmp_path, "")[1] == []


def test_a_silent_detector_looks_once_and_changes_nothing(tmp_path: Path) -> None:
    """Enabled, it goes on in silence until it has looked at enough studies of the site."""
    _, (said,) = played(tmp_path, "head_blood=enabled")

    assert (said.plugin, said.raised, said.status) == ("head_blood", True, "silent")
    assert said.evidence is not None
    assert said.evidence["values"][0]["quantity"] == "volume_ml"


def test_a_study_that_is_not_whole_is_not_analysed(tmp_path: Path) -> None:
    """What has not come was not seen."""
    _, (said,) = played(tmp_path, "head_blood=silent", slices=range(1, 4), expected=25)

    assert (said.raised, said.reason) == (None, "incomplete")


def test_a_detector_without_a_series_to_look_at_says_so(tmp_path: Path) -> None:
    """Silence would look as if it had looked."""
    _, said = played(tmp_path, "head_blood=silent, chest_pneumothorax=silent", slices=range(1, 4), expected=3)

    assert {one.plugin: (one.raised, one.reason) for one in said} == {
        "head_blood": (None, "too_few_slices"),
        "chest_pneumothorax": (None, "no_plugin"),
    }


def test_series_beyond_the_most_are_not_analysed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only series that a detector is meant for count, and who had none of the first says so."""
    monkeypatch.setattr(detecting, "MOST_SERIES", 1)
    chest: dict[str, Any] = {"BodyPartExamined": "CHEST", "StudyDescription": None}
    files = [
        ct(1, series=1, BodyPartExamined="KNEE", StudyDescription=None),
        ct(1, series=2, BodyPartExamined="HEAD", StudyDescription=None),
        ct(1, series=3, **chest),
    ]

    said = _of_files(tmp_path, "head_blood=silent, chest_pneumothorax=silent", files)

    assert said == {
        "head_blood": (None, "too_few_slices"),
        "chest_pneumothorax": (None, "too_many_slices"),
    }


@pytest.mark.parametrize("error", [BlobDamaged("other bytes"), NotFound("file of image", STUDY)])
def test_a_file_that_cannot_be_had_is_not_analysed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Gone or damaged on the disk: the study is there, and nobody has looked at it."""

    def failing(_: object, sop_uid: str) -> bytes:
        raise error

    monkeypatch.setattr(ImageArchive, "bytes_of_sync", failing)

    assert _of_files(tmp_path, "head_blood=silent", [ct(1), ct(2)]) == {"head_blood": (None, "failed")}


def _of_files(tmp_path: Path, chosen: str, files: list[bytes]) -> dict[str, tuple[bool | None, str | None]]:
    """What each detector says of a study of these files."""
    world = World(folder=tmp_path)
    world.settings = replace(world.settings, detectors=chosen)
    said: dict[str, tuple[bool | None, str | None]] = {}

    async def play() -> None:
        async with world.desk() as desk:
            part = Detecting(desk)
            for data in files:
                await desk.images.receive(data, source="device:ecg-yinzhao", site_id="yinzhao")
            await desk.images.finish({STUDY: len(files)}, source="device:ecg-yinzhao")
            await part.look_at(STUDY)
            reading = desk.image_readings.reading(STUDY)
            said.update({one.plugin: (one.raised, one.reason) for one in reading.detected})

    asyncio.run(play())
    return said


def test_what_takes_too_long_is_ended_and_not_analysed() -> None:
    """The process is gone, and the next one is not in its way."""
    before = set(multiprocessing.active_children())  # of what else this run has started
    (said,) = DetectorProcess().look([head_with_clot(1)], ["head_blood"], 0.0)

    assert (said.raised, said.reason) == (None, "took_too_long")
    assert set(multiprocessing.active_children()) <= before


def test_a_process_that_wants_too_much_memory_fails_alone() -> None:
    """It has a bound of its own; the files come one at a time, and the service goes on."""
    files = (head_with_clot(number) for number in range(1, 26))
    (said,) = DetectorProcess(most_memory=100_000_000).look(files, ["head_blood"], 60.0)

    assert said.raised is None
    assert said.reason in ("failed", "undecodable")


def test_what_is_decoded_apart_in_the_service_is_decoded_in_the_process() -> None:
    """JPEG of 12 bits: a process that may die needs no further one, and may have none."""
    data = Path(get_testdata_file("JPEG-lossy.dcm", download=False) or "").read_bytes()
    (said,) = DetectorProcess().look([data], ["head_blood"], 60.0)

    assert said.reason == "no_plugin"  # it is of nuclear medicine, and was decoded


def test_a_broken_file_is_not_analysed() -> None:
    """With the reason."""
    (said,) = DetectorProcess().look([b"no image", head_with_clot(1)], ["head_blood"], 60.0)

    assert (said.raised, said.reason) == (None, "undecodable")


def test_statuses_are_read_strictly_and_enabling_waits_for_the_silent_run() -> None:
    """Who misspells a detector is told, and a site's word stands above the network's."""
    statuses = Statuses("head_blood=silent, head_blood@yinzhao=enabled", ["head_blood"])
    enough = int(LIMITS.silent_studies.value)

    assert statuses.now("head_blood", "jishi", 999) == "silent"
    assert statuses.now("head_blood", "yinzhao", enough - 1) == "silent"
    assert statuses.now("head_blood", "yinzhao", enough) == "enabled"
    for wrong in ("blood=silent", "head_blood=on", "head_blood", "head_blood@=silent"):
        with pytest.raises(StatusError, match="expected"):
            Statuses(wrong, ["head_blood"])
