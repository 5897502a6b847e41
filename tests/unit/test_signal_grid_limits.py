"""What counts as a recorded sample, and the constant that is taken off each lead first."""

import numpy as np
import pytest

from greenchannel.signal.grid import to_analysis_grid


@pytest.mark.parametrize(("rate_hz", "longest"), [(500.0, 5), (1000.0, 10), (250.0, 2)])
def test_a_gap_of_10_ms_is_bridged_and_measured(rate_hz: float, longest: int) -> None:
    """A longer one is bridged for the filters alone, and so is a gap at either end."""
    for first, count, recorded in (
        (200, longest, True),
        (200, longest + 1, False),
        (0, 2, False),
        (598, 2, False),
    ):
        x = np.random.default_rng(1).standard_normal((2, 600)).astype(np.float32)
        x[0, first : first + count] = np.nan
        level, valid = to_analysis_grid(x, rate_hz)
        assert np.isfinite(level).all()
        assert (valid is None or bool(valid.all())) == recorded


@pytest.mark.parametrize(("size_mv", "recorded"), [(999.0, True), (1000.0, True), (1001.0, False)])
def test_no_electrode_on_a_body_gives_more_than_a_volt(size_mv: float, recorded: bool) -> None:
    """Such a sample was not recorded, whatever its sign."""
    for sign in (-1, 1):
        x = np.zeros((2, 600), dtype=np.float32)
        x[1, 300:310] = sign * size_mv
        _, valid = to_analysis_grid(x, 500.0)
        assert (valid is None) == recorded
        assert valid is None or np.flatnonzero(~valid[1]).tolist() == list(range(300, 310))


def test_the_mean_of_every_64th_sample_is_taken_off() -> None:
    """Of each lead its own, from the first sample on."""
    x = np.zeros((2, 640), dtype=np.float32)
    x[0, ::64], x[1] = 1.0, np.where(np.arange(640) % 64 == 1, 9.0, 3.0)
    level, _ = to_analysis_grid(x, 500.0)
    assert np.array_equal(level[0], x[0] - 1) and np.array_equal(level[1], x[1] - 3)
