"""What can go wrong in the store.

```
StoreError
├── VersionConflict        another command was first
├── UnreadableEvent        an event that could not be read back would have been written
├── FolderInUse            another service runs on the data folder
├── WriterClosed           the writer was not started, or has stopped
├── CommitFailed           nothing of the batch is on disk as far as anybody may rely on
├── MasterKeyError         the master key is no key, or not the one of this database
├── PatientKeyMissing      the patient is unknown, or was erased
├── BlobError
│   ├── BlobMissing        no such bytes for this patient
│   ├── BlobErased         the patient was erased, and with the key the bytes
│   └── BlobDamaged        the file on disk is not what was stored
├── AnalysisDamaged        the bytes of an analysis do not have the hash they are kept under
└── AccountError
    ├── AlreadyExists      the id is taken
    ├── UnknownAccount     no such user, device, site or shift
    ├── Misfit             a value of it cannot be
    ├── LastAdmin          nobody would be left who may administer
    └── CodeRefused        a one-time code is unknown, used, taken back, or over
```
"""


class StoreError(Exception):
    """Base of the store's errors."""


class VersionConflict(StoreError):
    """The stream is not at the version that was expected."""

    def __init__(self, stream: str, expected: int, found: int) -> None:
        super().__init__(f"expected {stream} at version {expected}, it is at {found}")
        self.stream, self.expected, self.found = stream, expected, found


class FolderInUse(StoreError):
    """Another service runs on the data folder."""

    def __init__(self, folder: object) -> None:
        super().__init__(
            f"expected a data folder of its own, another service runs on {folder} 数据目录已被另一个服务使用"
        )


class UnreadableEvent(StoreError, ValueError):
    """The event would not come back from its own JSON as it went in."""


class WriterClosed(StoreError):
    """The writer takes no commands now."""


class CommitFailed(StoreError):
    """The batch could not be committed; its cause is the database's error."""


class MasterKeyError(StoreError):
    """The master key is no key, or not the one this database was written under."""


class PatientKeyMissing(StoreError, LookupError):
    """There is no key for this patient: never made, or destroyed."""


class BlobError(StoreError):
    """The bytes of a blob cannot be had."""


class BlobMissing(BlobError, LookupError):
    """No such bytes are kept for this patient."""


class BlobErased(BlobError, LookupError):
    """The patient's key was destroyed, and with it what these bytes said."""


class BlobDamaged(BlobError):
    """The stored file does not open under its key, or holds other bytes than its name says."""


class AnalysisDamaged(StoreError):
    """The stored analysis does not have the hash it is kept under."""


class AccountError(StoreError):
    """An account cannot be written as asked."""


class AlreadyExists(AccountError, ValueError):
    """The id is taken."""


class UnknownAccount(AccountError, LookupError):
    """There is no user, device, site or shift of this id."""


class Misfit(AccountError, ValueError):
    """A value of an account cannot be; `zh` says the same in Chinese."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.zh = zh


class LastAdmin(AccountError):
    """The only administrator who is in use cannot be disabled, nor given another role."""

    def __init__(self, user_id: str) -> None:
        super().__init__(
            f"expected another administrator who is in use, {user_id!r} is the last 这是最后一位管理员，不能停用"
        )


class CodeRefused(AccountError):
    """A one-time code is worth nothing.

    Attributes
    ----------
    reason : str
        "unknown", "used", "withdrawn" or "expired".
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"expected a code that is in force, got one that is {reason}")
        self.reason = reason
