"""A recording as an HL7 version 3 annotated ECG (aECG, PORT_MT020001)."""

import hashlib
import re
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from typing import Final
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from numpy.typing import NDArray

from greenchannel.ingest.parsed import Sex
from greenchannel.ingest.scaling import MISSING, mv_to_int16
from greenchannel.signal.recording import Recording

_MDC: Final = 'codeSystem="2.16.840.1.113883.6.24" codeSystemName="MDC"'
_ACT: Final = 'codeSystem="2.16.840.1.113883.5.4" codeSystemName="ActCode"'
_FORBIDDEN: Final = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# The ten-second strip of 12 leads has 60,000 numbers; a reader must not be drowned in sets either.
_MAX_SETS: Final = 1000


def write_hl7_aecg(
    recording: Recording,
    *,
    acquired: datetime | None,
    age_years: float | None,
    sex: Sex | None,
    patient_id: str | None = None,
    name: str | None = None,
    lsb_mv: float = 0.0025,
) -> bytes:
    """Write `recording` as one rhythm series in UTF-8; the same input gives the same bytes.

    Samples that are whole steps of `lsb_mv` read back unchanged. The format has no mark for a missing sample: each
    stretch in which the same leads are there is a sequence set of its own, so that what no lead has at the very
    beginning or end is left out, and the time moves accordingly.

    Parameters
    ----------
    acquired
        Start of the acquisition; None writes times from the first sample on.
    lsb_mv
        One step, in mV.

    Raises
    ------
    ValueError
        For samples beyond 16 bits, none at all, or more than 1000 stretches.
    """
    start = acquired if acquired is not None else recording.started_at
    if start is not None and (offset := start.utcoffset()) is not None:
        start = start.astimezone(timezone(offset))
    steps = mv_to_int16(recording.samples_mv, lsb_mv)
    stretches = list(_stretches(steps != MISSING))
    if not 0 < len(stretches) <= _MAX_SETS:
        raise ValueError(f"expected 1 to {_MAX_SETS} stretches with samples, got {len(stretches)}")
    seed = repr((recording.leads, recording.rate_hz, lsb_mv, start, age_years, sex, patient_id, name))
    digest = hashlib.sha256(seed.encode("utf-8", "replace") + steps.astype("<i2").tobytes()).digest()
    first, last = stretches[0][0], stretches[-1][1]
    period = "" if start is None else _period(start, first / recording.rate_hz, last / recording.rate_hz)
    sets = "".join(_set(recording, steps, lsb_mv, start, *stretch) for stretch in stretches)
    document = f"""<?xml version="1.0" encoding="UTF-8"?>
<AnnotatedECG xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" classCode="OBS">
<id root="{uuid.UUID(bytes=digest[:16], version=4)}"/>
<code code="93000" codeSystem="2.16.840.1.113883.6.12" codeSystemName="CPT-4"/>
{period}<componentOf><timepointEvent><componentOf><subjectAssignment><subject><trialSubject>
<id root="{uuid.UUID(bytes=digest[16:], version=4)}" extension={_quoted(patient_id or "")}/>
{_person(name, sex)}</trialSubject></subject></subjectAssignment></componentOf></timepointEvent></componentOf>
{_age(age_years)}<component><series>
<code code="RHYTHM" {_ACT}/>
{period}<author><seriesAuthor><manufacturedSeriesDevice><manufacturerModelName>greenchannel</manufacturerModelName>
</manufacturedSeriesDevice></seriesAuthor></author>
{_filters(recording)}{sets}</series></component>
</AnnotatedECG>
"""
    return document.encode()


def _text(text: str) -> str:
    return escape(_FORBIDDEN.sub("\ufffd", text))


def _quoted(text: str) -> str:
    return quoteattr(_FORBIDDEN.sub("\ufffd", text))


def _stretches(there: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Half-open ranges of samples in which the same leads, one at least, are there."""
    change = (there[:, 1:] != there[:, :-1]).any(axis=0)
    edges = [0, *(np.flatnonzero(change) + 1).tolist(), there.shape[1]]
    for begin, end in pairwise(edges):
        if there[:, begin].any():
            yield begin, end


def _stamp(start: datetime, seconds: float) -> str:
    at = start + timedelta(seconds=seconds)
    offset = at.utcoffset()
    zone = ""
    if offset is not None:
        minutes = int(offset.total_seconds()) // 60
        zone = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}{abs(minutes) % 60:02d}"
    return f"{at.year:04d}{at:%m%d%H%M%S}.{at.microsecond:06d}{zone}"


def _period(start: datetime, begin_s: float, end_s: float) -> str:
    return (
        f'<effectiveTime><low value="{_stamp(start, begin_s)}" inclusive="true"/>'
        f'<high value="{_stamp(start, end_s)}" inclusive="false"/></effectiveTime>\n'
    )


def _person(name: str | None, sex: Sex | None) -> str:
    code = {"male": "M", "female": "F", None: "UN"}[sex]
    return (
        f"<subjectDemographicPerson><name>{_text(name or '')}</name>"
        f'<administrativeGenderCode code="{code}" codeSystem="2.16.840.1.113883.5.1"/></subjectDemographicPerson>\n'
    )


def _age(age_years: float | None) -> str:
    if age_years is None:
        return ""
    return (
        '<controlVariable><relatedObservation><code code="21612-7" codeSystem="2.16.840.1.113883.6.1" '
        'codeSystemName="LOINC" displayName="Reported Age"/>'
        f'<value xsi:type="PQ" value="{age_years!r}" unit="a"/></relatedObservation></controlVariable>\n'
    )


def _filters(recording: Recording) -> str:
    cuts = (("LOW_PASS", recording.high_cut_hz), ("HIGH_PASS", recording.low_cut_hz))
    return "".join(
        f'<controlVariable><controlVariable><code code="MDC_ECG_CTL_VBL_ATTR_FILTER_{kind}" {_MDC}/>'
        f'<component><controlVariable><code code="MDC_ECG_CTL_VBL_ATTR_FILTER_CUTOFF_FREQ" {_MDC}/>'
        f'<value xsi:type="PQ" value="{cut_hz!r}" unit="Hz"/></controlVariable></component>'
        "</controlVariable></controlVariable>\n"
        for kind, cut_hz in cuts
        if cut_hz is not None
    )


def _set(
    recording: Recording,
    steps: NDArray[np.int16],
    lsb_mv: float,
    start: datetime | None,
    begin: int,
    end: int,
) -> str:
    """One sequence set: the time, and the leads that have samples in this stretch."""
    begin_s = begin / recording.rate_hz
    if start is None:
        kind, head = "RELATIVE", f'xsi:type="GLIST_PQ"><head value="{begin_s!r}" unit="s"/>'
    else:
        kind, head = "ABSOLUTE", f'xsi:type="GLIST_TS"><head value="{_stamp(start, begin_s)}"/>'
    increment = np.format_float_positional(1.0 / recording.rate_hz, precision=15, fractional=False, trim="-")
    text = (
        f'<component><sequenceSet><component><sequence><code code="TIME_{kind}" {_ACT}/>'
        f'<value {head}<increment value="{increment}" unit="s"/></value></sequence></component>\n'
    )
    step = f'<origin value="0" unit="uV"/><scale value="{lsb_mv * 1000:.15g}" unit="uV"/>'
    for lead, row in zip(recording.leads, steps, strict=True):
        if row[begin] != MISSING:
            digits = " ".join(map(str, row[begin:end].tolist()))
            text += (
                f'<component><sequence><code code="MDC_ECG_LEAD_{lead.upper()}" {_MDC}/>'
                f'<value xsi:type="SLIST_PQ">{step}<digits>{digits}</digits></value></sequence></component>\n'
            )
    return text + "</sequenceSet></component>\n"
