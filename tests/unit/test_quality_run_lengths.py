"""How long charts stay quiet without a cause, and how soon they speak with one: the promise of their settings."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest

from greenchannel.alerts.quality import charts
from greenchannel.alerts.quality.case_charts import Scale
from greenchannel.alerts.quality.chart_sets import charts_of
from greenchannel.alerts.quality.chart_values import measures, observations
from tests.quality_county import WATCH_FROM, chest_pain
from tests.quality_months import FIRST_DAY, months

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


@pytest.mark.soak
def test_the_networks_charts_are_quiet_for_370_cases_on_skewed_times_too(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A year of STEMI after a year of baseline, nothing changed: cases watched for each false alarm of a chart."""
    cases: Counter[str] = Counter()
    told: Counter[str] = Counter()
    years = 40
    for seed in range(1, years + 1):
        _, two_years = months(seed, before=24)
        found = charts_of(two_years, watch_from=FIRST_DAY + timedelta(days=360), scopes=("network",))
        cases.update({one.id: len(one.points) for one in found.charts if one.kind == "cusum"})
        told.update(one.id for one in found.charts for _ in one.signals)
    quiet = {name: n / max(told[name], 1) for name, n in cases.items()}
    with capsys.disabled():
        for name in cases:
            print(f"\n{name}: {told[name] / years:.2f} a year, {quiet[name]:.0f} cases for each", end="")
        monthly = sum(n for name, n in told.items() if name.endswith("/months"))
        print(
            f"\ncusum together: {(told.total() - monthly) / years:.1f} a year; xmr together: {monthly / years:.1f}"
        )

    assert sum(cases.values()) / (told.total() - monthly) >= 370


@pytest.mark.soak
def test_a_shift_of_one_sd_is_found_within_12_cases_on_skewed_times_too(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Every case of a STEMI interval one SD slower, the SD being what the chart has estimated from a year of them."""
    shown = [row for row in measures() if "network" in row.scopes]
    lengths: dict[str, list[int]] = {row.id: [] for row in shown}
    for seed in range(1, 101):
        now, before = months(seed, cases=150, before=12)
        baseline = observations(before[::5], shown)
        for name, values in observations(now, shown).items():
            scale = Scale.of([one for _, one in baseline[name]])
            steps = [charts.standardised(scale.over(one) + scale.sd, 0.0, scale.sd) for _, one in values]
            alarms = charts.cusum(steps, charts.cusum_rule("network")).alarms
            lengths[name].append(alarms[0].found + 1 if alarms else len(steps))
    with capsys.disabled():
        print("".join(f"\n{name}: {np.mean(found):.1f} cases" for name, found in lengths.items()))

    assert np.mean([one for found in lengths.values() for one in found]) <= 12
