"""SCP-ECG files (EN 1064, ISO 11073-91064), versions 1 to 3: resting strips with whatever compression."""

from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.parsed import ParsedEcg
from greenchannel.ingest.scaling import ranges_without_samples
from greenchannel.ingest.scp_header import Header, read_header, read_spikes_ms, read_statements
from greenchannel.ingest.scp_healforce import is_healforce, read_healforce
from greenchannel.ingest.scp_sections import LONG_TERM, Sections, read_sections, seems_scp
from greenchannel.ingest.scp_waveform import Strip, read_strip
from greenchannel.signal.recording import Recording


def looks_like_scp(data: bytes) -> bool:
    """Whether `data` begins as an SCP-ECG record does."""
    return seems_scp(data)


def read_scp(data: bytes) -> ParsedEcg:
    """Make one ECG of an SCP-ECG file.

    Raises
    ------
    IngestError
        ``malformed``, ``unsupported``, ``truncated`` or ``too_large``.
    """
    tolerated: list[str] = []
    statements: tuple[str, ...] = ()
    spikes_ms: tuple[int, ...] = ()
    if is_healforce(data):
        strip, header = read_healforce(data, tolerated)
    else:
        sections = read_sections(data, tolerated)
        strip, header = _conforming(sections, tolerated)
        statements = read_statements(sections.get(8), False, header.character_set, tolerated)
        statements = statements or read_statements(sections.get(11), True, header.character_set, tolerated)
        # Version 3 has another section 7.
        spikes_ms = read_spikes_ms(sections.get(7), tolerated) if sections.version < 30 else ()
    acquired = header.acquired
    has_zone = acquired is not None and acquired.utcoffset() is not None
    count = strip.samples_mv.shape[1]
    spikes = sorted({round(time_ms * strip.rate_hz / 1000) for time_ms in spikes_ms})
    if spikes and spikes[-1] >= count:
        tolerated.append("pacing spikes after the end of the strip are left out")
    recording = Recording(
        samples_mv=strip.samples_mv,
        leads=strip.leads,
        rate_hz=strip.rate_hz,
        started_at=acquired if has_zone else None,
        gaps=ranges_without_samples(strip.samples_mv),
        pace_spikes=tuple(spike for spike in spikes if spike < count),
        low_cut_hz=header.filters.get("low_hz"),
        high_cut_hz=header.filters.get("high_hz"),
    )
    return ParsedEcg(
        recording=recording,
        format="scp_ecg",
        age_years=header.age_years,
        sex=header.sex,
        acquired=acquired,
        acquired_has_zone=has_zone,
        identifiers=header.identifiers,
        device_statements=statements,
        filters=header.filters,
        tolerated=tuple(tolerated),
    )


def _conforming(sections: Sections, tolerated: list[str]) -> tuple[Strip, Header]:
    if LONG_TERM in sections.bodies or LONG_TERM in sections.cut:
        if 6 not in sections.bodies:
            raise IngestError(
                "unsupported", "long-term strips are not read", "a resting strip in section 6", "section 12"
            )
        tolerated.append("the long-term strip of section 12 is left out")
    strip = read_strip(sections, tolerated)
    header = read_header(sections.get(1), tolerated)
    if 1 not in sections.bodies:
        tolerated.append("section 1 is missing: nothing is said of patient and time")
    return strip, header
