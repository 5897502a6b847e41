"""A recording on its way through the chain: what is known of it once the borders of its beats are."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from greenchannel.signal import quality
from greenchannel.signal.delineation import Waves
from greenchannel.signal.grid import Floats
from greenchannel.signal.monitor_mode import MonitorEvidence
from greenchannel.signal.recording import Recording
from greenchannel.signal.reversal import Reversal
from greenchannel.signal.strip import Strip


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Found:
    """Median beat of one class and its borders."""

    beat_mv: Floats
    waves: Waves


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Known:
    """What does not change from second to second of a running stream, as it was last seen."""

    monitor: MonitorEvidence | None
    reversal: Reversal | None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Case:
    """A recording whose dominant beat has borders."""

    recording: Recording
    strip: Strip
    reasons: quality.LeadReasons
    codes: list[str]
    found: Mapping[int, Found]
    """The classes that have borders, class 0 among them."""
    stack_mv: Floats
    """Shape ``(beats, leads, samples)``: the beats of class 0."""
    rr_s: float
    """Median RR interval; NaN where there is none."""
    st_reliable: bool
    monitor: MonitorEvidence | None
    known: Known | None = None
    """None where the leads are still to be looked at for a swap."""

    @property
    def main(self) -> Waves:
        """Borders of the dominant beat."""
        return self.found[0].waves

    @property
    def without_p(self) -> "Case":
        """The same, where what was taken for P are waves of the rhythm itself."""
        found = {k: Found(beat_mv=f.beat_mv, waves=f.waves.without_p) for k, f in self.found.items()}
        return replace(self, found=found)
