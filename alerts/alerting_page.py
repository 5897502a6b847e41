"""``docs/alerting.md``: how an alert goes, written from the tables that decide it."""

from collections.abc import Iterator
from typing import Final

from greenchannel.alerts.channels import channels
from greenchannel.alerts.escalation_plan import EscalationSettings, default_settings
from greenchannel.alerts.escalation_table import TABLE, Action, Phase, Trigger

PHASES: Final = {
    Phase.NONE: ("无预警", "nothing is called for"),
    Phase.RINGING: ("呼叫中", "somebody is called, steps are left"),
    Phase.EXHAUSTED: (
        "暂无医生应答",
        "everybody was called, the clinic was told; rung again until somebody answers",
    ),
    Phase.ANSWERED: ("已应答", "somebody has it, nothing has followed yet"),
    Phase.FOLLOWED: ("已处理", "somebody has it, and has acted"),
}
TRIGGERS: Final = {
    Trigger.PAGING_ECG: "an ECG that pages, and no alert that covers it",
    Trigger.PAGING_ECG_NOBODY: "an ECG that pages, no alert that covers it, and nobody on duty",
    Trigger.LATER_ECG: "a later ECG of the episode, no louder",
    Trigger.LOUDER_ECG: "an ECG that pages, while the alert is about one that could wait",
    Trigger.LOUDER_ECG_NOBODY: "an ECG that pages, an alert about one that could wait, and nobody on duty",
    Trigger.STEP_DUE: "a step falls due",
    Trigger.LAST_STEP_DUE: "the last step falls due",
    Trigger.DECLINED: "a person who was called declines",
    Trigger.LAST_DECLINED: "a person who was called declines, and nobody is left",
    Trigger.UNREACHED: "no channel of anybody of the step gets through",
    Trigger.LAST_UNREACHED: "no channel of anybody of the step gets through, and nobody is left",
    Trigger.REPEAT_DUE: "the time since the last ring has run out",
    Trigger.ANSWER: "a person answers",
    Trigger.HANDED_OVER: "the alert is handed over",
    Trigger.HANDED_BACK: "who was given the alert, and has not taken it, declines",
    Trigger.HANDED_BACK_NOBODY: "who was given the alert declines, and nobody is on duty",
    Trigger.ACTED: "a reading of its ECGs is signed, the green channel opened or stood down, the case ended",
    Trigger.FOLLOW_UP_DUE: "nothing has followed the answer in time, or who was given the alert has not taken it",
    Trigger.FOLLOW_UP_DUE_NOBODY: "nothing has followed the answer in time, and nobody is on duty",
}
ACTIONS: Final = {
    Action.OPEN: "open, freeze the plan",
    Action.RAISE: "raise",
    Action.REARM: "begin a new round with the roster of now",
    Action.RING_FIRST: "ring the first step",
    Action.TAKE_STEPS: "ring each step that is due, and on until somebody is rung",
    Action.RING_ALL_AGAIN: "ring everybody who is on duty now",
    Action.TELL_CLINIC: "tell the clinic: 暂无医生应答",
    Action.NOTE: "write it down",
}

_HEAD: Final = """# Alerting

Generated from `escalation_table.py`, `escalation.toml` and `channels.toml` of `alerts/` by
`python -m tools.alerting_page`; do not edit. The reasons stand in `alerts/README.md` and in the decisions 13 to 15; how
a message leaves the house, in `docs/wire-protocol.md`.

## How loud
| tier | what happens |
|---|---|
"""


def markdown(settings: EscalationSettings | None = None) -> str:
    """The whole page."""
    settings = settings or default_settings()
    parts = (
        _HEAD + "".join(_loudness(settings)),
        "## The life of an alert\n```mermaid\n" + "".join(_diagram()) + "```\n",
        "| phase | 中文 | meaning |\n|---|---|---|\n"
        + "".join(f"| `{phase}` | {zh} | {en} |\n" for phase, (zh, en) in PHASES.items()),
        "## What is done\nWhat is not listed changes and writes nothing: what comes late or twice does no harm.\n\n"
        + "".join(_table()),
        "## When\n" + "".join(_times(settings)),
        "## By which channels\n" + "".join(_channels()),
    )
    return "\n".join(parts)


def _loudness(settings: EscalationSettings) -> Iterator[str]:
    for tier in settings.paging_tiers:
        yield f"| {tier} | pages a person now |\n"
    for tier, wait_s in settings.waiting_s.items():
        yield f"| {tier} | waits in the worklist; unread after {_time(wait_s)} it rings |\n"
    yield "| all others | written down, shown in the worklist |\n"


def _diagram() -> Iterator[str]:
    yield "stateDiagram-v2\n"
    for phase, (zh, _) in PHASES.items():
        if phase is not Phase.NONE:
            yield f"    {phase}: {phase} {zh}\n"
    arrows: dict[tuple[Phase, Phase], list[str]] = {}
    for (phase, trigger), decided in TABLE.items():
        if decided.next is not phase or decided.actions:
            arrows.setdefault((phase, decided.next), []).append(trigger.replace("_", " "))
    for (phase, after), triggers in arrows.items():
        begin = "[*]" if phase is Phase.NONE else phase
        yield f"    {begin} --> {after}: {', '.join(triggers)}\n"


def _table() -> Iterator[str]:
    yield "| phase | what comes | next | what is done |\n|---|---|---|---|\n"
    for (phase, trigger), decided in TABLE.items():
        if decided.next is phase and not decided.actions:
            continue
        done = ", then ".join(ACTIONS[action] for action in decided.actions) or "nothing"
        yield f"| `{phase}` | {TRIGGERS[trigger]} | `{decided.next}` | {done} |\n"


def _times(settings: EscalationSettings) -> Iterator[str]:
    yield "Times are the site's configuration; these are the ones it starts with. The plan is frozen as the\n"
    yield "alert opens.\n\n"
    yield "| after | who |\n|---|---|\n"
    for step in settings.step:
        more = [f"the {role} again" for role in step.again] + [f"a call to the {role}" for role in step.call]
        who = (
            "everybody on duty; the clinic is told"
            if step.role == "everybody"
            else f"the {step.role} on duty"
        )
        yield f"| {_time(step.after_s)} | {', '.join([who, *more])} |\n"
    yield f"""
- A board that has not said within {_time(settings.receipt_s)} that it has the ring counts as closed. Where no channel
  of anybody of a step gets through, the next step comes at once.
- Unanswered, everybody on duty is rung again after {", ".join(_time(s) for s in settings.repeat_s)}, and so on.
- {_time(settings.follow_up_s)} after an answer (or a hand-over) something must have followed: a signed reading, the
  green channel opened or stood down, the end of the case. Else the alert begins anew.
"""


def _channels() -> Iterator[str]:
    yield "| channel | 中文 | others' servers | enough alone | a good test vouches for |\n|---|---|---|---|---|\n"
    for name, spec in channels().items():
        public, alone = ("yes: tier and site alone" if spec.public else "no"), "yes" if spec.alone else "no"
        yield f"| `{name}` | {spec.zh} | {public} | {alone} | {spec.fresh_h:g} h |\n"


def _time(s: float) -> str:
    return f"{s / 60:g} min" if s >= 120 and s % 60 == 0 else f"{s:g} s"
