"""QIDO-RS and WADO-RS at a running service, asked by dicomweb-client and by hand: right, and to nobody else."""

import asyncio
import io
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pydicom
from dicomweb_client.api import DICOMwebClient
from PIL import Image
from pydicom.data import get_testdata_file

from greenchannel.ingest.imaging.pixels import values_hu
from tests.desk_world import device
from tests.imaging_files import ROOT_UID, ct, related
from tests.service.viewer_house import House, house

ROOT = "/dicom-web"
STUDY, SERIES = f"{ROOT_UID}.1", f"{ROOT_UID}.1.1"
JLS = "MR_small_jpeg_ls_lossless.dcm"
COLOUR = "examples_ybr_color.dcm"  # 30 frames, JPEG


def tell(tmp_path: Path, story: Callable[[House], Awaitable[None]], **settings: Any) -> None:
    """Play a story at a running service."""

    async def play() -> None:
        async with house(tmp_path, **settings) as here:
            await story(here)

    asyncio.run(play())


async def stow(here: House, *parts: bytes, name: str = "ecg-1") -> None:
    body, kind = related(list(parts))
    sent = await here.http.post(
        f"{ROOT}/studies", content=body, headers=here.device(name) | {"Content-Type": kind}
    )
    assert sent.status_code == 200, sent.text


def client(here: House, name: str = "ecg-1") -> DICOMwebClient:
    return DICOMwebClient(f"{here.origin}{ROOT}", headers=here.device(name))


def pydicoms(name: str) -> tuple[bytes, str]:
    """One of pydicom's files, and the path of its object."""
    path = get_testdata_file(name)
    assert isinstance(path, str)
    data = Path(path).read_bytes()
    one = pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True)
    uids = (one.StudyInstanceUID, one.SeriesInstanceUID, one.SOPInstanceUID)
    return data, "/studies/{}/series/{}/instances/{}".format(*uids)


def uids_of(path: str) -> tuple[str, str, str]:
    """Study, series and object of a path."""
    study, series, sop = path.split("/")[2::2]
    return study, series, sop


def test_a_client_finds_studies_series_and_objects(tmp_path: Path) -> None:
    """By name, date, modality and number; with the attributes that PS3.18 asks for."""

    async def story(here: House) -> None:
        await stow(
            here, *[ct(number) for number in (1, 2, 3)], ct(1, study=2, patient_id="P2", name="Li^Hong")
        )

        def ask() -> None:
            asked = client(here)
            assert len(asked.search_for_studies()) == 2
            (found,) = asked.search_for_studies(
                search_filters={"PatientName": "WANG*", "StudyDate": "20260302"}
            )
            dataset = pydicom.Dataset.from_json(found)
            assert (dataset.StudyInstanceUID, dataset.PatientID, dataset.PatientSex) == (STUDY, "P1", "M")
            assert str(dataset.PatientName) == "Wang^Xiao Ming"
            assert (dataset.NumberOfStudyRelatedSeries, dataset.NumberOfStudyRelatedInstances) == (1, 3)
            assert dataset.ModalitiesInStudy == "CT"
            assert dataset.RetrieveURL.endswith(f"{ROOT}/studies/{STUDY}")
            assert asked.search_for_studies(search_filters={"00100020": "P2"})[0]["0020000D"]["Value"] == [
                f"{ROOT_UID}.2"
            ]
            assert asked.search_for_studies(search_filters={"ModalitiesInStudy": "MR"}) == []
            assert len(asked.search_for_studies(limit=1, offset=1)) == 1
            assert [one["0020000E"]["Value"][0] for one in asked.search_for_series(STUDY)] == [SERIES]
            assert len(asked.search_for_instances(STUDY, SERIES)) == 3
            (last,) = asked.search_for_instances(search_filters={"InstanceNumber": 3})
            assert last["00280010"]["Value"] == [16]

        await asyncio.to_thread(ask)

    tell(tmp_path, story)


def test_a_filter_that_is_not_searched_by_is_named(tmp_path: Path) -> None:
    """It is passed over with a warning (PS3.18 8.3.4.3); a name that is no attribute is refused."""

    async def story(here: House) -> None:
        await stow(here, ct(1))
        answer = await here.http.get(
            f"{ROOT}/studies?StudyDescription=Kopf&includefield=all", headers=here.device()
        )
        assert (answer.status_code, len(answer.json())) == (200, 1)
        assert "StudyDescription" in answer.headers["warning"]
        wrong = await here.http.get(f"{ROOT}/studies?Nonsense=1", headers=here.device())
        assert (wrong.status_code, wrong.json()["code"]) == (400, "bad_request")

    tell(tmp_path, story)


def test_objects_come_back_as_they_came_or_decoded(tmp_path: Path) -> None:
    """With ``transfer-syntax=*`` byte by byte; without a word Explicit VR Little Endian; else 406."""

    async def story(here: House) -> None:
        data, path = pydicoms(JLS)
        await stow(here, data, *[ct(number) for number in (1, 2)])
        url = f"{ROOT}{path}"

        async def get(accept: str) -> httpx.Response:
            return await here.http.get(url, headers=here.device() | {"Accept": accept})

        same = await get('multipart/related; type="application/dicom"; transfer-syntax=*')
        assert data in same.content
        alone = await get("application/dicom; transfer-syntax=*")
        assert (alone.content, alone.headers["content-type"]) == (
            data, "application/dicom; transfer-syntax=1.2.840.10008.1.2.4.80",
        )  # fmt: skip
        other = await get("application/dicom; transfer-syntax=1.2.840.10008.1.2.4.90")
        assert (other.status_code, other.json()["code"]) == (406, "not_acceptable")

        def ask() -> None:
            plain = client(here).retrieve_instance(*uids_of(path))
            assert np.array_equal(plain.pixel_array, pydicom.dcmread(io.BytesIO(data)).pixel_array)
            assert [one.InstanceNumber for one in client(here).retrieve_series(STUDY, SERIES)] == [1, 2]
            assert len(client(here).retrieve_study(STUDY)) == 2

        await asyncio.to_thread(ask)

    tell(tmp_path, story)


def test_frames_come_encoded_or_plain(tmp_path: Path) -> None:
    """As the client accepts: ``image/jls``, ``*``, or octets that are decoded."""

    async def story(here: House) -> None:
        jls, jls_path = pydicoms(JLS)
        colour, colour_path = pydicoms(COLOUR)
        await stow(here, jls, colour, ct(1))

        def ask() -> None:
            asked = client(here)
            (plain,) = asked.retrieve_instance_frames(STUDY, SERIES, f"{SERIES}.1", [1])
            assert plain == pydicom.dcmread(io.BytesIO(ct(1))).PixelData
            uids = uids_of(jls_path)
            (encoded,) = asked.retrieve_instance_frames(*uids, [1], media_types=("image/jls",))
            assert encoded[:4] == b"\xff\xd8\xff\xf7"
            (decoded,) = asked.retrieve_instance_frames(*uids, [1], media_types=("application/octet-stream",))
            assert decoded == pydicom.dcmread(io.BytesIO(jls)).pixel_array.tobytes()
            some = asked.retrieve_instance_frames(*uids_of(colour_path), [1, 30], media_types=("image/jpeg",))
            assert [Image.open(io.BytesIO(one)).size for one in some] == [(320, 240)] * 2

        await asyncio.to_thread(ask)
        as_here = await here.http.get(
            f"{ROOT}{jls_path}/frames/1",
            headers=here.device()
            | {"Accept": "multipart/related; type=application/octet-stream; transfer-syntax=*"},
        )
        assert b"Content-Type: image/jls; transfer-syntax=1.2.840.10008.1.2.4.80" in as_here.content
        for frames, status in (("2", 404), ("0", 400), ("x", 400)):
            missing = await here.http.get(f"{ROOT}{jls_path}/frames/{frames}", headers=here.device())
            assert missing.status_code == status

    tell(tmp_path, story)


def test_metadata_link_to_what_is_large(tmp_path: Path) -> None:
    """All elements of the object, with an address in place of the pixels, which leads to them."""

    async def story(here: House) -> None:
        await stow(here, *[ct(number) for number in (1, 2)])

        def ask() -> None:
            asked = client(here)
            first, second = asked.retrieve_series_metadata(STUDY, SERIES)
            dataset = pydicom.Dataset.from_json(first, lambda *_: b"")
            assert (dataset.Rows, dataset.StudyDescription) == (16, "头颅平扫")
            assert list(dataset.PixelSpacing) == [0.5, 0.5]
            assert second["00200013"]["Value"] == [2]
            link = first["7FE00010"]["BulkDataURI"]
            (pixels,) = asked.retrieve_bulkdata(
                f"{here.origin}{ROOT}{link.partition(ROOT)[2]}"
            )  # its Host has no port
            assert pixels == pydicom.dcmread(io.BytesIO(ct(1))).PixelData
            assert len(asked.retrieve_study_metadata(STUDY)) == 2

        await asyncio.to_thread(ask)

    tell(tmp_path, story)


def test_pictures_are_rendered_with_the_window_and_size_that_are_asked_for(tmp_path: Path) -> None:
    """Object, frame, series and study; a thumbnail fits into 128 pixels."""

    async def story(here: House) -> None:
        colour, colour_path = pydicoms(COLOUR)
        await stow(here, colour, *[ct(number, size=300) for number in (1, 2, 3)])

        async def picture(path: str, accept: str = "image/png") -> Image.Image:
            answer = await here.http.get(f"{ROOT}{path}", headers=here.device() | {"Accept": accept})
            assert answer.status_code == 200, answer.text
            return Image.open(io.BytesIO(answer.content))

        middle = f"/studies/{STUDY}/series/{SERIES}/instances/{SERIES}.2"
        shown = await picture(f"{middle}/rendered?window=0,200,linear&viewport=300,300")
        hu = values_hu(ct(2, size=300))
        assert np.array_equal(np.asarray(shown) == 255, hu >= 99)
        assert (
            await picture(f"/studies/{STUDY}/series/{SERIES}/rendered?window=0,200")
        ).tobytes() == shown.tobytes()
        assert (await picture(f"/studies/{STUDY}/thumbnail", "*/*")).size == (128, 128)
        assert (await picture(f"{colour_path}/frames/30/rendered", "image/jpeg")).mode == "RGB"
        for path, status in (
            (f"{middle}/rendered?window=0", 400),
            (f"{middle}/rendered?viewport=0,1", 400),
            (f"{middle}/frames/2/rendered", 404),
            (f"{middle}/rendered?window=0,0", 422),
        ):
            refused = await here.http.get(f"{ROOT}{path}", headers=here.device())
            assert (refused.status_code, path) == (status, path)

    tell(tmp_path, story)


OF_A_STUDY = (
    "",
    "/metadata",
    f"/series/{SERIES}",
    f"/series/{SERIES}/instances/{SERIES}.1/frames/1",
    "/rendered",
    "/series",
)


def test_a_quality_beyond_its_bounds_is_refused(tmp_path: Path) -> None:
    """However many figures it is written with."""

    async def story(here: House) -> None:
        await stow(here, ct(1))
        url = f"{ROOT}/studies/{STUDY}/series/{SERIES}/instances/{SERIES}.1/rendered?quality="
        for asked, status in (("00019999", 400), ("0", 400), ("101", 400), ("1", 200), ("100", 200)):
            got = await here.http.get(url + asked, headers=here.device())
            assert (asked, got.status_code) == (asked, status)

    tell(tmp_path, story)


def test_images_of_another_site_do_not_exist(tmp_path: Path) -> None:
    """404 for the other clinic, 403 for roles without a right to files, 401 without a name; searches find nothing."""

    async def story(here: House) -> None:
        await stow(here, ct(1))
        other, quality, village = [await here.person(name) for name in ("other", "quality", "village")]
        for path in OF_A_STUDY:
            url = f"{ROOT}/studies/{STUDY}{path}"
            asked: list[tuple[dict[str, str], int]] = [
                (here.device("ecg-2"), 404), (other, 404), (quality, 403), ({}, 401), (village, 200),
            ]  # fmt: skip
            for headers, status in asked:
                assert ((await here.http.get(url, headers=headers)).status_code, url) == (status, url)
        assert (await here.http.get(f"{ROOT}/studies", headers=here.device("ecg-2"))).status_code == 204

    tell(tmp_path, story)


def test_earlier_studies_are_of_the_same_patient_of_the_same_clinic(tmp_path: Path) -> None:
    """Two clinics that both number a patient 1001 have two patients; nobody sees more by this than otherwise."""

    async def story(here: House) -> None:
        await stow(here, ct(1, patient_id="1001", name="Wang^A"))
        await stow(here, ct(1, study=2, patient_id="1001", name="Wang^A"))
        await stow(here, ct(1, study=3, patient_id="1001", name="Li^B"), name="ecg-2")
        who = await here.person("cardiologist")  # of all sites
        assert len((await here.http.get(f"{ROOT}/studies?PatientID=1001", headers=who)).json()) == 3

        async def priors(number: int, headers: dict[str, str]) -> httpx.Response:
            return await here.http.get(f"{ROOT}/studies/{ROOT_UID}.{number}/priors", headers=headers)

        (found,) = (await priors(1, who)).json()
        assert found["0020000D"]["Value"] == [f"{ROOT_UID}.2"]
        assert (await priors(3, who)).status_code == 204
        assert (await priors(1, await here.person("other"))).status_code == 404

    tell(tmp_path, story)


def test_what_comes_again_after_an_erasure_is_read_anew(tmp_path: Path) -> None:
    """The same identifiers, other attributes: nothing that was said of the erased patient is said again."""

    async def story(here: House) -> None:
        url = f"{ROOT}/studies/{STUDY}/metadata"
        for name in ("Wang^A", "Li^B"):
            await stow(here, ct(1, name=name))
            (said,) = (await here.http.get(url, headers=here.device())).json()
            assert said["00100010"]["Value"] == [{"Alphabetic": name}]
            study = await here.desk.images.study(STUDY)
            await here.desk.answers.erase_patient(study.case_id, device(), "asked for")

    tell(tmp_path, story)


def test_scrolling_through_a_study_is_one_look(tmp_path: Path) -> None:
    """The access log has who looked at which study, once within ten minutes, and that it was searched for."""

    async def story(here: House) -> None:
        await stow(here, *[ct(number) for number in (1, 2, 3)])
        who = await here.person("cardiologist")
        for number in (1, 2, 3):
            url = f"{ROOT}/studies/{STUDY}/series/{SERIES}/instances/{SERIES}.{number}/rendered"
            assert (await here.http.get(url, headers=who)).status_code == 200
        await here.http.get(f"{ROOT}/studies?PatientName=Wang", headers=who)
        here.desk.access.flush()
        entries = [one for one in here.desk.access.entries() if "image" in one.action]
        assert [one.action for one in entries] == ["look_images", "search_images"]
        assert (entries[0].detail, entries[1].detail) == (STUDY, "by PatientName: 1 found")

    tell(tmp_path, story)
