"""MLLP: frames from any cutting of the bytes, and acknowledgements that say what became of a message."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenchannel.ingest import mllp
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.hl7_message import parse_message

AT = datetime(2026, 5, 1, 8, 5, tzinfo=UTC)
HEAD = "MSH|^~\\&|CART|YINZHAO|GC|HUB|20260501160500||ORU^R01|m17|P|2.5.1\r"
ORU = (HEAD + "PID|1||4711\rOBX|1|ED|ECG||^application^dicom^Base64^AAAA\r").encode()


@given(
    st.lists(st.binary(max_size=200).map(lambda data: data.replace(b"\x1c\r", b"..")), max_size=5),
    st.lists(st.integers(1, 60), max_size=60),
)
def test_any_cutting_gives_the_same_messages(messages: list[bytes], cuts: list[int]) -> None:
    """Whatever the packets, the messages come out whole and in their order."""
    # A message that ends in FS would be one byte shorter: text never does.
    messages = [message.rstrip(b"\x1c") for message in messages]
    line = b"\r\n".join(mllp.frame(message) for message in messages)
    frames, found, place = mllp.Frames(), [], 0
    for cut in [*cuts, len(line)]:
        frames, whole = frames.feed(line[place : place + cut])
        found += whole
        place += cut

    assert found == messages and not frames.within


def test_bytes_outside_of_a_frame_end_the_conversation() -> None:
    """A browser, or a flood of line breaks."""
    for data in (b"GET / HTTP/1.1\r\n", b"\r" * 5000):
        with pytest.raises(IngestError) as refused:
            mllp.Frames().feed(data)
        assert refused.value.code == "malformed"


def test_a_message_without_an_end_is_given_up_at_the_bound() -> None:
    """Never more is held than one message may have."""
    frames, _ = mllp.Frames().feed(b"\x0b")
    chunk = bytes(2**20)
    for _ in range(mllp.MOST_BYTES // len(chunk)):
        frames, _ = frames.feed(chunk)
    with pytest.raises(IngestError) as refused:
        frames.feed(b"x")

    assert refused.value.code == "too_large"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (ORU, None),
        (ORU.replace(b"ORU^R01", b"ADT^A01"), "AR"),
        (ORU.replace(b"ORU^R01", b"ORU^R30"), "AR"),
        (HEAD.encode() + b"OBX|1|NM|8867-4||78\r", "AE"),
        (b"hello", "AR"),
        (b"", "AR"),
    ],
)
def test_what_is_taken_is_a_result_with_an_ecg(message: bytes, code: str | None) -> None:
    """Whether that ECG can be read is the server's to say."""
    found = mllp.refusal_of(message)

    assert (None if found is None else found[0]) == code


def test_an_acknowledgement_goes_back_to_who_asked() -> None:
    """Sender and receiver changed places, the number of the message, the version it speaks; escapes in the reason."""
    data = mllp.acknowledgement(ORU, "AE", "disk | full & more\nlater", at=AT, number="a1")
    message = parse_message(data)
    head, told = message.segments

    assert [head.field(number) for number in (3, 4, 5, 6, 9, 10, 11, 12)] == [
        "GC", "HUB", "CART", "YINZHAO", "ACK^R01", "a1", "P", "2.5.1",
    ]  # fmt: skip
    assert (told.name, told.field(1), told.field(2)) == ("MSA", "AE", "m17")
    assert message.unescaped(told.field(3)) == "disk | full & more later"


@given(st.binary(max_size=300))
def test_anything_is_answered(message: bytes) -> None:
    """Also what is no message at all."""
    refused = mllp.refusal_of(message)
    answer = mllp.acknowledgement(message, "AA" if refused is None else refused[0], "", at=AT, number="a1")

    assert answer.startswith(b"MSH") and b"\rMSA" in answer
