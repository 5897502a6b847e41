"""Metrics as a table: a row a metric, group and way of counting, so that a spreadsheet can sort and chart them."""

from collections.abc import Iterator, Mapping
from typing import Final

from greenchannel.alerts.milestones import milestones
from greenchannel.alerts.quality.answers import Cell, MetricAnswer, MetricsAnswer, Numbers
from greenchannel.alerts.quality.metrics import editions, exclusions
from greenchannel.viewer.export_table import Book, Coded, Column, Table, Value
from greenchannel.viewer.words import Word

Names = Mapping[str, Word]  # what groups are called; one that is not there goes by its key

UNKNOWN_GROUP: Final = Word("未知", "unknown")
WHOLE: Final = Word("全部", "all")


def metrics_book(found: MetricsAnswer, names: Names) -> Book:
    """Numbers by group, the trend by month, and what every metric is."""
    return Book(
        title=Word("质量指标", "Quality metrics"),
        tables=(metrics_table(found, names), _trend(found), _meanings(found)),
        notes=(
            (Word("病例数", "cases"), Word(*(str(found.cases),) * 2)),
            (
                Word("缺失", "missing"),
                Word("从不计为达标", "never counts as met"),
            ),
        ),
    )


def metrics_table(found: MetricsAnswer, names: Names) -> Table:
    """A row a metric, group and way of counting: "all", or "kept" without those excluded."""
    rows: list[list[Value]] = []
    for one in found.metrics:
        rows += _rows(one, one.whole, WHOLE.zh)
        for cell in one.groups:
            rows += _rows(one, cell, _group(cell.key, names))
    columns = (*_LEAD, Column(id="group", zh="分组", en="group"), *_NUMBERS)
    return Table(id="metrics", name=Word("指标", "Metrics"), columns=columns, rows=rows)


def _group(key: str | None, names: Names) -> str:
    if key is None:
        return UNKNOWN_GROUP.zh
    return " / ".join(
        names[part].zh if part in names else (part or UNKNOWN_GROUP.zh) for part in key.split("|")
    )


def _trend(found: MetricsAnswer) -> Table:
    rows = [row for one in found.metrics for cell in one.trend for row in _rows(one, cell, cell.key or "")]
    columns = (*_LEAD, Column(id="month", zh="月份", en="month"), *_NUMBERS)
    return Table(id="trend", name=Word("按月", "By month"), columns=columns, rows=rows)


def _rows(one: MetricAnswer, cell: Cell, group: str) -> Iterator[list[Value]]:
    metric = one.metric
    reasons = ", ".join(f"{exclusions()[name].zh} {n}" for name, n in cell.reasons.items() if n)
    for counted, numbers in (("all", cell.all), ("kept", cell.kept)):
        yield [
            editions()[metric.edition].zh,
            metric.id,
            metric.zh,
            _ends(metric.endpoints),
            group,
            COUNTED[counted],
            *_cells(numbers),
            cell.excluded if counted == "kept" else None,
            (reasons or None) if counted == "kept" else None,
        ]


def _ends(names: tuple[str, ...]) -> Coded | None:
    if not names:
        return None
    table = milestones()
    words = Word(" → ".join(table[name].zh for name in names), " → ".join(table[name].en for name in names))
    return Coded(" → ".join(names), words)


def _cells(one: Numbers) -> list[Value]:
    low, high = one.share_interval or (None, None)
    return [
        one.eligible,
        one.n,
        one.bounded,
        one.missing,
        one.negative,
        one.mean_min,
        one.median_min,
        one.q1_min,
        one.q3_min,
        one.met,
        one.share,
        low,
        high,
        one.share_most,
        one.could_turn,
        one.no_clock,
        one.half_width_min,
        _YES_NO[one.reached],
    ]


COUNTED: Final = {
    "all": Coded("all", Word("全部", "all")),
    "kept": Coded("kept", Word("剔除后", "without exclusions")),
}
_YES_NO: Final = {True: Coded("yes", Word("是", "yes")), False: Coded("no", Word("否", "no")), None: None}
_LEAD: Final = (
    Column(id="edition", zh="标准版本", en="edition"),
    Column(id="metric", zh="指标标识", en="metric"),
    Column(id="name", zh="指标", en="name"),
    Column(
        id="endpoints",
        zh="起止",
        en="from → to",
        about=Word(
            "同一名称在不同版本中起止可能不同", "the same label may name two intervals under two editions"
        ),
    ),
)
_NUMBERS: Final = (
    Column(
        id="counted",
        zh="口径",
        en="counted",
        about=Word("all 全部；kept 剔除后", "all; kept: without those excluded"),
    ),
    Column(id="eligible", zh="应有例数", en="eligible", kind="whole"),
    Column(
        id="n",
        zh="已知例数",
        en="n",
        kind="whole",
        about=Word("两端均为确切时间", "both ends known to the instant"),
    ),
    Column(id="bounded", zh="仅知日期", en="told as a day", kind="whole"),
    Column(
        id="missing", zh="缺失", en="missing", kind="whole", about=Word("从不计为达标", "never counts as met")
    ),
    Column(
        id="negative", zh="先后颠倒", en="wrong way round", kind="whole", about=Word("不计入", "kept out")
    ),
    Column(id="mean_min", zh="均值（分）", en="mean, min", kind="number"),
    Column(id="median_min", zh="中位数（分）", en="median, min", kind="number"),
    Column(id="q1_min", zh="下四分位（分）", en="lower quartile, min", kind="number"),
    Column(id="q3_min", zh="上四分位（分）", en="upper quartile, min", kind="number"),
    Column(id="met", zh="达标例数", en="met", kind="whole"),
    Column(
        id="share", zh="达标率", en="share met", kind="share", about=Word("占应有例数", "of those eligible")
    ),
    Column(id="share_low", zh="95%下限", en="95 % from", kind="share", about=Word("Wilson", "Wilson")),
    Column(id="share_high", zh="95%上限", en="95 % to", kind="share", about=Word("Wilson", "Wilson")),
    Column(id="share_most", zh="至多达标率", en="share at most", kind="share"),
    Column(id="could_turn", zh="时钟误差可改变判定", en="clock could turn", kind="whole"),
    Column(id="no_clock", zh="时钟从未校对", en="clock never compared", kind="whole"),
    Column(id="half_width_min", zh="平均时钟误差±分", en="mean clock error, ± min", kind="number"),
    Column(id="reached", zh="达到版本要求", en="as the edition wants"),
    Column(id="excluded", zh="剔除例数", en="excluded", kind="whole"),
    Column(
        id="reasons", zh="剔除原因", en="reasons", about=Word("一例可有多个原因", "a case may have several")
    ),
)


def _meanings(found: MetricsAnswer) -> Table:
    names = milestones()
    rows: list[list[Value]] = []
    for one in found.metrics:
        metric, edition = one.metric, editions()[one.metric.edition]
        rows.append(
            [
                edition.zh,
                metric.id,
                metric.label,
                metric.zh,
                metric.en,
                " → ".join(f"{name} {names[name].zh}" for name in metric.endpoints) or None,
                one.statistic,
                metric.target_min,
                metric.target_share,
                metric.source,
                f"[{metric.mark}]",
            ]
        )
    return Table(
        id="meanings",
        name=Word("指标定义", "Metric definitions"),
        columns=(
            Column(id="edition", zh="标准版本", en="edition"),
            Column(id="metric", zh="指标标识", en="metric"),
            Column(id="label", zh="版本中的名称", en="label in the edition"),
            Column(id="zh", zh="指标", en="name, Chinese"),
            Column(id="en", zh="指标（英文）", en="name"),
            Column(id="endpoints", zh="起止", en="from → to"),
            Column(id="statistic", zh="统计量", en="statistic"),
            Column(id="target_min", zh="目标（分）", en="target, min", kind="number"),
            Column(id="target_share", zh="目标达标率", en="target share", kind="share"),
            Column(id="source", zh="来源", en="source"),
            Column(id="mark", zh="标记", en="mark"),
        ),
        rows=rows,
    )
