"""HL7 v2 ``ORU^R01`` with an ECG in it: a file in an ED field, or waveform segments (`hl7_waveform`)."""

import base64
import binascii
import re
from contextvars import ContextVar
from datetime import datetime
from typing import Final

from greenchannel.ingest.errors import IngestError, shown
from greenchannel.ingest.hl7_message import Message, Segment, instant_of, parse_message
from greenchannel.ingest.hl7_waveform import WAVEFORM_TYPES, waveform_recording
from greenchannel.ingest.parsed import ParsedEcg, age_between, plausible_age, sex_of

_LOINC_AGE: Final = "30525-0"
_STATEMENT_TYPES: Final = frozenset({"TX", "FT", "ST"})
_HEX: Final = re.compile(r"(?:[0-9A-Fa-f]{2}\s*)+")
_MAX_STATEMENTS: Final = 100

# A message in a message in an archive … could go on for ever.
_inside: ContextVar[bool] = ContextVar("inside_an_hl7_message", default=False)


def looks_like_hl7(data: bytes) -> bool:
    """Whether `data` begins with a message header, framed as on MLLP or not."""
    return bool(re.match(rb"(?:\xef\xbb\xbf)?[\x0b\s]{0,8}MSH[!-/:-@\[-`{-~]", data[:32]))


def read_hl7(data: bytes) -> ParsedEcg:
    """Make one ECG of a message.

    What the message says of the patient comes before what the file in it says; the file stands in where the message
    is silent. Where they name different patients, that is noted.

    Raises
    ------
    IngestError
        ``malformed``, ``unsupported`` (other messages, attachments that are no ECG, messages in messages), or what is
        wrong with the file inside.
    """
    if _inside.get():
        raise IngestError("unsupported", "there is a message within a message", "an ECG in it", "HL7 v2")
    message = parse_message(data)
    kind = message.segments[0].field(9)
    if not kind.startswith("ORU"):
        raise IngestError("unsupported", "this HL7 message brings no results", "ORU^R01", shown(kind, 20))
    token = _inside.set(True)
    try:
        return _read(message)
    finally:
        _inside.reset(token)


def _read(message: Message) -> ParsedEcg:
    tolerated: list[str] = list(message.tolerated)
    results = [segment for segment in message.segments if segment.name == "OBX"]
    attachments = [segment for segment in results if segment.field(2) == "ED"]
    acquired = _acquired(message, results)
    if attachments:
        inner = _embedded(message, attachments, tolerated)
    elif any(segment.field(2) in WAVEFORM_TYPES for segment in results):
        recording, taken = waveform_recording(message, results, acquired, tolerated)
        # A waveform begins where its own time says.
        acquired = taken or acquired
        inner = ParsedEcg(recording=recording, format="hl7v2", acquired=acquired, tolerated=())
    else:
        raise IngestError(
            "unsupported", "the message brings no ECG", "an OBX of type ED, NA or MA", f"{len(results)} OBX"
        )
    return _with_message(message, results, inner, acquired, tolerated)


def _embedded(message: Message, attachments: list[Segment], tolerated: list[str]) -> ParsedEcg:
    """The first attachment that is an ECG; others are noted."""
    from greenchannel.ingest.reader import read_ecg  # formats knows this module: only a call may look back

    found: ParsedEcg | None = None
    refused: list[IngestError] = []
    for number, segment in enumerate(attachments, start=1):
        try:
            body = attachment_of(message, segment)
            ecg = read_ecg([(None, body)])
        except IngestError as error:
            refused.append(error)
            tolerated.append(f"attachment {number} is not read ({error.code}); left out")
            continue
        if found is None:
            found = ecg
        else:
            tolerated.append(f"attachment {number} is a further ECG; left out")
    if found is None:
        # What is wrong with a broken ECG tells more than that a report beside it is a PDF.
        raise next(
            (error for error in refused if error.code not in ("unsupported", "unknown_format")), refused[0]
        )
    return found


def attachment_of(message: Message, segment: Segment) -> bytes:
    """Content of an ED field: source ^ type ^ subtype ^ encoding ^ data."""
    parts = message.components(segment.field(5))
    if len(parts) < 5 or not parts[4].strip():
        raise IngestError(
            "empty_body", "the attachment is empty", "source^type^subtype^encoding^data", shown(parts)
        )
    encoding, text = parts[3].strip().lower(), parts[4]
    try:
        if encoding in ("base64", ""):
            # Writers break the lines of base64, some with HL7's escape for a line break.
            return base64.b64decode(re.sub(r"\\X0[DA](?:0A)?\\|\\\.br\\|\s+", "", text), validate=True)
        if encoding == "hex":
            return bytes.fromhex(text) if _HEX.fullmatch(text) else _not(encoding, text)
        if encoding == "a":
            return message.unescaped(text).encode(message.charset, errors="replace")
    except (binascii.Error, ValueError):
        return _not(encoding, text)
    raise IngestError(
        "unsupported", "the encoding of the attachment is not read", "Base64, Hex or A", encoding[:20]
    )


def _not(encoding: str, text: str) -> bytes:
    raise IngestError("malformed", "the attachment is not what it says", encoding, f"{len(text)} characters")


def _acquired(message: Message, results: list[Segment]) -> datetime | None:
    """The time of the observation: of the request's segment, else of the first result that has one."""
    for segment, number in (
        *((each, 7) for each in message.segments if each.name == "OBR"),
        *((each, 14) for each in results),
    ):
        instant = instant_of(message.components(segment.field(number))[0])
        if instant is not None:
            return instant
    return None


def _with_message(
    message: Message,
    results: list[Segment],
    inner: ParsedEcg,
    acquired: datetime | None,
    tolerated: list[str],
) -> ParsedEcg:
    patient = next(
        (segment for segment in message.segments if segment.name == "PID"), Segment("PID", ("PID",))
    )
    number = message.components(message.repetitions(patient.field(3))[0])[0]
    name = message.components(message.repetitions(patient.field(5))[0])
    words = {"name": " ".join(part for part in name[:2] if part.strip(' "')), "patient_id": number}
    named = {key: message.unescaped(word).strip() for key, word in words.items() if word.strip(' "')}
    if any(
        _bare(word) != _bare(inner.identifiers[key])
        for key, word in named.items()
        if inner.identifiers.get(key)
    ):
        tolerated.append("the message and the ECG in it name the patient differently; the message is taken")
    start = inner.acquired if inner.acquired is not None else acquired
    born = instant_of(message.components(patient.field(7))[0])
    age_years = _age(message, results)
    age_years = age_between(born, start) if age_years is None else age_years
    texts = (
        message.unescaped(word).strip()
        for segment in results
        if segment.field(2) in _STATEMENT_TYPES
        for word in message.repetitions(segment.field(5))
    )
    statements = dict.fromkeys([*inner.device_statements, *(text for text in texts if text)])
    return ParsedEcg(
        recording=inner.recording,
        format=inner.format,
        age_years=inner.age_years if age_years is None else age_years,
        sex=sex_of(patient.field(8)) or inner.sex,
        acquired=start,
        acquired_has_zone=start is not None and start.utcoffset() is not None,
        identifiers=inner.identifiers | named,
        device_statements=tuple(statements)[:_MAX_STATEMENTS],
        filters=inner.filters,
        tolerated=(*inner.tolerated, *tolerated),
    )


def _bare(words: str) -> str:
    """A name or number without what separates its parts, which each format does in its own way."""
    return re.sub(r"[\s^=,]+", "", words).casefold()


def _age(message: Message, results: list[Segment]) -> float | None:
    for segment in results:
        code = message.components(segment.field(3))
        if code[0] == _LOINC_AGE or code[0].upper() == "AGE":
            return plausible_age(message.components(segment.field(5))[0])[0]
    return None
