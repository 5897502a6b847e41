"""What counts as taken when an object is sent on: what the other side says of it, and nothing else."""

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pynetdicom import AE, evt
from pynetdicom.sop_class import CTImageStorage  # type: ignore[attr-defined]

from greenchannel.service.errors import NotFound
from greenchannel.service.imaging.destinations import Destination
from greenchannel.service.imaging.dicom_peers import no_delay
from greenchannel.service.imaging.forward_ways import Failed, Outcome, Refused, Sent, send
from greenchannel.store.errors import BlobDamaged
from greenchannel.store.forward_rows import Due
from tests.imaging_files import ROOT_UID, ct


def due(number: int) -> Due:
    return Due(
        sop_uid=f"{ROOT_UID}.1.1.{number}", study_uid=f"{ROOT_UID}.1", attempts=0, sop_class=CTImageStorage,
        transfer_syntax="1.2.840.10008.1.2.1",
    )  # fmt: skip


@contextmanager
def web(status: int, body: bytes) -> Iterator[Destination]:
    """An archive that answers every STOW with the same."""

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield Destination(name="web", way="stow", url=f"http://127.0.0.1:{server.server_address[1]}")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def node(status: int) -> Iterator[Destination]:
    """An archive that answers every C-STORE with the same."""
    entity = AE(ae_title="PACS")
    entity.add_supported_context(CTImageStorage)
    handlers: list[Any] = [(evt.EVT_C_STORE, lambda _: status), (evt.EVT_CONN_OPEN, no_delay)]
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    assert server is not None
    try:
        port = int(server.server_address[1])
        yield Destination(name="node", way="dicom", title="PACS", host="127.0.0.1", port=port)
    finally:
        server.shutdown()


def named(sop_uid: str) -> dict[str, Any]:
    return {"00081199": {"vr": "SQ", "Value": [{"00081155": {"vr": "UI", "Value": [sop_uid]}}]}}


def failed(reason: int) -> dict[str, Any]:
    return {"00081198": {"vr": "SQ", "Value": [{"00081197": {"vr": "US", "Value": [reason]}}]}}


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (named(due(1).sop_uid), Sent(receipt="200")),
        (named(due(2).sop_uid), Failed(reason="200, object_not_named")),
        ({}, Failed(reason="200, object_not_named")),
        ([], Failed(reason="200, answer_not_understood")),
        (None, Failed(reason="200, answer_not_understood")),
        (failed(0x0111), Refused(reason="200, reason 0x0111")),
        (failed(0xA700), Failed(reason="200, reason 0xA700")),
        ({"00081198": {"Value": [{}]}}, Failed(reason="200, answer_not_understood")),
    ],
)
def test_an_answer_that_does_not_name_the_object_is_no_receipt(body: Any, outcome: Outcome) -> None:
    """A page to sign in on, with 200, is not an archive that has it."""
    data = b"<html>please sign in</html>" if body is None else json.dumps(body).encode()
    with web(200, data) as there:
        assert send(there, [due(1)], lambda _: ct(1), "US") == {due(1).sop_uid: outcome}


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (0x0000, Sent(receipt="0x0000")),
        (0xB000, Sent(receipt="0xB000")),
        (0x0111, Refused(reason="0x0111")),
        (0xA700, Failed(reason="0xA700")),
    ],
)
def test_an_object_that_is_another_there_was_not_taken(status: int, outcome: Outcome) -> None:
    """0111 says that something is there under this name, not that it is this: a person must look."""
    with node(status) as there:
        assert send(there, [due(1)], lambda _: ct(1), "US") == {due(1).sop_uid: outcome}


@pytest.mark.parametrize("way", ["dicom", "stow"])
def test_a_damaged_object_does_not_hold_up_the_others(way: str) -> None:
    """It failed, and is tried later; of one that is gone nothing is said."""

    def bytes_of(sop_uid: str) -> bytes:
        if sop_uid == due(1).sop_uid:
            raise BlobDamaged("expected the sealed bytes, got a file that does not open")
        if sop_uid == due(2).sop_uid:
            raise NotFound("file of image", sop_uid)
        return ct(3)

    taken = json.dumps(named(due(3).sop_uid)).encode()
    with node(0) if way == "dicom" else web(200, taken) as there:
        got = send(there, [due(1), due(2), due(3)], bytes_of, "US")
    assert got == {
        due(1).sop_uid: Failed(reason="damaged, BlobDamaged"),
        due(3).sop_uid: Sent(receipt="0x0000" if way == "dicom" else "200"),
    }
