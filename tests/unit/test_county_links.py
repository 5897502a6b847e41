"""Links as values: profiles, fates, and what names are refused."""

import random
from collections import Counter

import pytest

from greenchannel.county.links import (
    PROFILES,
    Fault,
    LinkProfile,
    Pipe,
    admit,
    connection_fate,
    outage,
    packet_passage,
    profile_named,
    request_fate,
    waiting_s,
)

THIN = LinkProfile(rate_bit_s=20_000, burst_bytes=1000, delay_s=0.3, queue_s=2.0)


def test_a_request_has_the_same_fate_in_every_run_of_a_seed() -> None:
    """What fails does not depend on what came before it, nor on the run."""
    profile = PROFILES["failing"]

    forwards = [request_fate(profile, 7, number) for number in range(50)]
    backwards = [request_fate(profile, 7, number) for number in reversed(range(50))]

    assert forwards == backwards[::-1]
    assert forwards != [request_fate(profile, 8, number) for number in range(50)]


def test_three_in_ten_requests_fail_and_in_every_way() -> None:
    """The share that was asked for, spread over all faults."""
    fates = [request_fate(PROFILES["failing"], 1, number) for number in range(4000)]

    failed = Counter(fate.fault for fate in fates if fate.fault is not None)
    assert 0.28 < failed.total() / len(fates) < 0.32
    assert set(failed) == set(Fault)
    assert min(failed.values()) > 0.7 * failed.total() / len(Fault)


def test_a_clean_link_harms_nothing() -> None:
    """No share, no fault; no range, no cut."""
    clean = PROFILES["clean"]

    assert all(request_fate(clean, 3, number).fault is None for number in range(500))
    assert all(connection_fate(clean, 3, number).cut_after_bytes is None for number in range(500))
    assert not any(connection_fate(clean, 3, number).refused for number in range(500))


def test_cuts_fall_into_their_range() -> None:
    """Short and long ones alike."""
    cuts = [connection_fate(PROFILES["failing"], 1, number).cut_after_bytes or 0 for number in range(500)]

    assert min(cuts) >= 2_000 and max(cuts) <= 2_000_000
    assert sum(cut < 63_000 for cut in cuts) == pytest.approx(250, abs=50)


def test_twenty_kilobit_a_second_carry_25_kilobytes_in_ten_seconds() -> None:
    """Sent in pieces at once, the last arrives when the rate says, plus the way."""
    pipe, arrives = Pipe(), []
    for _ in range(100):
        pipe, passage = admit(THIN, pipe, 250, 0.0, 0.0)
        arrives.append(passage.arrives_s)

    assert arrives[3] == pytest.approx(0.3)  # within the burst
    assert arrives[-1] == pytest.approx((25_000 - 1000) * 8 / 20_000 + 0.3)


def test_who_sends_too_fast_waits_until_the_queue_is_short_enough() -> None:
    """Senders of bytes wait, packets are dropped."""
    pipe, _ = admit(THIN, Pipe(), 11_000, 0.0, 0.0)  # 4 s of the line, less the burst

    assert waiting_s(THIN, pipe, 0.0) == pytest.approx(2.0)
    assert waiting_s(THIN, pipe, 2.0) == pytest.approx(0.0)
    assert packet_passage(THIN, pipe, 100, 0.0, random.Random(1)) == (pipe, None)


def test_the_share_of_lost_packets_is_the_asked_one() -> None:
    """A lost packet has taken its time on the line all the same."""
    profile, dice, pipe, lost = LinkProfile(lost=0.1, rate_bit_s=1e6), random.Random(2), Pipe(), 0
    for number in range(3000):
        pipe, passage = packet_passage(profile, pipe, 125, number * 0.01, dice)
        lost += passage is None

    assert 240 < lost < 360


def test_a_link_on_a_faster_clock_is_the_same_link() -> None:
    """Ten times as fast: ten times the rate, a tenth of the delays, the same shares."""
    fast = PROFILES["village"].faster(10)

    assert fast.rate_bit_s == 200e3 and fast.delay_s == pytest.approx(0.03) and fast.failed == 0.3


def test_outages_come_as_often_and_last_as_long_as_asked() -> None:
    """The n-th is the same in every run of a seed; a link without them never goes down."""
    profile = LinkProfile(down_every_s=300.0, down_s=(5.0, 60.0))
    found = [outage(profile, 4, number) for number in range(2000)]

    assert found == [outage(profile, 4, number) for number in range(2000)]
    assert outage(PROFILES["failing"], 4, 0) is None
    lengths = [one.length_s for one in found if one is not None]
    assert len(lengths) == 2000 and min(lengths) >= 5.0 and max(lengths) <= 60.0
    assert sum(one.after_s for one in found if one is not None) / 2000 == pytest.approx(300.0, rel=0.1)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"failed": 1.0}, "failed"),
        ({"lost": -0.1}, "lost"),
        ({"delay_s": float("nan")}, "delay_s"),
        ({"rate_bit_s": 0.0}, "rate"),
    ],
)
def test_a_link_that_cannot_be_is_refused(wrong: dict[str, float], said: str) -> None:
    """The message names what is wrong."""
    with pytest.raises(ValueError, match=said):
        LinkProfile(**wrong)  # type: ignore[arg-type]


def test_a_link_that_nobody_knows_is_refused_with_the_names_there_are() -> None:
    """So that one can choose."""
    with pytest.raises(ValueError, match="clean fibre mobile thin failing village, got 'dsl'"):
        profile_named("dsl")
