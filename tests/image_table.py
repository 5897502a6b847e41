"""What the service has taken in, seen from beside it: also while it works, and after it was killed."""

import sqlite3
from contextlib import closing
from pathlib import Path


def kept_images(folder: Path) -> dict[str, str]:
    """SOP instance UID → SHA-256 of the objects that a county's database has."""
    uri = f"file:{folder / 'greenchannel.sqlite'}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, timeout=10.0)) as database:
        return dict(database.execute("SELECT sop_uid, sha256 FROM image_instances"))
