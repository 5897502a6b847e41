"""What is an address of a channel, and who may enter it."""

import base64
import binascii
import ipaddress
from typing import Final
from urllib.parse import urlsplit

from greenchannel.alerts.channels import LIVE, WEBPUSH, channels
from greenchannel.service.channels import by_apprise
from greenchannel.service.channels.signing import secret_bytes
from greenchannel.service.errors import ServiceError
from greenchannel.store.contacts import Address, new_secret

WEBHOOK: Final = "webhook"
_HTTP: Final = ("https", "http")
# Of apprise, but things of this machine and not of a person.
_LOCAL: Final = frozenset(
    {"syslog", "rsyslog", "dbus", "kde", "qt", "glib", "gnome", "macosx", "windows", "file"}
)
_MOST: Final = 2000  # characters


class BadAddress(ServiceError):
    """It cannot be taken as an address. Its text never repeats what came."""

    def __init__(self, expected_en: str, expected_zh: str) -> None:
        super().__init__("bad_address", f"expected {expected_en}", f"应为{expected_zh}")


def checked(
    channel: str,
    url: str,
    *,
    by_person: bool,
    localhost: bool,
    secret: str | None = None,
    to: str | None = None,
) -> tuple[str, Address]:
    """Form and address of what somebody entered; a webhook without a secret is given one.

    Raises
    ------
    BadAddress
        No such channel, no address, or one that this person may not enter.
    """
    spec = channels().get(channel)
    if spec is None or channel in (LIVE, WEBPUSH):
        names = " ".join(name for name in channels() if name not in (LIVE, WEBPUSH))
        raise BadAddress(f"one of the channels {names}", f"下列渠道之一：{names}")
    url = url.strip()
    scheme = url.partition(":")[0].lower()
    if not url or len(url) > _MOST or not url.isprintable():
        raise BadAddress(f"an address of 1 to {_MOST} printable characters", f"1 至 {_MOST} 个可见字符的地址")
    if (
        by_person
        and scheme not in spec.schemes
        and not (localhost and scheme == "http" and "https" in spec.schemes)
    ):
        may = " ".join(f"{one}://" for one in spec.schemes) or "nothing: an administrator enters it"
        may_zh = " ".join(f"{one}://" for one in spec.schemes) or "管理员录入的地址（本人不能录入）"
        raise BadAddress(f"an address of the form {may}", f"{may_zh}")
    if scheme in _HTTP:
        _check_web(url, by_person=by_person, localhost=localhost)
        return WEBHOOK, Address(url=url, secret=_secret(secret), to=_number(to))
    if scheme in _LOCAL or by_apprise.opened(url) is None:
        raise BadAddress(
            "a webhook's https:// address or one that apprise knows", "https:// 网址或 apprise 支持的地址"
        )
    return scheme, Address(url=url)


def subscription(endpoint: str, p256dh: str, auth: str, *, localhost: bool) -> Address:
    """The address of one browser, as its `PushSubscription` says; raises `BadAddress`."""
    _check_web(endpoint, by_person=True, localhost=localhost)
    if len(_bytes(p256dh)) != 65 or len(_bytes(auth)) != 16:
        raise BadAddress("the keys of a push subscription", "浏览器推送订阅的密钥")
    return Address(url=endpoint, p256dh=p256dh, auth=auth)


def _check_web(url: str, *, by_person: bool, localhost: bool) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if not host or len(url) > _MOST or parts.username is not None:
        raise BadAddress("a web address with a host and without a name in it", "带主机名、不含用户名的网址")
    if not by_person:
        return
    if parts.scheme == "http" and not (localhost and _is_loopback(host)):
        raise BadAddress("an address that begins with https://", "以 https:// 开头的网址")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _secret(secret: str | None) -> str:
    if secret is None:
        return new_secret()
    try:
        secret_bytes(secret)
    except ValueError:
        raise BadAddress(
            "a secret of the form whsec_ and base64 of at least 24 bytes",
            "whsec_ 加至少 24 字节的 base64 密钥",
        ) from None
    return secret


def _number(to: str | None) -> str | None:
    if to is None:
        return None
    plain = "".join(one for one in to if one not in " -()")
    if not plain.removeprefix("+").isascii() or not plain.removeprefix("+").isdigit() or len(plain) > 20:
        raise BadAddress("a telephone number", "电话号码")
    return plain


def _bytes(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return b""
