"""Photographs as telephones make them: with the place, the owner and a thumbnail inside."""

import io
import struct
import zlib
from typing import Any, Final

import numpy as np
from PIL import Image, PngImagePlugin

PLACE: Final = b"Yinzhao village"
_GPS, _ORIENTATION, _ARTIST, _DESCRIPTION = 0x8825, 0x0112, 0x013B, 0x010E


def picture(seed: int = 1, size: tuple[int, int] = (60, 40)) -> Image.Image:
    """A sheet of paper with something on it."""
    noise = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(noise)


def exif(orientation: int | None = 6) -> Image.Exif:
    """What a telephone writes: where, by whom, how it was held."""
    found = Image.Exif()
    if orientation is not None:
        found[_ORIENTATION] = orientation
    found[_ARTIST], found[_DESCRIPTION] = "Zhang San", PLACE.decode()
    found.get_ifd(_GPS)[1] = "N"
    found.get_ifd(_GPS)[2] = (33.0, 46.0, 12.0)
    return found


def jpeg(seed: int = 1, orientation: int | None = 6, **given: Any) -> bytes:
    """A photograph with metadata, a comment and a film after its end."""
    out = io.BytesIO()
    options: dict[str, Any] = {"exif": exif(orientation), "comment": PLACE, "xmp": b"<x>" + PLACE + b"</x>"}
    picture(seed).save(out, "JPEG", **options | given)
    return out.getvalue() + b"ftypmp42" + PLACE


def png(seed: int = 1) -> bytes:
    """A screenshot with texts and Exif."""
    out, info = io.BytesIO(), PngImagePlugin.PngInfo()
    info.add_text("Comment", PLACE.decode())
    info.add_itxt("Location", PLACE.decode(), zip=True)
    picture(seed).save(out, "PNG", pnginfo=info, exif=exif(None))
    return out.getvalue() + PLACE


def pdf(seed: int = 1) -> bytes:
    """A document around a photograph, with a readable XMP packet."""
    photo = jpeg(seed)
    xmp = b'<?xpacket begin="\xef\xbb\xbf" id="W5M0"?><x>' + PLACE + b'</x><?xpacket end="w"?>'
    head = b"%%PDF-1.7\n1 0 obj<</Length %d/Filter/DCTDecode>>stream\n" % len(photo)
    return head + photo[: photo.index(b"ftypmp42")] + b"\nendstream endobj\n" + xmp + b"\n%%EOF\n"


def heic(place: bytes = PLACE) -> bytes:
    """A HEIC file of one picture item, Exif and XMP, as far as boxes go; the picture itself is noise."""
    image, where, xmp = b"\x26\x01picture data", b"\0\0\0\0II*\0" + place, b"<x>" + place + b"</x>"
    ftyp = box(b"ftyp", b"heic\0\0\0\0mif1heic")

    def meta(start: int) -> bytes:
        items = [(1, b"hvc1"), (2, b"Exif"), (3, b"mime")]
        infe = b"".join(
            box(b"infe", struct.pack(">IHH4s", 2 << 24, item, 0, kind) + b"\0") for item, kind in items
        )
        places, at = b"", start
        for (item, _), content in zip(items, (image, where, xmp), strict=True):
            places += struct.pack(">HHHII", item, 0, 1, at, len(content))
            at += len(content)
        iloc = struct.pack(">IBBH", 0, 0x44, 0x00, len(items)) + places
        return box(
            b"meta",
            bytes(4)
            + box(b"hdlr", bytes(4))
            + box(b"iinf", struct.pack(">IH", 0, 3) + infe)
            + box(b"iloc", iloc),
        )

    start = len(ftyp) + len(meta(0)) + 8
    return ftyp + meta(start) + box(b"mdat", image + where + xmp) + box(b"uuid", place)


def box(kind: bytes, content: bytes) -> bytes:
    """One box of a HEIC file."""
    return struct.pack(">I", len(content) + 8) + kind + content


def chunk(kind: bytes, content: bytes) -> bytes:
    """One chunk of a PNG file."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
