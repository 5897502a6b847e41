"""Records for research as files: the rows, and a dictionary that says what each column means."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from greenchannel.alerts.facts import fact_codes, facts
from greenchannel.alerts.milestones import codes, milestones
from greenchannel.alerts.quality.research import Research, ResearchRow, timed, told_facts
from greenchannel.viewer.export_table import (
    Book,
    Column,
    Table,
    Value,
    csv_bytes,
    definitions,
    xlsx_bytes,
    zip_bytes,
)
from greenchannel.viewer.words import Word

TITLE: Final = Word("去标识化研究数据", "De-identified research data")


def research_book(found: Research) -> Book:
    """The rows as a table, with what was done to them."""
    rows: list[list[Value]] = [_cells(row) for row in found.rows]
    coarser = ", ".join(f"{name} {count}" for name, count in found.made_coarser.items())
    return Book(
        title=TITLE,
        tables=(Table(id="cases", name=Word("病例", "Cases"), columns=_columns(), rows=rows),),
        notes=(
            (Word("病例数", "cases"), Word(*(str(len(rows)),) * 2)),
            (Word("因过于罕见未导出", "left out as too rare"), Word(*(str(found.left_out),) * 2)),
            (Word("每组至少", "least in a cell"), Word(*(str(found.least_in_a_cell),) * 2)),
            (Word("已粗化的行", "rows made coarser"), Word(coarser, coarser)),
        ),
    )


def research_zip(found: Research, made_at: datetime) -> bytes:
    """Rows and dictionary in every form: CSV with ids as heads, workbook, JSON."""
    book = research_book(found)
    words = definitions(book)
    return zip_bytes(
        [
            ("cases.csv", csv_bytes(book.tables[0], ids=True)),
            ("dictionary.csv", csv_bytes(words, ids=True)),
            ("dictionary.json", msgspec.json.format(msgspec.json.encode(dictionary_json(found)), indent=1)),
            ("research.xlsx", xlsx_bytes(book, made_at=made_at)),
        ]
    )


def research_json(found: Research) -> dict[str, Any]:
    """Rows by the ids of the columns, and the dictionary."""
    return {"dictionary": dictionary_json(found), "cases": msgspec.to_builtins(found.rows)}


def dictionary_json(found: Research) -> dict[str, Any]:
    """What each column means, its codes, and what was done so that nobody is found in it."""
    return {
        "title": {"zh": TITLE.zh, "en": TITLE.en},
        "cases": len(found.rows),
        "left_out": found.left_out,
        "least_in_a_cell": found.least_in_a_cell,
        "made_coarser": found.made_coarser,
        "unknown": "an empty cell is unknown, or was made unknown",
        "columns": [
            {
                "id": one.id,
                "zh": one.zh,
                "en": one.en,
                "kind": one.kind,
                "about_zh": one.about.zh,
                "about_en": one.about.en,
                "codes": _codes(one.id),
            }
            for one in _columns()
        ],
    }


def _codes(column: str) -> dict[str, Mapping[str, str]]:
    found = {"diagnosis": codes("DX"), "outcome": codes("OUTCOME")}.get(column)
    rows = found or (fact_codes(column) if column in facts() else {})
    return {name: {"zh": row.zh, "en": row.en} for name, row in rows.items()}


def _columns() -> list[Column]:
    return [*_HEAD, *_times(), *_facts(), *_TAIL]


_HEAD: Final = (
    Column(
        id="case_code",
        zh="病例代码",
        en="case code",
        about=Word("本次导出密钥的散列", "hash under this export's key"),
    ),
    Column(
        id="site_code",
        zh="机构代码",
        en="site code",
        about=Word(
            "本次导出密钥的散列；过于罕见时为空", "hash under this export's key; empty where too rare"
        ),
    ),
    Column(
        id="year", zh="年份", en="year", kind="whole", about=Word("过于罕见时为空", "empty where too rare")
    ),
    Column(
        id="age_band",
        zh="年龄段",
        en="age band",
        about=Word(
            "90岁及以上合并；过于罕见时加宽或为空", "90 and over are one; wider or empty where too rare"
        ),
    ),
    Column(id="sex", zh="性别", en="sex"),
    Column(
        id="arrival_mode",
        zh="来院方式",
        en="arrival mode",
        kind="whole",
        about=Word(
            "1 呼叫120，2 转院，3 自行来院，4 院内发病",
            "1 ambulance called, 2 transfer, 3 walked in, 4 onset in hospital",
        ),
    ),
    Column(id="diagnosis", zh="初步诊断", en="diagnosis"),
    Column(id="outcome", zh="转归", en="outcome"),
    Column(id="reperfusion", zh="再灌注措施", en="reperfusion"),
    Column(
        id="zero",
        zh="零点",
        en="zero",
        about=Word("所有分钟数自此时间节点起算", "the milestone that all minutes count from"),
    ),
)
_TAIL: Final = (
    Column(
        id="told_as_day",
        zh="仅知日期",
        en="told as a day",
        about=Word("这些时间不给出分钟数", "no minutes are given of these"),
    ),
    Column(id="corrected", zh="经更正", en="corrected"),
    Column(id="reasons", zh="延误原因", en="reasons for delay"),
    Column(id="ecgs", zh="心电图份数", en="ECGs", kind="whole"),
    Column(id="rejected_ecgs", zh="不合格份数", en="not acceptable", kind="whole"),
    Column(id="first_tier", zh="首份自动分级", en="tier of the first ECG"),
    Column(id="first_rules", zh="首份触发规则", en="rules of the first ECG"),
    Column(id="alerts", zh="预警次数", en="alerts", kind="whole"),
    Column(id="cancelled_alerts", zh="取消次数", en="cancelled alerts", kind="whole"),
)


def _times() -> list[Column]:
    found = []
    for name in timed():
        spec = milestones()[name]
        about = Word("自零点起的分钟数", f"minutes from zero; {spec.definition}")
        found.append(
            Column(id=f"{name}_min", zh=f"{spec.zh}（分）", en=f"{spec.en}, min", kind="number", about=about)
        )
        found.append(
            Column(
                id=f"{name}_pm_min",
                zh=f"{spec.zh}误差（±分）",
                en=f"{spec.en}, ± min",
                kind="number",
                about=Word("空：时钟从未校对", "empty: the clock was never compared"),
            )
        )
    return found


def _facts() -> list[Column]:
    return [Column(id=name, zh=facts()[name].zh, en=facts()[name].en) for name in told_facts()]


def _cells(row: ResearchRow) -> list[Value]:
    return [
        *(getattr(row, column.id) for column in _HEAD),
        *(values.get(name) for name in timed() for values in (row.minutes, row.uncertainty_min)),
        *(row.facts.get(name) for name in told_facts()),
        *(_plain(getattr(row, column.id)) for column in _TAIL),
    ]


def _plain(value: Value | tuple[str, ...]) -> Value:
    return (", ".join(value) or None) if isinstance(value, tuple) else value
