"""How a site calls the tasks of the green channel, and the steps of its own protocol that stand beside them.

The words are the site's, from a file of its own; nothing here prescribes anything, and nothing is decided by it. What a
task is, whose it is, and which time it records stand in ``tasks.toml``, so that the log means the same whatever a site
writes. The file has rows such as::

    [[task]]
    kind = "sign_consent"          # one of tasks.toml
    sites = ["yinzhao"]            # of cases of these sites; left out: of all
    zh = "谈话签字"                 # in place of the usual words; both languages or neither
    en = "Consent talk"

    [[task.step]]
    id = "talk"
    zh = "电话与家属开始知情同意谈话"
    en = "Begin the consent talk with the family by telephone"
    milestone = "CONSENT_START"    # the time that this step records when it is entered; may be left out
    source = "本中心流程 2026-01 / protocol of this centre, 2026-01"
    mark = "O"
"""

from collections.abc import Iterable
from typing import Literal

import msgspec

from greenchannel.alerts.green_channel import template
from greenchannel.alerts.milestones import milestones

Mark = Literal["S", "K", "O", "E", "D"]


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of a checklist, in the site's words."""

    id: str
    zh: str
    en: str
    source: str
    mark: Mark
    milestone: str | None = None


class SiteTask(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a site's file says of one kind of task."""

    kind: str
    sites: tuple[str, ...] = ()  # none: of every site
    zh: str | None = None
    en: str | None = None
    step: tuple[Step, ...] = ()


class TaskWords(msgspec.Struct, frozen=True, kw_only=True):
    """A task as people of a site read it."""

    zh: str
    en: str
    steps: tuple[Step, ...] = ()


class TaskTexts(msgspec.Struct, frozen=True, kw_only=True):
    """The words of all tasks; checked on building, empty without a file."""

    rows: tuple[SiteTask, ...] = ()

    def __post_init__(self) -> None:
        said: set[tuple[str, str | None]] = set()
        for row in self.rows:
            _check(row)
            for site in row.sites or (None,):
                if (row.kind, site) in said:
                    raise ValueError(f"expected one row for {row.kind} of {site or 'all sites'}, got two")
                said.add((row.kind, site))

    def words(self, kind: str, site: str) -> TaskWords:
        """The words of a task for a case of `site`: the site's own row, else that of all sites, else the usual ones."""
        usual = template(kind)
        zh, en = (kind, kind) if usual is None else (usual.zh, usual.en)
        row = self._row(kind, site)
        if row is None:
            return TaskWords(zh=zh, en=en)
        return TaskWords(zh=row.zh or zh, en=row.en or en, steps=row.step)

    def _row(self, kind: str, site: str) -> SiteTask | None:
        of_kind = [row for row in self.rows if row.kind == kind and (not row.sites or site in row.sites)]
        return max(of_kind, key=lambda row: bool(row.sites), default=None)


class _SiteFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    task: tuple[SiteTask, ...]


def texts_of(toml: bytes) -> TaskTexts:
    """The words that a site's own file says.

    Raises
    ------
    ValueError
        It is no TOML, a key is missing or unknown, or a row does not fit; the message says what was expected.
    """
    return TaskTexts(rows=msgspec.toml.decode(toml, type=_SiteFile).task)


def _check(row: SiteTask) -> None:
    if template(row.kind) is None:
        raise ValueError(f"expected a kind of tasks.toml, got {row.kind!r}")
    if (row.zh is None) != (row.en is None):
        raise ValueError(f"expected the words of {row.kind} in both languages or in neither, got one")
    _check_words(row.kind, [text for text in (row.zh, row.en) if text is not None])
    ids = [step.id for step in row.step]
    if len(set(ids)) != len(ids):
        raise ValueError(f"expected steps of {row.kind} with ids of their own, got {ids}")
    for step in row.step:
        _check_words(f"{row.kind} {step.id}", (step.id, step.zh, step.en, step.source))
        if step.milestone is not None and step.milestone not in milestones():
            raise ValueError(f"expected a milestone in step {step.id} of {row.kind}, got {step.milestone!r}")


def _check_words(where: str, texts: Iterable[str]) -> None:
    if not all(text.strip() for text in texts):
        raise ValueError(f"expected words in {where}, got an empty text")
