"""Whether two files are one object that was only written in another way."""

import io
import warnings
from typing import Final

from greenchannel.ingest.dicom_tags import DEFLATED, EXPLICIT, IMPLICIT, inflated
from greenchannel.ingest.imaging.instance import head_of

NATIVE: Final = frozenset({IMPLICIT, EXPLICIT, DEFLATED})
"""Transfer syntaxes that differ in how elements are written, and in nothing that they say."""


def same_object(one: bytes, other: bytes) -> bool:
    """Do both files hold the same elements? False where either cannot be read or is compressed.

    Nodes negotiate how elements are written, and an object that comes once by DICOM and once by HTTP mostly comes both
    ways. Compared as implicit VR, in which no file can say less than in another.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _plain(one) == _plain(other)
    except Exception:  # noqa: BLE001 - pydicom raises whatever the bytes provoke; then they are not known to be the same
        return False


def _plain(data: bytes) -> bytes:
    from pydicom import dcmread, dcmwrite
    from pydicom.dataset import Dataset
    from pydicom.filereader import read_dataset

    syntax, starts_at = head_of(data)
    if syntax not in NATIVE:
        raise ValueError("expected a transfer syntax that is native")
    if syntax == DEFLATED:
        dataset: Dataset = read_dataset(io.BytesIO(inflated(data, starts_at)), False, True)
    else:
        dataset = dcmread(io.BytesIO(data))
    bare = Dataset()  # without the head of the file
    bare.update({tag: dataset[tag] for tag in dataset.keys() if tag.element != 0})  # noqa: SIM118 - no lengths of groups
    out = io.BytesIO()
    dcmwrite(out, bare, implicit_vr=True, little_endian=True)
    return out.getvalue()
