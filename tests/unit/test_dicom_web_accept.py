"""What a DICOMweb client can take, as its Accept header has it."""

import pytest

from greenchannel.viewer.dicom_web_accept import wanted


@pytest.mark.parametrize(
    ("header", "media"),
    [
        ("a/b;q=foo,,,;;;", ["a/b"]),
        (";,image/png;q=0.5,;;, image/jpeg", ["image/jpeg", "image/png"]),
        (";;;", ["*/*"]),
        (",", ["*/*"]),
        ("", ["*/*"]),
        ("image/png;q=nan,image/jpeg", ["image/jpeg"]),
        ('multipart/related;;type="application/dicom";;', ["application/dicom"]),
    ],
)
def test_what_says_nothing_in_a_header_is_passed_over(header: str, media: list[str]) -> None:
    """Empty items and empty parameters are no fault of ours; a header of nothing else is as good as none."""
    assert [one.media for one in wanted(header)] == media
