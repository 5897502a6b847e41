"""How much is taken at once. All bounds are checked on what is announced, before anything is allocated.  [O]"""

from typing import Final

MAX_BYTES: Final = 64 * 2**20
"""One upload: all its files together."""

MAX_UNPACKED_BYTES: Final = 128 * 2**20
"""What the members of one archive may hold together."""

MAX_MEMBERS: Final = 256
"""Members of one archive, and files of one upload."""

MAX_CHANNELS: Final = 64
"""Signals of one record, ECG leads or not."""

MAX_VALUES: Final = 40_000_000
"""Leads times samples: 18 leads, 500 Hz, a little more than an hour."""

MAX_HEADER_BYTES: Final = 256 * 2**10
"""A WFDB header."""

MAX_BYTES_OF: Final = {"ecg": MAX_BYTES, "photograph": 20 * 2**20, "pdf": 20 * 2**20}
"""One upload, by what it is. A telephone's photograph takes 2 to 12 MiB."""

MAX_PIXELS: Final = 200_000_000
"""Of a photograph, as it announces itself; it is drawn by the reader's browser, never here."""
