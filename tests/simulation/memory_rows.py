"""The outbox in memory, with the functions of `store.outbox_rows` that work within a command, under their names."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from greenchannel.store.outbox_rows import OutboxRow
from tests.simulation.agenda import ms_of
from tests.simulation.memory_store import Lease, MemoryTx

_FREE = Lease(None)


def add(
    tx: MemoryTx,
    *,
    key: str,
    ref: str,
    kind: str,
    person: str,
    channel: str,
    facts: Mapping[str, Any],
    case_id: str | None = None,
    alert_id: str | None = None,
) -> bool:
    """Ask for a delivery, due at once; False where its key is known, and nothing is changed."""
    store = tx.store
    if key in store.outbox:
        return False
    row = OutboxRow(
        key=key,
        ref=ref,
        kind=kind,
        person=person,
        channel=channel,
        case_id=case_id,
        alert_id=alert_id,
        facts=facts,
        state="waiting",
        attempts=0,
        fence=0,
        called_off=False,
        reason=None,
        receipt=None,
        created_at=tx.now,
        next_at=tx.now,
        ended_at=None,
        lease_lost=False,
    )
    keys = store.of_alert.setdefault(alert_id or "", [])
    store.outbox[key], store.leases[key] = row, _FREE
    store.note_turn(ms_of(tx.now), key)
    keys.append(key)
    store.asked.append(row)

    def back() -> None:
        del store.outbox[key], store.leases[key]
        keys.pop()
        store.asked.pop()

    store.undo(back)
    return True


def get(tx: MemoryTx, key: str) -> OutboxRow | None:
    """One row."""
    row = tx.store.outbox.get(key)
    return None if row is None else _shown(tx, row)


def _shown(tx: MemoryTx, row: OutboxRow) -> OutboxRow:
    until_ms = tx.store.leases[row.key].until_ms
    lost = row.state == "sending" and until_ms is not None and until_ms <= tx.store.now_ms()
    return msgspec.structs.replace(row, lease_lost=True) if lost else row


def of_alert(tx: MemoryTx, alert_id: str, kind: str) -> list[OutboxRow]:
    """The rows of one alert and one kind, oldest first."""
    rows = (tx.store.outbox[key] for key in tx.store.of_alert.get(alert_id, ()))
    found = [_shown(tx, row) for row in rows if row.kind == kind]
    return sorted(found, key=lambda row: (row.created_at, row.key))


def waiting_of_case(tx: MemoryTx, case_id: str, kind: str) -> list[OutboxRow]:
    """The rows of one case and one kind that nobody has taken yet, oldest first."""
    found = [
        row
        for row in tx.store.outbox.values()
        if row.state == "waiting" and row.case_id == case_id and row.kind == kind
    ]
    return sorted(found, key=lambda row: (row.created_at, row.key))


def people_of(tx: MemoryTx, case_id: str, kind: str) -> list[str]:
    """Whom messages of one kind about a case were for, each once."""
    rows = tx.store.outbox.values()
    return sorted({row.person for row in rows if row.case_id == case_id and row.kind == kind})


def put(
    tx: MemoryTx,
    key: str,
    *,
    state: str,
    attempts: int,
    fence: int,
    called_off: bool,
    reason: str | None,
    next_at: datetime,
    ended_at: datetime | None,
    lease_s: float | None,
    keep_lease: bool = False,
) -> None:
    """Write how far a row is."""
    row = tx.store.outbox[key]
    after = msgspec.structs.replace(
        row,
        state=state,
        attempts=attempts,
        fence=fence,
        called_off=called_off,
        reason=reason,
        next_at=next_at,
        ended_at=ended_at,
    )
    lease = tx.store.leases[key]
    if not keep_lease:
        lease = _FREE if lease_s is None else Lease(tx.store.now_ms() + round(lease_s * 1000))
    _write(tx, key, after, lease)


def _write(tx: MemoryTx, key: str, row: OutboxRow, lease: Lease) -> None:
    store = tx.store
    before = store.outbox[key], store.leases[key]

    def place(row: OutboxRow, lease: Lease) -> None:
        store.outbox[key], store.leases[key] = row, lease
        turn_ms = store.turn_ms(key)
        if turn_ms is not None:
            store.note_turn(turn_ms, key)

    store.undo(lambda: place(*before))
    place(row, lease)


def renew(tx: MemoryTx, fences: Mapping[str, int], lease_s: float) -> None:
    """Keep the attempts of this process, by key and fence, for longer."""
    for key, fence in fences.items():
        row = tx.store.outbox.get(key)
        if row is not None and row.fence == fence and row.state == "sending":
            _write(tx, key, row, Lease(tx.store.now_ms() + round(lease_s * 1000)))


def note_receipt(tx: MemoryTx, key: str, receipt: str) -> None:
    """Keep what the other side said."""
    if (row := tx.store.outbox.get(key)) is not None:
        _write(tx, key, msgspec.structs.replace(row, receipt=receipt), tx.store.leases[key])
