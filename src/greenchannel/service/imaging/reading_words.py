"""What people write and say about a study, sealed in the log: it goes with its patient, and the log stays whole.

The words of an event stand in its `sealed`, under a key of the study's own that is kept in the study's sealed texts
(`StudyText.text_key`), so under the key of its patient: it moves with the study, and goes with the patient. Events of
before have their words in clear, and are read as they are.
"""

import base64
import secrets
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import structlog
from cryptography.exceptions import InvalidTag

from greenchannel.alerts.imaging.reading import Call, Draft, Reading, Signed
from greenchannel.events import (
    AnyEvent,
    ImageAddendumSigned,
    ImageCriticalTold,
    ImageMarkedStat,
    ImageReportDrafted,
    ImageReportSigned,
    ImageShared,
)
from greenchannel.service.errors import NotFound
from greenchannel.store import image_rows
from greenchannel.store.errors import PatientKeyMissing
from greenchannel.store.vault import KEY_BYTES, Vault, seal, unseal
from greenchannel.store.writer import Tx

logger = structlog.get_logger(__name__)

_WORDS: Final[dict[type, dict[str, Any]]] = {  # what is said in which event, and what stands there instead
    ImageReportDrafted: {"findings": "", "impression": ""},
    ImageReportSigned: {"findings": "", "impression": ""},
    ImageAddendumSigned: {"text": ""},
    ImageCriticalTold: {"read_back": None, "note": None},
    ImageMarkedStat: {"reason": ""},
    ImageShared: {"reason": ""},
}
UNREADABLE: Final = "(无法解密 / cannot be opened)"


class ReadingWords:
    """Seals words within the command that writes them."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def sealed(self, tx: Tx, study_uid: str, events: Sequence[AnyEvent]) -> list[AnyEvent]:
        """The events as they are written; raises `NotFound` where the study is gone, or its patient erased."""
        found: list[AnyEvent] = []
        key: bytes | None = None
        for event in events:
            empty = _WORDS.get(type(event))
            said = {} if empty is None else {name: getattr(event, name) for name in empty}
            said = {name: value for name, value in said.items() if value}
            if empty is None or not said:
                found.append(event)
                continue
            key = key or self._key(tx, study_uid)
            sealed = base64.b64encode(seal(key, msgspec.json.encode(said), _bound(study_uid))).decode()
            found.append(msgspec.structs.replace(event, sealed=sealed, **empty))
        return found

    def opened_in(self, tx: Tx, reading: Reading) -> Reading:
        """As `opened`, within a command."""
        row = image_rows.study_of(tx.conn, reading.study_uid)
        if row is None:
            return reading
        text = self._vault.opener(tx.conn)(row.patient, row.sealed, row.study_uid)
        return opened(reading, text.get("text_key"))

    def _key(self, tx: Tx, study_uid: str) -> bytes:
        """The key of a study's words; made with the first of them."""
        row = image_rows.study_of(tx.conn, study_uid)
        if row is None:
            raise NotFound("study", study_uid)
        try:
            text = self._vault.opener(tx.conn)(row.patient, row.sealed, study_uid)
            if text.get("text_key") is None:
                text["text_key"] = secrets.token_hex(KEY_BYTES)
                sealed = self._vault.seal_text(tx.conn, row.patient, text, study_uid)
                image_rows.change_study(tx, study_uid, sealed=sealed)
        except PatientKeyMissing:
            raise NotFound("study", study_uid) from None
        return bytes.fromhex(text["text_key"])


def opened(reading: Reading, text_key: str | None) -> Reading:
    """The reading with what was said of its study in words. What no key opens says so, and is never left out."""

    def words(sealed: str | None) -> dict[str, Any]:
        if sealed is None:
            return {}
        try:
            if text_key is None:
                raise InvalidTag
            plain = unseal(bytes.fromhex(text_key), base64.b64decode(sealed), _bound(reading.study_uid))
            return msgspec.json.decode(plain, type=dict[str, Any])
        except (InvalidTag, ValueError):
            logger.error("words of a study cannot be opened", study=reading.study_uid)
            return {
                "impression": UNREADABLE,
                "text": UNREADABLE,
                "reason": UNREADABLE,
                "read_back": UNREADABLE,
            }

    replace = msgspec.structs.replace

    def draft(one: Draft) -> Draft:
        said = words(one.sealed)
        return replace(
            one,
            findings=said.get("findings", one.findings),
            impression=said.get("impression", one.impression),
            sealed=None,
        )

    def signed(one: Signed) -> Signed:
        said = words(one.sealed)
        impression = said.get("impression" if one.addendum is None else "text", one.impression)
        return replace(one, findings=said.get("findings", one.findings), impression=impression, sealed=None)

    def call(one: Call) -> Call:
        said = words(one.said.sealed)
        told = replace(
            one.said,
            read_back=said.get("read_back", one.said.read_back),
            note=said.get("note", one.said.note),
            sealed=None,
        )
        return replace(one, said=told)

    stat = words(reading.stat_sealed).get("reason", reading.stat_reason)
    return replace(
        reading,
        stat_reason=stat,
        stat_sealed=None,
        drafts=tuple(draft(one) for one in reading.drafts),
        signed=tuple(signed(one) for one in reading.signed),
        calls=tuple(call(one) for one in reading.calls),
    )


def _bound(study_uid: str) -> str:
    return f"image words:{study_uid}"
