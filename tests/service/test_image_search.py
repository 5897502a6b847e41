"""A search of the archive against a plain look at every study: the same results, in the same order."""

import itertools
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from greenchannel.ingest.errors import IngestError
from greenchannel.service.desk import Desk
from greenchannel.service.imaging import searching
from greenchannel.service.imaging.records import Hit
from greenchannel.store.image_rows import words_of
from tests.desk_world import World, device, run
from tests.imaging_files import ROOT_UID, ct

SITES = ("yinzhao", "jishi")
NAMES = ("Wang^Wei", "Wang^Xiao Ming", "Li^Wei", "李^雷", "Zhao^Yun=赵^云")
NUMBERS = ("HEAD01", "HEAD02", "HEA", "CHEST1", "1101011990", None)
LEVELS = ("study", "series", "instance")
N = 24


async def filled(desk: Desk) -> None:
    """Studies of one to three series and objects, of two sites, several patients and days."""
    rng = random.Random(5)
    for study in range(1, N + 1):
        site = SITES[study % 2]
        who = rng.randrange(len(NUMBERS))
        for series, number in itertools.product(range(1, 2 + study % 3), range(1, 2 + study % 2)):
            data = ct(
                number,
                study=study,
                series=series,
                size=2,
                patient_id=NUMBERS[who],
                name=NAMES[who % len(NAMES)],
                StudyDate=f"202603{1 + study % 5:02d}",
                StudyTime=f"{study % 24:02d}1500",
                Modality=("CT", "MR", "DX")[(study + series) % 3],
            )
            await desk.images.receive(data, source="device:d", site_id=site)


FILTERS: Sequence[dict[str, str]] = (
    {},
    {"PatientID": "HEAD01"},
    {"PatientID": "HEAD*"},
    {"PatientID": "HEA?01"},
    {"PatientID": "H*D0?"},
    {"PatientID": "*01"},
    {"PatientID": "?HEST*"},
    {"PatientID": "11010119*"},
    {"PatientID": "head*"},
    {"PatientID": "HEAD*", "StudyDate": "20260301-20260303"},
    {"PatientName": "wang*"},
    {"PatientName": "Wei^Wang"},
    {"PatientName": "W*^X*", "PatientID": "*2"},
    {"PatientName": "赵*"},
    {"StudyDate": "20260302"},
    {"StudyDate": "-20260302", "StudyTime": "0800-1200"},
    {"ModalitiesInStudy": "MR"},
    {"AccessionNumber": "A1?"},
    {"AccessionNumber": "A3"},
    {"StudyInstanceUID": f"{ROOT_UID}.3\\{ROOT_UID}.4"},
)


def like(value: str | None, pattern: str) -> bool:
    """By the definition: a star is any beginning of what is left, or none of it."""
    if value is None or not pattern:
        return value == pattern
    if pattern[0] == "*":
        return any(like(value[cut:], pattern[1:]) for cut in range(len(value) + 1))
    return bool(value) and pattern[0] in ("?", value[0]) and like(value[1:], pattern[1:])


def within(said: str, value: str) -> bool:
    """A value, or a range of which either end may be left out, as exact as its ends are."""
    first, dash, last = value.partition("-")
    if not dash:
        return said == first
    return said[: len(first)] >= first and said[: len(last)] <= last


def fits(hit: Hit, filters: dict[str, str], modalities: frozenset[str | None]) -> bool:
    """Every filter, of the opened study."""
    study, text = hit.study, hit.study.text
    found = hit.series.modality if hit.series is not None else None

    def one(name: str, value: str) -> bool:
        match name:
            case "PatientID":
                return like(text.patient_id, value)
            case "AccessionNumber":
                return like(text.accession, value)
            case "PatientName":
                asked = [word.rstrip("*").casefold() for word in value.split("^")]
                words = words_of(text.patient_name or "")
                return all(any(word.startswith(part) for word in words) for part in asked)
            case "StudyDate" | "StudyTime":
                return within((study.study_date if name == "StudyDate" else study.study_time) or "", value)
            case "ModalitiesInStudy":
                return value in modalities if found is None else found == value
            case "StudyInstanceUID":
                return study.study_uid in value.split("\\")
            case _:
                raise AssertionError(name)

    return all(one(name, value) for name, value in filters.items())


def key(hit: Hit) -> tuple[Any, ...]:
    return (
        hit.study.study_uid,
        hit.series and hit.series.series_uid,
        hit.instance and hit.instance.sop_uid,
    )


def test_a_search_is_what_a_plain_look_at_every_study_finds(tmp_path: Path) -> None:
    """Every filter, level, right and page; how many series a study has is counted right."""

    async def story(world: World, desk: Desk) -> None:
        await filled(desk)
        find = desk.images.search
        everything = {level: await find(level, {}, limit=10_000) for level in LEVELS}
        of_study: dict[str, list[str | None]] = {}
        for hit in everything["series"]:
            assert hit.series is not None
            of_study.setdefault(hit.study.study_uid, []).append(hit.series.modality)
        assert len(everything["study"]) == N
        assert [len(of_study[one.study.study_uid]) for one in everything["study"]] == [
            one.series_count for one in everything["study"]
        ]
        received = [one.study.received_at for one in everything["study"]]
        assert received == sorted(received, reverse=True)
        lent = frozenset({f"{ROOT_UID}.3", f"{ROOT_UID}.4", f"{ROOT_UID}.5"})
        rights: tuple[tuple[frozenset[str] | None, frozenset[str]], ...] = (
            (None, frozenset()),
            (frozenset({"jishi"}), frozenset()),
            (frozenset({"jishi"}), lent),
            (frozenset(), lent),
        )
        found_some = 0
        for filters, level, (sites, shared) in itertools.product(FILTERS, LEVELS, rights):
            expected = [
                key(hit)
                for hit in everything[level]
                if (sites is None or hit.study.site in sites or hit.study.study_uid in shared)
                and fits(hit, filters, frozenset(of_study[hit.study.study_uid]))
            ]
            found_some += bool(expected)
            for limit, offset in ((100, 0), (3, 0), (3, 2), (5, 100)):
                got = await find(level, filters, limit=limit, offset=offset, sites=sites, shared=shared)
                assert [key(hit) for hit in got] == expected[offset : offset + limit], (filters, level, sites)
        assert found_some > 100

    run(tmp_path, story)


def test_a_search_that_would_open_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wildcard in front leaves all there is to compare; with a day it is few. A part of the results is never given
    as all of them."""

    async def story(world: World, desk: Desk) -> None:
        for number in range(1, 7):
            await desk.images.receive(
                ct(1, study=number, size=2, patient_id=f"P{number}", StudyDate=f"2026030{number}"),
                source="device:d",
                site_id="yinzhao",
            )
        monkeypatch.setattr(searching, "OPENED_AT_ONCE", 2)
        monkeypatch.setattr(searching, "MOST_OPENED", 4)
        with pytest.raises(IngestError, match="too much to compare"):
            await desk.images.search("study", {"PatientID": "*9"})
        (hit,) = await desk.images.search("study", {"PatientID": "*3", "StudyDate": "20260303"})
        assert hit.study.text.patient_id == "P3"
        (hit,) = await desk.images.search("study", {"PatientID": "P?", "StudyDate": "20260302"})
        assert hit.study.text.patient_id == "P2"

    run(tmp_path, story)


def test_an_image_that_has_just_come_is_found_and_an_erased_one_is_not(tmp_path: Path) -> None:
    """Nothing of a search is kept from one to the next."""

    async def story(world: World, desk: Desk) -> None:
        for number in (1, 2):
            got = await desk.images.receive(
                ct(number, series=number, size=2), source="device:d", site_id="yinzhao"
            )
            (hit,) = await desk.images.search("study", {"PatientID": "P*"})
            assert (hit.study.instances, hit.series_count) == (number, number)
        await desk.answers.erase_patient(got.case_id, device(), "asked for")
        assert await desk.images.search("study", {"PatientID": "P*"}) == []

    run(tmp_path, story)
