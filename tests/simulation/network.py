"""The ways out of the house: gateways that take, fail, answer late or not at all; receivers that keep their keys.

Mirrored: what `service.channels.senders.Senders.send` makes of the other side's answer.
"""

import functools
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from greenchannel.alerts.channels import PHONE, WEBPUSH, channels
from greenchannel.alerts.delivery import Accepted, Failed, Item, Outcome, Refused
from greenchannel.service.channels.senders import Sent
from greenchannel.service.receipts import Receipt
from greenchannel.store.outbox_rows import OutboxRow
from tests.simulation.agenda import MINUTE, SECOND
from tests.simulation.memory_store import MemoryTx

if TYPE_CHECKING:
    from tests.simulation.process import Process
    from tests.simulation.world import World

_USUAL: Final = {
    "taken": 0.9,
    "answer lost": 0.03,
    "server error": 0.02,
    "lost": 0.02,
    "throttled": 0.02,
    "swallowed": 0.01,
}
_AILING: Final = {"server error": 0.3, "lost": 0.3, "answer lost": 0.15, "throttled": 0.05, "taken": 0.2}
_REPORTS: Final = {"once": 0.75, "never": 0.1, "twice": 0.1, "failed": 0.05}


class Network:
    """What is on its way, and what the receivers have."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.ailing_until_ms: dict[str, int] = {}  # channel → until when most of it fails
        self.dead: set[str] = set()  # contacts whose address is no more
        self.came: Counter[str] = Counter()  # key → how often it came
        self.swallowed: set[str] = set()  # keys that a gateway took, and brought to nobody
        self.shown: Counter[tuple[str, int, int, str, str]] = Counter()  # ring → how often it was shown

    # ------------------------------------------------------------ sending

    def send(self, process: "Process", row: OutboxRow, item: Item, answer: Callable[[Sent], None]) -> None:
        """Put one message on its way; `answer` is called in the life of its process, once it has one."""
        world = self._world
        world.history.note(f"{process.name} sends {row.key} {item.fence}")
        to: list[str] = world.contacts.addresses(row.person, row.channel)
        gone = tuple(one for one in to if one in self.dead)
        if not to or gone:
            refused = Refused(reason="gone" if gone else "no_contact")
            sent = Sent(outcome=refused, gone=gone if row.channel == WEBPUSH else ())
            process.later(world.dice.between(5, 300), answer, sent)
            return
        ailing = world.agenda.now_ms < self.ailing_until_ms.get(row.channel, 0)
        fate = world.dice.weighed(_AILING if ailing else _USUAL)
        comes_ms = world.dice.between(20, 900)
        if fate in ("taken", "answer lost"):
            world.agenda.after(comes_ms, self._arrives, row)
        elif fate == "swallowed":
            self.swallowed.add(row.key)
        outcome, wait_ms = self._outcome(fate, row.channel)
        process.later(comes_ms + wait_ms, answer, Sent(outcome=outcome))

    def _outcome(self, fate: str, channel: str) -> tuple[Outcome, int]:
        dice = self._world.dice
        match fate:
            case "taken" | "swallowed":
                return Accepted(), dice.between(5, 400)
            case "server error":
                return Failed(reason="server_error"), dice.between(5, 400)
            case "throttled":
                return Failed(reason="throttled", retry_after_s=float(dice.between(1, 120))), 5
            case _:
                return Failed(reason="timeout"), round(channels()[channel].timeout_s * 1000)

    # ------------------------------------------------------------ receiving

    def _arrives(self, row: OutboxRow) -> None:
        """A receiver keeps the keys that it has shown, and shows none again."""
        self._world.history.note(f"{row.person} gets {row.key}")
        self.came[row.key] += 1
        if self.came[row.key] > 1 or row.kind != "alert":
            return
        facts = row.facts
        self.shown[facts["alert_id"], facts["round"], facts["step"], row.person, row.channel] += 1
        phone = row.channel == PHONE
        self._world.staff.hears(
            row.person, facts["case_id"], facts["alert_id"], row.channel, key=row.key if phone else None
        )
        self._report(row)

    def _report(self, row: OutboxRow) -> None:
        """What gateways and browsers say later: late, twice, out of order, or never."""
        dice = self._world.dice
        kind = dice.weighed(_REPORTS)
        if kind == "never" or row.channel == "wecom":
            return
        status = "failed" if kind == "failed" and row.channel != WEBPUSH else "delivered"
        id = f"{row.key}/{status}"
        for _ in range(2 if kind == "twice" else 1):
            self._world.agenda.after(dice.spread(100, 2 * MINUTE), self.report, row.key, id, status)
        if row.channel == WEBPUSH and dice.chance(0.5):
            self._world.agenda.after(dice.spread(100, 2 * MINUTE), self.report, row.key, id, "seen")

    def report(self, key: str, id: str, status: str, times: int = 5) -> None:
        """A receipt, brought again until it is taken."""
        service = self._world.service

        def take(tx: MemoryTx) -> None:
            real: Any = tx
            row = tx.store.outbox[key]
            if row.channel == WEBPUSH:
                service.receipts._shown(real, row, status, f"user:{row.person}")
            else:
                receipt = Receipt(key=key, status=status)  # type: ignore[arg-type]
                service.receipts._once(
                    real, f"receipts:{row.person}", id, status.encode().ljust(32), key, receipt
                )

        pause = functools.partial(self._world.dice.spread, 5 * SECOND, MINUTE)
        self._world.insist(take, lambda result, error: None, times=times, pause=pause)
