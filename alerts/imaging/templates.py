"""Sentences that a radiologist may take for a report, those that fit the study first; nothing is signed by them."""

from functools import cache

import msgspec

from greenchannel.alerts.imaging.critical import critical_results
from greenchannel.alerts.tables import read_table


class ReportTemplate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of ``templates.toml``."""

    id: str
    name_zh: str
    name_en: str
    findings_zh: str
    findings_en: str
    impression_zh: str
    impression_en: str
    mark: str
    modality: tuple[str, ...] = ()
    body_part: tuple[str, ...] = ()
    critical: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        strangers = [code for code in self.critical if code not in critical_results()]
        if strangers:
            raise ValueError(f"expected critical results of critical.toml in {self.id}, got {strangers}")


@cache
def templates() -> tuple[ReportTemplate, ...]:
    """All of them, in the order of the table."""
    return read_table("imaging/templates", "template", ReportTemplate)


def offered(modality: str | None, *texts: str | None) -> list[ReportTemplate]:
    """All templates, those first that fit the modality and a body part named in `texts`."""
    said = " ".join(text for text in texts if text).upper()

    def rank(row: ReportTemplate) -> int:
        if not row.modality:
            return 1
        if modality not in row.modality:
            return 3
        return 0 if any(part in said for part in row.body_part) else 2

    return sorted(templates(), key=rank)
