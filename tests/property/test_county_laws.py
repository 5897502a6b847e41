"""Laws of the simulated county's pure cores."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from greenchannel.county.links import BITS, LinkProfile, Pipe, admit, waiting_s
from greenchannel.county.plan import PlanOptions, make_plan
from greenchannel.county.request_borders import RequestBorders

REQUESTS = (
    b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /e HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcde",
    b"POST /e HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    b"PATCH /u HTTP/1.1\r\nHost: x\r\nContent-Length: 27\r\n\r\nGET / HTTP/1.1\r\nHost: y\r\n\r\n",
)


@given(
    sends=st.lists(
        st.tuples(st.floats(0.0, 2.0), st.integers(0, 4000), st.floats(0.0, 1.0)), min_size=1, max_size=60
    ),
    rate_bit_s=st.floats(1e3, 1e7),
    burst_bytes=st.integers(0, 5000),
    delay_s=st.floats(0.0, 1.0),
)
def test_no_stretch_of_time_carries_more_than_its_rate_and_one_burst(
    sends: list[tuple[float, int, float]], rate_bit_s: float, burst_bytes: int, delay_s: float
) -> None:
    """And nothing arrives too early, nor before what went before it."""
    profile = LinkProfile(rate_bit_s=rate_bit_s, burst_bytes=burst_bytes, delay_s=delay_s, jitter_s=0.2)
    pipe, now_s, left = Pipe(), 0.0, []
    arrived_s = 0.0
    for pause_s, size, jitter in sends:
        now_s += pause_s
        pipe, passage = admit(profile, pipe, size, now_s, jitter)
        left.append((passage.leaves_s, size))
        assert passage.leaves_s >= now_s and passage.arrives_s >= passage.leaves_s + delay_s
        assert passage.arrives_s >= arrived_s
        arrived_s = passage.arrives_s

    for first in range(len(left)):
        carried = 0
        for at_s, size in left[first:]:
            carried += size
            allowed = (at_s - left[first][0]) * rate_bit_s / BITS + burst_bytes + left[first][1]
            assert carried <= allowed + 1e-3


@given(sizes=st.lists(st.integers(1, 2000), max_size=80), queue_s=st.floats(0.0, 5.0))
def test_a_sender_that_waits_as_told_never_has_more_than_the_queue_before_the_line(
    sizes: list[int], queue_s: float
) -> None:
    """But for the one piece that it sends then."""
    profile = LinkProfile(rate_bit_s=20_000, burst_bytes=0, queue_s=queue_s)
    pipe, now_s = Pipe(), 0.0
    for size in sizes:
        now_s += waiting_s(profile, pipe, now_s)
        pipe, passage = admit(profile, pipe, size, now_s, 0.0)
        assert passage.leaves_s - now_s <= queue_s + size * BITS / 20_000 + 1e-9


@given(
    chosen=st.lists(st.sampled_from(REQUESTS), min_size=1, max_size=6),
    cuts=st.lists(st.integers(0, 400), max_size=12),
)
def test_requests_are_the_same_however_their_bytes_come(chosen: list[bytes], cuts: list[int]) -> None:
    """Any cutting into reads gives every byte once, and begins each request where it begins."""
    whole = b"".join(chosen)
    borders, found = RequestBorders(), []
    places = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    for begin, end in pairwise(places):
        for piece in borders.feed(whole[begin:end]):
            if piece.begins:
                found.append(b"")
            found[-1] += piece.data

    assert found == chosen


@given(
    seed=st.integers(0, 1 << 32),
    clinics=st.integers(1, 30),
    ecgs=st.integers(0, 40),
    span_s=st.floats(1.0, 1e6),
)
def test_equal_seeds_and_options_give_equal_plans(seed: int, clinics: int, ecgs: int, span_s: float) -> None:
    """And every ECG belongs to a clinic, within the time, with a number and a patient of its own."""
    options = PlanOptions(clinics=clinics, ecgs=ecgs, span_s=span_s)
    plan = make_plan(seed, options)

    assert plan == make_plan(seed, options)
    assert {ecg.number for ecg in plan.ecgs} == set(range(ecgs)) and len(plan.ecgs) == ecgs
    assert all(0 <= ecg.at_s <= span_s + 0.001 and 0 <= ecg.clinic < clinics for ecg in plan.ecgs)
    assert len({ecg.patient_ref for ecg in plan.ecgs}) == ecgs
