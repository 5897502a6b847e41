"""The formats of single files, in the order in which they are tried. The content decides, never the name.

A new format is one module and one row here. WFDB, which comes as several files, is seen to by `reader`.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from greenchannel.ingest.cardiosoft_xml import looks_like_cardiosoft_xml, read_cardiosoft_xml
from greenchannel.ingest.csv_ecg import looks_like_csv, read_csv
from greenchannel.ingest.dicom_ecg import looks_like_dicom, read_dicom
from greenchannel.ingest.edf import looks_like_edf, read_edf
from greenchannel.ingest.fhir_observation import looks_like_fhir, read_fhir
from greenchannel.ingest.hl7_aecg import looks_like_hl7_aecg, read_hl7_aecg
from greenchannel.ingest.hl7_oru import looks_like_hl7, read_hl7
from greenchannel.ingest.ishne import looks_like_ishne, read_ishne
from greenchannel.ingest.mfer import looks_like_mfer, read_mfer
from greenchannel.ingest.muse_xml import looks_like_muse_xml, read_muse_xml
from greenchannel.ingest.parsed import ParsedEcg
from greenchannel.ingest.philips_xml import looks_like_philips_xml, read_philips_xml
from greenchannel.ingest.schiller_xml import looks_like_schiller_xml, read_schiller_xml
from greenchannel.ingest.scp_ecg import looks_like_scp, read_scp


class Format(NamedTuple):
    """One format: how it is recognised by its first bytes, and its reader, which raises `IngestError` alone."""

    name: str
    """As in `ParsedEcg.format`."""
    looks_like: Callable[[bytes], bool]
    read: Callable[[bytes], ParsedEcg]


FORMATS: Final[tuple[Format, ...]] = (
    Format("dicom", looks_like_dicom, read_dicom),
    Format("scp_ecg", looks_like_scp, read_scp),
    Format("hl7_aecg", looks_like_hl7_aecg, read_hl7_aecg),
    Format("muse_xml", looks_like_muse_xml, read_muse_xml),
    Format("philips_xml", looks_like_philips_xml, read_philips_xml),
    Format("schiller_xml", looks_like_schiller_xml, read_schiller_xml),
    Format("cardiosoft_xml", looks_like_cardiosoft_xml, read_cardiosoft_xml),
    Format("edf", looks_like_edf, read_edf),
    Format("ishne", looks_like_ishne, read_ishne),
    Format("mfer", looks_like_mfer, read_mfer),
    Format("hl7v2", looks_like_hl7, read_hl7),
    Format("fhir", looks_like_fhir, read_fhir),
    Format("csv", looks_like_csv, read_csv),
)
