"""Is the service itself well? What was seen of it in, what is wrong with it out; no I/O.

Nobody is rung by a service that hangs, so what is found here goes out by another way than what it rings by.
"""

from functools import cache
from typing import Literal

import msgspec

from greenchannel.alerts.tables import read_value

Kind = Literal["loop", "duty", "task", "commits", "database", "disk", "look"]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers of ``wellness.toml``."""

    loop_answers_within_s: float
    duty_silent_s: float
    look_old_s: float
    repeat_s: float


class Signs(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen of the service at one moment."""

    loop_answers: bool  # within the limit
    duty_silent_s: float  # since due times were looked up the last time
    dead_tasks: tuple[str, ...] = ()  # background work that has ended and should not have
    commits: bool = True  # the newest batch of the writer was committed
    database: str | None = None  # why it cannot be read or written; None: it can
    disk: str | None = None  # why the data folder cannot be written; None: it can


class Unwell(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong with the service."""

    kind: Kind
    zh: str
    en: str
    name: str | None = None  # of the background work, where one has ended


@cache
def limits() -> Limits:
    """The configuration of ``wellness.toml``."""
    return Limits(**{name: read_value("wellness", name, float) for name in Limits.__struct_fields__})


def unwell(signs: Signs) -> tuple[Unwell, ...]:
    """Return all that is wrong, the worst first; nothing where the service is well."""
    found: list[Unwell] = []
    if signs.database is not None:
        found.append(
            Unwell(
                kind="database",
                zh=f"数据库不可用：{signs.database}",
                en=f"the database is away: {signs.database}",
            )
        )
    if signs.disk is not None:
        found.append(
            Unwell(
                kind="disk",
                zh=f"数据目录不可写：{signs.disk}",
                en=f"the data folder cannot be written: {signs.disk}",
            )
        )
    if not signs.commits:
        found.append(
            Unwell(kind="commits", zh="最近一次提交失败", en="the newest events could not be committed")
        )
    if not signs.loop_answers:
        found.append(
            Unwell(kind="loop", zh="服务无响应", en="the service hangs: its event loop does not answer")
        )
    if signs.duty_silent_s > limits().duty_silent_s:
        silent = round(signs.duty_silent_s)
        found.append(
            Unwell(
                kind="duty",
                zh=f"到期事项已 {silent} 秒未检查",
                en=f"due times have not been looked up for {silent} s",
            )
        )
    found += [
        Unwell(kind="task", name=name, zh=f"后台任务已停止：{name}", en=f"background work has ended: {name}")
        for name in signs.dead_tasks
    ]
    return tuple(found)


def why_silent(found: tuple[Unwell, ...], *, ready: bool, missed: int, look_age_s: float) -> tuple[str, ...]:
    """Return why no heartbeat may go out now; nothing where it may.

    `missed` is how much was overdue at the auditor's last look, `look_age_s` how long ago that was.
    """
    reasons = [one.en for one in found]
    if not ready:
        reasons.append("the service is not ready")
    if missed:
        reasons.append(f"{missed} things are overdue")
    if look_age_s > limits().look_old_s:
        reasons.append(f"the auditor has not looked for {look_age_s:.0f} s")
    return tuple(reasons)
