"""Configuration: the environment and one TOML file make one frozen `Settings`. Units stand in the names."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, get_type_hints

PREFIX = "GREENCHANNEL_"


class SettingsError(ValueError):
    """A setting is unknown or has a value of the wrong kind."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Everything a site may set. Paths are created on first use."""

    data_dir: Path  # database, originals, stream segments, keys
    database_url: str | None = None  # None: SQLite under data_dir
    host: str = "127.0.0.1"
    port: int = 8765
    network_zh: str = "胸痛中心"
    network_en: str = "Chest pain centre"
    max_upload_bytes: int = 32 * 1024 * 1024
    max_image_bytes: int = 128 * 1024 * 1024  # of one DICOM object
    max_study_bytes: int = 2 * 1024 * 1024 * 1024  # of one study on its way in
    dicom_port: int | None = None  # of the DICOM node; None: there is none. 0 takes a free one
    dicom_host: str = "127.0.0.1"
    dicom_title: str = "GREENCHANNEL"
    dicom_callers: str = ""  # who may call it, for which site: "CTVAN=yinzhao@10.0.0.5:11112, XRAY=jishi"
    image_forward_file: Path | None = (
        None  # to which archives images are sent on; docs/wire-protocol.md, "Going on"
    )
    detectors: str = ""  # which look at images: "head_blood=silent, head_blood@yinzhao=enabled"
    detector_models: Path | None = None  # a folder with one folder for each ONNX model of the hospital's own
    image_quiet_s: float = 30.0  # a study of which nothing more comes has come as far as it will
    upload_kept_s: float = 24 * 3600.0  # a resumable upload of which nothing is heard
    upload_idle_s: float = 60.0  # a body of which nothing comes is taken for cut; what came is kept
    quarantine_bytes: int = 512 * 1024 * 1024  # newest kept, oldest dropped
    session_ttl_s: float = 12 * 3600.0  # a person's session ends so long after it was last used
    session_most_s: float = 72 * 3600.0  # and at the latest so long after it began
    pairing_code_s: float = 15 * 60.0  # how long a device's one-time code is good
    invitation_s: float = 7 * 24 * 3600.0  # how long a person's is
    secure_cookie: bool = False  # True where the service stands behind TLS
    login_attempts_per_minute: int = 10
    stream_idle_s: float = 60.0  # a silent stream is finished and read after this long
    stream_max_s: float = 1800.0
    segment_sync_s: float = 0.15  # streams are durable, and acknowledged, this often
    analysis_threads: int = 2
    reading_process: bool = True  # running streams are read in a process of their own
    escalation_file: Path | None = None  # in the form of alerts/escalation.toml; None: that one
    tasks_file: Path | None = None  # the sites' own words for tasks, see alerts/task_texts.py
    templates_file: Path | None = (
        None  # the sites' own sentences for readings and advice, triage/reading_templates.py
    )
    critical_list: str = "consensus-2017"  # critical values of the network; of sites: ", yinzhao=shanxi"
    duty_poll_s: float = 0.2  # how often due times are looked up
    follow_poll_s: float = 0.1  # how often events of another process on the same database are looked for
    audit_every_s: float = 5.0
    auditor_alarm_url: str | None = None  # the auditor's own way out: a webhook, or an address of apprise
    auditor_alarm_secret: str | None = None  # signs the webhook; needed for one
    heartbeat_url: str | None = None  # called while the service is well, and goes silent when it is not
    engine_heartbeat_url: str | None = (
        None  # of `greenchannel engine`: one of its own, or it would cover the service
    )
    heartbeat_every_s: float = 60.0
    mark_every_s: float = 4.0  # `/live` says how far it is at least this often
    delivery_poll_s: float = 0.5  # how often the outbox is looked up; what is new is seen at once
    push_key_file: Path | None = None  # the key of Web Push; None: in the data folder. Engines share one
    vapid_subject: str = "mailto:nobody@greenchannel.invalid"  # whom push services may write to
    contacts_localhost: bool = False  # addresses that people enter may lead to this machine
    live_client_bytes: int = 256 * 1024  # a slower board than this is closed and comes back

    def push_key(self) -> Path:
        """The file that holds the key of Web Push; it is made when it is needed first."""
        return self.push_key_file or self.data_dir / "vapid.pem"

    def url(self) -> str:
        """The database's address."""
        return self.database_url or f"sqlite:///{self.data_dir / 'greenchannel.sqlite'}"


def load(environ: Mapping[str, str] | None = None, file: Path | None = None, **given: Any) -> Settings:
    """Settings from `given`, then the environment (``GREENCHANNEL_PORT``), then `file`, then the defaults.

    Raises `SettingsError` for a key that does not exist or a value that does not fit.
    """
    environ = os.environ if environ is None else environ
    hints = get_type_hints(Settings)
    values: dict[str, Any] = {}
    if file is not None:
        with file.open("rb") as stream:
            try:
                values.update(tomllib.load(stream))
            except ValueError as error:
                raise SettingsError(f"expected a TOML file of settings at {file}, got: {error}") from None
    known = {field.name for field in fields(Settings)}
    values.update(
        {name: environ[PREFIX + name.upper()] for name in known if environ.get(PREFIX + name.upper())}
    )
    values.update({name: value for name, value in given.items() if value is not None})
    unknown = sorted(set(values) - known)
    if unknown:
        raise SettingsError(f"expected settings of {sorted(known)}, got {unknown}")
    return _checked(Settings(**{name: _cast(name, value, hints[name]) for name, value in values.items()}))


def _checked(settings: Settings) -> Settings:
    """What no single value shows."""
    alarm = settings.auditor_alarm_url or ""
    if alarm.startswith(("http://", "https://")) and not settings.auditor_alarm_secret:
        raise SettingsError(
            "expected auditor_alarm_secret beside the webhook auditor_alarm_url, got none 报警地址需要签名密钥"
        )
    for name in ("heartbeat_url", "engine_heartbeat_url"):
        url = getattr(settings, name)
        if url is not None and not url.startswith(("http://", "https://")):
            raise SettingsError(
                f"expected {name} to begin with http:// or https:// 心跳地址应以 http(s):// 开头"
            )
    return settings


def _cast(name: str, value: Any, kind: Any) -> Any:
    try:
        if kind is bool:
            if isinstance(value, bool):
                return value
            return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[
                str(value).lower()
            ]
        if kind in (int, float, Path):
            return kind(value)
        if kind == int | None:
            return None if value is None else int(value)
        if kind == Path | None:
            return None if value is None else Path(value)
    except (KeyError, TypeError, ValueError):
        wanted = getattr(kind, "__name__", kind)
        raise SettingsError(f"expected {name} as {wanted}, got {value!r}") from None
    return None if value is None else str(value)
