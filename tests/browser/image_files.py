"""Images that a clinic's machine sends, and how it sends them."""

from collections.abc import Sequence
from pathlib import Path

import httpx
import pydicom

from tests.browser.people import People

BOUNDARY = "part"
TEST_FILES = Path(pydicom.data.__file__).parent / "test_files"


def stow(
    people: People,
    files: Sequence[bytes],
    *,
    site: str = "yinzhao",
    case_id: str | None = None,
    refused: bool = False,
) -> None:
    """One request of STOW-RS with all of a study, as the machine of a clinic; `refused`: nothing of it is taken."""
    head = f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    body = b"".join(head + data + b"\r\n" for data in files) + f"--{BOUNDARY}--\r\n".encode()
    kind = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'
    token = people.county.tokens[f"ecg-{site}"]
    with httpx.Client(base_url=people.county.base, timeout=60.0, trust_env=False) as http:
        sent = http.post(
            "/dicom-web/studies",
            content=body,
            params={} if case_id is None else {"case_id": case_id},
            headers={"Authorization": f"Bearer {token}", "Content-Type": kind},
        )
    assert sent.status_code == (409 if refused else 200), sent.text
