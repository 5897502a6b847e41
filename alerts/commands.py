"""All commands of this room in one place: pure decisions that return events, or raise `Refused` and change nothing.

Ids come in as arguments. Who may give a command is the caller's to check, but for tasks, which their own table ties
to roles.
"""

from greenchannel.alerts.alert_commands import (
    acknowledge,
    advice_seen,
    analysed,
    claim,
    decline,
    delivered,
    hand_over,
    not_analysed,
    open_ecg,
    provisional,
    require_unmerged,
    seen,
    sign_reading,
    unreachable,
)
from greenchannel.alerts.channel_commands import accept_task, done_task, open_green_channel, stand_down
from greenchannel.alerts.closed_loop import followup_done
from greenchannel.alerts.episode_commands import identity_checked, merge, ring_split_off, split
from greenchannel.alerts.record_commands import close_case, record_milestone, said_by
from greenchannel.alerts.refusal import Refused

__all__ = [
    "Refused",
    "accept_task",
    "acknowledge",
    "advice_seen",
    "analysed",
    "claim",
    "close_case",
    "decline",
    "delivered",
    "done_task",
    "followup_done",
    "hand_over",
    "identity_checked",
    "merge",
    "not_analysed",
    "open_ecg",
    "open_green_channel",
    "provisional",
    "record_milestone",
    "require_unmerged",
    "ring_split_off",
    "said_by",
    "seen",
    "sign_reading",
    "split",
    "stand_down",
    "unreachable",
]
