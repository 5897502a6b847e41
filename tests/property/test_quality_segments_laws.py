"""The way in pieces, of any case: it adds up, and nothing that is unknown becomes a number."""

from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from greenchannel.alerts.quality.record import CaseRecord, RecordTime
from greenchannel.alerts.quality.segments import MODES, segments, track, way_of

T0 = datetime(2025, 11, 3, 8, 5, tzinfo=UTC)
NAMES = sorted({name for row in segments().values() for name in (row.begin, row.end)})


def time(minute: int) -> RecordTime:
    at = T0 + timedelta(minutes=minute)
    return RecordTime(at=at, earliest=at, latest=at, uncertainty_s=None, source="clinic")


def records() -> st.SearchStrategy[CaseRecord]:
    """Any times in any order, any of them missing."""
    times = st.dictionaries(st.sampled_from(NAMES), st.integers(-30, 200).map(time))
    return st.builds(
        lambda mode, times: CaseRecord(
            case_id="case_1", site="s", opened_at=T0, state="closed", arrival_mode=mode, times=times
        ),
        st.sampled_from((*MODES, None)),
        times,
    )


@given(records())
def test_pieces_are_the_whole_way_between_the_first_and_last_of_them(record: CaseRecord) -> None:
    """No minute is lost and none is counted twice, in whatever order the times are."""
    way = way_of(record)
    if way.pieces:
        first, last = record.at(way.pieces[0].begin), record.at(way.pieces[-1].end)
        assert first is not None and last is not None
        whole = max((last - first).total_seconds() / 60, 0.0)
        assert abs(sum(piece.length_min for piece in way.pieces) - whole) < 1e-6
    assert all(piece.length_min >= 0 for piece in way.pieces)


@given(records())
def test_pieces_follow_the_track_and_leave_no_segment_out_between_them(record: CaseRecord) -> None:
    """They are a stretch of the track, cut at times that are known and agree."""
    way = way_of(record)
    names = [name for piece in way.pieces for name in piece.segments]
    rows = [row.id for row in track(record.arrival_mode)] if record.arrival_mode is not None else []
    start = rows.index(names[0]) if names else 0

    assert names == rows[start : start + len(names)]


@given(records(), st.sampled_from(NAMES))
def test_what_is_not_known_is_measured_nowhere(record: CaseRecord, name: str) -> None:
    """Without a milestone no segment that begins or ends there has a length."""
    times = {key: value for key, value in record.times.items() if key != name}
    way = way_of(msgspec.structs.replace(record, times=times))

    assert [
        row.id for row in segments().values() if name in (row.begin, row.end) and row.id in way.lengths_min
    ] == []
