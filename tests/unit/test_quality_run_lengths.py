"""How long charts stay quiet without a cause, and how soon they speak with one: the promise of their settings."""

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from greenchannel.alerts.quality import charts
from greenchannel.alerts.quality.chart_sets import charts_of
from tests.quality_county import WATCH_FROM, chest_pain

MOST = 8000

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
Indices = np.ndarray[tuple[int, ...], np.dtype[np.int64]]


def first_alarms(draw: Callable[[int, Indices], Floats], runs: int) -> Floats:
    """Cases until the network's CUSUM signals, of many at once; `draw` gives the n-th value of those still quiet."""
    rule = charts.cusum_rule("network")
    up, down, length = np.zeros(runs), np.zeros(runs), np.full(runs, float(MOST))
    alive: Indices = np.arange(runs)
    for n in range(1, MOST + 1):
        step = draw(n, alive).clip(-charts.clip_sd(), charts.clip_sd())
        up[alive] = np.maximum(up[alive] + step - rule.reference_sd, 0.0)
        down[alive] = np.maximum(down[alive] - step - rule.reference_sd, 0.0)
        ended = np.maximum(up[alive], down[alive]) > rule.limit_sd
        length[alive[ended]] = n
        alive = alive[~ended]
        if not len(alive):
            break
    return length


def run_lengths(rng: np.random.Generator, *, shift_sd: float, runs: int, baseline: int | None) -> Floats:
    """Run lengths where so many cases give mean and SD, or both are known."""
    mean, sd = np.zeros(runs), np.ones(runs)
    if baseline is not None:
        drawn = rng.normal(size=(runs, baseline))
        mean, sd = drawn.mean(axis=1), drawn.std(axis=1, ddof=1)
    return first_alarms(
        lambda n, alive: (rng.normal(size=len(alive)) + shift_sd - mean[alive]) / sd[alive], runs
    )


def test_the_fast_reckoning_is_that_of_the_product() -> None:
    """Run lengths are computed for many charts at once; the product's own code comes to the same."""
    values = (
        np.random.default_rng(1).normal(0.3, 1.0, size=(40, MOST)).clip(-charts.clip_sd(), charts.clip_sd())
    )
    paths = [charts.cusum(row.tolist(), charts.cusum_rule("network")) for row in values]

    assert first_alarms(lambda n, alive: values[alive, n - 1], 40).tolist() == [
        path.alarms[0].found + 1 for path in paths
    ]


@pytest.mark.parametrize("baseline", [None, 100, 300])
def test_a_chart_is_quiet_for_370_cases_and_finds_a_shift_within_12(baseline: int | None) -> None:
    """With a known mean and SD, and with both estimated from so many cases."""
    rng = np.random.default_rng(7)
    quiet = run_lengths(rng, shift_sd=0.0, runs=600, baseline=baseline).mean()
    found = run_lengths(rng, shift_sd=1.0, runs=3000, baseline=baseline).mean()

    assert quiet >= 370
    assert found <= 12


@pytest.mark.soak
def test_all_charts_of_a_county_together_alarm_in_vain_less_than_monthly(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """113 clinics and their readers over a year in which nothing changes, each chart with a baseline of its own."""
    told: Counter[str] = Counter()
    shown: Counter[str] = Counter()
    years = 5
    for seed in range(1, years + 1):
        found = charts_of(chest_pain(seed), watch_from=WATCH_FROM, scopes=("clinic", "reader"))
        shown.update(f"{one.scope}/{one.measure}" for one in found.charts if one.state == "watched")
        told.update(f"{one.scope}/{one.measure}" for one in found.charts for _ in one.signals)
    with capsys.disabled():
        for name, charts_shown in shown.items():
            print(
                f"\n{name}: {charts_shown / years:.0f} charts, {told[name] / years:.1f} false alarms a year",
                end="",
            )
        print(f"\ntogether: {told.total() / years:.1f} a year")

    assert told.total() / years < 12
