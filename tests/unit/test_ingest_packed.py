"""Files made smaller for the wire come back bit for bit, and what would not stay small is refused."""

import lzma
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenchannel.county import devices
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.packed import pack, unpack


@given(st.binary(max_size=5000), st.sampled_from([1, 2, 24, 200]))
def test_packing_loses_nothing(seed: bytes, times: int) -> None:
    """Whatever the bytes are, and however they repeat."""
    data = seed * times
    packed = pack(data)

    assert unpack(packed.encoding, packed.data) == data
    assert len(packed.data) <= len(data)


def test_a_dicom_ecg_goes_over_the_wire_in_less_than_two_fifths() -> None:
    """Twelve leads of 16 bits, differences from one time step to the next."""
    data = devices.as_dicom(devices.simulated("baseline_sinus", seed=3), age_years=60.0, sex="male")
    packed = pack(data)

    assert packed.encoding == "xz"
    assert len(packed.data) < 0.4 * len(data)


@pytest.mark.parametrize(
    "packed", [("xz", lzma.compress(bytes(10**6))), ("zlib", zlib.compress(bytes(10**6)))]
)
def test_a_bomb_is_refused_before_it_is_held(packed: tuple[str, bytes]) -> None:
    """A million zeros in a few hundred bytes, where a thousand are allowed."""
    with pytest.raises(IngestError) as refused:
        unpack(*packed, most_bytes=1000)

    assert refused.value.code == "too_large"
    assert unpack(*packed, most_bytes=10**6) == bytes(10**6)


@pytest.mark.parametrize("encoding", ["xz", "zlib"])
@pytest.mark.parametrize("harm", ["cut", "tail", "other"])
def test_what_is_not_what_it_says_is_malformed(encoding: str, harm: str) -> None:
    """Bytes that break off, go on after the end, or are something else."""
    content = b"an ECG" * 100
    whole = lzma.compress(content) if encoding == "xz" else zlib.compress(content)
    data = {"cut": whole[:-5], "tail": whole + b"x", "other": b"MZ" + whole}[harm]
    with pytest.raises(IngestError) as refused:
        unpack(encoding, data)

    assert refused.value.code == "malformed"


def test_a_dictionary_of_gigabytes_is_not_made_room_for() -> None:
    """The header of an xz stream may ask for up to 4 GiB of memory."""
    huge = lzma.compress(b"x", filters=[{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 26}])
    with pytest.raises(IngestError) as refused:
        unpack("xz", huge)

    assert refused.value.code == "malformed"


def test_an_encoding_that_is_not_known_is_named() -> None:
    """The sender sees which there are."""
    with pytest.raises(IngestError) as refused:
        unpack("br", b"x")

    assert refused.value.code == "bad_field" and "xz" in str(refused.value)
