"""The formats of single files, in the order in which they are tried. The content decides, never the name.

A new format is one module and one row here. WFDB, which comes as several files, is seen to by `reader`.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from greenchannel.ingest.dicom_ecg import looks_like_dicom, read_dicom
from greenchannel.ingest.parsed import ParsedEcg


class Format(NamedTuple):
    """One format: how it is recognised by its first bytes, and its reader, which raises `IngestError` alone."""

    name: str
    """As in `ParsedEcg.format`."""
    looks_like: Callable[[bytes], bool]
    read: Callable[[bytes], ParsedEcg]


FORMATS: Final[tuple[Format, ...]] = (Format("dicom", looks_like_dicom, read_dicom),)
