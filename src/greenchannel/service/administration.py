"""What administrators do: sites, devices, people. Each change is written to the access log with who and when.

The same functions of the store are behind the command line. Nothing is deleted that somebody sent or was rung with.
"""

import asyncio
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from greenchannel.clock import Clock
from greenchannel.service.callers import Caller
from greenchannel.service.errors import Conflict, NotFound, ServiceError
from greenchannel.service.roster_watch import look_soon
from greenchannel.service.site_rules import SiteRules
from greenchannel.settings import Settings
from greenchannel.store.access import AccessEntry, AccessLog
from greenchannel.store.account_changes import AccountChanges
from greenchannel.store.accounts import Accounts, Device, Site, User
from greenchannel.store.errors import (
    AccountError,
    AlreadyExists,
    CodeRefused,
    LastAdmin,
    Misfit,
    UnknownAccount,
)
from greenchannel.store.one_time_codes import DEVICE, USER, OneTimeCode, OneTimeCodes
from greenchannel.store.writer import Writer
from greenchannel.triage.critical_lists import LISTS

T = TypeVar("T")
CHANGE: Final = "admin:"  # how the actions of administrators begin in the access log
LEAST_PASSWORD: Final = 8  # characters  [E]

_CODE_WORDS: Final = {
    "unknown": (
        "没有这个代码:请核对数字,并确认是本服务的代码",
        "there is no such code here: check the digits, and that it is a code of this service",
    ),
    "used": ("该代码已经用过,请管理员再给一个", "this code was used already: ask for a new one"),
    "withdrawn": (
        "该代码已作废(已有更新的代码或账号已停用)",
        "this code was taken back: a newer one was given out, or the account is disabled",
    ),
    "expired": ("该代码已过期,请管理员再给一个", "this code is over: ask for a new one"),
}


class BadCode(ServiceError):
    """A one-time code is worth nothing; `code` says why."""


class BadEntry(ServiceError):
    """What was entered cannot be."""


class Administration:
    """Changes of accounts by people who may, and the two doors that one-time codes open."""

    def __init__(
        self,
        *,
        accounts: Accounts,
        changes: AccountChanges,
        codes: OneTimeCodes,
        access: AccessLog,
        clock: Clock,
        settings: Settings,
        writer: Writer,
        site_rules: SiteRules,
    ) -> None:
        self._accounts = accounts
        self._changes = changes
        self._codes = codes
        self._access = access
        self._clock = clock
        self._writer = writer
        self._site_rules = site_rules
        self._pairing = timedelta(seconds=settings.pairing_code_s)
        self._invitation = timedelta(seconds=settings.invitation_s)

    # ------------------------------------------------------------ sites

    async def add_site(self, caller: Caller, id: str, **given: Any) -> Site:
        """Enter a site; raises `Conflict` where the id is taken, `BadEntry` for what cannot be."""
        return await self._do(caller, "site_add", id, lambda: self._accounts.add_site(id, **given))

    async def change_site(self, caller: Caller, id: str, **given: Any) -> Site:
        """Set some fields of a site. The log has their names, and no telephone number."""
        detail = f"{id}: {', '.join(sorted(given))}"
        return await self._do(caller, "site_change", detail, lambda: self._changes.change_site(id, **given))

    async def follow_list(self, caller: Caller, id: str, name: str | None) -> None:
        """Have the ECGs of a site read by a list of critical values from now on; None: by that of the configuration."""
        if name is not None and name not in LISTS:
            known = ", ".join(LISTS)
            raise BadEntry(
                "unknown_list",
                f"expected a list of critical values among {known}, got {name}",
                f"没有名为 {name} 的危急值清单,可选:{known}",
            )
        said = f"{id}: {name or 'as configured'}"
        await self._do(caller, "site_list", said, lambda: self._changes.change_site(id, critical_list=name))
        self._site_rules.forget()

    async def close_site(self, caller: Caller, id: str, reason: str) -> None:
        """Take a site out of use; its cases, devices and people stay."""
        await self._do(caller, "site_close", f"{id}: {reason}", lambda: self._accounts.disable_site(id))

    async def use_site(self, caller: Caller, id: str) -> None:
        """Put it back in use."""
        await self._do(caller, "site_use", id, lambda: self._changes.use_site(id))

    # ------------------------------------------------------------ devices

    async def add_device(self, caller: Caller, id: str, site: str, name: str) -> tuple[OneTimeCode, str]:
        """Enter a device, and give the code with which it is paired; nobody ever sees its token but itself."""
        await self._do(
            caller, "device_add", f"{id} at {site}", lambda: self._accounts.add_device(id, site, name)
        )
        return await self.pairing_code(caller, id)

    async def pairing_code(self, caller: Caller, id: str) -> tuple[OneTimeCode, str]:
        """A new code for a device. Until it is used the device keeps its token; then it has another."""
        return await self._do(
            caller,
            "device_code",
            id,
            lambda: self._codes.give(DEVICE, id, now=self._clock.now(), ttl=self._pairing, by=caller.actor),
        )

    async def revoke_device(self, caller: Caller, id: str, reason: str) -> None:
        """The token of a device, and a code that waits, are worth nothing from now on."""

        def revoke() -> None:
            self._accounts.disable_device(id)
            self._codes.withdraw(DEVICE, id, self._clock.now())

        await self._do(caller, "device_revoke", f"{id}: {reason}", revoke)

    async def pair(self, code: str) -> tuple[Device, str]:
        """A device takes its token for a code; raises `BadCode`."""
        return await self._with_code(
            lambda: self._codes.pair(code, self._clock.now()),
            lambda done: (f"device:{done[0].id}", "device_paired", done[0].id),
        )

    # ------------------------------------------------------------ people

    async def add_user(
        self, caller: Caller, id: str, name: str, role: str, sites: Collection[str] | None
    ) -> tuple[OneTimeCode, str]:
        """Enter a person, and give the code with which a password is chosen; until then nobody can sign in."""
        tied = None if sites is None else frozenset(sites)
        await self._do(
            caller,
            "user_add",
            f"{id}: {role}",
            lambda: self._accounts.add_user(id, name, role, None, tied),
        )
        return await self._invitation_code(caller, id)

    async def change_user(self, caller: Caller, id: str, **given: Any) -> User:
        """Set name, role or sites of a person."""
        said = [f"{key} {_said(value)}" for key, value in sorted(given.items()) if key != "name"]
        detail = f"{id}: {', '.join([*said, *(['name'] if 'name' in given else [])])}"
        done = await self._do(caller, "user_change", detail, lambda: self._changes.change_user(id, **given))
        await self._writer.transact(look_soon)  # who may not answer any more may be on duty
        return done

    async def disable_user(self, caller: Caller, id: str, reason: str) -> None:
        """Nobody signs in as this person any more; raises `Conflict` for the last administrator."""

        def disable() -> None:
            self._accounts.disable_user(id)
            self._codes.withdraw(USER, id, self._clock.now())

        await self._do(caller, "user_disable", f"{id}: {reason}", disable)
        await self._writer.transact(look_soon)  # who is disabled may be on duty

    async def use_user(self, caller: Caller, id: str) -> None:
        """Put an account back in use, with the password that was."""
        await self._do(caller, "user_use", id, lambda: self._changes.use_user(id))
        await self._writer.transact(look_soon)

    async def reset_user(self, caller: Caller, id: str) -> tuple[OneTimeCode, str]:
        """The password and all sessions of a person end now; a code chooses the next password. Who is disabled has
        nothing to reset: the account comes back with the password that was."""
        if id == caller.id:
            raise Conflict(
                "own_account",
                "expected the account of somebody else: a reset would sign you out for good",
                "不能重置自己的密码:会把自己锁在外面",
            )

        def reset() -> None:
            known = self._accounts.user(id)
            if known is not None and known.disabled:
                raise Misfit(
                    f"expected a person who is in use, {id!r} is disabled",
                    f"{id} 的账号已停用:请先恢复使用,再重置密码",
                )
            self._accounts.set_password(id, None)

        await self._do(caller, "user_reset", id, reset)
        return await self._invitation_code(caller, id)

    async def _invitation_code(self, caller: Caller, id: str) -> tuple[OneTimeCode, str]:
        return await self._do(
            caller,
            "user_code",
            id,
            lambda: self._codes.give(USER, id, now=self._clock.now(), ttl=self._invitation, by=caller.actor),
        )

    async def invited(self, code: str) -> str:
        """Whose invitation a code is; raises `BadCode`."""
        try:
            return await asyncio.to_thread(self._codes.subject_of, USER, code, self._clock.now())
        except CodeRefused as error:
            raise _bad_code(error) from None

    async def come_in(self, code: str, password: str) -> User:
        """A person chooses a password with an invitation; raises `BadCode`, and `BadEntry` for too short a one."""
        if len(password) < LEAST_PASSWORD:
            raise BadEntry(
                "short_password",
                f"expected a password of at least {LEAST_PASSWORD} characters, got {len(password)}",
                f"密码至少 {LEAST_PASSWORD} 个字符,收到 {len(password)} 个",
            )
        return await self._with_code(
            lambda: self._codes.come_in(code, password, self._clock.now()),
            lambda user: (f"user:{user.id}", "user_came_in", user.id),
        )

    # ------------------------------------------------------------ what was done

    async def changes(self) -> list[AccessEntry]:
        """What administrators did last, newest first."""
        await asyncio.to_thread(self._access.flush)
        return await asyncio.to_thread(self._access.newest_of, CHANGE)

    async def note(self, actor: str, what: str, detail: str, case_id: str | None = None) -> None:
        """Write down what was done, on disk when this returns."""
        self._access.note(actor, f"{CHANGE}{what}", case_id, detail[:1000], self._clock.now())
        await asyncio.to_thread(self._access.flush)

    def codes_of(self, kind: str) -> dict[str, OneTimeCode]:
        """The newest code of each device or person; from any thread."""
        return self._codes.newest(kind)

    async def _do(self, caller: Caller, what: str, detail: str, change: Callable[[], T]) -> T:
        try:
            done = await asyncio.to_thread(change)
        except (AccountError, ValueError) as error:
            raise _refusal(error, detail.partition(":")[0]) from None
        await self.note(caller.actor, what, detail)
        return done

    async def _with_code(self, use: Callable[[], T], said: Callable[[T], tuple[str, str, str]]) -> T:
        try:
            done = await asyncio.to_thread(use)
        except CodeRefused as error:
            raise _bad_code(error) from None
        await self.note(*said(done))
        return done


def _said(value: object) -> str:
    return " ".join(sorted(value)) if isinstance(value, frozenset) else str(value)


def _bad_code(error: CodeRefused) -> BadCode:
    zh, en = _CODE_WORDS[error.reason]
    return BadCode(f"code_{error.reason}", en, zh)


def _refusal(error: Exception, name: str) -> ServiceError:
    match error:
        case LastAdmin():
            return Conflict(
                "last_admin",
                "expected another administrator who is in use: this is the last one",
                "这是最后一位管理员,不能停用,也不能改角色",
            )
        case AlreadyExists():
            return Conflict("id_taken", str(error), "该编号已被使用")
        case UnknownAccount():
            return NotFound("account", name)
        case Misfit():
            return BadEntry("bad_entry", str(error), error.zh)
        case _:
            return BadEntry("bad_entry", str(error), f"内容不正确:{error}")


def waiting(code: OneTimeCode | None, now: datetime) -> bool:
    """Does a code wait to be used?"""
    return code is not None and code.waits(now)
