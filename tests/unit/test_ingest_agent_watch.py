"""A file of the watched folder is taken only when it is complete."""

from greenchannel.ingest.agent_watch import (
    ALONE_S,
    SETTLE_S,
    Looked,
    Ready,
    Seen,
    alone,
    look,
    may_own,
    owners,
    ready,
)


def looked_at(*looks: tuple[float, dict[str, Seen]]) -> dict[str, Looked]:
    """The outcome of several looks."""
    looked: dict[str, Looked] = {}
    for now_s, seen in looks:
        looked = look(looked, seen, now_s)
    return looked


A = Seen(1000, 1)


def test_a_file_that_stays_the_same_over_two_looks_is_complete() -> None:
    """One look says nothing; the second, after the time of settling, does."""
    looked = looked_at((0.0, {"a.dcm": A}))
    assert ready(looked, 0.0) == []

    assert ready(look(looked, {"a.dcm": A}, SETTLE_S), SETTLE_S) == [Ready(("a.dcm",), None)]


def test_a_file_that_grows_or_is_touched_waits_anew() -> None:
    """From the last change on."""
    for later in (Seen(1001, 1), Seen(1000, 2)):
        looked = looked_at((0.0, {"a.dcm": A}), (1.5, {"a.dcm": later}))

        assert ready(looked, SETTLE_S + 1.0) == []
        assert len(ready(looked, SETTLE_S + 1.5)) == 1


def test_what_is_unfinished_by_its_name_is_never_taken() -> None:
    """Names of copying programs, hidden files, empty files, and files with a lock beside them."""
    names = ["a.part", "a.TMP", ".a.dcm", "~$a.dcm", "b.dcm.lock", "b.dcm", "sub/.c.dcm"]
    looked = looked_at((0.0, {name: A for name in names} | {"empty.dcm": Seen(0, 1)}))

    assert ready(looked, 1000.0) == []


def test_the_oldest_file_comes_first() -> None:
    """By the time of the file, then by its name."""
    looked = looked_at((0.0, {"b": Seen(5, 10), "a": Seen(5, 20), "c": Seen(5, 10)}))
    order = [one.names[0] for one in ready(looked, 100.0)]

    assert order == ["b", "c", "a"]


def test_a_wfdb_header_waits_for_its_signals_and_goes_with_them() -> None:
    """Together, once both are complete; a signal file alone is taken only after a while."""
    looked = looked_at((0.0, {"r/1.hea": A, "r/1.dat": A}), (1.0, {"r/1.hea": A, "r/1.dat": Seen(2000, 2)}))

    assert ready(looked, SETTLE_S + 0.5) == []
    assert ready(looked, SETTLE_S + 1.0) == [Ready(("r/1.hea", "r/1.dat"), None)]
    alone = looked_at((0.0, {"1.dat": A}))
    assert ready(alone, ALONE_S - 1) == [] and ready(alone, ALONE_S) == [Ready(("1.dat",), None)]


def test_a_sidecar_that_comes_first_waits_for_its_ecg() -> None:
    """Alone it is no ECG yet: the machine is still copying that. A plain JSON file is one at once."""
    looked = looked_at((0.0, {"a.dcm.json": A, "b.json": A}))

    assert ready(looked, ALONE_S - 1) == [Ready(("b.json",), None)]
    assert Ready(("a.dcm.json",), None) in ready(looked, ALONE_S)
    both = look(looked, {"a.dcm.json": A, "a.dcm": A}, 5.0)
    assert ready(both, 5.0 + SETTLE_S) == [Ready(("a.dcm",), "a.dcm.json")]


def test_a_sidecar_is_none_of_the_ecgs_and_must_be_complete_itself() -> None:
    """Either form of its name; a JSON file without a partner is an ECG of its own."""
    for name in ("a.dcm.json", "a.json"):
        looked = looked_at((0.0, {"a.dcm": A}), (1.0, {"a.dcm": A, name: A}))

        assert ready(looked, SETTLE_S) == []
        assert ready(looked, SETTLE_S + 1) == [Ready(("a.dcm",), name)]
    assert ready(looked_at((0.0, {"fhir.json": A})), SETTLE_S) == [Ready(("fhir.json",), None)]


def test_a_json_file_that_is_no_ecg_is_only_ever_a_sidecar() -> None:
    """It waits without a bound, and after a while it is said to be alone; with its ECG it goes at once."""
    looked = looked_at((0.0, {"a.json": A}))
    for_good = 10 * ALONE_S

    assert ready(looked, for_good, no_ecgs={"a.json"}) == []
    assert alone(looked, ALONE_S - 1, {"a.json"}) == [] and alone(looked, ALONE_S, {"a.json"}) == ["a.json"]
    both = look(looked, {"a.json": A, "a.dcm": A}, for_good)
    assert alone(both, for_good, {"a.json"}) == []
    assert ready(both, for_good + SETTLE_S, no_ecgs={"a.json"}) == [Ready(("a.dcm",), "a.json")]


def test_a_sidecar_has_as_many_owners_as_files_of_its_name() -> None:
    """But for the signals of a header, and for one that has a nearer sidecar."""
    names = {"a.json", "a.dcm", "a.pdf", "a.tmp", "a.scp", "a.scp.json", "b.dcm", "r/a.dcm"}

    assert owners("a.json", names) == {"a.dcm", "a.pdf"} and owners("a.scp.json", names) == {"a.scp"}
    assert owners("a.dcm", names) == set()
    assert may_own("a.json", "a.dcm") and may_own("a.dcm.json", "a.dcm") and not may_own("a.json", "b.dcm")
