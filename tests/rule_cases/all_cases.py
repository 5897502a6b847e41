"""The cases of every rule."""

from typing import Final

from tests.rule_cases import (
    critical,
    equivalents,
    equivalents_anterior,
    equivalents_blocks,
    mimics,
    st_elevation,
)
from tests.rule_cases.kinds import RuleCase

CASES: Final[tuple[RuleCase, ...]] = (
    *st_elevation.CASES,
    *mimics.CASES,
    *equivalents.CASES,
    *equivalents_anterior.CASES,
    *equivalents_blocks.CASES,
    *critical.CASES,
)
