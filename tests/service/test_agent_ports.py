"""The agent's ports before real peers: a raw MLLP socket, and pynetdicom as the machine that sends."""

import base64
import io
import os
import queue
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from pynetdicom import AE

from greenchannel.agent import ports_mllp
from greenchannel.agent.agent import now
from greenchannel.agent.judge import judged
from greenchannel.agent.ports import Address, address_of
from greenchannel.agent.ports_dicom import ECG_CLASSES, OUT_OF_RESOURCES, VERIFICATION, DicomPort
from greenchannel.agent.ports_mllp import MOST_CONNECTIONS, MllpPort
from greenchannel.agent.spool import Spool
from greenchannel.county import devices
from greenchannel.ingest.hl7_message import Segment, parse_message
from greenchannel.ingest.reader import read_ecg
from tests.agent_process import until

HERE = Address("127.0.0.1", 0)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    """An empty one."""
    one = Spool(tmp_path / "spool", now)
    yield one
    one.close()


def ecg(seed: int = 1) -> bytes:
    return devices.as_dicom(devices.simulated("baseline_sinus", seed=seed), age_years=61.0, sex="male")


# ---------------------------------------------------------------- MLLP


def message(number: str, data: bytes, kind: str = "ORU^R01") -> bytes:
    """An HL7 message with a file in it."""
    body = base64.b64encode(data).decode()
    return (
        f"MSH|^~\\&|CART|YINZHAO|GC|HUB|20260501160500+0800||{kind}|{number}|P|2.5.1||||||UNICODE UTF-8\r"
        f"PID|1||ZY-{number}||王^五||19650101|M\r"
        f"OBX|1|ED|11524-6^EKG study^LN||^application^dicom^Base64^{body}||||||F\r"
    ).encode()


class MllpClient:
    """A machine that speaks MLLP over one connection."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self._file = self._socket.makefile("rb")

    def send(self, data: bytes) -> None:
        """Bytes as they are."""
        self._socket.sendall(data)

    def answer(self) -> Segment:
        """The MSA segment of the next acknowledgement."""
        held = b""
        while not held.endswith(b"\x1c\r"):
            more = self._file.read(1)
            assert more, "expected an acknowledgement, the connection was closed"
            held += more
        assert held.startswith(b"\x0b")
        return next(one for one in parse_message(held[1:-2]).segments if one.name == "MSA")

    def close(self) -> None:
        """Hang up."""
        self._file.close()
        self._socket.close()


@pytest.fixture
def mllp(spool: Spool) -> Iterator[MllpClient]:
    """A client of an open port."""
    port = MllpPort(spool, HERE, now)
    client = MllpClient(port.port)
    yield client
    client.close()
    port.close()


def test_a_message_is_acknowledged_once_it_is_in_the_spool(spool: Spool, mllp: MllpClient) -> None:
    """In two packets; a repeat is taken for what it is, and an ECG of another number is another."""
    whole = b"\x0b" + message("m1", ecg(1)) + b"\x1c\r"
    mllp.send(whole[:1000])
    mllp.send(whole[1000:])
    first = mllp.answer()
    mllp.send(whole + b"\x0b" + message("m2", ecg(2)) + b"\x1c\r")
    again, second = mllp.answer(), mllp.answer()

    assert [(one.field(1), one.field(2)) for one in (first, again, second)] == [
        ("AA", "m1"),
        ("AA", "m1"),
        ("AA", "m2"),
    ]
    items = spool.items()
    assert [(item.name, item.way) for item in items] == [("m1.hl7", "mllp"), ("m2.hl7", "mllp")]
    assert spool.data(items[0]) == message("m1", ecg(1))
    assert read_ecg([(None, spool.data(items[0]))]).identifiers["patient_id"] == "ZY-m1"


def test_what_is_not_for_us_is_refused_with_a_reason_and_the_line_stays_open(
    spool: Spool, mllp: MllpClient
) -> None:
    """AR for another kind of message, AE for results without an ECG, AA for the one after them."""
    lab = message("m2", b"").replace(b"|ED|", b"|NM|")
    for content in (message("m1", b"", "ADT^A04"), lab, message("m3", ecg(3))):
        mllp.send(b"\x0b" + content + b"\x1c\r")
    told = [mllp.answer() for _ in range(3)]

    assert [one.field(1) for one in told] == ["AR", "AE", "AA"]
    assert all(one.field(3) for one in told[:2])
    assert [item.name for item in spool.items()] == ["m3.hl7"]


def test_an_attachment_that_cannot_be_unpacked_goes_back_to_its_sender(
    spool: Spool, mllp: MllpClient
) -> None:
    """Nobody else could mend it: AE with the reason, and nothing is kept."""
    broken = message("m1", ecg(1)).replace(b"^Base64^", b"^Base64^!")
    mllp.send(b"\x0b" + broken + b"\x1c\r")
    told = mllp.answer()

    assert told.field(1) == "AE" and "not what it says" in told.field(3)
    assert spool.items() == []


def test_idle_connections_keep_nobody_out(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as are allowed, and more, that never say a word; then one with an ECG."""
    monkeypatch.setattr(ports_mllp, "_SPARED_S", 0.0)
    port = MllpPort(spool, HERE, now)
    clients = [MllpClient(port.port) for _ in range(MOST_CONNECTIONS + 2)]
    try:
        clients[-1].send(b"\x0b" + message("m1", ecg(1)) + b"\x1c\r")
        assert clients[-1].answer().field(1) == "AA"
    finally:
        for client in clients:
            client.close()
        port.close()


class Noted(ports_mllp._Idle):
    """Tells since when a connection has been idle, each time that it waits."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: queue.Queue[float] = queue.Queue()

    def begins(self, sock: socket.socket, since_s: float) -> None:
        super().begins(sock, since_s)
        self.waits.put(since_s)


def test_only_a_message_is_a_sign_of_life(spool: Spool) -> None:
    """Line breaks between messages leave a connection as idle as it was."""
    near, far = socket.socketpair()
    idle = Noted()
    serving = threading.Thread(target=ports_mllp._serve, args=(near, spool, now, idle))
    serving.start()
    since = [idle.waits.get(timeout=10)]
    for sent in (b"\n", b"\r\n", b"\x0b" + message("m1", ecg(1)) + b"\x1c\r"):
        far.sendall(sent)
        since.append(idle.waits.get(timeout=10))
    assert b"MSA|AA|m1" in far.recv(65536)
    far.close()
    serving.join(timeout=10)
    near.close()

    assert since[0] == since[1] == since[2] < since[3]


def test_a_message_that_cannot_be_kept_is_not_acknowledged(
    spool: Spool, mllp: MllpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk: AE, and the sender comes again."""

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    content = b"\x0b" + message("m1", ecg(1)) + b"\x1c\r"
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        mllp.send(content)
        assert mllp.answer().field(1) == "AE"
    mllp.send(content)

    assert mllp.answer().field(1) == "AA"
    assert len(spool.items()) == 1


def test_a_browser_at_the_mllp_port_is_turned_away(spool: Spool, mllp: MllpClient) -> None:
    """AR, and the connection ends."""
    mllp.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")

    assert mllp.answer().field(1) == "AR"
    with pytest.raises(AssertionError, match="closed"):
        mllp.answer()
    assert spool.items() == []


# ---------------------------------------------------------------- DICOM


def store(
    port: int, *ecgs: bytes, caller: str = "CART1", called: str = "GREENCHANNEL"
) -> list[int | None] | None:
    """Send ECGs as a machine would; gives their statuses, None where no association was made."""
    entity = AE(ae_title=caller)
    entity.add_requested_context(VERIFICATION)
    for sop_class in ECG_CLASSES:
        entity.add_requested_context(sop_class)
    association = entity.associate("127.0.0.1", port, ae_title=called)
    if not association.is_established:
        return None
    try:
        assert association.send_c_echo().Status == 0
        return [
            getattr(association.send_c_store(pydicom.dcmread(io.BytesIO(data))), "Status", None)
            for data in ecgs
        ]
    finally:
        association.release()


def test_a_dicom_ecg_is_stored_and_reads_as_the_one_that_was_sent(spool: Spool) -> None:
    """C-ECHO and C-STORE over one association; sent twice it is one; its urgency can be judged."""
    port = DicomPort(spool, HERE)
    try:
        assert store(port.port, ecg(1), ecg(2), ecg(1)) == [0, 0, 0]
    finally:
        port.close()
    items = spool.items()

    assert len(items) == 2 and {item.way for item in items} == {"dicom"}
    for item, seed in zip(items, (1, 2), strict=True):
        data = spool.data(item)
        got, sent = read_ecg([(None, data)]).recording, read_ecg([(None, ecg(seed))]).recording
        assert (got.samples_mv == sent.samples_mv).all() and got.leads == sent.leads
        assert judged(data, {}).tier is not None
        raw = pydicom.dcmread(io.BytesIO(data))
        assert item.name == f"{raw.SOPInstanceUID}.dcm"


def test_a_stranger_is_turned_away_by_title(spool: Spool) -> None:
    """Who calls another node, and who is not on the list."""
    port = DicomPort(spool, HERE, title="CLINIC", callers=("CART1",))
    try:
        assert store(port.port, ecg(1)) is None
        assert store(port.port, ecg(1), called="CLINIC", caller="OTHER") is None
        assert spool.items() == []
        assert store(port.port, ecg(1), called="CLINIC") == [0]
    finally:
        port.close()


def test_an_object_that_cannot_be_kept_is_told_so(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Out of resources: the machine keeps it and comes again."""

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    port = DicomPort(spool, HERE)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            assert store(port.port, ecg(1)) == [OUT_OF_RESOURCES]
        assert store(port.port, ecg(1)) == [0]
    finally:
        port.close()
    assert len(spool.items()) == 1


def test_an_object_beyond_the_bound_ends_the_association(spool: Spool) -> None:
    """It never fills the memory; a smaller one is taken afterwards."""
    port = DicomPort(spool, HERE, most_bytes=1)
    try:
        large = pydicom.dcmread(io.BytesIO(ecg(1)))
        large.add_new(0x00420011, "OB", bytes(3 * 2**20))
        out = io.BytesIO()
        large.save_as(out)
        assert store(port.port, out.getvalue()) == [None]
        assert spool.items() == []
        assert store(port.port, ecg(2)) == [0]
    finally:
        port.close()


@pytest.mark.parametrize("end", ["release", "abort"])
def test_an_association_that_has_ended_is_forgotten(spool: Spool, end: str) -> None:
    """What came over it never counts against another one."""
    port = DicomPort(spool, HERE)
    try:
        entity = AE(ae_title="CART1")
        entity.add_requested_context(VERIFICATION)
        association = entity.associate("127.0.0.1", port.port, ae_title="GREENCHANNEL")
        assert association.send_c_echo().Status == 0
        assert port.underway_bytes > 0
        getattr(association, end)()
        until(lambda: port.underway_bytes == 0, "the association to be forgotten")
    finally:
        port.close()


def test_addresses_are_of_this_computer_where_nothing_else_is_said() -> None:
    """PORT, HOST:PORT, and IPv6 in brackets."""
    assert address_of("2575") == ("127.0.0.1", 2575)
    assert address_of("0.0.0.0:104") == ("0.0.0.0", 104)
    assert address_of("[::1]:104") == ("::1", 104)
    for word in ("", "host", "1:99999"):
        with pytest.raises(ValueError, match="PORT"):
            address_of(word)
