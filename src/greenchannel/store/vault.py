"""Who a patient is, kept apart from what happened: names under a key per patient, and the log under a pseudonym.

```
master key (a file) ──HKDF──► wrapping key ──AES-GCM──► key of each patient ──AES-GCM──► personal data, keys of blobs
                    ├─HKDF──► matching key ──HMAC─────► a site's patient number → pseudonym
                    ├─HKDF──► upload key ──HMAC───────► keys of an upload that is under way
                    └─HKDF──► contact key ──AES-GCM───► how people on duty are reached
```
Erasing a patient destroys the row with the patient's key; what was sealed with it is noise from then on.
"""

import contextlib
import functools
import hashlib
import hmac
import os
import secrets
import unicodedata
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Connection, Engine, bindparam, delete, insert, select, update

from greenchannel.store import schema, schema_giving
from greenchannel.store.durable import fsync_folder, write_all
from greenchannel.store.engine import reading
from greenchannel.store.errors import MasterKeyError, PatientKeyMissing
from greenchannel.store.writer import Tx

__all__ = ["MasterKeyError", "PatientKeyMissing", "Vault", "load_or_make_master_key"]

KEY_BYTES = 32
_NONCE_BYTES = 12
_FIRST_WIDE, _LAST_WIDE, _TO_NARROW = "\uff01", "\uff5e", 0xFEE0  # of Unicode's full-width forms of ASCII
_KEY_OF = select(schema.patient_keys.c.wrapped_key).where(
    schema.patient_keys.c.patient == bindparam("patient")
)


def load_or_make_master_key(path: Path) -> bytes:
    """The 32 bytes of the master key; made at the first call, the same for all processes that call at once.

    Raises
    ------
    MasterKeyError
        Where the file holds something else. Losing this file is losing every name and every original.
    """
    path = Path(path)
    if not path.exists():
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        write_all(temporary, secrets.token_bytes(KEY_BYTES))
        try:
            # A link fails where the name is taken, so the first one wins; a rename would let the last one win.
            with contextlib.suppress(FileExistsError):
                os.link(temporary, path)
        finally:
            temporary.unlink()
        fsync_folder(path.parent)
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise MasterKeyError(f"expected {KEY_BYTES} bytes of key in {path}, got {len(key)}")
    return key


def seal(key: bytes, plain: bytes, bound_to: str) -> bytes:
    """AES-256-GCM under a fresh random nonce, which stands first; opens only with the same `bound_to`."""
    return b"".join(seal_in_parts(key, plain, bound_to))


def seal_in_parts(key: bytes, plain: bytes, bound_to: str) -> tuple[bytes, bytes]:
    """As `seal`; what is large is not copied once more to stand behind its nonce."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce, AESGCM(key).encrypt(nonce, plain, bound_to.encode())


def unseal(key: bytes, sealed: bytes, bound_to: str) -> bytes:
    """What `seal` was given; raises `cryptography.exceptions.InvalidTag` where anything differs."""
    return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound_to.encode())


class Vault:
    """Pseudonyms, patients' keys and what only those keys can read.

    Parameters
    ----------
    engine : Engine
        Migrated already.
    master_key : bytes
        From `load_or_make_master_key`.

    Raises
    ------
    MasterKeyError
        The database was written under another master key.
    """

    def __init__(self, engine: Engine, master_key: bytes) -> None:
        if len(master_key) != KEY_BYTES:
            raise MasterKeyError(f"expected a master key of {KEY_BYTES} bytes, got {len(master_key)}")
        self._engine = engine
        self._wrapping = _derive(master_key, b"greenchannel wrapping key 1")
        self._matching = _derive(master_key, b"greenchannel matching key 1")
        self._uploads = _derive(master_key, b"greenchannel upload key 1")
        self._contacts = _derive(master_key, b"greenchannel contact key 1")
        with reading(engine) as connection:
            some = connection.execute(select(schema.patient_keys.c.patient).limit(1)).scalar_one_or_none()
            if some is not None:
                self.key_of(connection, some)

    def upload_key(self, upload_id: str, purpose: str) -> bytes:
        """The key of one upload that is under way, which has no patient yet: for its bytes, or for what came beside."""
        return hmac.digest(self._uploads, f"{purpose}:{upload_id}".encode(), hashlib.sha256)

    def seal_contact(self, contact_id: str, plain: bytes) -> bytes:
        """The address of one contact as it is stored."""
        return seal(self._contacts, plain, f"contact:{contact_id}")

    def open_contact(self, contact_id: str, sealed: bytes) -> bytes:
        """The address again; raises `MasterKeyError` where it was sealed under another master key."""
        try:
            return unseal(self._contacts, sealed, f"contact:{contact_id}")
        except InvalidTag as error:
            message = "expected the master key that this database was written under, got another"
            raise MasterKeyError(message) from error

    def contact_mac(self, address: bytes) -> str:
        """The same for the same address, and telling nothing of it: 64 hexadecimal digits."""
        return hmac.digest(self._contacts, b"slot:" + address, hashlib.sha256).hex()

    def patient_for(self, tx: Tx, site: str, patient_ref: str | None) -> str:
        """The pseudonym of a site's patient; a new one for a number never seen, and always where there is none.

        Full-width signs, as Chinese keyboards write them, are the same as narrow ones, and marks that show nothing
        count for nothing: else one patient would be two, whose earlier ECGs nobody compares.
        """
        # One that was kept as it was written, of before numbers were compared by what they show, goes on.
        written = () if patient_ref is None else dict.fromkeys((patient_ref, _as_shown(patient_ref)))
        mac = None
        for number in written:
            mac = self._mac(site, number)
            table = schema.patients
            query = select(table.c.patient).where(table.c.site == site, table.c.ref_mac == mac)
            found: str | None = tx.conn.execute(query).scalar_one_or_none()
            if found is not None:
                return found
        patient = f"p_{secrets.token_hex(10)}"
        row = {"patient": patient, "site": site, "ref_mac": mac, "created_at": tx.now}
        tx.conn.execute(insert(schema.patients).values(**row))
        wrapped = seal(self._wrapping, secrets.token_bytes(KEY_BYTES), f"patient:{patient}")
        tx.conn.execute(insert(schema.patient_keys).values(patient=patient, wrapped_key=wrapped))
        return patient

    def is_numbered(self, connection: Connection, patient: str) -> bool:
        """Did the site give a number for this patient?"""
        table = schema.patients
        query = select(table.c.patient).where(table.c.patient == patient, table.c.ref_mac.is_not(None))
        return connection.execute(query).one_or_none() is not None

    def put_personal(self, tx: Tx, patient: str, data: dict[str, str]) -> None:
        """Add to what is known of a person; a field that was there takes the new value.

        Raises
        ------
        PatientKeyMissing
            The patient is unknown or erased.
        """
        key = self.key_of(tx.conn, patient)
        table = schema.personal_data
        before = _personal(tx.conn, patient, key)
        sealed = seal(key, msgspec.json.encode((before or {}) | data), f"personal:{patient}")
        if before is None:
            tx.conn.execute(insert(table).values(patient=patient, sealed=sealed))
        else:
            tx.conn.execute(update(table).where(table.c.patient == patient).values(sealed=sealed))

    def personal_in(self, tx: Tx, patient: str) -> dict[str, str]:
        """What is known of a person as of this transaction; raises `PatientKeyMissing` as `put_personal` does."""
        return _personal(tx.conn, patient, self.key_of(tx.conn, patient)) or {}

    def personal(self, patient: str) -> dict[str, str] | None:
        """What is known of a person; None where nothing is, or not any more."""
        with reading(self._engine) as connection:
            if not self.has_key(connection, patient):
                return None
            return _personal(connection, patient, self.key_of(connection, patient))

    def erase(self, tx: Tx, patient: str) -> None:
        """Destroy the patient's key, and with it names and original files; the log keeps the pseudonym.

        The site's number of this patient becomes one never seen. Append `greenchannel.events.PatientErased` in the
        same command, and call `scrub` once it is committed.

        Raises
        ------
        PatientKeyMissing
            The patient is unknown or was erased before.
        """
        keys = delete(schema.patient_keys).where(schema.patient_keys.c.patient == patient)
        if tx.conn.execute(keys).rowcount == 0:
            raise PatientKeyMissing(f"expected a patient with a key, got {patient}")
        images = (schema.image_studies, schema.image_series, schema.image_instances, schema.image_names)
        given = (schema_giving.image_forwards, schema_giving.image_orders, schema_giving.image_chores)
        for table in (schema.personal_data, schema.blob_keys, schema.ecg_prints, *images, *given):
            tx.conn.execute(delete(table).where(table.c.patient == patient))
        ecgs = select(schema.ecgs.c.ecg_id).where(schema.ecgs.c.patient == patient)
        objects = schema_giving.ecg_objects
        tx.conn.execute(delete(objects).where(objects.c.ecg_id.in_(ecgs)))
        tx.conn.execute(
            update(schema.patients).where(schema.patients.c.patient == patient).values(ref_mac=None)
        )

    def scrub(self) -> bool:
        """Empty the database's write-ahead file, which still holds the pages as they were before an erasure.

        Gives False where a reader held it back; then call again later. True where there is nothing to empty.
        """
        if self._engine.dialect.name != "sqlite":
            return True
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            raw = connection.connection.driver_connection
            assert raw is not None
            raw.execute("PRAGMA busy_timeout = 500").close()
            try:
                busy: int = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            finally:
                connection.invalidate()  # so that no one else gets the connection with the short timeout
        return not busy

    # ------------------------------------------------------------ for the images

    def image_mac(self, kind: str, text: str) -> bytes:
        """The same for the same text of a kind, and telling nothing of it: by this it is found again."""
        return hmac.digest(self._matching, msgspec.json.encode(["image", kind, text]), hashlib.sha256)[:16]

    def seal_text(self, connection: Connection, patient: str, text: dict[str, Any], bound_to: str) -> bytes:
        """Texts of a patient's image, sealed under the patient's key; raises `PatientKeyMissing`."""
        key = self.key_of(connection, patient)
        return seal(key, msgspec.json.encode(text), f"image:{bound_to}")

    def opener(
        self, connection: Connection, patients: Collection[str] = ()
    ) -> Callable[[str, bytes, str], dict[str, Any]]:
        """Opens what `seal_text` sealed, for a patient, and asks for each key once; raises `PatientKeyMissing`.

        The keys of `patients` are asked for together.
        """
        keys = schema.patient_keys.c
        query = select(keys.patient, keys.wrapped_key).where(keys.patient.in_(patients))
        wrapped = {row.patient: row.wrapped_key for row in connection.execute(query)} if patients else {}

        @functools.cache
        def key_of(patient: str) -> bytes:
            found = wrapped.get(patient)
            return self.key_of(connection, patient) if found is None else self._unwrapped(patient, found)

        def opened(patient: str, sealed: bytes, bound_to: str) -> dict[str, Any]:
            plain = unseal(key_of(patient), sealed, f"image:{bound_to}")
            return msgspec.json.decode(plain, type=dict[str, Any])

        return opened

    def text_opener(self) -> Callable[[str, bytes, bytes, str], bytes]:
        """As `opener`, for rows that bring the wrapped key of their patient: that, what is sealed, and to what it is
        bound. Gives the JSON itself; each key is unwrapped once."""
        ciphers: dict[str, AESGCM] = {}

        def opened(patient: str, wrapped: bytes, sealed: bytes, bound_to: str) -> bytes:
            cipher = ciphers.get(patient)
            if cipher is None:
                cipher = ciphers[patient] = AESGCM(self._unwrapped(patient, wrapped))
            return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], f"image:{bound_to}".encode())

        return opened

    # ------------------------------------------------------------ for the blobs

    def has_key(self, connection: Connection, patient: str) -> bool:
        """Is there a key for this patient?"""
        query = select(schema.patient_keys.c.patient).where(schema.patient_keys.c.patient == patient)
        return connection.execute(query).one_or_none() is not None

    def key_of(self, connection: Connection, patient: str) -> bytes:
        """The patient's own key.

        Raises
        ------
        PatientKeyMissing
            The patient is unknown or erased.
        MasterKeyError
            The key was wrapped by another master key.
        """
        wrapped = connection.execute(_KEY_OF, {"patient": patient}).scalar_one_or_none()
        if wrapped is None:
            raise PatientKeyMissing(f"expected a patient with a key, got {patient}")
        return self._unwrapped(patient, wrapped)

    def _unwrapped(self, patient: str, wrapped: bytes) -> bytes:
        try:
            return unseal(self._wrapping, wrapped, f"patient:{patient}")
        except InvalidTag as error:
            message = "expected the master key that this database was written under, got another"
            raise MasterKeyError(message) from error

    def _mac(self, site: str, patient_ref: str) -> bytes:
        return hmac.digest(self._matching, msgspec.json.encode([site, patient_ref]), hashlib.sha256)


def _as_shown(number: str) -> str:
    """A patient's number with narrow signs, without marks that show nothing and the room around it; as it was written
    where nothing is left."""
    narrow = "".join(
        chr(ord(sign) - _TO_NARROW) if _FIRST_WIDE <= sign <= _LAST_WIDE else sign
        for sign in number
        if unicodedata.category(sign) != "Cf"
    )
    return narrow.strip() or number


def _personal(connection: Connection, patient: str, key: bytes) -> dict[str, str] | None:
    query = select(schema.personal_data.c.sealed).where(schema.personal_data.c.patient == patient)
    sealed = connection.execute(query).scalar_one_or_none()
    if sealed is None:
        return None
    return msgspec.json.decode(unseal(key, sealed, f"personal:{patient}"), type=dict[str, str])


def _derive(master_key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose).derive(master_key)
