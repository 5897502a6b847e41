"""A chain of hashes: each row's hash covers the row before, so no row can be changed, dropped or moved unseen.

The hash of a row is ``SHA-256(hash before || JSON array of the row's short columns || body)``; before the first row
stand 32 zero bytes. The array ends where its bracket closes, so the bytes can be read in one way only.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

import msgspec

START = bytes(32)

_encoder = msgspec.json.Encoder()


class VerifyReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a walk along a chain found."""

    ok: bool
    seq: int  # the last row that is as it was written
    bad_seq: int | None = None  # the first that is not
    reason: str | None = None  # why, for a person


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """One row as it is stored: nothing decoded, so that nothing is forgiven."""

    seq: object
    facts: Sequence[object]  # the short columns behind seq, in the order of the hash
    body: object
    hash: object
    unreadable: str | None = None  # the database could not read the row; what it said


def link_hash(before: bytes, seq: int, facts: Sequence[object], body: bytes) -> bytes:
    """Hash of one row, given the hash of the row before it."""
    return hashlib.sha256(before + _encoder.encode([seq, *facts]) + body).digest()


def verify_chain(
    links: Iterable[Link], head: tuple[int, bytes] | None, known: Mapping[int, bytes] | None = None
) -> VerifyReport:
    """Walk along `links` and tell the first that is wrong.

    Parameters
    ----------
    links : iterable of Link
        All rows in the order of `seq`.
    head : (seq, hash) or None
        What the head row says; None where there is none, which is an error in itself.
    known : mapping of seq to hash, optional
        Heads that left the machine earlier. Only these show that the end was cut off and the head row put back, or
        that the whole chain was computed anew.
    """
    seq, before = 0, START
    known = known or {}
    for link in links:
        reason = _fault(link, seq, before, known)
        if reason is not None:
            return VerifyReport(ok=False, seq=seq, bad_seq=seq + 1, reason=reason)
        seq += 1
        assert isinstance(link.hash, bytes)
        before = link.hash
    if head != (seq, before):
        told = (
            "there is no head row"
            if head is None
            else f"the head row says {head[0]} with hash {head[1].hex()}"
        )
        reason = f"the chain ends at {seq} with hash {before.hex()}, {told}"
        return VerifyReport(ok=False, seq=seq, bad_seq=seq + 1, reason=reason)
    beyond = [number for number in known if number > seq]
    if beyond:
        reason = f"expected {max(beyond)} rows or more, as was told before, the chain ends at {seq}"
        return VerifyReport(ok=False, seq=seq, bad_seq=seq + 1, reason=reason)
    return VerifyReport(ok=True, seq=seq)


def _fault(link: Link, seq: int, before: bytes, known: Mapping[int, bytes]) -> str | None:
    """Why `link` cannot be the row after `seq`, or None."""
    if link.unreadable is not None:
        return f"row {seq + 1} cannot be read ({link.unreadable}): its bytes on disk were changed"
    if link.seq != seq + 1:
        return f"expected row {seq + 1}, got {link.seq}"
    if not isinstance(link.body, bytes) or not isinstance(link.hash, bytes):
        return f"expected bytes as body and hash of row {seq + 1}, got something else"
    if link.hash != link_hash(before, seq + 1, link.facts, link.body):
        return f"row {seq + 1} or its place was changed: its hash does not follow from the row before and its content"
    if known.get(seq + 1, link.hash) != link.hash:
        return f"expected hash {known[seq + 1].hex()} at row {seq + 1}, as was told before, got {link.hash.hex()}"
    return None
