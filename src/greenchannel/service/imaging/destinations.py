"""To which archives images are sent on, as a file of the settings names them.

```toml
[[to]]
name = "hospital"
sites = ["yinzhao"]          # none: of all sites
way = "dicom"                # C-STORE
title = "PACS"
host = "10.0.0.9"
port = 104

[[to]]
name = "county"
way = "stow"                 # STOW-RS
url = "https://pacs.example/dicom-web"
token_file = "/etc/greenchannel/county.token"   # a bearer token; none: without
```
"""

import re
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Final, Literal

import msgspec

from greenchannel.settings import SettingsError


class Destination(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One archive."""

    name: str
    way: Literal["dicom", "stow"]
    sites: tuple[str, ...] = ()
    title: str = ""
    host: str = ""
    port: int = 104
    url: str = ""
    token_file: str | None = None

    @property
    def actor(self) -> str | None:
        """Under which name the log knows what comes from there; None where that cannot be known."""
        return f"device:dicom-{re.sub(r'[^A-Za-z0-9_.-]', '_', self.title)}" if self.way == "dicom" else None


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    to: tuple[Destination, ...] = ()


class Numbers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table."""

    after_s: tuple[float, ...]
    batch: int
    patience_s: float
    loud_after: int


NUMBERS: Final = msgspec.toml.decode(
    (files("greenchannel") / "service/imaging/forwarding.toml").read_text(encoding="utf-8"), type=Numbers
)


def next_try(now: datetime, failed: int) -> datetime:
    """When it is tried again after `failed` tries, 1 or more."""
    return now + timedelta(seconds=NUMBERS.after_s[min(failed, len(NUMBERS.after_s)) - 1])


def destinations_of(file: Path | None) -> tuple[Destination, ...]:
    """The destinations of a file; none where there is no file. Raises `SettingsError`."""
    if file is None:
        return ()
    try:
        found = msgspec.toml.decode(file.read_bytes(), type=_File).to
    except (OSError, ValueError) as error:
        raise SettingsError(f"expected a file of destinations at {file}, got: {error}") from error
    for one in found:
        needed = (one.title, one.host) if one.way == "dicom" else (one.url,)
        if not all(needed) or not 0 < one.port < 65536:
            raise SettingsError(
                f"expected title and host, or url, of {one.name!r} in {file} 转发目标缺少名称、地址或网址"
            )
    if len({one.name for one in found}) != len(found):
        raise SettingsError(f"expected a name of its own for each destination in {file} 转发目标名称重复")
    return found
