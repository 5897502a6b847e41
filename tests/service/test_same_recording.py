"""One recording in several formats, and an ECG that fits another patient: kept, said, rung once, put right."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from greenchannel.ingest.parsed import ParsedEcg
from greenchannel.ingest.writers import WRITERS
from greenchannel.service import before
from greenchannel.signal.leads import LIMB, POSTERIOR, PRECORDIAL, RIGHT, STANDARD_12, STANDARD_18
from greenchannel.signal.recording import Recording
from greenchannel.signal.synthesis import simulate
from tests.service.viewer_house import House, house

STEP_MV = {"dicom": 0.0025, "scp": 0.005, "aecg": 0.0025, "csv": 0.001, "fhir": 0.002, "wfdb": 0.004}


def play(folder: Path, story: Callable[[House], Coroutine[Any, Any, None]]) -> None:
    async def whole() -> None:
        async with house(folder) as place:
            await story(place)

    asyncio.run(whole())


def sick(seed: int = 3) -> Recording:
    """An anterior infarction with the noise of a real strip."""
    return simulate(
        seed=seed, variation=1.0, territory="anterior", stj_mv=0.4, white_mv=0.01, emg_mv=0.01
    ).recording


def file_of(recording: Recording, format: str) -> bytes:
    """The recording as a file of a format."""
    return WRITERS[format].write(ParsedEcg(recording=recording, format="made"), STEP_MV[format])


async def send(place: House, data: bytes, device: str = "ecg-1", **fields: str) -> dict[str, Any]:
    answer = await place.http.post("/api/v1/ecgs", content=data, params=fields, headers=place.device(device))
    assert answer.status_code in (200, 201), answer.text
    found: dict[str, Any] = answer.json()
    return found


async def get(place: House, path: str, user: str = "cardiologist") -> dict[str, Any]:
    answer = await place.http.get(f"/api/v1{path}", headers=await place.person(user))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def act(place: House, path: str, body: dict[str, Any], user: str = "cardiologist") -> dict[str, Any]:
    answer = await place.http.post(f"/api/v1{path}", json=body, headers=await place.person(user))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["case"]
    return found


def rung(case: dict[str, Any]) -> list[str]:
    return [line["type"] for line in case["history"] if line["type"] in ("alert_opened", "alert_sent")]


@pytest.mark.parametrize("again", ["scp", "aecg", "csv", "fhir", "wfdb"])
def test_a_recording_in_a_second_format_is_marked_and_rings_once(tmp_path: Path, again: str) -> None:
    """The same case though no patient was named, both originals kept, the mark in words, one alert."""

    async def story(place: House) -> None:
        strip = sick()
        first_bytes, second_bytes = file_of(strip, "dicom"), file_of(strip, again)
        first = await send(place, first_bytes, patient_ref="17")
        second = await send(place, second_bytes)
        assert (second["case_id"], second["duplicate"]) == (first["case_id"], False)
        assert second["same_as"] == first["ecg_id"] != second["ecg_id"]

        ecg = await get(place, f"/ecgs/{second['ecg_id']}")
        assert ecg["same_as"]["en"] == "the same recording as the earlier ECG (DICOM)"
        assert ecg["same_as"]["other_patient"] is False
        assert ecg["analysis"]["tier"] == "ACT"
        case = await get(place, f"/cases/{first['case_id']}")
        assert rung(case) == ["alert_opened", "alert_sent"]
        assert case["identity_conflicts"] == []
        for ecg_id, data in ((first["ecg_id"], first_bytes), (second["ecg_id"], second_bytes)):
            file = await place.http.get(
                f"/api/v1/ecgs/{ecg_id}/file", headers=await place.person("cardiologist")
            )
            assert file.content == data

    play(tmp_path, story)


def test_a_repeat_does_not_ring_after_the_matter_was_settled(tmp_path: Path) -> None:
    """Answered, read as harmless, case closed: a later export of the same strip joins it and stays silent."""

    async def story(place: House) -> None:
        strip = sick()
        first = await send(place, file_of(strip, "dicom"), patient_ref="17")
        reading = {"text": "早期复极", "tier": "NONE"}
        await act(place, f"/ecgs/{first['ecg_id']}/reading", reading)
        await act(place, f"/cases/{first['case_id']}/close", {"reason": "误报"})
        second = await send(place, file_of(strip, "csv"), patient_ref="17")

        case = await get(place, f"/cases/{first['case_id']}")
        assert second["case_id"] == first["case_id"]
        assert case["state"] == "closed"
        assert rung(case) == ["alert_opened", "alert_sent"]
        assert "alert_withheld" in [line["type"] for line in case["history"]]
        await place.desk.auditor.look()
        assert place.desk.auditor.missed == 0

    play(tmp_path, story)


def test_a_longer_recording_rings_though_its_beginning_was_read(tmp_path: Path) -> None:
    """Ten seconds read as harmless and closed; the thirty seconds that hold them ring, and their copy does not."""

    async def story(place: House) -> None:
        long = simulate(
            seed=3, variation=1.0, territory="anterior", stj_mv=0.4, white_mv=0.01, duration_s=30.0
        ).recording
        short = Recording(samples_mv=long.samples_mv[:, :5000], leads=long.leads, rate_hz=long.rate_hz)
        first = await send(place, file_of(short, "dicom"), patient_ref="17")
        await act(place, f"/ecgs/{first['ecg_id']}/reading", {"text": "早期复极", "tier": "NONE"})
        second = await send(place, file_of(long, "dicom"), patient_ref="17")
        assert second["same_as"] == first["ecg_id"]
        case = await get(place, f"/cases/{first['case_id']}")
        assert rung(case).count("alert_opened") == 2
        third = await send(place, file_of(long, "csv"), patient_ref="17")
        assert third["same_as"] == second["ecg_id"]
        case = await get(place, f"/cases/{first['case_id']}")
        assert rung(case).count("alert_opened") == 2

    play(tmp_path, story)


def test_two_files_of_one_moment_with_other_leads_are_put_together(tmp_path: Path) -> None:
    """Twelve leads, then limb leads with V7-V9 and V3R-V5R: no copy, and the second is read beside the first."""

    async def story(place: House) -> None:
        whole = simulate(
            leads=STANDARD_18, seed=5, territory="posterior", stj_mv=0.3, white_mv=0.01
        ).recording
        rows = dict(zip(whole.leads, whole.samples_mv, strict=True))

        def part(*chest: str) -> bytes:
            leads = (*LIMB, *chest)
            samples = np.stack([rows[name] for name in leads])
            return file_of(Recording(samples_mv=samples, leads=leads, rate_hz=500.0), "csv")

        first = await send(place, part(*PRECORDIAL), patient_ref="17")
        second = await send(place, part(*POSTERIOR, *RIGHT), patient_ref="17")
        fifteen = await send(place, part(*PRECORDIAL, *POSTERIOR), patient_ref="17")
        assert {answer["case_id"] for answer in (first, second, fifteen)} == {first["case_id"]}
        assert (second["same_as"], fifteen["same_as"]) == (None, None)
        case = place.desk.case(first["case_id"])
        assert len(case.distinct_ecgs) == 3
        leads = case.ecgs[0].leads
        beside = before.other_leads(case, first["ecg_id"], leads, place.desk.intake._analysis)
        assert set(beside) == {*POSTERIOR, *RIGHT}

        other = await send(place, part(*PRECORDIAL, *POSTERIOR, "V3R"), patient_ref="18")
        assert other["same_as"] is None
        assert (await get(place, f"/cases/{other['case_id']}"))["identity_conflicts"] != []

    play(tmp_path, story)


@pytest.mark.parametrize("whole", [False, True])
def test_a_repeat_that_is_split_off_alone_rings(tmp_path: Path, whole: bool) -> None:
    """Found to be another patient's: it was silent only beside what it repeats, and stays so where that comes along."""

    async def story(place: House) -> None:
        strip = sick()
        first = await send(place, file_of(strip, "dicom"), patient_ref="17")
        second = await send(place, file_of(strip, "scp"))
        (alert,) = place.desk.case(first["case_id"]).alerts
        await act(place, f"/alerts/{alert.alert_id}/ack", {})
        moved = [first["ecg_id"], second["ecg_id"]] if whole else [second["ecg_id"]]
        await act(place, f"/cases/{first['case_id']}/split", {"ecg_ids": moved}, "cardiologist")
        home = (await get(place, f"/ecgs/{second['ecg_id']}"))["case_id"]
        case = place.desk.case(home)
        assert home != first["case_id"]
        if whole:
            assert [(one.alert_id, one.open) for one in case.alerts] == [(alert.alert_id, False)]
        else:
            assert [(one.ecg_ids, one.open) for one in case.alerts] == [((second["ecg_id"],), True)]
            assert rung(await get(place, f"/cases/{home}")) == ["alert_opened", "alert_sent"]
        same = case.ecgs[-1].same_as
        assert same is not None and same.same_patient is whole
        await place.desk.auditor.look()
        assert place.desk.auditor.missed == 0

    play(tmp_path, story)


def test_two_strips_of_one_patient_are_two(tmp_path: Path) -> None:
    """Consecutive halves of one long recording are never taken for one another."""

    async def story(place: House) -> None:
        long = simulate(seed=4, variation=1.0, duration_s=20.0, white_mv=0.01, emg_mv=0.01).recording
        half = long.samples_mv.shape[1] // 2
        for part in (long.samples_mv[:, :half], long.samples_mv[:, half:]):
            strip = Recording(samples_mv=part, leads=long.leads, rate_hz=long.rate_hz)
            answer = await send(place, file_of(strip, "dicom"), patient_ref="17")
            assert answer["same_as"] is None

    play(tmp_path, story)


def test_the_same_strip_for_another_patient_is_shown_to_a_person(tmp_path: Path) -> None:
    """Both are kept in their cases, both cases ask, both rang; a person who looked ends the question."""

    async def story(place: House) -> None:
        strip = sick()
        first = await send(place, file_of(strip, "dicom"), patient_ref="17")
        second = await send(place, file_of(strip, "scp"), patient_ref="18")
        assert second["case_id"] != first["case_id"]
        for one, other in ((first, second), (second, first)):
            case = await get(place, f"/cases/{one['case_id']}")
            assert [each["existing_ecg_id"] for each in case["identity_conflicts"]] == [other["ecg_id"]]
            assert rung(case) == ["alert_opened", "alert_sent"]
        assert (await get(place, f"/ecgs/{second['ecg_id']}"))["same_as"]["other_patient"] is True

        row = await act(
            place, f"/cases/{second['case_id']}/identity-checked", {"note": "confirmed: 18"}, "village"
        )
        assert row["identity_conflicts"] == []
        assert row["identity_checked"]["note"] == "confirmed: 18"

    play(tmp_path, story)


KNOWN = {
    "name": "Doe^Jane",
    "id_number": "11010119491231002X",
    "sex": "female",
    "age": "61",
    "phone": "13800000001",
}


@pytest.mark.parametrize(
    "other", [{"name": "Roe^Ann"}, {"id_number": "110101194912310011"}, {"sex": "male"}, {"age": "34"}]
)
def test_a_repeat_of_somebody_else_without_a_number_joins_nobody(
    tmp_path: Path, other: dict[str, str]
) -> None:
    """Another name, id number, sex or age: a case of its own that rings, both cases ask, the first patient stays."""

    async def story(place: House) -> None:
        strip = sick()
        first = await send(place, file_of(strip, "dicom"), patient_ref="17", **KNOWN)
        second = await send(place, file_of(strip, "scp"), **other)
        assert second["case_id"] != first["case_id"]
        for one, twin in ((first, second), (second, first)):
            case = await get(place, f"/cases/{one['case_id']}")
            assert [each["existing_ecg_id"] for each in case["identity_conflicts"]] == [twin["ecg_id"]]
            assert rung(case) == ["alert_opened", "alert_sent"]
        kept = place.desk.case(first["case_id"])
        assert (kept.context.age_years, kept.context.sex) == (61.0, "female")
        known = await place.desk.identity(first["case_id"])
        assert known is not None and (known["name"], known["id_number"]) == ("Doe^Jane", KNOWN["id_number"])

    play(tmp_path, story)


def test_a_file_that_names_somebody_else_joins_nobody(tmp_path: Path) -> None:
    """The age in the repeat's own file is as good as one in the fields."""

    async def story(place: House) -> None:
        strip = sick()
        first = await send(place, file_of(strip, "dicom"), patient_ref="17", **KNOWN)
        other = WRITERS["csv"].write(
            ParsedEcg(recording=strip, format="made", age_years=34.0), STEP_MV["csv"]
        )
        second = await send(place, other)
        assert second["case_id"] != first["case_id"]
        assert (await get(place, f"/cases/{second['case_id']}"))["identity_conflicts"] != []

    play(tmp_path, story)


@pytest.mark.parametrize("number", [{}, {"patient_ref": "17"}])
def test_a_repeat_fills_what_was_unknown_and_changes_nothing(tmp_path: Path, number: dict[str, str]) -> None:
    """The name in another order and a birthday later join; what the rules use and who it is stay as they were."""

    async def story(place: House) -> None:
        strip = sick()
        first = await send(
            place, file_of(strip, "dicom"), patient_ref="17", chest_pain="true", vitals='{"sbp": 85}', **KNOWN
        )
        said = {
            "name": "Jane Doe",
            "age": "62",
            "phone": "13800000002",
            "callback_phone": "13800000003",
            "chest_pain": "false",
        }
        second = await send(
            place, file_of(strip, "scp"), vitals='{"sbp": 130, "hr": 70}', history="asthma", **said, **number
        )
        assert second["case_id"] == first["case_id"]
        case = place.desk.case(first["case_id"])
        assert (case.context.age_years, case.context.chest_pain) == (61.0, True)
        assert case.context.vitals == {"sbp": 85, "hr": 70}
        known = await place.desk.identity(case.case_id)
        assert known is not None
        assert {key: known.get(key) for key in ("name", "phone", "callback_phone", "history")} == {
            "name": "Doe^Jane",
            "phone": KNOWN["phone"],
            "callback_phone": "13800000003",
            "history": "asthma",
        }

    play(tmp_path, story)


def test_another_sites_recording_is_never_told_of(tmp_path: Path) -> None:
    """The same samples from another clinic are a new ECG without a mark."""

    async def story(place: House) -> None:
        strip = sick()
        first = await send(place, file_of(strip, "dicom"), patient_ref="17")
        second = await send(place, file_of(strip, "scp"), device="ecg-2", patient_ref="17")
        assert second["same_as"] is None
        assert second["case_id"] != first["case_id"]

    play(tmp_path, story)


def test_a_warned_ecg_is_moved_to_the_case_it_belongs_to(tmp_path: Path) -> None:
    """Sent under a wrong number it warns, names the ECG it fits, and moves there with its reading; nothing is lost."""

    async def story(place: House) -> None:
        def mine(bpm: float) -> bytes:
            man = simulate(
                seed=11, variation=1.0, age_years=71.0, sex="male", white_mv=0.01, heart_rate_bpm=bpm
            )
            return file_of(man.recording, "dicom")

        def theirs(bpm: float) -> bytes:
            woman = simulate(
                seed=29, variation=1.0, age_years=35.0, sex="female", white_mv=0.01, heart_rate_bpm=bpm
            )
            return file_of(woman.recording, "dicom")

        right = await send(place, mine(70.0), patient_ref="17")
        wrong = await send(place, theirs(80.0), patient_ref="18")
        late = await send(place, mine(91.0), patient_ref="18")
        assert late["case_id"] == wrong["case_id"]

        case = await get(place, f"/cases/{wrong['case_id']}")
        (asked,) = case["patient_doubts"]
        assert (asked["ecg_id"], asked["like_ecg_id"]) == (late["ecg_id"], right["ecg_id"])
        assert asked["own_ecg_id"] == wrong["ecg_id"]
        left = await act(
            place, f"/cases/{wrong['case_id']}/split", {"ecg_ids": [late["ecg_id"]], "into": right["case_id"]}
        )
        assert left["patient_doubts"] == []
        assert [ecg["ecg_id"] for ecg in left["ecgs"]] == [wrong["ecg_id"]]
        joined = await get(place, f"/cases/{right['case_id']}")
        assert [ecg["ecg_id"] for ecg in joined["ecgs"]] == [right["ecg_id"], late["ecg_id"]]
        assert joined["patient_doubts"] == []
        assert (await get(place, f"/ecgs/{late['ecg_id']}"))["case_id"] == right["case_id"]

        third = await send(place, theirs(66.0), patient_ref="18")
        assert (await get(place, f"/ecgs/{third['ecg_id']}"))["patient_doubt"] is None

    play(tmp_path, story)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_three_files_of_moved_cables_are_one_case_of_eighteen_leads(
    tmp_path: Path, order: tuple[int, int, int]
) -> None:
    """Whatever the formats and the order, and sent twice: 18 leads, each from its own recording, none averaged."""

    async def story(place: House) -> None:
        whole = simulate(leads=STANDARD_18, seed=5, duration_s=36.0, white_mv=0.01).recording
        rows = dict(zip(whole.leads, whole.samples_mv, strict=True))
        n = 5000

        def cut(k: int, *chest: str) -> Recording:
            at = slice(k * 6000, k * 6000 + n)
            samples = np.stack([rows[name][at] for name in (*LIMB, *chest)])
            return Recording(samples_mv=samples, leads=STANDARD_12, rate_hz=500.0)

        files = (
            (file_of(cut(0, *STANDARD_12[6:]), "dicom"), "standard"),
            (file_of(cut(1, "V1", "V2", "V3", "V7", "V8", "V9"), "scp"), "posterior"),
            (file_of(cut(2, "V1", "V2", "V3R", "V4R", "V5R", "V6"), "csv"), "right"),
        )
        sent: dict[int, str] = {}
        for k in (*order, *order):
            data, tag = files[k]
            answer = await send(place, data, patient_ref="17", electrode_set=tag)
            assert answer["ecg_id"] == sent.setdefault(k, answer["ecg_id"])
        case = await get(place, f"/cases/{answer['case_id']}")
        assert len(case["ecgs"]) == 3
        assert {lead for ecg in case["ecgs"] for lead in ecg["leads"]} == set(STANDARD_18)
        for k, leads in ((1, ("V7", "V8", "V9")), (2, ("V3R", "V4R", "V5R"))):
            shown = await get(place, f"/ecgs/{sent[k]}/waveform")
            for lead in leads:
                drawn = np.array(shown["samples_mv"][shown["leads"].index(lead)])
                assert np.abs(drawn - rows[lead][k * 6000 : k * 6000 + n]).max() < 0.006

    play(tmp_path, story)


def test_a_file_sent_again_with_another_tag_is_the_same_and_says_so(tmp_path: Path) -> None:
    """Standard in one format, posterior in another: one recording, both tags kept, neither put beside the other."""

    async def story(place: House) -> None:
        strip = sick()
        first = await send(place, file_of(strip, "dicom"), patient_ref="17", electrode_set="standard")
        second = await send(place, file_of(strip, "csv"), patient_ref="17", electrode_set="posterior")
        assert second["same_as"] == first["ecg_id"]
        analysis = (await get(place, f"/ecgs/{second['ecg_id']}"))["analysis"]
        traces = {one["trace"] for finding in analysis["findings"] for one in finding["evidence"]}
        assert first["ecg_id"] not in traces

    play(tmp_path, story)
