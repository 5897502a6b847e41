"""The files of a series as detectors look at them: the values that the viewer shows, or a reason."""

import io

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from greenchannel.ingest.imaging.pixels import values_hu
from greenchannel.service.imaging.detector_series import series_of
from greenchannel.triage.detectors.volume import NotAnalysed
from tests.imaging_files import ct, written


def changed(**more: object) -> Dataset:
    image = pydicom.dcmread(io.BytesIO(ct(1)))
    for keyword, value in more.items():
        setattr(image, keyword, value)
    return image


def test_bits_beside_the_value_are_no_hounsfield_units() -> None:
    """An overlay in the bits above the twelve stored ones would be blood of 4096 HU."""
    plain = changed()
    marked = np.frombuffer(plain.PixelData, "<u2") | 0x1000
    (one,) = series_of([written(changed(PixelData=marked.astype("<u2").tobytes()))]).slices
    (other,) = series_of([written(plain)]).slices

    np.testing.assert_array_equal(one.values_hu, other.values_hu)
    np.testing.assert_array_equal(one.values_hu, values_hu(written(plain)))


def test_a_table_of_another_unit_is_not_analysed() -> None:
    """A table stands above slope and intercept."""
    table = Dataset()
    table.LUTDescriptor = [4096, 0, 16]
    table.ModalityLUTType = "OD"
    table.LUTData = np.arange(4096, dtype="<u2").tobytes()

    with pytest.raises(NotAnalysed) as refused:
        series_of([written(changed(ModalityLUTSequence=[table]))])
    assert refused.value.code == "not_hounsfield"


def test_an_object_without_a_picture_is_not_analysed() -> None:
    """And says so."""
    image = changed()
    del image.PixelData
    with pytest.raises(NotAnalysed) as refused:
        series_of([written(image)])
    assert refused.value.code == "undecodable"
