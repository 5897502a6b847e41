"""The first message of a live stream."""

import json
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from greenchannel.ingest.errors import IngestError, shown
from greenchannel.ingest.fields import UploadFields, parse_fields, parse_machine_instant
from greenchannel.signal.leads import ALL, canonical

MAX_HELLO_CHARS: Final = 64 * 2**10
RATES_HZ: Final = (50.0, 8000.0)
"""What an ECG device can send: bedside monitors to pacing detectors.  [O]"""
STEPS_MV: Final = (1e-6, 1.0)
KEPT: Final = (
    "stream_id", "leads", "rate_hz", "lsb_mv", "started_at", "age", "sex", "chest_pain", "electrode_set",
)  # fmt: skip
"""What a strip is finished with. Who the patient is went into the vault at its start."""
_STREAM_ID: Final = re.compile(r"[A-Za-z0-9_.:-]{1,128}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Hello:
    """What a device says of the stream it is about to send."""

    stream_id: str  # chosen by the device; the same after a reconnect
    leads: tuple[str, ...]  # wire names, in the order of the samples
    rate_hz: float
    lsb_mv: float  # one step of a sample
    device: str | None
    patient_ref: str | None
    started_at: datetime | None  # first sample, by the device's clock
    device_clock: datetime | None  # the device's clock when it sent this
    fields: UploadFields  # what else it knows of the patient


def parse_hello(text: str) -> Hello:
    """Check the hello of docs/wire-protocol.md.

    Raises
    ------
    IngestError
        ``bad_hello``, with what was expected; ``bad_field`` for one of the optional fields.
    """
    if len(text) > MAX_HELLO_CHARS:
        raise IngestError(
            "bad_hello", "the hello is too long", f"at most {MAX_HELLO_CHARS} characters", str(len(text))
        )
    try:
        hello = json.loads(text)
    except (ValueError, RecursionError):
        raise IngestError(
            "bad_hello", "the hello is no JSON", "a JSON object", f"{len(text)} characters"
        ) from None
    if not isinstance(hello, dict):
        raise IngestError("bad_hello", "the hello is no JSON object", "a JSON object", type(hello).__name__)
    fields = parse_fields({str(key): value for key, value in hello.items()})
    stream_id = hello.get("stream_id")
    if not isinstance(stream_id, str) or not _STREAM_ID.fullmatch(stream_id):
        raise _bad("stream_id", "1 to 128 letters, digits and _.:-", stream_id)
    return Hello(
        stream_id=stream_id,
        leads=_leads(hello.get("leads")),
        rate_hz=_number("rate_hz", hello.get("rate_hz"), *RATES_HZ),
        lsb_mv=_number("lsb_mv", hello.get("lsb_mv"), *STEPS_MV),
        device=fields.device,
        patient_ref=fields.patient_ref,
        started_at=_instant("started_at", hello.get("started_at")),
        device_clock=fields.device_clock,
        fields=fields,
    )


def kept_hello(text: str) -> str:
    """What must be kept of a hello that `parse_hello` has taken: nothing that says who the patient is."""
    hello = json.loads(text)
    return json.dumps({name: hello[name] for name in KEPT if hello.get(name) is not None})


def recording_facts(hello: Hello) -> bytes:
    """What tells one recording from another under the same `stream_id`, however the hello writes it."""
    started_at = None if hello.started_at is None else hello.started_at.astimezone(UTC).isoformat()
    facts = [hello.patient_ref, started_at, hello.leads, hello.rate_hz, hello.lsb_mv]
    return json.dumps(facts).encode()


def is_nameless(hello: Hello) -> bool:
    """Does it say neither whose recording it is nor when it began? Then its samples must show that it is the same."""
    return hello.patient_ref is None and hello.started_at is None


def _bad(name: str, expected: str, value: object) -> IngestError:
    return IngestError("bad_hello", f"{name} cannot be read", f"{name}: {expected}", shown(value))


def _leads(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise _bad("leads", f"a list of names of {' '.join(ALL)}", value)
    names = [canonical(name) if isinstance(name, str) else None for name in value]
    leads = tuple(name for name in names if name is not None)
    if len(leads) != len(value) or len(set(leads)) != len(leads):
        raise _bad("leads", f"names of {' '.join(ALL)}, each once", value)
    return leads


def _number(name: str, value: object, low: float, high: float) -> float:
    fits = isinstance(value, int | float) and not isinstance(value, bool)
    if not fits or not isinstance(value, int | float) or not math.isfinite(value) or not low <= value <= high:
        raise _bad(name, f"a number from {low:g} to {high:g}", value)
    return float(value)


def _instant(name: str, value: object) -> datetime | None:
    if value is None:
        return None
    instant = parse_machine_instant(value) if isinstance(value, str) else None
    if instant is None:
        raise _bad(name, "an instant such as 2026-05-01T16:05:00.000+08:00, or null", value)
    return instant
