"""Boards that are cut off at random all end on one state, without a gap; how quick that is, the benchmark says."""

from benchmarks.bench_fanout import measure, whole


def test_boards_that_are_cut_off_all_end_on_one_state() -> None:
    """Sixty boards of two kinds of rights, some cut off each second: one state each, no gap, nothing twice."""
    found = measure(clients=60, seconds=6.0, per_s=10.0, drops_per_s=6.0)

    assert whole(found), {name: found[name] for name in ("states", "gaps", "doubled")}
    assert len({state for states in found["states"].values() for state in states}) == 2
    assert found["drops"] >= 10 and found["events_live"] > 60 * 10
    late = found["late_ms"]
    print(
        f"{found['events_live']} messages to {found['clients']} boards, {found['drops']} drops, "
        f"p50 {late['p50']} ms, p99 {late['p99']} ms (own lag p99 {found['own_lag_ms']['p99']} ms)"
    )
