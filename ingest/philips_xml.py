"""Philips ECGs in XML (``restingecgdata``, Sierra 1.03 to 1.04.02): PageWriter carts, TraceMasterVue, IntelliSpace."""

import base64
import binascii
import re
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.ingest.bounds import MAX_CHANNELS
from greenchannel.ingest.errors import IngestError, shown
from greenchannel.ingest.lead_names import lead_of_name
from greenchannel.ingest.number_lists import MAX_XML_VALUES, too_many
from greenchannel.ingest.parsed import ParsedEcg, age_between, plausible_age, sex_of
from greenchannel.ingest.philips_xli import len_without_calibration, unpack_xli
from greenchannel.ingest.xml_fields import (
    decimal,
    filters_of,
    identifiers_of,
    moment,
    recording_of,
    statements_of,
)
from greenchannel.ingest.xml_safe import Node, parse_xml, root_name
from greenchannel.signal.leads import STANDARD_12

_TYPES: Final = ("PhilipsECG", "SierraECG")
_VERSIONS: Final = ("1.03", "1.04", "1.04.01", "1.04.02")
_STANDARD_LEADS: Final = ("STD-12", "10-WIRE")
_LIMB: Final = ("I", "II", "III", "aVR", "aVL", "aVF")
# Two steps are what rounding leaves of Einthoven's law.
_ROUNDING_STEPS: Final = 2


def looks_like_philips_xml(data: bytes) -> bool:
    """Whether the root element is ``restingecgdata``."""
    return root_name(data) == "restingecgdata"


def read_philips_xml(data: bytes) -> ParsedEcg:
    """Make one ECG of a Philips file: its rhythm strip, all leads.

    Raises
    ------
    IngestError
        ``malformed``, ``unsupported`` (also for a document type or version not known), ``truncated``, ``too_large``
        or ``empty_body``.
    """
    tolerated: list[str] = []
    root = parse_xml(data, tolerated)
    if root.name != "restingecgdata":
        raise IngestError("malformed", "the XML is no Philips ECG", "restingecgdata", shown(root.name))
    _check_type(root)
    waves = root.find("waveforms/parsedwaveforms") or next(root.iter("parsedwaveforms"), None)
    if waves is None:
        raise IngestError("malformed", "the file has no rhythm strip", "parsedwaveforms", "none")
    if next(root.iter("repbeats"), None) is not None:
        tolerated.append("the representative beats are left out")
    signal = root.find("dataacquisition/signalcharacteristics") or Node("", {})
    rate_hz = _said(waves, "samplespersecond", signal, "samplingrate")
    rows = _rows(waves, signal, rate_hz, tolerated)
    filters = _filters(waves, signal)
    acquired = _acquired(root, tolerated)
    patient = root.find("patient/generalpatientdata") or Node("", {})
    return ParsedEcg(
        recording=recording_of(
            rows,
            rate_hz=rate_hz,
            acquired=acquired,
            filters=filters,
            tolerated=tolerated,
            pace_spikes=_pace_spikes(root, rate_hz),
        ),
        format="philips_xml",
        age_years=_age(patient, acquired, tolerated),
        sex=sex_of(patient.word("sex")),
        acquired=acquired,
        acquired_has_zone=acquired is not None and acquired.utcoffset() is not None,
        identifiers=identifiers_of(
            [patient.word(f"name/{part}") for part in ("lastname", "firstname", "middlename")],
            patient.word("patientid"),
        ),
        device_statements=_statements(root, tolerated),
        filters=filters,
        tolerated=tuple(tolerated),
    )


def _check_type(root: Node) -> None:
    kind, version = root.word("documentinfo/documenttype"), root.word("documentinfo/documentversion")
    if kind not in _TYPES:
        raise IngestError(
            "unsupported",
            "the document type is not read",
            " or ".join(_TYPES),
            shown(kind, 40) if kind else "none",
        )
    if version not in _VERSIONS:
        raise IngestError(
            "unsupported", f"the version of {kind} is not read", " ".join(_VERSIONS), shown(version, 40)
        )


def _said(waves: Node, attribute: str, signal: Node, element: str) -> float | None:
    """A number that version 1.04 writes beside the samples, and 1.03 among the characteristics of the signal."""
    value = decimal(waves.attributes.get(attribute))
    return value if value is not None else decimal(signal.word(element))


def _rows(
    waves: Node, signal: Node, rate_hz: float | None, tolerated: list[str]
) -> dict[str, NDArray[np.float64]]:
    labels = _labels(waves, signal)
    duration_ms = decimal(waves.attributes.get("durationperchannel"))
    if not rate_hz or rate_hz < 0 or not duration_ms or duration_ms < 0:
        raise IngestError(
            "malformed", "the length of the strip is not given", "a rate and a duration", "none"
        )
    samples = int(min(duration_ms * rate_hz / 1000, MAX_XML_VALUES + 1.0))
    if samples * len(labels) > MAX_XML_VALUES:
        raise too_many(samples * len(labels))
    steps = _steps(waves, signal, labels, samples)
    uv_per_step = _said(waves, "resolution", signal, "resolution")
    if not uv_per_step or uv_per_step < 0:
        raise IngestError("malformed", "the amplitude of a step is not given", "a resolution in uV", "none")
    if _said(waves, "signaloffset", signal, "signaloffset"):
        tolerated.append("the file has a signal offset, which is not applied")
    length = len_without_calibration(steps, 1000 / uv_per_step)
    if length < samples:
        tolerated.append(f"the calibration pulse at the end ({samples - length} samples) is left out")
    rows: dict[str, NDArray[np.float64]] = {}
    for index, label in enumerate(labels):
        lead = lead_of_name(label)
        if lead is None or lead in rows:
            tolerated.append(f"channel {index + 1} is no lead known here, or comes twice; left out")
            continue
        rows[lead] = steps[index, :length] * np.float64(uv_per_step * 1e-3)
    return rows


def _labels(waves: Node, signal: Node) -> list[str]:
    count = _said(waves, "numberofleads", signal, "numberchannelsallocated")
    if count is None or not 0 < count <= MAX_CHANNELS or count != int(count):
        raise IngestError("malformed", "the number of leads is wrong", f"1 to {MAX_CHANNELS}", f"{count}")
    labels = waves.attributes.get("leadlabels", "").split()
    if not labels and signal.word("acquisitiontype") in _STANDARD_LEADS:
        labels = list(STANDARD_12)
    if len(labels) < count:
        raise IngestError("malformed", "leads have no name", f"{count:g} names", str(len(labels)))
    return labels[: int(count)]


def _steps(waves: Node, signal: Node, labels: list[str], samples: int) -> NDArray[np.int32]:
    """Stored integers ``(leads, samples)``, the limb leads put together again."""
    bits = _said(waves, "bitspersample", signal, "bitspersample")
    signed = waves.attributes.get("signalsigned") or signal.word("signalsigned") or "True"
    if bits not in (None, 16) or signed.lower() != "true":
        raise IngestError(
            "unsupported", "the sample form is not read", "16 bits, signed", f"{bits}, {signed}"[:40]
        )
    if waves.attributes.get("dataencoding", "").lower() != "base64":
        encoding = waves.attributes.get("dataencoding", "none")
        raise IngestError(
            "unsupported", "the encoding of the samples is not read", "Base64", shown(encoding, 20)
        )
    try:
        body = base64.b64decode(re.sub(r"\s+", "", waves.text), validate=True)
    except (binascii.Error, ValueError) as error:
        raise IngestError("malformed", "the samples are not in base64", "base64", "other text") from error
    said = waves.attributes.get("compression") or waves.attributes.get("compressmethod") or "Uncompressed"
    limbs = tuple(lead_of_name(label) for label in labels[:6]) == _LIMB
    match said.upper():
        case "XLI":
            if not limbs:
                got = shown(" ".join(labels[:6]))
                raise IngestError(
                    "unsupported", "XLI is read for limb leads first alone", " ".join(_LIMB), got
                )
            return _limbs_whole(unpack_xli(body, len(labels), samples).astype(np.int32))
        case "UNCOMPRESSED" | "NONE":
            needed = 2 * samples * len(labels)
            if len(body) < needed:
                raise IngestError("truncated", "the strip is too short", f"{needed} bytes", f"{len(body)}")
            raw = np.frombuffer(body, dtype="<i2", count=needed // 2).reshape(len(labels), samples)
            return _by_einthoven(raw.astype(np.int32)) if limbs else raw.astype(np.int32)
        case _:
            raise IngestError("unsupported", "the compression is not read", "XLI or none", shown(said, 20))


def _limbs_whole(raw: NDArray[np.int32]) -> NDArray[np.int32]:
    """III, aVR, aVL and aVF, which are stored as what is left of their value by I and II (III for the last two)."""
    one, two = raw[0], raw[1]
    whole = raw.copy()
    three = two - one - raw[2]
    whole[2] = three
    whole[3] = -raw[3] - ((one + two) >> 1)
    whole[4] = ((one - three) >> 1) - raw[4]
    whole[5] = ((two + three) >> 1) - raw[5]
    return whole


def _by_einthoven(raw: NDArray[np.int32]) -> NDArray[np.int32]:
    """Plain samples, in which the limb leads may be stored either way: that in which III = II − I.

    Raises
    ------
    IngestError
        ``unsupported`` where they are stored neither way.
    """
    if np.abs(raw[2] - (raw[1] - raw[0])).max(initial=0) <= _ROUNDING_STEPS:
        return raw
    if np.abs(raw[2]).max(initial=0) <= _ROUNDING_STEPS:
        return _limbs_whole(raw)
    raise IngestError("unsupported", "the limb leads do not fit together", "III = II − I", "other values")


def _filters(waves: Node, signal: Node) -> dict[str, float]:
    """The filters through which the samples went; those of the printed report (``reportbandwidth``) are others."""
    notched = (waves.attributes.get("notchfiltered") or signal.word("notchfiltered")).lower() == "true"
    notch_hz = decimal(waves.attributes.get("notchfilterfreqs")) or decimal(signal.word("acsetting"))
    return filters_of(
        _said(waves, "hipass", signal, "hipass"),
        _said(waves, "lowpass", signal, "lowpass"),
        notch_hz if notched else None,
    )


def _pace_spikes(root: Node, rate_hz: float | None) -> tuple[int, ...]:
    """Pulses that the device found, in ms from the start as all times of this format.  [K, not seen on a device]"""
    pulses = root.findall("internalmeasurements/crossleadmeasurements/pacepulses/pacepulse")
    starts_ms = [decimal(pulse.attributes.get("starttime")) for pulse in pulses]
    known = [start for start in starts_ms if start is not None and 0 <= start <= 1e9]
    return tuple(sorted({round(start * (rate_hz or 0.0) / 1000) for start in known}))


def _acquired(root: Node, tolerated: list[str]) -> datetime | None:
    acquisition = root.find("dataacquisition") or Node("", {})
    day, clock = (acquisition.attributes.get(name, "").strip() for name in ("date", "time"))
    if not day or not clock:
        return None
    return moment(day.replace("-", "") + clock.replace(":", ""), "the acquisition's date and time", tolerated)


def _age(patient: Node, acquired: datetime | None, tolerated: list[str]) -> float | None:
    """The age that is given, or that of the day of birth; ``defaultage`` is what the device assumes, and no age."""
    for unit, share in (("years", 1.0), ("months", 1 / 12), ("weeks", 7 / 365.25), ("days", 1 / 365.25)):
        number = decimal(patient.word(f"age/{unit}"))
        if number is not None:
            age_years, note = plausible_age(str(number * share))
            tolerated += [note] if note else []
            return age_years
    born = patient.word("age/dateofbirth") or patient.word("dateofbirth")
    return age_between(moment(born.replace("-", ""), "the day of birth", tolerated), acquired)


def _statements(root: Node, tolerated: list[str]) -> tuple[str, ...]:
    """Statements with their reasons, then the overall one, of the first interpretation: later ones are edited."""
    interpretations = root.findall("interpretations/interpretation")
    if len(interpretations) > 1:
        tolerated.append(f"of {len(interpretations)} interpretations the first is kept")
    texts: list[str] = []
    for interpretation in interpretations[:1]:
        for statement in interpretation.findall("statement"):
            sides = (statement.word("leftstatement"), statement.word("rightstatement"))
            texts.append(", ".join(side for side in sides if side))
        texts.append(interpretation.word("severity"))
    return statements_of(texts)
