"""Where the time goes and where it is lost: the cores of `alerts/quality` as the page reads them."""

from collections.abc import Sequence

from greenchannel.alerts.quality.bottlenecks import Bottleneck, bottlenecks
from greenchannel.alerts.quality.national_form import PCI, ways_of
from greenchannel.alerts.quality.record import CaseRecord
from greenchannel.alerts.quality.waterfall import Against, Row, against_best_months, best_months, waterfall
from greenchannel.viewer.quality_json import Change, Frame, Segment, Waterfall
from greenchannel.viewer.quality_scope import Scope


def treated(records: Sequence[CaseRecord]) -> tuple[CaseRecord, ...]:
    """Infarctions for which PCI was the way: they have all of it, whether its times are known or not."""
    return tuple(one for one in records if one.diagnosis == "STEMI" and PCI in (ways_of(one) or ()))


def delays_of(scope: Scope, frame: Frame, change: Change | None) -> Waterfall:
    """The waterfall of a view against the best three months of its group, and the ranking of what is lost."""
    now, history = treated(scope.records), treated(scope.others)
    told = waterfall(now)
    best = against_best_months(now, history)
    stretch = best_months(history)
    ranked = () if stretch is None else bottlenecks(now, stretch[2])
    by_segment = {one.segment: one for one in ranked}
    there = {} if best is None else {one.segment: one for one in best.rows}
    order = [one for one in ranked if one.rank is not None]
    return Waterfall(
        frame=frame,
        n=told.total.cases,
        whole_min=told.total.median_min,
        best="" if best is None else f"{best.begins}–{best.ends}",
        best_n=0 if best is None else best.cases_there,
        segments=tuple(
            _segment(row, there.get(row.segment), by_segment.get(row.segment))
            for row in told.rows
            if _shown(row)
        ),
        ranking=tuple(one.segment for one in sorted(order, key=lambda one: one.rank or 0)),
        change=change,
    )


def _shown(row: Row) -> bool:
    """The whole way is no segment of itself."""
    return row.segment != "fmc_to_wire"


def _segment(row: Row, there: Against | None, lost: Bottleneck | None) -> Segment:
    return Segment(
        id=row.segment,
        zh=row.zh,
        en=row.en,
        n=row.spread.cases,
        missing=row.spread.missing,
        median_min=row.spread.median_min,
        low_min=row.spread.low_min,
        high_min=row.spread.high_min,
        share=row.share,
        best_min=None if there is None else there.there.median_min,
        excess_min=None if lost is None else lost.excess_min,
        excess_low_min=None if lost is None else lost.low_min,
        excess_high_min=None if lost is None else lost.high_min,
        first_probability=None if lost is None else lost.probability_first,
        on_the_way=row.kind == "track",
    )
