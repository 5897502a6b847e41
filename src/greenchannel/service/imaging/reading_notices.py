"""What is sent about the reading of studies, through the outbox: in the transaction of the event that wants it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from greenchannel.alerts.imaging.clock import People
from greenchannel.alerts.imaging.reading import Reading
from greenchannel.events import (
    AlertAcknowledged,
    AlertExhausted,
    AlertSent,
    Envelope,
    ImageAddendumSigned,
    ImageConfirmationOverdue,
    ImageCriticalOverdue,
    ImageReportSigned,
    ImageStudyMoved,
)
from greenchannel.service.outbox import CLINIC, Outbox
from greenchannel.store import outbox_rows
from greenchannel.store.writer import Tx

IS_DUE: Final = "image_due"
IS_OVER: Final = "image_over"


class ReadingNotices:
    """Turns events of studies into deliveries. No text names a patient, or what was found."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._contacts = outbox.contacts

    def of_role(self, tx: Tx, role: str, site: str) -> tuple[str, ...]:
        """The people of a role who may see a site."""
        return tuple(self._contacts.of_role(tx, role, site))

    def channels(self, tx: Tx, people: Collection[str]) -> Mapping[str, Sequence[str]]:
        """Where each of them can be rung."""
        return self._contacts.channels_in(tx, people)

    def on_event(self, tx: Tx, envelope: Envelope, reading: Reading, people: Callable[[], People]) -> None:
        """Ask for what one event of a study wants to be sent; `reading` is as it is right after the event."""
        facts = _facts(reading)
        match envelope.event:
            case AlertSent() as sent:
                key = f"{sent.alert_id}:{sent.step}:{envelope.version}:{sent.person}:{sent.channel}"
                kind = IS_OVER if _is_last(reading, sent) else IS_DUE
                self._outbox.notice(
                    tx, key=key, person=sent.person, channel=sent.channel, kind=kind, facts=facts
                )
            case AlertAcknowledged() as answered if reading.case_id is not None:
                self._call_off(tx, reading, answered.alert_id)
            case AlertExhausted() as gone:
                key = f"{gone.alert_id}:late:{envelope.version}"
                self._all(tx, key, self._clinic(tx, reading), "image_late", facts)
            case ImageReportSigned() | ImageAddendumSigned() as signed:
                kind = "image_critical" if signed.critical else "image_result"
                self._all(tx, f"{signed.report_id}:signed", self._clinic(tx, reading), kind, facts)
            case ImageStudyMoved() if reading.report is not None:
                signers = [one.person for one in reading.signed]
                called = [*signers, *people().radiologists, *self._clinic(tx, reading)]
                key = f"{reading.report.report_id}:moved{len(reading.moves)}"
                self._all(tx, key, called, "image_moved", facts)
            case ImageConfirmationOverdue() as late:
                called = [*_signers(reading, late.report_id), *people().radiologists]
                key = f"{late.report_id}:unconfirmed:{late.times}{_moved(reading)}"
                self._all(tx, key, called, "image_unconfirmed", facts)
            case ImageCriticalOverdue() as late:
                known = people()
                head = [] if known.head is None else [known.head]
                called = [*_signers(reading, late.report_id), *known.radiologists, *head]
                key = f"{late.report_id}:untold:{late.times}{_moved(reading)}"
                self._all(tx, key, called, "image_untold", facts)
            case _:
                pass

    def _call_off(self, tx: Tx, reading: Reading, alert_id: str) -> None:
        """Nobody is rung for the report any more, also of those who were rung while the study was in another case."""
        for case_id in {reading.case_id, *(one.from_case_id for one in reading.moves)} - {None}:
            for kind in (IS_DUE, IS_OVER):
                for row in outbox_rows.waiting_of_case(tx, str(case_id), kind):
                    if row.key.startswith(f"{alert_id}:"):  # the case may have another study that waits
                        self._outbox.call_off(tx, row)

    def _clinic(self, tx: Tx, reading: Reading) -> tuple[str, ...]:
        return () if reading.site is None else self.of_role(tx, CLINIC, reading.site)

    def _all(self, tx: Tx, key: str, people: Collection[str], kind: str, facts: Mapping[str, Any]) -> None:
        self._outbox.notice_all(tx, key=key, people=tuple(dict.fromkeys(people)), kind=kind, facts=facts)


def _is_last(reading: Reading, sent: AlertSent) -> bool:
    """Is it the ring of the last step, when all of the time is over?"""
    alert = reading.alert_of(sent.alert_id)
    return alert is not None and sent.step == len(alert.plan) - 1


def _moved(reading: Reading) -> str:
    return f":moved{len(reading.moves)}" if reading.moves else ""


def _signers(reading: Reading, report_id: str) -> list[str]:
    return [one.person for one in reading.signed if one.report_id == report_id]


def _facts(reading: Reading) -> dict[str, Any]:
    return {"site": reading.site, "case_id": reading.case_id, "study_uid": reading.study_uid}
