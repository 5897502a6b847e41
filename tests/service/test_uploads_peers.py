"""Other people's programs for tus send to this service: tuspy and aiotus."""

import asyncio
import io
from pathlib import Path
from typing import Any, Final

import pytest

from tests.service.viewer_house import House, ecg_file, house
from tests.tus_client import PATH

ECG: Final = ecg_file(st_mv=0.4)


def told(here: House, url: str) -> Any:
    """What became of an upload, asked from a thread or a task."""
    return here.http.get(url, headers=here.device())


def test_tuspy_sends_in_pieces_and_goes_on_after_a_stop(tmp_path: Path) -> None:
    """With a checksum for each piece; a second client resumes from the address alone."""
    client = pytest.importorskip("tusclient.client", reason="tuspy is not installed: pip install tuspy")

    def send(here: House) -> str:
        tus = client.TusClient(f"{here.origin}{PATH}", headers=here.device())
        given: dict[str, Any] = {"chunk_size": 30_000, "upload_checksum": True}
        first = tus.uploader(file_stream=io.BytesIO(ECG), metadata={"patient_ref": "p1"}, **given)
        first.upload_chunk()
        assert first.offset == 30_000
        again = tus.uploader(file_stream=io.BytesIO(ECG), url=first.url, **given)
        assert again.offset == 30_000
        again.upload()
        return str(again.url)

    async def story() -> None:
        async with house(tmp_path) as here:
            url = await asyncio.to_thread(send, here)
            answer = (await told(here, url)).json()["answer"]
            file = await here.http.get(f"/api/v1/ecgs/{answer['ecg_id']}/file", headers=here.device())
            assert file.content == ECG

    asyncio.run(story())


def test_tuspy_tells_its_user_of_a_file_that_is_no_ecg(tmp_path: Path) -> None:
    """The last piece is refused, so nobody takes the file for delivered."""
    client = pytest.importorskip("tusclient.client", reason="tuspy is not installed: pip install tuspy")
    exceptions = pytest.importorskip("tusclient.exceptions")

    def send(here: House) -> None:
        tus = client.TusClient(f"{here.origin}{PATH}", headers=here.device())
        with pytest.raises(exceptions.TusCommunicationError) as error:
            tus.uploader(file_stream=io.BytesIO(bytes(range(256)) * 9), chunk_size=1000).upload()
        assert error.value.status_code == 415

    async def story() -> None:
        async with house(tmp_path) as here:
            await asyncio.to_thread(send, here)

    asyncio.run(story())


def test_aiotus_sends_whole_and_in_joined_parts(tmp_path: Path) -> None:
    """Both give the same ECG."""
    aiotus = pytest.importorskip("aiotus", reason="aiotus is not installed: pip install aiotus")

    async def story() -> None:
        async with house(tmp_path) as here:
            creation = f"{here.origin}{PATH}"
            known: dict[str, Any] = {"headers": here.device(), "metadata": {"patient_ref": b"p1"}}
            url = await aiotus.upload(creation, io.BytesIO(ECG), chunksize=30_000, **known)
            parts = [io.BytesIO(ECG[:50_000]), io.BytesIO(ECG[50_000:])]
            joined = await aiotus.upload_multiple(creation, parts, **known)
            first, second = [(await told(here, str(one))).json()["answer"] for one in (url, joined)]
            assert first["ecg_id"] == second["ecg_id"] and second["duplicate"]
            assert (await aiotus.metadata(str(url), headers=here.device())) == {}

    asyncio.run(story())
