"""The national form as it leaves the service: a row a case, or one case field by field; CSV, workbook, JSON and XML."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from xml.etree import ElementTree

from greenchannel.alerts.quality.form_checks import FormProblem, check, gaps
from greenchannel.alerts.quality.national_form import (
    Cell,
    FieldSpec,
    Form,
    choices,
    fields,
    filled_share,
    form_of,
    forms,
    owners,
    sections,
)
from greenchannel.alerts.quality.record import CaseRecord
from greenchannel.clock import rfc3339
from greenchannel.viewer.export_table import Book, Coded, Column, Gap, Table, Value, local
from greenchannel.viewer.words import Word

Names = Mapping[str, Word]  # what sites are called

STATES: Final = {
    "known": Word("已填", "known"),
    "missing": Word("缺失", "missing"),
    "open": Word("待定", "open"),
    "unknown": Word("未知", "unknown"),
    "not_asked": Word("不适用", "not asked"),
    "outside": Word("系统外填写", "entered elsewhere"),
}
_KINDS: Final = {"time": "time", "minutes": "whole", "number": "whole"}


# ---------------------------------------------------------------- tables


def form_book(form: str, records: Sequence[CaseRecord], sites: Names) -> Book:
    """A row a case in the order of the form, the gaps by owner, and what contradicts itself."""
    spec = forms()[form]
    return Book(
        title=Word(spec.zh, spec.en),
        tables=(_cases(form, records, sites), _gaps(form, records, sites), _problems(form, records, sites)),
        notes=(
            (Word("表单来源", "form"), Word(spec.source, spec.source)),
            (Word("病例数", "cases"), Word(*(str(len(records)),) * 2)),
            (
                Word("黄色", "yellow"),
                Word("必填而缺失；不以任何方式推算", "asked for and missing; nothing is interpolated"),
            ),
        ),
    )


def form_table(form: str, records: Sequence[CaseRecord], sites: Names) -> Table:
    """A row a case, in the order of the form."""
    return _cases(form, records, sites)


def _cases(form: str, records: Sequence[CaseRecord], sites: Names) -> Table:
    columns = [
        Column(
            id="case_id",
            zh="病例号",
            en="case",
            about=Word("本系统的病例号，不含个人信息", "no personal data"),
        ),
        Column(id="site", zh="首诊机构", en="first site"),
        *(_column(field) for field in fields(form)),
        Column(
            id="corrected",
            zh="经更正的项目",
            en="corrected fields",
            about=Word(
                "此处为现行值，原值保存在病例中", "the standing value is shown; the case keeps the first"
            ),
        ),
        Column(
            id="stands_in",
            zh="以其他时间填入的项目",
            en="filled from another time",
            about=Word("项目=所用时间节点", "field=milestone that it was taken from"),
        ),
        Column(
            id="filled_share",
            zh="必填时间自动填写比例",
            en="required times filled by themselves",
            kind="share",
        ),
    ]
    return Table(
        id=form,
        name=Word("国家表单", "National form"),
        columns=columns,
        rows=[_row(form_of(record, form), record, sites) for record in records],
    )


def _column(field: FieldSpec) -> Column:
    star = Word("必填", "required") if field.required else Word("选填", "optional")
    who = owners()[field.owner]
    coded = "；".join(f"{code}={zh}" for code, (zh, _) in choices(field.value).items())
    coded_en = "; ".join(f"{code}={en}" for code, (_, en) in choices(field.value).items())
    return Column(
        id=field.id,
        zh=f"{field.zh}{'*' if field.required else ''}",
        en=f"{field.en}{'*' if field.required else ''}",
        kind=_KINDS.get(field.kind, "text"),
        about=Word(
            f"{star.zh}；{who.zh}；取自 {field.value}；[{field.mark}]" + (f"；{coded}" if coded else ""),
            f"{star.en}; {who.en}; from {field.value}; [{field.mark}]"
            + (f"; {coded_en}" if coded_en else ""),
        ),
    )


def _row(form: Form, record: CaseRecord, sites: Names) -> list[Value]:
    corrected = [cell.spec.id for cell in form.cells if cell.corrected]
    borrowed = [f"{cell.spec.id}={cell.stands_in}" for cell in form.cells if cell.stands_in]
    return [
        form.case_id,
        site_name(record.site, sites),
        *(_value(cell, sites) for cell in form.cells),
        ", ".join(corrected) or None,
        ", ".join(borrowed) or None,
        filled_share(record, form.form).share,
    ]


def _value(cell: Cell, sites: Names) -> Value:
    if not cell.known:
        return Gap(STATES[cell.state], owed=cell.state == "missing")
    if cell.value is None:
        return cell.told
    meaning = choices(cell.spec.value).get(cell.value) if isinstance(cell.value, str) else None
    if meaning is not None and isinstance(cell.value, str):
        return Coded(cell.value, Word(*meaning))
    if cell.spec.value == "record:referring" and isinstance(cell.value, str):
        return site_name(cell.value, sites)
    return cell.value


def site_name(site: str, sites: Names) -> str:
    """A site by its Chinese name; one that nobody knows goes by its id."""
    return sites[site].zh if site in sites else site


def _gaps(form: str, records: Sequence[CaseRecord], sites: Names) -> Table:
    rows: list[Sequence[Value]] = [
        (
            _owner(owner),
            gap.case_id,
            site_name(gap.site, sites),
            gap.opened_at,
            gap.zh,
            gap.en,
            gap.field,
        )
        for owner, found in gaps(records, form).items()
        for gap in found
    ]
    return Table(
        id="gaps",
        name=Word("缺项（按责任科室）", "Gaps by owner"),
        columns=(
            Column(id="owner", zh="责任科室", en="owner"),
            Column(id="case_id", zh="病例号", en="case"),
            Column(id="site", zh="首诊机构", en="first site"),
            Column(id="opened_at", zh="建档时间", en="opened at", kind="time"),
            Column(id="zh", zh="缺少的项目", en="what is missing, Chinese"),
            Column(id="en", zh="缺少的项目（英文）", en="what is missing"),
            Column(id="field", zh="标识", en="field"),
        ),
        rows=rows,
    )


def _owner(owner: str) -> Coded:
    named = owners()[owner]
    return Coded(owner, Word(named.zh, named.en))


def _problems(form: str, records: Sequence[CaseRecord], sites: Names) -> Table:
    rows: list[Sequence[Value]] = [
        (
            record.case_id,
            site_name(record.site, sites),
            one.level,
            one.code,
            _owner(one.owner),
            one.zh,
            one.en,
        )
        for record in records
        for one in check(record, form)
        if one.code != "missing"
    ]
    return Table(
        id="problems",
        name=Word("逻辑校验", "Checks"),
        columns=(
            Column(id="case_id", zh="病例号", en="case"),
            Column(id="site", zh="首诊机构", en="first site"),
            Column(id="level", zh="级别", en="level"),
            Column(id="code", zh="类别", en="kind"),
            Column(id="owner", zh="责任科室", en="owner"),
            Column(id="zh", zh="说明", en="in Chinese"),
            Column(id="en", zh="说明（英文）", en="what is wrong"),
        ),
        rows=rows,
    )


# ---------------------------------------------------------------- one case, for programs


def form_json(record: CaseRecord, form: str, said: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """One case on one form: every field with its state, and what the platform would refuse.

    Parameters
    ----------
    said : every value that was given, by milestone, where the case is at hand; a corrected field shows them all
    """
    filled = form_of(record, form)
    spec, share = forms()[form], filled_share(record, form)
    return {
        "form": spec.id,
        "zh": spec.zh,
        "en": spec.en,
        "case_id": record.case_id,
        "site": record.site,
        "arrival_mode": record.arrival_mode,
        "filled": {
            "required_times": share.required,
            "filled": share.filled,
            "without_typing": share.without_typing,
            "share": share.share,
        },
        "fields": [_field_json(cell, said or {}) for cell in filled.cells],
        "problems": [_problem_json(one) for one in check(record, form)],
    }


def _field_json(cell: Cell, said: Mapping[str, Any]) -> dict[str, Any]:
    spec, section = cell.spec, sections()[cell.spec.section]
    meaning = choices(spec.value).get(cell.value) if isinstance(cell.value, str) else None
    return {
        "id": spec.id,
        "section": {"id": section.id, "zh": section.zh, "en": section.en},
        "zh": spec.zh,
        "en": spec.en,
        "kind": spec.kind,
        "required": spec.required,
        "state": cell.state,
        "value": rfc3339(cell.value) if isinstance(cell.value, datetime) else cell.value,
        "value_zh": None if meaning is None else meaning[0],
        "value_en": None if meaning is None else meaning[1],
        "told": cell.told,
        "source": cell.source,
        "uncertainty_s": cell.uncertainty_s,
        "entered": cell.entered,
        "typed": cell.typed,
        "corrected": cell.corrected,
        "stands_in": cell.stands_in,
        "milestone": spec.milestone,
        "owner": cell.owner,
        "choices": [{"id": code, "zh": zh, "en": en} for code, (zh, en) in choices(spec.value).items()],
        "values": said.get(spec.milestone or "", []),
    }


def _problem_json(one: FormProblem) -> dict[str, Any]:
    return {
        "code": one.code,
        "level": one.level,
        "fields": list(one.fields),
        "owner": one.owner,
        "zh": one.zh,
        "en": one.en,
    }


def form_xml(form: str, records: Iterable[CaseRecord], made_at: datetime) -> bytes:
    """The form of many cases as XML; an unknown field is there, without a value and with its state."""
    spec = forms()[form]
    root = ElementTree.Element(
        "forms", {"form": spec.id, "name": spec.zh, "madeAt": rfc3339(made_at), "zone": "+08:00"}
    )
    for record in records:
        case = ElementTree.SubElement(root, "case", {"id": record.case_id, "site": record.site})
        for cell in form_of(record, form).cells:
            made = ElementTree.SubElement(case, "field", _attributes(cell))
            made.text = _xml_text(cell)
    ElementTree.indent(root)
    data: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return data


def _attributes(cell: Cell) -> dict[str, str]:
    found = {"id": cell.spec.id, "name": cell.spec.zh, "state": cell.state}
    if cell.spec.required:
        found["required"] = "true"
    if cell.corrected:
        found["corrected"] = "true"
    if cell.stands_in is not None:
        found["standsIn"] = cell.stands_in
    if cell.source is not None:
        found["source"] = cell.source
    return found


def _xml_text(cell: Cell) -> str | None:
    if isinstance(cell.value, datetime):
        return f"{local(cell.value):%Y-%m-%d %H:%M:%S}"
    if cell.value is None:
        return cell.told
    return f"{cell.value:g}" if isinstance(cell.value, float) else cell.value
