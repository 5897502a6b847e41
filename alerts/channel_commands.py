"""What may be done to the green channel and its tasks: pure decisions, a case in and events out."""

from greenchannel.alerts.alert_commands import answer, require_unmerged
from greenchannel.alerts.case import Case
from greenchannel.alerts.green_channel import TaskState, tasks_of, template
from greenchannel.alerts.refusal import Refused, no_such
from greenchannel.events import AnyEvent, GreenChannelOpened, GreenChannelStoodDown, TaskAccepted, TaskDone


def require_open(case: Case) -> None:
    """Raise `Refused` where the case was closed or merged."""
    if case.state != "open":
        raise Refused(
            "case_not_open", "病例已结束", f"expected an open case, got one that is {case.state}", 409
        )


def open_green_channel(case: Case, person: str, *, channel_id: str) -> list[AnyEvent]:
    """Open the channel and give out all tasks; nothing where it is open.

    Who opens it has answered the alert. After a stand-down it may be opened anew, with new tasks.
    """
    require_unmerged(case)
    if case.channel.state == "open":
        return []
    require_open(case)
    opened = GreenChannelOpened(channel_id=channel_id, tasks=tasks_of(channel_id, case.arrival_mode))
    return [*answer(case, person), opened]


def stand_down(case: Case, reason: str) -> list[AnyEvent]:
    """Cancel the open channel, with a reason; nothing where it is stood down already."""
    if not reason.strip():
        raise Refused("reason_required", "取消绿色通道须说明原因", "expected a reason, got none", 422)
    require_unmerged(case)
    channel = case.channel
    if channel.state == "stood_down":
        return []
    if channel.state != "open" or channel.channel_id is None:
        raise Refused(
            "channel_not_open",
            "绿色通道尚未开通",
            f"expected an open green channel, got {channel.state}",
            409,
        )
    return [GreenChannelStoodDown(channel_id=channel.channel_id, reason=reason.strip())]


def accept_task(case: Case, task_id: str, person: str, *, role: str) -> list[AnyEvent]:
    """A person of the right role takes a task; nothing where the same person has it."""
    task = _find_task(case, task_id, role)
    if task.accepted_by is not None and task.accepted_by != person:
        raise Refused(
            "task_taken",
            f"任务已由{task.accepted_by}接收",
            f"expected a task that nobody has, got one that {task.accepted_by} has",
            409,
        )
    if task.accepted_at is not None or task.done_at is not None:
        return []
    return [TaskAccepted(task_id=task_id, person=person)]


def done_task(case: Case, task_id: str, person: str, *, role: str) -> list[AnyEvent]:
    """The task is finished, by anyone of its role; nothing where it was. One that nobody took is taken with it."""
    task = _find_task(case, task_id, role)
    if task.done_at is not None:
        return []
    taken = [] if task.accepted_at is not None else accept_task(case, task_id, person, role=role)
    return [*taken, TaskDone(task_id=task_id, person=person)]


def _find_task(case: Case, task_id: str, role: str) -> TaskState:
    task = case.channel.task(task_id)
    if task is None:
        raise no_such("task", "任务", task_id)
    require_unmerged(case)  # its time would be one of a case that nobody looks at any more
    row = template(task.kind)
    allowed = row.may_accept if row is not None else (task.role,)
    if role not in allowed:
        raise Refused(
            "wrong_role",
            "您的角色不能处理该任务",
            f"expected one of the roles {', '.join(allowed)}, got {role}",
            403,
        )
    if case.channel.state != "open":
        raise Refused(
            "channel_not_open",
            "绿色通道已取消",
            f"expected an open green channel, got {case.channel.state}",
            409,
        )
    return task
