"""What is changed of people, devices and sites that are there already. Nothing is deleted: it is disabled, or put back
in use. As in `accounts`, each change is a short transaction of its own."""

from typing import Any, Final

from sqlalchemy import Connection, Engine, delete, insert, update

from greenchannel.store import schema
from greenchannel.store.account_checks import check_place, check_tied
from greenchannel.store.accounts import (
    ADMIN,
    CLINIC,
    MAY_BE_ON_DUTY,
    ROLES,
    SITE_KINDS,
    Accounts,
    Site,
    User,
    end_sessions,
    keep_an_admin,
    require,
)
from greenchannel.store.engine import writing
from greenchannel.store.errors import Misfit, UnknownAccount

SITE_FIELDS: Final = (
    "name_zh",
    "name_en",
    "kind",
    "distance_km",
    "phone",
    "fallback_phone",
    "town",
    "lat",
    "lon",
    "radius_m",
    "critical_list",
)
_NEVER_EMPTY: Final = frozenset({"name_zh", "name_en", "kind"})


class AccountChanges:
    """Changes of what `Accounts` has entered; from any thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._accounts = Accounts(engine)

    # ------------------------------------------------------------ sites

    def change_site(self, site_id: str, **given: Any) -> Site:
        """Set some of `SITE_FIELDS`; what is not given stays, None empties.

        Raises
        ------
        UnknownAccount
            There is no such site.
        ValueError
            No such field, an empty name, a kind or a place that cannot be.
        """
        unknown = sorted(set(given) - set(SITE_FIELDS))
        if unknown:
            raise Misfit(
                f"expected fields of {', '.join(SITE_FIELDS)}, got {', '.join(unknown)}",
                f"字段应为 {'、'.join(SITE_FIELDS)},收到 {'、'.join(unknown)}",
            )
        empty = sorted(name for name in _NEVER_EMPTY & set(given) if not str(given[name] or "").strip())
        if empty:
            raise Misfit(f"expected a text for {', '.join(empty)}, got none", f"{'、'.join(empty)} 不能为空")
        if given.get("kind", CLINIC) not in SITE_KINDS:
            raise Misfit(
                f"expected a kind among {', '.join(SITE_KINDS)}, got {given['kind']!r}",
                f"机构类型应为 {'、'.join(SITE_KINDS)} 之一,收到 {given['kind']!r}",
            )
        known = self._accounts.site(site_id)
        if known is None:
            raise UnknownAccount(f"expected a site that exists, there is none called {site_id!r}")
        place = [given.get(name, getattr(known, name)) for name in ("lat", "lon", "radius_m")]
        check_place(*place)
        if given:
            self._write(schema.sites, site_id, **given)
        changed = self._accounts.site(site_id)
        assert changed is not None
        return changed

    def use_site(self, site_id: str) -> None:
        """Put a site back in use."""
        self._write(schema.sites, site_id, disabled=False)

    # ------------------------------------------------------------ people

    def change_user(
        self,
        user_id: str,
        *,
        name: str | None = None,
        role: str | None = None,
        sites: frozenset[str] | None = None,
        every_site: bool = False,
    ) -> User:
        """Set name, role or sites; None leaves what is. Who loses or gains a right signs in anew.

        Raises
        ------
        LastAdmin
            The only administrator would be none any more.
        UnknownAccount
            There is no such person or site.
        ValueError
            No such role, an empty name, or a clinic's person without a site.
        """
        if role is not None and role not in ROLES:
            raise Misfit(
                f"expected a role among {', '.join(ROLES)}, got {role!r}",
                f"角色应为 {'、'.join(ROLES)} 之一,收到 {role!r}",
            )
        if name is not None and not name.strip():
            raise Misfit("expected a name, got none", "姓名不能为空")
        known = self._accounts.user(user_id)
        if known is None:
            raise UnknownAccount(f"expected a user that exists, there is none called {user_id!r}")
        tied = None if every_site else known.sites if sites is None else sites
        is_now = role or known.role
        check_tied(tied, clinic=is_now == CLINIC, on_duty=is_now in MAY_BE_ON_DUTY)
        with writing(self._engine) as connection:
            if known.role == ADMIN and role not in (None, ADMIN):
                keep_an_admin(connection, user_id)
            row = {"name": name or known.name, "role": role or known.role, "all_sites": tied is None}
            connection.execute(update(schema.users).where(schema.users.c.id == user_id).values(**row))
            _tie(connection, user_id, tied)
            if (role or known.role, tied) != (known.role, known.sites):
                end_sessions(connection, user_id)
        changed = self._accounts.user(user_id)
        assert changed is not None
        return changed

    def use_user(self, user_id: str) -> None:
        """A person who was disabled can sign in again, with the password that was; sessions stay ended."""
        self._write(schema.users, user_id, disabled=False)

    def _write(self, table: Any, id: str, **values: Any) -> None:
        with writing(self._engine) as connection:
            if connection.execute(update(table).where(table.c.id == id).values(**values)).rowcount == 0:
                raise UnknownAccount(f"expected an id among the {table.name}, there is none called {id!r}")


def _tie(connection: Connection, user_id: str, sites: frozenset[str] | None) -> None:
    table = schema.user_sites
    connection.execute(delete(table).where(table.c.user == user_id))
    for site in sorted(sites or ()):
        require(connection, schema.sites, "site", site)
        connection.execute(insert(table).values(user=user_id, site=site))
