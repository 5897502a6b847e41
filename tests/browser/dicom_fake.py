"""A small stand-in for the archive's DICOMweb, answered on the browser's own line: the page without a service."""

import io
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from PIL import Image
from playwright.sync_api import Page, Route
from pydicom.encaps import generate_frames
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut

ROOT = "/dicom-web"
_STUDY = re.compile(rf"{ROOT}/studies(?:/([\d.]+)(.*))?$")


class DicomFake:
    """Answers `/dicom-web` of one page from files.

    Parameters
    ----------
    files
        Part 10 files of any number of studies.
    """

    def __init__(self, files: Sequence[Path | pydicom.Dataset]) -> None:
        self.images = [one if isinstance(one, pydicom.Dataset) else pydicom.dcmread(one) for one in files]
        self.asked: list[str] = []

    def answer_for(self, page: Page) -> None:
        """From now on all that the page asks of DICOMweb is answered here."""
        page.route(re.compile(rf"{ROOT}/"), self._answer)

    def _answer(self, route: Route) -> None:
        path, _, query = route.request.url.split("://", 1)[1].partition("/")[2].partition("?")
        self.asked.append(f"/{path}" + (f"?{query}" if query else ""))
        found = _STUDY.match(f"/{path}")
        assert found is not None, path
        answer = self._of(found[1], found[2] or "", query)
        if answer is None:
            route.fulfill(status=404, json={"code": "not_found"})
        else:
            kind, body = answer
            route.fulfill(status=200, content_type=kind, body=body)

    def _of(self, study: str | None, rest: str, query: str) -> tuple[str, bytes] | None:
        asked = dict(each.split("=", 1) for each in query.split("&") if "=" in each)
        if study is None:
            return _json(self._studies(asked))
        images = [one for one in self.images if study == one.StudyInstanceUID]
        parts = rest.strip("/").split("/")
        if parts == ["series"]:
            return _json(_series(images))
        if parts == ["priors"]:
            rows = self._studies({"PatientID": str(images[0].get("PatientID", ""))} if images else {})
            return _json([row for row in rows if row["0020000D"]["Value"] != [study]])
        for name, tag in (("series", "SeriesInstanceUID"), ("instances", "SOPInstanceUID")):
            if parts[:1] == [name]:
                images = [one for one in images if one.get(tag) == parts[1]]
                parts = parts[2:]
        if not images:
            return None
        frame = int(parts[1]) if parts[:1] == ["frames"] else 1
        if parts == ["metadata"]:
            return _json([_metadata(one) for one in images])
        if parts[-1] in ("thumbnail", "rendered"):
            try:
                return "image/jpeg", _rendered(images[len(images) // 2], frame)
            except (TypeError, ValueError, NotImplementedError, AttributeError, RuntimeError):
                return None
        if parts[:1] == ["frames"]:
            return _multipart(images[0], frame)
        return None

    def _studies(self, asked: dict[str, str]) -> list[dict[str, Any]]:
        found = {}
        for one in self.images:
            if all(str(one.get(name, "")) == value for name, value in asked.items() if name != "limit"):
                row = {
                    tag: one[tag] for tag in (0x0020000D, 0x00080020, 0x00081030, 0x00100020) if tag in one
                }
                found[one.StudyInstanceUID] = {
                    f"{tag:08X}": value.to_json_dict(None, 0) for tag, value in row.items()
                }
        return list(found.values())


def _series(images: Sequence[pydicom.Dataset]) -> list[dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    for one in images:
        tags = (0x0020000E, 0x00200011, 0x00080060, 0x0008103E, 0x00180015)
        row = rows.setdefault(
            one.SeriesInstanceUID,
            {f"{tag:08X}": one[tag].to_json_dict(None, 0) for tag in tags if tag in one},
        )
        count = row.get("00201209", {"Value": [0]})["Value"][0] + 1
        row["00201209"] = {"vr": "IS", "Value": [count]}
    return list(rows.values())


def _metadata(image: pydicom.Dataset) -> dict[str, Any]:
    kept = {each.tag: each for each in image if not each.tag.is_private and each.tag != 0x7FE00010}
    return {f"{tag:08X}": each.to_json_dict(None, 0) for tag, each in kept.items()}


def _json(rows: list[dict[str, Any]]) -> tuple[str, bytes]:
    return "application/dicom+json", json.dumps(rows).encode()


def _rendered(image: pydicom.Dataset, frame: int) -> bytes:
    pixels = image.pixel_array
    if int(image.get("NumberOfFrames", 1) or 1) > 1:
        pixels = pixels[frame - 1]
    if image.SamplesPerPixel == 1:
        values = apply_voi_lut(apply_modality_lut(pixels, image), image).astype(np.float64)
        span = float(values.max() - values.min()) or 1.0
        grey = ((values - values.min()) / span * 255).astype(np.uint8)
        pixels = 255 - grey if image.PhotometricInterpretation == "MONOCHROME1" else grey
    held = io.BytesIO()
    Image.fromarray(pixels).save(held, "JPEG", quality=75)
    return held.getvalue()


def _frames(image: pydicom.Dataset) -> Iterator[bytes]:
    count = int(image.get("NumberOfFrames", 1) or 1)
    if image.file_meta.TransferSyntaxUID.is_encapsulated:
        yield from generate_frames(image.PixelData, number_of_frames=count)
        return
    size = image.Rows * image.Columns * image.SamplesPerPixel * image.BitsAllocated // 8
    for index in range(count):
        yield image.PixelData[index * size : (index + 1) * size]


def _multipart(image: pydicom.Dataset, frame: int) -> tuple[str, bytes]:
    syntax = image.file_meta.TransferSyntaxUID
    body = list(_frames(image))[frame - 1]
    head = f"--part\r\nContent-Type: application/octet-stream; transfer-syntax={syntax}\r\n\r\n".encode()
    return (
        'multipart/related; type="application/octet-stream"; boundary=part',
        head + body + b"\r\n--part--\r\n",
    )
