"""A study as one archive over a bad line: once, whole, whatever is cut; and archives that are none."""

import asyncio
import hashlib
import io
import random
import zipfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

from greenchannel.ingest.imaging.archive_members import members
from tests.imaging_files import ROOT_UID, ct, real_slices, written
from tests.service.viewer_house import House, house
from tests.tus_client import Sender, metadata

CUTS = 10


def archive(objects: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of these members."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as file:
        for name, data in objects.items():
            file.writestr(name, data)
    return out.getvalue()


def tell(tmp_path: Path, story: Callable[[House, Sender], Awaitable[None]], **settings: Any) -> None:
    """Play a story at a running service."""

    async def play() -> None:
        async with house(tmp_path, **settings) as here:
            await story(here, Sender(http=here.http, token=here.tokens["ecg-1"]))

    asyncio.run(play())


async def upload(sender: Sender, data: bytes, cuts: int = 0, **words: str) -> dict[str, Any]:
    """Send an archive, hang up `cuts` times on the way; what became of it."""
    said = metadata(content="images", **words)
    created = await sender.create(len(data), Upload_Metadata=said)
    assert created.status_code == 201, created.text
    url, dice = created.headers["location"], random.Random(7)
    for left in range(cuts, 0, -1):
        offset = int((await sender.head(url)).headers["upload-offset"])
        await sender.cut(url, offset, data[offset:], dice.randint(0, (len(data) - offset) // left))
    # What was cut may still be arriving: where it is, is asked again as a sender does, until all is there.
    while (offset := int((await sender.head(url)).headers["upload-offset"])) < len(data):
        await sender.patch(url, offset, data[offset:])
    return await sender.status(url)


def test_a_study_cut_off_ten_times_is_there_once_and_whole(tmp_path: Path) -> None:
    """Every object as it was, the study complete by the sender's word; the archive again brings nothing new."""
    slices = {f"DICOM/{number:03}": ct(number, size=64) for number in range(1, 31)}
    data = archive({"DICOMDIR.txt": b"a list of contents", **slices})

    async def story(here: House, sender: Sender) -> None:
        first = await upload(sender, data, CUTS)
        again = await upload(sender, data)

        assert sender.cuts == CUTS
        assert (first["study"]["new"], first["study"]["duplicate"], first["study"]["passed_over"]) == (
            30,
            0,
            1,
        )
        assert (again["study"]["new"], again["study"]["duplicate"]) == (0, 30)
        study = await here.desk.images.study(f"{ROOT_UID}.1")
        assert (study.instances, study.expected, study.completeness) == (30, 30, "complete")
        kept = [
            await here.desk.images.bytes_of(one.sop_uid)
            for one in await here.desk.images.instances(study.study_uid)
        ]
        assert sorted(map(_sha256, kept)) == sorted(map(_sha256, slices.values()))

    tell(tmp_path, story)


def test_what_was_sent_and_not_taken_is_seen_to_be_missing(tmp_path: Path) -> None:
    """The others are there; the study says that it is partial, and the sender why."""
    members = {"1": ct(1), "2": ct(2), "3": ct(3, patient_id="P2"), "4": ct(4)[:700]}

    async def story(here: House, sender: Sender) -> None:
        said = (await upload(sender, archive(members)))["study"]

        assert (said["new"], said["refused"]) == (2, [["3", "identity_conflict"], ["4", "truncated"]])
        study = await here.desk.images.study(f"{ROOT_UID}.1")
        assert (study.instances, study.expected, study.completeness) == (2, 4, "partial")

    tell(tmp_path, story)


def test_what_names_a_study_of_somebody_else_says_nothing_of_that_study(tmp_path: Path) -> None:
    """Refused as of another site, or of another patient: the study stays as whole as it was."""
    uid = f"{ROOT_UID}.1"

    async def story(here: House, sender: Sender) -> None:
        await upload(sender, archive({"1": ct(1), "2": ct(2)}))
        other = Sender(http=here.http, token=here.tokens["ecg-2"])
        mixed = {str(number): ct(number) for number in (1, 2, 3)} | {"9": ct(1, study=2)}
        said = (await upload(other, archive(mixed)))["study"]
        assert (said["new"], [code for _, code in said["refused"]]) == (1, ["study_of_other_site"] * 3)
        patients = {str(number): ct(number, patient_id="P2") for number in (4, 5, 6)}
        said = (await upload(sender, archive(patients | {"9": ct(1, study=3, patient_id="P2")})))["study"]
        assert (said["new"], [code for _, code in said["refused"]]) == (1, ["identity_conflict"] * 3)
        await here.desk.images.finish({uid: 300}, source="device:ecg-2", site_id="jishi")
        study = await here.desk.images.study(uid)
        assert (study.instances, study.expected, study.completeness) == (2, 2, "complete")

    tell(tmp_path, story)


def test_after_many_that_are_refused_the_rest_is_taken_and_all_of_it_is_kept(tmp_path: Path) -> None:
    """The sender deletes what was answered for: every member is looked at, and what is refused is in quarantine."""
    broken = {f"{number:03}": ct(number)[:700] for number in range(1, 221)}

    async def story(here: House, sender: Sender) -> None:
        said = (await upload(sender, archive({"000": ct(300), **broken, "999": ct(400)})))["study"]
        assert (said["new"], len(said["refused"])) == (2, 220)
        kept = here.desk.quarantine.list()
        assert {here.desk.quarantine.read(one.id) for one in kept} == set(broken.values())
        study = await here.desk.images.study(f"{ROOT_UID}.1")
        assert (study.instances, study.expected) == (2, 222)

    tell(tmp_path, story)


@pytest.mark.parametrize("spoilt", ["whole", "member"])
def test_an_archive_that_cannot_be_unpacked_is_kept_itself(tmp_path: Path, spoilt: str) -> None:
    """Where no member's bytes can be got out, a person has the archive to look at."""
    data = bytearray(archive({"1": ct(1)}, zipfile.ZIP_STORED))
    place = data.index(b"PK\x05\x06") if spoilt == "whole" else 900
    data[place] ^= 0xFF

    async def story(here: House, sender: Sender) -> None:
        became = await upload(sender, bytes(data))
        assert (became["state"], became["problem"]["code"]) == ("refused", "malformed")
        (kept,) = here.desk.quarantine.list()
        assert (here.desk.quarantine.read(kept.id), kept.size_bytes) == (bytes(data), len(data))

    tell(tmp_path, story)


@pytest.mark.parametrize("packing", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_members_of_another_packing_are_refused_and_the_others_taken(packing: int) -> None:
    """Also where they are broken, and would make the unpacking raise what nobody expects."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("1", ct(1), packing)
        file.writestr("2", ct(2), packing)
        file.writestr("3", ct(3), zipfile.ZIP_DEFLATED)
    data = bytearray(out.getvalue())
    data[60:300] = bytes(240)
    found = list(members(io.BytesIO(data), most_bytes=10**7, most_object_bytes=10**6))
    assert [one.problem for one in found] == ["unsupported", "unsupported", None]
    assert found[2].data == ct(3)


def _bomb() -> bytes:
    one = dcmread(io.BytesIO(ct(1)))
    one.Rows = one.Columns = 4096
    one.PixelData = bytes(2 * 4096 * 4096)
    return archive({"1": written(one)})


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"PK\x03\x04 no archive", "malformed"),
        (archive({"a": b"text"}), "empty_body"),
        (archive({}), "empty_body"),
        (archive({"a": b"DICM".rjust(132, b"\0") + b"nonsense"}), "malformed"),
        (_bomb(), "too_large"),
        (archive({"1": ct(1, size=512)}), "too_large"),
    ],
    ids=["broken", "nothing in it", "empty", "no object", "bomb", "large"],
)
def test_archives_that_hold_no_study_are_refused(tmp_path: Path, data: bytes, code: str) -> None:
    """With the reason of the first member, and nothing of it is unpacked beyond its bound."""

    async def story(here: House, sender: Sender) -> None:
        became = await upload(sender, data)
        assert (became["state"], became["problem"]["code"]) == ("refused", code)
        assert await here.desk.images.search("study", {}) == []

    tell(tmp_path, story, max_image_bytes=400_000)


def test_an_archive_is_what_was_sent(tmp_path: Path) -> None:
    """The sender says what the whole hashes to; another is not taken, nor one that is packed once more."""
    data = archive({"1": ct(1)})

    async def story(here: House, sender: Sender) -> None:
        for words, code in (({"sha256": "0" * 64}, "checksum_mismatch"), ({"encoding": "xz"}, "unsupported")):
            assert (await upload(sender, data, 0, **words))["problem"]["code"] == code
        assert (await upload(sender, data, sha256=_sha256(data)))["study"]["new"] == 1

    tell(tmp_path, story)


def test_more_than_may_come_is_refused_before_it_comes(tmp_path: Path) -> None:
    """10 GB announced cost nothing."""

    async def story(here: House, sender: Sender) -> None:
        created = await sender.create(10 * 2**30, Upload_Metadata=metadata(content="images"))
        assert (created.status_code, created.json()["code"]) == (413, "too_large")

    tell(tmp_path, story)


@pytest.mark.soak
@pytest.mark.data
def test_300_slices_of_a_real_ct_cut_off_ten_times(tmp_path: Path, data_dir: Path) -> None:
    """Made of the 28 of the sample: other identifiers, other pixels in one corner; checksums are equal."""
    slices = real_slices(data_dir, 300)
    data = archive(slices)

    async def story(here: House, sender: Sender) -> None:
        here.http.timeout = 300.0
        became = await upload(sender, data, CUTS)
        said = became["study"]
        assert said is not None, became
        assert (said["new"], said["refused"]) == (300, [])
        study = await here.desk.images.study(said["study_uids"][0])
        assert (study.instances, study.expected, study.completeness) == (300, 300, "complete")
        kept = await here.desk.images.instances(study.study_uid)
        assert sorted(one.sha256 for one in kept) == sorted(map(_sha256, slices.values()))

    tell(tmp_path, story)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
