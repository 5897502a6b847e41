"""The one waveform type of the project."""

import math
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.signal.leads import ALL

ELECTRODE_SETS: Final = ("standard", "posterior", "right", "posterior_right")
"""Where the six chest cables were: as named, on V7–V9, on V3R–V5R, or on both."""

MAX_RATE_HZ: Final = 20_000.0


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Recording:
    """Samples of several leads on one time axis.

    Raises `ValueError` where the parts do not fit together; a `Recording` that exists is valid.
    """

    samples_mv: NDArray[np.float32]
    """Shape ``(leads, samples)``, in mV, C order, read-only. NaN: no sample was recorded there."""

    leads: tuple[str, ...]
    """Wire names, one for each row, no name twice."""

    rate_hz: float
    """Samples per second."""

    started_at: datetime | None = None
    """Instant of the first sample by the device's own clock, aware; None where it is not known."""

    gaps: tuple[tuple[int, int], ...] = ()
    """Half-open ranges of sample indices in which no lead has a sample."""

    electrode_set: str = "standard"
    """One of `ELECTRODE_SETS`."""

    pace_spikes: tuple[int, ...] = field(default=())
    """Sample indices at which the device itself reported a pacing pulse."""

    low_cut_hz: float | None = None
    """Where the device's high-pass filter begins to pass; None: the device does not say."""

    high_cut_hz: float | None = None
    """Where its low-pass filter ceases to pass; None: the device does not say."""

    def __post_init__(self) -> None:
        samples = np.ascontiguousarray(self.samples_mv, dtype=np.float32)
        if samples.ndim != 2 or samples.shape[0] != len(self.leads):
            raise ValueError(
                f"expected samples of shape (leads, samples) with {len(self.leads)} leads, got {samples.shape}"
            )
        if samples.shape[1] == 0 or not self.leads:
            raise ValueError("expected at least one lead and one sample, got none")
        unknown = [name for name in self.leads if name not in ALL]
        if unknown:
            raise ValueError(f"expected lead names of {' '.join(ALL)}, got {unknown}")
        if len(set(self.leads)) != len(self.leads):
            raise ValueError(f"expected each lead once, got {self.leads}")
        if not 0 < self.rate_hz <= MAX_RATE_HZ:
            raise ValueError(f"expected a rate above 0 and up to {MAX_RATE_HZ:g} Hz, got {self.rate_hz!r}")
        if self.started_at is not None and self.started_at.utcoffset() is None:
            raise ValueError(f"expected started_at with a zone, got {self.started_at.isoformat()}")
        if self.electrode_set not in ELECTRODE_SETS:
            raise ValueError(f"expected one of {ELECTRODE_SETS}, got {self.electrode_set!r}")
        for name, cut_hz in (("low_cut_hz", self.low_cut_hz), ("high_cut_hz", self.high_cut_hz)):
            if cut_hz is not None and not 0 < cut_hz < math.inf:
                raise ValueError(f"expected a {name} above 0 Hz, or None, got {cut_hz!r}")
        # An array that owns its samples and lets nobody write is as good as a copy.
        is_kept = samples.base is None and not samples.flags.writeable
        if not is_kept and (samples is self.samples_mv or samples.base is not None):
            samples = samples.copy()
        samples.flags.writeable = False
        object.__setattr__(self, "samples_mv", samples)

    @property
    def duration_s(self) -> float:
        """Length of the time axis in seconds."""
        return len(self.samples_mv[0]) / self.rate_hz

    def lead(self, name: str) -> NDArray[np.float32]:
        """The samples of one lead in mV; raises `KeyError` where it was not recorded."""
        try:
            row: NDArray[np.float32] = self.samples_mv[self.leads.index(name)]
        except ValueError:
            raise KeyError(f"lead {name} is not among {' '.join(self.leads)}") from None
        return row
