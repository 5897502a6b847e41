"""Computed leads and the heart vector, against values worked out by hand."""

import itertools
import math

import numpy as np
import pytest

from greenchannel.signal import vectors
from greenchannel.signal.leads import LIMB, STANDARD_12
from greenchannel.signal.vectors import derived_leads, frontal_axis_deg, measure_vectors, to_xyz

EIGHT = vectors.VECTOR_FROM


def limb(one: np.ndarray, two: np.ndarray) -> dict[str, np.ndarray]:
    """Limb leads by Einthoven and Goldberger, written out."""
    return {
        "I": one,
        "II": two,
        "III": two - one,
        "aVR": -(one + two) / 2,
        "aVL": one - two / 2,
        "aVF": two - one / 2,
    }


@pytest.mark.parametrize(
    ("method", "expected"), [("kors", (0.935, 0.505, 0.245)), ("inverse_dower", (0.271, 0.2455, -0.129))]
)
def test_xyz_of_a_beat_worked_out_by_hand(method: str, expected: tuple[float, ...]) -> None:
    """V2, V6 and I 1 mV, II 0.5 mV, the rest 0: sums of four columns of the specification's tables."""
    x = np.zeros((8, 4))
    x[[1, 5, 6]], x[7] = 1.0, 0.5
    made = to_xyz(EIGHT, x, method)  # type: ignore[arg-type]
    assert made is not None and made.shape == (3, 4)
    np.testing.assert_allclose(made, np.tile(np.array(expected)[:, None], 4), atol=1e-12)


def test_xyz_does_not_depend_on_which_limb_leads_are_there() -> None:
    """III and aVR instead of I and II give the same vector, in any order of leads and for a stack of beats."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(5, 8, 20))
    table = limb(x[:, 6], x[:, 7])
    names = ("aVR", *EIGHT[:6], "III")
    other = np.stack([table["aVR"], *x[:, :6].transpose(1, 0, 2), table["III"]], axis=1)
    made, expected = to_xyz(names, other), to_xyz(EIGHT, x)
    assert made is not None and expected is not None
    np.testing.assert_allclose(made, expected, atol=1e-12)


def test_xyz_needs_all_chest_leads_and_two_limb_leads() -> None:
    """A missing or unusable lead leaves no vector, rather than a wrong one."""
    x = np.ones((8, 5))
    assert to_xyz(EIGHT[:-1], x[:-1]) is None
    assert to_xyz(EIGHT[1:], x[1:]) is None
    assert to_xyz(EIGHT, x, usable=np.array([True] * 7 + [False])) is None


def test_any_two_limb_leads_give_the_others() -> None:
    """Fifteen pairs, each gives the four missing leads, exactly to rounding, and they say that they are derived."""
    rng = np.random.default_rng(5)
    table = limb(rng.normal(size=30), rng.normal(size=30))
    for pair in itertools.combinations(LIMB, 2):
        made = derived_leads(pair, np.stack([table[name] for name in pair]), "limb")
        assert made is not None and made.derived is True and made.method == "limb"
        assert made.leads == tuple(name for name in LIMB if name not in pair)
        for name, row in zip(made.leads, made.x_mv, strict=True):
            np.testing.assert_allclose(row, table[name], atol=1e-12)


def test_a_recorded_lead_is_never_computed_again() -> None:
    """With six limb leads, one of them bad, nothing is derived under the name of a recorded one."""
    x = np.ones((6, 5))
    assert derived_leads(LIMB, x, "limb") is None
    assert derived_leads(LIMB, x, "limb", usable=np.array([True] * 5 + [False])) is None
    assert derived_leads(("I",), x[:1], "limb") is None


def test_easi_gives_twelve_leads_that_obey_einthoven() -> None:
    """ES 1 mV, AS −0.5 mV, AI 2 mV: I and V2 by hand, I + III = II, aVR + aVL + aVF = 0."""
    made = derived_leads(("ES", "AS", "AI"), np.array([[1.0], [-0.5], [2.0]]), "easi")
    assert made is not None and made.derived and made.leads == STANDARD_12
    value = dict(zip(made.leads, made.x_mv[:, 0].tolist(), strict=True))
    assert value["I"] == pytest.approx(0.026 + 0.087 + 1.402)
    assert value["V2"] == pytest.approx(1.229 + 0.525 + 2.042)
    assert value["I"] + value["III"] == pytest.approx(value["II"])
    assert value["aVR"] + value["aVL"] + value["aVF"] == pytest.approx(0.0, abs=1e-12)
    assert derived_leads(("ES", "AS"), np.ones((2, 1)), "easi") is None


def test_float32_stays_float32_and_the_callers_array_stays_as_it_was() -> None:
    """No copy in double precision of a long strip."""
    x = np.arange(80, dtype=np.float32).reshape(8, 10)
    before = x.copy()
    made = derived_leads(EIGHT, x, "kors")
    assert made is not None and made.x_mv.dtype == np.float32 and made.leads == ("X", "Y", "Z")
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize(
    ("one", "avf", "degrees"),
    [(1.0, 0.0, 0.0), (0.0, 1.0, 90.0), (1.0, 1.0, 49.1066), (-1.0, 0.0, 180.0), (1.0, -1.0, -49.1066)],
)
def test_frontal_axis_of_equal_areas(one: float, avf: float, degrees: float) -> None:
    """MEAS-7: equal areas in I and aVF are 49.1°, for augmented leads are shorter by 2/√3."""
    assert frontal_axis_deg(one, avf) == pytest.approx(degrees, abs=1e-3)


def test_areas_that_point_nowhere_have_no_axis() -> None:
    """Neither nothing nor nonsense has a direction."""
    assert frontal_axis_deg(0.0, 0.0) is None
    assert frontal_axis_deg(math.nan, 1.0) is None
    assert frontal_axis_deg(math.inf, 1.0) is None


def beat_of(xyz_qrs: tuple[float, float, float], xyz_t: tuple[float, float, float]) -> np.ndarray:
    """Eight leads whose Kors vector is a rectangle of 50 samples in QRS and one of 100 samples in T."""
    eight = np.linalg.pinv(np.array(vectors.TO_XYZ["kors"]))
    beat = np.zeros((8, 540))
    beat[:, 200:250] = (eight @ np.array(xyz_qrs))[:, None]
    beat[:, 300:400] = (eight @ np.array(xyz_t))[:, None]
    return beat


def test_vectors_of_rectangular_waves() -> None:
    """QRS (1, 0, 0) mV for 0.1 s and T (0, 0.3, 0) mV for 0.2 s: 90° apart, gradient (0.1, 0.06, 0) mV·s."""
    m = measure_vectors(
        leads=EIGHT, beat_mv=beat_of((1, 0, 0), (0, 0.3, 0)), rate_hz=500.0, qrs=(200, 249), t=(300, 399)
    )
    assert m.qrst_angle_mean_deg == pytest.approx(90.0)
    assert m.qrst_angle_peak_deg == pytest.approx(90.0)
    assert m.qrs_peak_mv == pytest.approx(1.0)
    assert m.t_peak_mv == pytest.approx(0.3)
    assert m.gradient_mv_s == pytest.approx((0.1, 0.06, 0.0), abs=1e-9)
    assert m.gradient_size_mv_s == pytest.approx(math.hypot(0.1, 0.06))
    assert m.p_axis_deg is None and m.method == "kors"


def test_opposite_vectors_are_180_degrees_apart() -> None:
    """The angle is safe at its end, where an arc cosine is not."""
    m = measure_vectors(
        leads=EIGHT,
        beat_mv=beat_of((0.3, 0.6, 0.2), (-0.15, -0.3, -0.1)),
        rate_hz=500.0,
        qrs=(200, 249),
        t=(300, 399),
    )
    assert m.qrst_angle_mean_deg == pytest.approx(180.0)
    assert m.qrst_angle_peak_deg == pytest.approx(180.0)


def test_axes_come_from_any_two_limb_leads() -> None:
    """II and aVL alone give the axes of QRS, T and P; without chest leads there is no spatial vector."""
    beat = np.zeros((2, 540))
    table = limb(np.array([1.0]), np.array([1.5]))  # aVF = 1: 49.1°
    beat[:, 200:250] = np.array([table["II"], table["aVL"]])
    beat[:, 300:400] = -beat[:, 200:201]
    m = measure_vectors(
        leads=("II", "aVL"), beat_mv=beat, rate_hz=500.0, qrs=(200, 249), t=(300, 399), p=(100, 140)
    )
    assert m.qrs_axis_deg == pytest.approx(49.1066, abs=1e-3)
    assert m.t_axis_deg == pytest.approx(49.1066 - 180.0, abs=1e-3)
    assert m.p_axis_deg is None
    assert (m.method, m.qrst_angle_mean_deg, m.gradient_mv_s) == (None, None, None)


@pytest.mark.parametrize("value", [math.nan, 0.0, math.inf, 1e30])
def test_odd_beats_raise_nothing(value: float) -> None:
    """NaN, silence and huge numbers give unknown or finite measures."""
    m = measure_vectors(
        leads=EIGHT, beat_mv=np.full((8, 540), value), rate_hz=500.0, qrs=(200, 249), t=(600, 700)
    )
    assert m.qrst_angle_peak_deg is None
