"""The archive of images: once, whole, in the right case, found again, and nobody else's."""

from pathlib import Path
from typing import Any

import pytest

from greenchannel.events import ImagePatientDoubted, ImageRefused, ImageStudyReceived, ImageStudySettled
from greenchannel.ingest.errors import IngestError
from greenchannel.service.desk import Desk
from greenchannel.service.errors import Conflict, NotFound
from greenchannel.service.imaging.records import Received
from tests.desk_world import World, device, dicom, fields, run
from tests.imaging_files import ROOT_UID, ct

SOURCE = "device:ecg-yinzhao"


async def keep(desk: Desk, data: bytes, site: str = "yinzhao", case_id: str | None = None) -> Received:
    return await desk.images.receive(data, source=SOURCE, site_id=site, case_id=case_id)


def test_a_study_is_one_thing_in_the_case_of_its_patient(tmp_path: Path) -> None:
    """The images of a patient whose ECG is here lie beside it; bytes come back as they came, repeats are no news."""

    async def story(world: World, desk: Desk) -> None:
        ecg = await world.send(desk, dicom(), patient_ref="P1")
        slices = [ct(number) for number in range(1, 4)]
        got = [await keep(desk, data) for data in slices]
        again = await keep(desk, slices[1])

        assert {one.case_id for one in got} == {ecg.case_id}
        assert [one.state for one in got] == ["new"] * 3
        assert again.state == "duplicate"
        study = await desk.images.study(got[0].study_uid)
        assert (study.instances, study.completeness, study.text.patient_id) == (3, "unknown", "P1")
        assert [await desk.images.bytes_of(one.sop_uid) for one in got] == slices
        kinds = [type(e.event) for e in await desk.history(ecg.case_id)]
        assert kinds.count(ImageStudyReceived) == 1
        assert [
            one.study_uid for one in await desk.images.of_case(desk.case(ecg.case_id), desk.hub.cases)
        ] == [study.study_uid]

    run(tmp_path, story)


def test_a_study_is_visibly_partial_until_all_of_it_is_here(tmp_path: Path) -> None:
    """How many there should be is the sender's word, or what the gaps between the numbers show; else unknown."""

    async def story(world: World, desk: Desk) -> None:
        for number in (1, 2, 4):
            await keep(desk, ct(number))
        uid = f"{ROOT_UID}.1"
        world.pass_time(60)
        await desk.images.settle_quiet()
        study = await desk.images.study(uid)
        assert (study.settled, study.expected, study.expected_by) == (True, 4, "numbers")
        assert study.completeness == "partial"
        await keep(desk, ct(3))
        await desk.images.finish({uid: 4}, source=SOURCE)
        study = await desk.images.study(uid)
        assert (study.completeness, study.expected_by) == ("complete", "sender")
        events = [e.event for e in await desk.history(study.case_id)]
        settled = [e for e in events if isinstance(e, ImageStudySettled)]
        assert [(e.instances, e.expected, e.quiet) for e in settled] == [(3, 4, True), (4, 4, False)]

    run(tmp_path, story)


def test_an_object_of_another_patient_is_refused_and_kept_aside(tmp_path: Path) -> None:
    """The sender is told, the case says that a person must look, the bytes are in quarantine; said once."""

    async def story(world: World, desk: Desk) -> None:
        got = await keep(desk, ct(1))
        for _ in range(2):
            with pytest.raises(Conflict) as raised:
                await keep(desk, ct(2, patient_id="P2"))
            assert raised.value.code == "identity_conflict"
        refused = [e.event for e in await desk.history(got.case_id) if isinstance(e.event, ImageRefused)]
        assert [e.reason for e in refused] == ["other_patient"]
        assert {file.reason for file in desk.quarantine.list()} == {"identity_conflict"}
        assert desk.quarantine.read(desk.quarantine.list()[0].id) == ct(2, patient_id="P2")
        with pytest.raises(NotFound):
            await desk.images.instance(f"{ROOT_UID}.1.1.2")

    run(tmp_path, story)


def test_the_first_number_within_a_study_says_whose_it_is(tmp_path: Path) -> None:
    """A first object without a number leaves the door open for one patient, not for several."""

    async def story(world: World, desk: Desk) -> None:
        for number, patient_id in ((1, None), (2, "A1"), (3, None), (4, "A1")):
            assert (await keep(desk, ct(number, patient_id=patient_id))).state == "new"
        with pytest.raises(Conflict) as raised:
            await keep(desk, ct(5, patient_id="B2"))
        assert raised.value.code == "identity_conflict"
        (found,) = await desk.images.search("study", {"PatientID": "A1"})
        assert (found.study.instances, found.study.text.patient_id) == (4, "A1")

    run(tmp_path, story)


def test_a_study_without_a_number_is_of_the_patient_of_its_case(tmp_path: Path) -> None:
    """Put by hand into a case whose patient is known, it takes nothing of another."""

    async def story(world: World, desk: Desk) -> None:
        ecg = await world.send(desk, dicom(), patient_ref="P9")
        await keep(desk, ct(1, patient_id=None), case_id=ecg.case_id)
        with pytest.raises(Conflict) as raised:
            await keep(desk, ct(2, patient_id="B2"))
        assert raised.value.code == "identity_conflict"
        assert (await keep(desk, ct(3, patient_id="P9"))).case_id == ecg.case_id

    run(tmp_path, story)


@pytest.mark.parametrize(
    "other",
    [
        {"name": "Li^Er"},
        {"name": None, "PatientSex": "F"},
        {"name": None, "PatientBirthDate": "20150304"},
        {"name": None, "PatientAge": "011Y"},
    ],
)
def test_an_object_without_a_number_that_names_another_person_is_refused(
    tmp_path: Path, other: dict[str, Any]
) -> None:
    """The number is missing, the rest cannot be true of the same person: kept aside, and asked on the case."""

    async def story(world: World, desk: Desk) -> None:
        got = await keep(desk, ct(1, PatientBirthDate="19500304", PatientAge="076Y"))
        with pytest.raises(Conflict) as raised:
            await keep(desk, ct(2, **({"patient_id": None, "PatientBirthDate": None} | other)))
        assert raised.value.code == "identity_conflict"
        assert {file.reason for file in desk.quarantine.list()} == {"identity_conflict"}
        (asked,) = desk.case(got.case_id).conflicts
        assert asked.study_uid == got.study_uid
        same = await keep(desk, ct(3, patient_id=None, name="XIAOMING WANG", PatientBirthDate="19500403"))
        assert same.state == "new"

    run(tmp_path, story)


def test_who_a_study_is_of_is_learnt_from_each_of_its_objects(tmp_path: Path) -> None:
    """The first knows nothing, the second a name: the third may not have another."""

    async def story(world: World, desk: Desk) -> None:
        got = await keep(desk, ct(1, patient_id=None, name=None))
        await keep(desk, ct(2, patient_id=None, name="Wang^Da"))
        assert (await desk.images.study(got.study_uid)).text.patient_name == "Wang^Da"
        with pytest.raises(Conflict):
            await keep(desk, ct(3, patient_id=None, name="Li^Er"))
        assert (await keep(desk, ct(4, patient_id=None, name="Da Wang"))).state == "new"

    run(tmp_path, story)


def test_another_person_under_the_same_number_is_taken_and_asked(tmp_path: Path) -> None:
    """No image is kept away for a name that was mended; whose it is, is asked once, until a person has looked."""

    async def story(world: World, desk: Desk) -> None:
        got = await keep(desk, ct(1, name="Wang^Da", PatientBirthDate="19500304"))
        assert desk.case(got.case_id).conflicts == ()
        again = ct(2, name="Wang Da=王^大", PatientBirthDate="19500304")
        assert (await keep(desk, again)).state == "new"
        assert desk.case(got.case_id).conflicts == ()
        other: dict[str, Any] = {"name": "Zhang^San", "PatientSex": "F", "PatientBirthDate": "20150304"}
        for number in (1, 2):
            new = await keep(desk, ct(number, study=2, **other))
            assert (new.case_id, new.state) == (got.case_id, "new")
        await keep(desk, ct(3, **other))  # within the study that is the first one's
        events = [e.event for e in await desk.history(got.case_id)]
        doubted = [e for e in events if isinstance(e, ImagePatientDoubted)]
        assert [(e.study_uid, e.differs) for e in doubted] == [
            (new.study_uid, ("name", "sex", "birth_date", "age_years")),
            (got.study_uid, ("name", "sex", "birth_date")),
        ]
        assert [one.study_uid for one in desk.case(got.case_id).conflicts] == [e.study_uid for e in doubted]

    run(tmp_path, story)


def test_other_bytes_under_the_same_identifier_do_not_replace_the_first(tmp_path: Path) -> None:
    """The first stays as it is; the other is kept aside."""

    async def story(world: World, desk: Desk) -> None:
        first = await keep(desk, ct(1))
        other = await keep(desk, ct(1, seed=9))
        assert other.state == "conflict"
        assert await desk.images.bytes_of(first.sop_uid) == ct(1)
        assert desk.quarantine.read(desk.quarantine.list()[0].id) == ct(1, seed=9)

    run(tmp_path, story)


def test_a_study_may_not_go_into_the_case_of_another_patient(tmp_path: Path) -> None:
    """As with ECGs: the sender says a case, the file says another patient."""

    async def story(world: World, desk: Desk) -> None:
        ecg = await desk.receive(
            [("ecg", dicom())],
            fields(patient_ref="P9"),
            device(),
            upload_started_at=world.clock.now(),
        )
        with pytest.raises(Conflict) as raised:
            await keep(desk, ct(1), case_id=ecg.case_id)
        assert raised.value.code == "identity_conflict"
        assert await desk.images.search("study", {}) == []

    run(tmp_path, story)


def test_a_search_finds_by_every_filter_and_within_the_callers_sites_alone(tmp_path: Path) -> None:
    """Numbers, names by the beginnings of their words, days, modalities; of other sites nothing."""

    async def story(world: World, desk: Desk) -> None:
        await keep(desk, ct(1, study=1))
        await keep(desk, ct(1, study=2, patient_id="P2", name="李^雷", StudyDate="20260201", Modality="MR"))
        await keep(desk, ct(1, study=3, patient_id="P3", name="Zhao^Yun"), site="jishi")

        async def found(
            filters: dict[str, str], level: str = "study", sites: set[str] | None = None
        ) -> set[str]:
            allowed = None if sites is None else frozenset(sites)
            hits = await desk.images.search(level, filters, sites=allowed)
            return {hit.study.study_uid.rpartition(".")[2] for hit in hits}

        assert await found({}) == {"1", "2", "3"}
        assert await found({}, sites={"jishi"}) == {"3"}
        assert await found({"PatientID": "P2"}) == {"2"}
        assert await found({"PatientID": "P2"}, sites={"jishi"}) == set()
        assert await found({"PatientName": "wang^x*"}) == {"1"}
        assert await found({"PatientName": "李*"}) == {"2"}
        assert await found({"PatientName": "*"}) == {"1", "2", "3"}
        assert await found({"StudyDate": "20260301-"}) == {"1", "3"}
        assert await found({"StudyDate": "20260201"}) == {"2"}
        assert await found({"StudyTime": "07-08"}) == {"1", "2", "3"}
        assert await found({"StudyTime": "08-"}) == set()
        assert await found({"ModalitiesInStudy": "MR\\US"}) == {"2"}
        assert await found({"AccessionNumber": "A3"}) == {"3"}
        assert await found({"Modality": "MR"}, "series") == {"2"}
        assert await found({"SOPInstanceUID": f"{ROOT_UID}.3.1.1"}, "instance") == {"3"}
        assert await found({"SOPInstanceUID": f"{ROOT_UID}.3.1.1"}) == {"3"}
        with pytest.raises(IngestError):
            await found({"StudyDate": "yesterday"})

    run(tmp_path, story)


def test_of_an_erased_patient_nothing_is_left(tmp_path: Path) -> None:
    """No row, no bytes, no result of a search."""

    async def story(world: World, desk: Desk) -> None:
        got = await keep(desk, ct(1))
        await desk.answers.erase_patient(got.case_id, device(), "asked for")
        assert await desk.images.search("study", {}) == []
        with pytest.raises(NotFound):
            await desk.images.bytes_of(got.sop_uid)

    run(tmp_path, story)
