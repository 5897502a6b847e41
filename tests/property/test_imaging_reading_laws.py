"""Laws of the reading of a study, whatever people do and whenever."""

import contextlib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from greenchannel.alerts.imaging import commands
from greenchannel.alerts.imaging.reading import fold, fold_all
from greenchannel.alerts.refusal import Refused
from greenchannel.events import ImageCriticalTold
from tests.imaging_log import ImageLog, minutes, wanted

ACTS = st.sampled_from(
    [
        "claim",
        "take",
        "release",
        "draft",
        "sign",
        "sign_critical",
        "addendum",
        "told",
        "tried",
        "seen",
        "stat",
    ]
)
STEPS = st.lists(st.tuples(st.integers(0, 40), ACTS), max_size=25)


def act(log: ImageLog, what: str, n: int) -> None:
    reading = log.reading
    text: dict[str, Any] = {"findings": "所见", "impression": "意见", "template": None}
    match what:
        case "claim" | "take":
            log.add(commands.claim(reading, f"rad{n % 2}", take_over=what == "take"))
        case "release":
            log.add(commands.release(reading, f"rad{n % 2}"))
        case "draft":
            log.add(commands.draft(reading, "rad1", **text))
        case "sign" | "sign_critical":
            critical = ("free_air",) if what == "sign_critical" else ()
            log.add(
                commands.sign(
                    reading, "rad1", report_id=f"r_{n}", critical=critical, provisional=False, **text
                )
            )
        case "addendum":
            log.add(
                commands.addendum(
                    reading,
                    "rad1",
                    report_id=f"r_{n}",
                    text="补充",
                    reason="addition",
                    critical=("free_air",),
                )
            )
        case "told" | "tried":
            right = what == "told"
            said = ImageCriticalTold(
                call_id=f"k_{n}",
                person="rad1",
                report_ids=tuple(one.report_id for one in reading.untold),
                to_role="clinic",
                to_person=None,
                way="phone",
                told_at=log.now,
                reached=right,
                read_back="复述" if right else None,
                read_back_right=right,
            )
            log.add(commands.tell_critical(reading, said, log.now))
        case "seen":
            log.add(commands.seen(reading, "clinic1"))
        case _:
            log.add(commands.mark_stat(reading, "clinic1", "昏迷"))


@given(STEPS, st.integers(5, 600), st.booleans())
def test_it_rings_until_the_report_and_a_critical_result_until_it_was_said_back(
    steps: list[tuple[int, str]], due_min: int, critical: bool
) -> None:
    """Whatever order things come in: nobody is let go before, nobody is bothered after; and a fold has no memory."""
    log = ImageLog(wanted(due_min=due_min, critical=critical))
    at = 0
    for n, (wait, what) in enumerate(steps):
        at += wait
        log.turn(minutes(at))
        with contextlib.suppress(Refused):
            act(log, what, n)
    end = at + 2 * due_min + 200
    said = {who for _, who in log.turn(minutes(end))}
    reading = log.reading

    assert ("untold" in said) == bool(reading.untold)
    rung = {who for who in said if who not in ("untold", "clinic")}
    assert bool(rung) == (reading.report is None)
    assert reading == fold_all(log.envelopes)
    for envelope in log.envelopes:
        assert fold(reading, envelope) == reading
