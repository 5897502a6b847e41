"""A county that has an administrator, too."""

from datetime import datetime, timedelta

from greenchannel.county import cast
from greenchannel.store.accounts import Accounts


def with_admin(accounts: Accounts, now: datetime) -> dict[str, str]:
    """The demo's people, each place of the roster held for a day."""
    tokens = cast.settle(accounts, now, (*cast.USERS, cast.ADMIN))
    for role, person in (("first", "chen"), ("second", "lin"), ("head", "zhao")):
        accounts.add_shift(f"test-{role}", role, person, now, now + timedelta(days=1))
    return tokens
