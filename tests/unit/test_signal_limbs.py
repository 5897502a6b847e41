"""The six limb leads hang together, whatever the three electrodes see."""

import math

import numpy as np
import pytest

from greenchannel.signal import limbs
from greenchannel.signal.leads import LIMB


def test_the_six_come_from_three_potentials() -> None:
    """As Einthoven and Goldberger wired them; a potential that all three share is seen by none."""
    ra, la, ll = np.random.default_rng(1).standard_normal((3, 50))
    wired = {"I": la - ra, "II": ll - ra, "III": ll - la}
    wired |= {"aVR": ra - (la + ll) / 2, "aVL": la - (ra + ll) / 2, "aVF": ll - (ra + la) / 2}
    assert tuple(wired) == limbs.NAMES == LIMB
    for name, shares in limbs.POTENTIALS.items():
        assert np.dot(shares, [ra, la, ll]) == pytest.approx(wired[name], abs=1e-12) and sum(shares) == 0
    made = limbs.from_i_ii(wired["I"], wired["II"])
    assert all(made[name] == pytest.approx(wired[name], abs=1e-12) for name in limbs.NAMES)


def test_four_relations_hold_and_each_lead_breaks_some() -> None:
    """They are zero on real leads and free of each other; an error in any lead is seen in at least one."""
    one, two = np.random.default_rng(2).standard_normal((2, 50))
    x = np.array(list(limbs.from_i_ii(one, two).values()))
    assert limbs.RELATIONS @ x == pytest.approx(np.zeros((4, 50)), abs=1e-6)
    assert np.linalg.matrix_rank(limbs.RELATIONS) == 4
    assert (np.count_nonzero(limbs.RELATIONS, axis=0) > 0).all()


@pytest.mark.parametrize("axis_deg", [-170.0, -90.0, -30.0, 0.0, 49.1, 60.0, 90.0, 150.0])
def test_the_axis_is_where_the_vector_points(axis_deg: float) -> None:
    """A lead sees a vector as its length along the lead: I at 0, II at 60 degrees."""
    one, two = (math.cos(math.radians(axis_deg - lead)) for lead in (0.0, 60.0))
    assert limbs.axis_deg(one, limbs.from_i_ii(one, two)["aVF"]) == pytest.approx(axis_deg, abs=1e-9)
