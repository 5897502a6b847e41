"""kill -9 between sending and noting it: the receiver gets the same key again, and in the end each is noted as sent."""

import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx

from greenchannel.alerts.channels import channels
from greenchannel.service.channels import addresses
from greenchannel.store import outbox_rows
from greenchannel.store.contacts import Contacts
from greenchannel.store.engine import open_engine
from greenchannel.store.vault import Vault, load_or_make_master_key
from tests.receiver import Receiver, Request, receiver
from tests.served import Served, served
from tests.service.bad_place import sign_in

PEOPLE: Final = ("chen", "lin", "zhao", "ed")  # one kill each
WITHIN_S: Final = 30.0
POLL_S: Final = 0.05


def enter(service: Served, gateway: Receiver) -> None:
    """Give each person a gateway of short messages."""
    engine = open_engine(f"sqlite:///{service.folder / 'greenchannel.sqlite'}")
    vault = Vault(engine, load_or_make_master_key(service.folder / "master.key"))
    for person in PEOPLE:
        form, address = addresses.checked("sms", f"{gateway.base}/{person}", by_person=False, localhost=True)
        Contacts(engine, vault, channels()).set(
            person, "sms", form, address, now=datetime.now(UTC), by_person=False
        )
    engine.dispose()


def state_of(service: Served, key: str) -> str:
    engine = open_engine(f"sqlite:///{service.folder / 'greenchannel.sqlite'}")
    row = outbox_rows.find(engine, key=key)
    engine.dispose()
    assert row is not None
    return row.state


def test_a_message_whose_sending_was_killed_comes_again_under_its_key(tmp_path: Path) -> None:
    """Killed while the gateway has not answered, and right after it has: at least once, under one key, and it ends."""
    with receiver() as gateway, served(tmp_path / "county") as service:
        enter(service, gateway)

        def first_of_its_key(request: Request) -> bool:
            seen = sum(one.headers["webhook-id"] == request.headers["webhook-id"] for one in gateway.requests)
            return seen == 1 and request.path.strip("/") in PEOPLE[::2]  # these wait for an answer in vain

        gateway.hold = first_of_its_key
        for person in PEOPLE:
            with httpx.Client(base_url=service.base, timeout=30.0, trust_env=False) as http:
                who = sign_in(service, http, person)
                came = len(gateway.requests)
                started = http.post("/api/v1/duty/start", json={"sound": True}, headers=who)
                assert started.json()["tests_sent"], started.text
                key = gateway.wait_for(came + 1)[came].headers["webhook-id"]
                service.kill()
            service.start()
            until_s = time.monotonic() + WITHIN_S
            while (state := state_of(service, key)) != "sent" and time.monotonic() < until_s:
                time.sleep(POLL_S)
            assert state == "sent", f"{person}: {state}\n{service.log_end()}"

        times = Counter(gateway.ids)
        print(f"{len(PEOPLE)} kills, {len(times)} keys, received {sorted(times.values())} times")
        assert len(times) == len(PEOPLE), "one key a message"
        assert all(1 <= number <= 2 for number in times.values())
        held = {key: number for key, number in times.items() if key.split(":")[1] in PEOPLE[::2]}
        assert set(held.values()) == {2}, "what was never answered came again"
        assert service.faults() == []
