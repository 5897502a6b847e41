"""JPEG Extended with 12 bits, decoded by GDCM; a plug-in of pydicom's decoder, whose own refuses more than 8 bits.

Compared with DCMTK's on the files of pydicom: equal, value by value.
"""

from typing import Final

from pydicom.pixels.decoders import gdcm as by_gdcm
from pydicom.pixels.decoders.base import DecodeRunner, get_decoder
from pydicom.uid import JPEGExtended12Bit

DECODER_DEPENDENCIES: Final = {JPEGExtended12Bit: ("gdcm>=3.0.10",)}
LABEL: Final = "gdcm-12-bit"


def is_available(uid: str) -> bool:
    """Is GDCM there, and is this its syntax?"""
    return uid in DECODER_DEPENDENCIES and bool(by_gdcm.HAVE_GDCM)


def decode_frame(src: bytes, runner: DecodeRunner) -> bytes:
    """One frame; samples of 16 bits, little endian."""
    import gdcm

    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(src)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((runner.columns, runner.rows, 1))
    image.SetDataElement(element)
    kind = gdcm.PhotometricInterpretation.GetPIType(str(runner.photometric_interpretation))
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(kind))
    syntax = gdcm.TransferSyntax.GetTSType(str.__str__(runner.transfer_syntax))
    image.SetTransferSyntax(gdcm.TransferSyntax(syntax))
    image.SetPixelFormat(
        gdcm.PixelFormat(
            runner.samples_per_pixel,
            runner.bits_allocated,
            runner.bits_stored,
            runner.bits_stored - 1,
            runner.pixel_representation,
        )
    )
    # GDCM gives bytes as text.
    return bytes(image.GetBuffer().encode("utf-8", "surrogateescape"))


def install() -> None:
    """Add the plug-in to pydicom's decoder; doing it again changes nothing."""
    decoder = get_decoder(JPEGExtended12Bit)
    if LABEL not in (*decoder.available_plugins, *decoder.missing_dependencies):
        decoder.add_plugin(LABEL, (__name__, "decode_frame"))
