"""What the service has to say to those who keep it running: the head of duty and the administrators."""

import hashlib

import structlog

from greenchannel.alerts import roster
from greenchannel.alerts.drill import WORD_ZH
from greenchannel.clock import Clock
from greenchannel.service.outbox import Outbox
from greenchannel.service.roster_watch import RosterNotice
from greenchannel.service.watch import Watch
from greenchannel.store.accounts import Accounts
from greenchannel.store.errors import WriterClosed
from greenchannel.store.writer import Tx, Writer

logger = structlog.get_logger(__name__)


class Notices:
    """Puts notices into the outbox, on every channel of those they are for."""

    def __init__(
        self, *, writer: Writer, outbox: Outbox, accounts: Accounts, watch: Watch, clock: Clock
    ) -> None:
        self._writer = writer
        self._outbox = outbox
        self._accounts = accounts
        self._watch = watch
        self._clock = clock

    def roster(self, tx: Tx, notice: RosterNotice) -> None:
        """A shift is in doubt, or no longer; within the command that found it."""
        logger.warning(notice.kind, people=notice.people, **notice.facts)
        if notice.kind == "roster_in_doubt":
            self._outbox.notice_all(tx, key=notice.key, people=notice.people, kind="shift_in_doubt", facts={})

    def auditor(self, name: str, text: str) -> None:
        """What was due has not happened. From the auditor's own thread; it does not wait for the writer.

        The same thing, by its name, is one notice on a day, whichever process found it. Where the writer itself is
        what fails, the auditor's direct way is the one that counts.
        """
        now = self._clock.now()
        key = f"auditor:{now:%Y%m%d}:{hashlib.sha256(name.encode()).hexdigest()[:24]}"

        def command(tx: Tx) -> None:
            head = roster.on_duty(self._watch.shifts(now), now, "head")
            admins = [one.id for one in self._accounts.users() if one.role == "admin" and not one.disabled]
            people = tuple(dict.fromkeys([*admins, *([] if head is None else [head])]))
            facts = {"drill": True} if f"【{WORD_ZH}】" in text else {}
            self._outbox.notice_all(tx, key=key, people=people, kind="auditor", facts=facts)

        try:
            self._writer.submit(command)
        except WriterClosed:
            logger.critical("the auditor's notice finds a closed writer")
