"""What the national form lacks, by who can say it; and the form of one case, as the pages read them."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from greenchannel.alerts.quality import form_checks, national_form
from greenchannel.alerts.quality.national_form import Cell
from greenchannel.alerts.quality.record import CaseRecord
from greenchannel.clock import rfc3339
from greenchannel.viewer.directory import Directory
from greenchannel.viewer.quality_json import (
    CaseForm,
    Counted,
    FormField,
    FormSection,
    Frame,
    Gap,
    Gaps,
    Said,
)
from greenchannel.viewer.quality_scope import said

MOST_LISTED: Final = 300
MOST_FIELDS: Final = 15


def gaps_of(
    records: Sequence[CaseRecord], frame: Frame, names: Directory, *, owner: str = "", field: str = ""
) -> Gaps:
    """All gaps of these cases counted, those of one owner or one field listed, the newest case first."""
    by_owner = form_checks.gaps(records)
    found = [one for some in by_owner.values() for one in some]
    counts = Counter(one.owner for one in found)
    words = {one.field: (one.zh, one.en) for one in found}
    listed = [one for one in found if owner in ("", one.owner) and field in ("", one.field)]
    listed.sort(key=lambda one: (one.opened_at, one.case_id), reverse=True)
    shares = [national_form.filled_share(one) for one in records]
    return Gaps(
        frame=frame,
        owners=tuple(
            Counted(id=one.id, zh=one.zh, en=one.en, n=counts[one.id])
            for one in sorted(national_form.owners().values(), key=lambda one: -counts[one.id])
        ),
        fields=tuple(
            Counted(id=name, zh=words[name][0], en=words[name][1], n=n)
            for name, n in Counter(one.field for one in found if owner in ("", one.owner)).most_common(
                MOST_FIELDS
            )
        ),
        total=len(listed),
        gaps=tuple(
            Gap(
                case_id=one.case_id,
                opened_at=rfc3339(one.opened_at),
                site=said(names, "clinic", one.site),
                field=Said(id=one.field, zh=one.zh, en=one.en),
                owner=one.owner,
                milestone=one.milestone,
            )
            for one in listed[:MOST_LISTED]
        ),
        required=sum(one.required for one in shares),
        filled=sum(one.filled for one in shares),
        untyped=sum(one.without_typing for one in shares),
    )


def form_json(record: CaseRecord, names: Directory) -> CaseForm:
    """The national form of a case, section by section, with what cannot be true."""
    form = national_form.form_of(record)
    problems: dict[str, tuple[str, str]] = {}
    for problem in form_checks.check(record):
        for name in () if problem.code == "missing" else problem.fields:
            problems.setdefault(name, (problem.zh, problem.en))
    share = national_form.filled_share(record)
    sections = []
    for section in national_form.sections().values():
        cells = [one for one in form.cells if one.spec.section == section.id and _is_shown(one)]
        if cells:
            fields = tuple(_field(one, record, names, problems.get(one.spec.id)) for one in cells)
            sections.append(FormSection(id=section.id, zh=section.zh, en=section.en, fields=fields))
    return CaseForm(
        case_id=record.case_id,
        state=record.state,
        site=said(names, "clinic", record.site),
        sections=tuple(sections),
        required=share.required,
        filled=share.filled,
        untyped=share.without_typing,
    )


def _is_shown(cell: Cell) -> bool:
    return cell.state not in ("not_asked", "outside")


def _field(cell: Cell, record: CaseRecord, names: Directory, problem: tuple[str, str] | None) -> FormField:
    spec = cell.spec
    owner = national_form.owners()[cell.owner]
    kind, _, name = spec.value.partition(":")
    value = _value(cell)
    zh, en = _words(cell, value, names)
    return FormField(
        id=spec.id,
        zh=spec.zh,
        en=spec.en,
        value=value,
        value_zh=zh,
        value_en=en,
        required=spec.required and cell.asked is True,
        owner=Said(id=owner.id, zh=owner.zh, en=owner.en),
        source=cell.source,
        corrected=cell.corrected,
        problem_zh=None if problem is None else problem[0],
        problem_en=None if problem is None else problem[1],
        milestone=name if kind in ("time", "code") else None,
        fact=name if kind == "fact" else None,
    )


def _value(cell: Cell) -> str | None:
    value = cell.value
    if value is None:
        return cell.told
    if isinstance(value, datetime):
        return rfc3339(value)
    return f"{value:g}" if isinstance(value, float | int) else value


def _words(cell: Cell, value: str | None, names: Directory) -> tuple[str | None, str | None]:
    """What a code means, or a site is called; None where the value is its own word."""
    if value is None:
        return None, None
    if cell.spec.value == "record:referring":
        site = names.site(value)
        return site["name_zh"], site["name_en"]
    found = national_form.choices(cell.spec.value).get(value)
    return (None, None) if found is None else found
