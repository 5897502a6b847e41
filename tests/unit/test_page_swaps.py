"""What the page's own tests hold its exchange of electrodes against is what the service makes of it."""

import json

import numpy as np

from greenchannel.signal.electrodes import SWAPS, apply
from tests.require import ROOT


def test_the_swaps_that_the_page_is_tested_with_are_those_of_the_service() -> None:
    """Every swap that can be undone is there, each with the leads that `apply` gives."""
    told = json.loads((ROOT / "viewer" / "web" / "test" / "swaps.json").read_text(encoding="utf-8"))
    leads, samples = tuple(told["leads"]), np.array(told["samples"], dtype=np.float32)

    assert [tuple(one["swap"]) for one in told["swaps"]] == list(SWAPS)
    for one in told["swaps"]:
        np.testing.assert_allclose(apply(leads, samples, tuple(one["swap"])), one["samples"], atol=1e-5)
