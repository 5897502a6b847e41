"""How the accuracy report counts: what is matched, missed, extra, and what an interval of confidence is."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy_data import Samples
from benchmarks.accuracy_ludb import RecordScore, cross_validated, cv_rows
from benchmarks.accuracy_report import Row, Table, Topic, Value, summary
from benchmarks.accuracy_reversal import LIMBS, RULES, common, exchange
from benchmarks.accuracy_reversal import cross_validated as reversal_cv
from benchmarks.accuracy_scoring import Counts, centre, count_beats, match, score_waves
from benchmarks.accuracy_st import SLOW_S, STEEP_S, levels_mv, shape
from benchmarks.accuracy_stats import bias_and_sd, of_records, p95_of_size, share, wilson


def test_nobody_is_matched_twice_and_the_nearest_goes_first() -> None:
    """Of two readings near one mark the nearer counts; the other is left over."""
    assert match([1.0, 2.0], [0.95, 1.02, 2.1]) == [(0, 1), (1, 2)]
    assert match([1.0, 1.1], [1.05]) == [(0, 0)]
    assert match([1.0], [1.16]) == []
    assert match([], [1.0]) == []


def test_beats_outside_of_the_marked_stretch_are_not_extra() -> None:
    """Before the first mark and after the last one nobody looked; between them every unmatched beat is extra."""
    counts, at_s = count_beats([2.0, 3.0], [1.0, 2.05, 2.5, 4.9], first_s=1.8, last_s=3.2)
    assert counts == Counts(hits=1, missed=1, extra=1)
    assert at_s == [3.0, 2.5]


def test_an_unsure_mark_may_be_found_or_not() -> None:
    """A beat marked in few leads is neither missed nor extra, and excuses one reading only."""
    counts, _ = count_beats([2.0], [2.0, 2.5, 2.6], unsure=[2.55], first_s=1.0, last_s=3.0)
    assert counts == Counts(hits=1, missed=0, extra=1)
    assert count_beats([2.0], [2.0], unsure=[2.55], first_s=1.0, last_s=3.0)[0] == Counts(hits=1)


def test_borders_of_matched_waves_are_compared_in_milliseconds() -> None:
    """Ours minus the mark, each part by itself; what is beyond the tolerance or unknown is told apart."""
    score = score_waves(
        [(1.00, 1.05, 1.10), (2.00, 2.05, 2.10), (3.00, 3.05, 3.10)],
        [(1.01, 1.04, 1.30), (None, 2.05, 2.08), (None, None, None)],
        first_s=1.0,
        last_s=3.1,
    )
    assert score.counts == Counts(hits=2, missed=1, extra=0)
    assert score.errors_ms["on"] == pytest.approx([10.0])
    assert score.errors_ms["peak"] == pytest.approx([-10.0, 0.0])
    assert score.errors_ms["off"] == pytest.approx([-20.0])
    assert (score.far, score.not_given) == (1, 1)


def test_a_wave_without_a_mark_is_extra_within_the_marked_stretch_alone() -> None:
    """The P before the first marked QRS costs nothing; one in the middle does."""
    ours = [(0.5, 0.55, 0.6), (1.5, 1.55, 1.6)]
    assert score_waves([], ours, first_s=1.0, last_s=3.0).counts == Counts(extra=1)


def test_a_wave_without_a_peak_is_where_its_borders_are() -> None:
    """The middle of two borders, one border, or nowhere."""
    assert centre((1.0, None, 2.0)) == 1.5
    assert centre((None, None, 2.0)) == 2.0
    assert centre((None, None, None)) is None


def test_counts_add_up() -> None:
    """Counts of leads are summed, and know what was marked and told."""
    counts = Counts(hits=3, missed=1, extra=2) + Counts(hits=1)
    assert (counts.marked, counts.told) == (5, 6)


def test_wilson_s_interval_is_that_of_the_literature() -> None:
    """Newcombe 1998, table I: 81 of 263, and 0 of 20."""
    assert wilson(81, 263) == pytest.approx((25.53, 36.62), abs=0.01)
    assert wilson(0, 20) == pytest.approx((0.0, 16.11), abs=0.01)
    assert wilson(0, 0) is None


def test_an_interval_of_a_share_is_never_narrower_than_wilson_s() -> None:
    """Records that are all perfect leave nothing to draw, and prove no more than their count; bad ones widen it."""
    value, interval = share([10] * 5, [10] * 5)
    assert value == 100.0 and interval == pytest.approx(wilson(50, 50))
    _, even = share([9] * 10, [10] * 10)
    _, uneven = share([10] * 9 + [0], [10] * 10)
    assert even is not None and uneven is not None
    assert uneven[0] < even[0]
    assert share([], []) == (None, None) and share([0], [0]) == (None, None)


def test_bias_and_sd_are_over_all_values_and_their_intervals_over_records() -> None:
    """Mean and SD pool the beats; with records that differ the interval of the mean is wide."""
    found = bias_and_sd([[1.0] * 100, [3.0] * 100, []])
    assert found is not None
    n, mean, (low, high), sd, _ = found
    assert (n, mean, sd) == (200, 2.0, 1.0)
    assert low == pytest.approx(1.0) and high == pytest.approx(3.0)
    assert bias_and_sd([[], []]) is None


def test_a_percentile_is_of_the_size_of_errors() -> None:
    """Errors of either sign count alike."""
    found = of_records([np.linspace(-100, 0, 101), np.linspace(0, 100, 101)], p95_of_size)
    assert found is not None
    assert found[1] == pytest.approx(95, abs=1)


def test_limits_are_kept_by_the_unrounded_value() -> None:
    """9.04 does not keep a limit of 9 although it prints as 9.0, and a bias is held by its size."""
    sd = Value(name="SD", value=9.04, unit="ms", must=9.0, aim=7.0, at_most=True)
    assert sd.reaches(sd.must) is False
    assert sd.text() == "SD 9.0 ms"
    assert Value(value=-4.0, must=5.0, at_most=True).reaches(5.0) is True
    assert Value(value=None, must=5.0).reaches(5.0) is None


def test_a_share_below_all_never_prints_as_all() -> None:
    """One beat missed of a hundred thousand stays to be seen."""
    assert "100" not in Value(value=99.999, unit="%", digits=2).text()


def test_a_row_reaches_what_all_of_its_values_reach() -> None:
    """One value that fails, or that is missing, fails the row; a row without limits answers nothing."""
    good = Value(value=99.0, must=98.0, aim=99.5)
    assert _row(good).reached("must") is True and _row(good).reached("aim") is False
    assert _row(good, Value(value=90.0, must=98.0)).reached("must") is False
    assert _row(good, Value(value=None, must=98.0)).reached("must") is False
    assert _row(Value(value=1.0)).reached("must") is None


def test_the_page_shows_every_row_and_how_many_were_reached() -> None:
    """A topic becomes a heading and tables; bars in texts do not break them."""
    topic = Topic(
        name="t",
        title="Title",
        intro="Words.",
        rows=[_row(Value(name="bias", value=1.0, must=5.0, at_most=True))],
        tables=[Table(title="More", rows=[{"a": "x|y"}]), Table(title="Empty", rows=[])],
    )
    text = topic.markdown()
    assert text.startswith("## Title\n\nWords.")
    assert "| yes |" in text and r"\|bias\| ≤ 5" in text and r"x\|y" in text and "None." in text
    assert "| Title | 1 | 1 | 0 of 0 |" in summary([topic])
    assert topic.json()["rows"][0]["must_reached"] is True


def _row(*values: Value) -> Row:
    return Row(what="what", n="1 record", values=values, data="d", chosen="c", reported="r")


def body() -> dict[str, Samples]:
    """Twelve leads that obey Einthoven's and Goldberger's laws."""
    rng = np.random.default_rng(1)
    one, two, *chest = rng.standard_normal((8, 50))
    rows = {"I": one, "II": two, "III": two - one, "aVR": -(one + two) / 2}
    rows |= {"aVL": one - two / 2, "aVF": two - one / 2}
    return rows | {f"V{k + 1}": row for k, row in enumerate(chest)}


def test_the_cross_validation_that_is_saved_is_the_one_that_is_shown(tmp_path: Path) -> None:
    """Rows of a cross-validation come back from the file with their limits; without a file the page says so."""
    score = RecordScore(record=1)
    score.waves["p"] = Counts(hits=97, missed=3, extra=1)
    score.errors_ms["qrs_off"] = [-10.0, 0.0, 10.0]
    path = tmp_path / "cv.json"
    assert cross_validated("d", path) == ([], "\nCross-validation (cv.json): there is none yet.\n")
    path.write_text(json.dumps({"what": "five folds", "rows": cv_rows([score, RecordScore(record=2)])}))
    rows, sentence = cross_validated("d", path)
    shown = {row.what: row for row in rows}
    assert "five folds" in sentence
    assert shown["P found, each lead"].values[0].value == 97.0
    assert (
        shown["P found, each lead"].reached("must") is True
        and shown["P found, each lead"].reached("aim") is False
    )
    assert shown["QRS end (J), each lead"].values[1].value == pytest.approx(8.165, abs=0.001)
    assert all(row.reported == "cross-validation" for row in rows)
    path.write_text("{}")
    assert "not readable" in cross_validated("d", path)[1]


def test_exchanges_are_held_to_their_limits_in_the_cross_validation_alone(tmp_path: Path) -> None:
    """The rows of the file come with limits; without a file, or without a row of it, the page says so."""
    path = tmp_path / "cv.json"
    assert reversal_cv("d", path)[0] == [] and "there is none yet" in reversal_cv("d", path)[1]
    row = {
        "n": 200,
        "persons": 190,
        "found_percent": 96.0,
        "found_percent_ci95": [93.0, 98.0],
        "right_percent": 94.0,
    }
    names = ("RA/LA", "mean of the six common", "false on clean", "false on all")
    told = {"what": "two folds", "rows": [{**row, "id": name} for name in names], "falsely": ["a V1/V2"]}
    sizes = [{"fitted_on": {"half": "A"}, "reported_on": {"half": "B"}, "rows": told["rows"]}]
    path.write_text(json.dumps({**told, "folds": sizes}))
    rows, sentence, tables = reversal_cv("d", path)
    assert "two folds" in sentence and all(row.reported == "cross-validation" for row in rows)
    assert [row.reached("must") for row in rows] == [True, True, False, None]
    assert rows[0].reached("aim") is False and [table.title for table in tables][-1].endswith(
        "nothing was exchanged"
    )
    path.write_text('{"what": "two folds", "rows": []}')
    assert "not readable" in reversal_cv("d", path)[1]


def test_exchanged_limb_cables_follow_the_clinical_specification() -> None:
    """RA/LA: I is inverted, II and III change places; RA/LL: I becomes −III; LA/LL: I and II change places."""
    plain = body()
    for name, expected in {
        "RA/LA": {
            "I": -plain["I"],
            "II": plain["III"],
            "III": plain["II"],
            "aVR": plain["aVL"],
            "aVF": plain["aVF"],
        },
        "RA/LL": {"I": -plain["III"], "II": -plain["II"], "III": -plain["I"], "aVR": plain["aVF"]},
        "LA/LL": {"I": plain["II"], "II": plain["I"], "III": -plain["III"], "aVL": plain["aVF"]},
    }.items():
        rows = body()
        exchange(rows, *name.split("/"))
        for lead, samples in expected.items():
            np.testing.assert_allclose(rows[lead], samples, atol=1e-12)
        np.testing.assert_allclose(rows["V3"], plain["V3"], atol=1e-12)


def test_an_arm_on_the_right_leg_empties_one_limb_lead() -> None:
    """RA/RL leaves hardly anything of II, LA/RL of III; the chest leads move with Wilson's terminal."""
    for name, empty in {"RA/RL": "II", "LA/RL": "III"}.items():
        plain, rows = body(), body()
        exchange(rows, *name.split("/"))
        assert np.std(rows[empty]) < 0.05 * np.std(plain[empty])
        assert np.abs(rows["V1"] - plain["V1"]).max() > 0.01


@pytest.mark.parametrize("name", list(RULES))
def test_every_exchange_obeys_einthoven_and_undoes_itself(name: str) -> None:
    """I + III = II, the augmented leads sum to nothing; twice is as it was, where no leg is in it."""
    rows = body()
    exchange(rows, *name.split("/"))
    np.testing.assert_allclose(rows["I"] + rows["III"], rows["II"], atol=1e-12)
    np.testing.assert_allclose(rows["aVR"] + rows["aVL"] + rows["aVF"], 0, atol=1e-12)
    if "RL" in name or name == "LA/V1":
        return
    exchange(rows, *name.split("/"))
    for lead, samples in body().items():
        np.testing.assert_allclose(rows[lead], samples, atol=1e-12)


def test_the_six_common_exchanges_take_turns_with_the_chest() -> None:
    """Five of limb cables each time, and over five recordings each pair of neighbouring chest cables once."""
    assert all(common(number)[:5] == tuple(LIMBS) for number in range(5))
    assert len({common(number)[5] for number in range(5)}) == 5


@pytest.mark.parametrize("rise_s", [SLOW_S, STEEP_S])
def test_added_st_rises_before_j_and_is_whole_there(rise_s: float) -> None:
    """Nothing before the rise, half in its middle, one at J, 1.4 at J + 80 ms if climbing, nothing after the fall."""
    told = shape(np.array([-2 * rise_s, -rise_s, -rise_s / 2, 0.0, 0.04, 0.08, 0.28, 0.4]), 0.4, rise_s)
    assert told == pytest.approx([0, 0, 0.5, 1, 1.2, 1.4, 0, 0])


@pytest.mark.parametrize("territory", ["anterior", "inferior", "lateral"])
def test_added_st_obeys_einthoven(territory: str) -> None:
    """The limb leads of what is added fit together."""
    levels = levels_mv(territory)
    assert len(levels) == 12
    assert math.isclose(levels["I"] + levels["III"], levels["II"], abs_tol=1e-12)
    assert math.isclose(levels["aVR"] + levels["aVL"] + levels["aVF"], 0.0, abs_tol=1e-12)
