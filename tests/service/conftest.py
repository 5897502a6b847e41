"""One running service for everything that comes in wrong."""

import json
from collections.abc import Iterator

import httpx
import pytest

from greenchannel.county import devices
from greenchannel.store.accounts import Accounts
from greenchannel.store.engine import open_engine
from tests.filled_county import filled_county, filled_folder
from tests.served import served
from tests.service.bad_place import ECG, MOST_GROWTH_MB, Place, send_one, sign_in

__all__ = ["filled_county", "filled_folder"]  # fixtures; the unit tests' processes must not load a service


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One service for all tests here. Wrong tokens by the hundred are meant, so their limit is far away."""
    folder = tmp_path_factory.mktemp("bad") / "county"
    with (
        served(folder, login_attempts_per_minute=100_000) as service,
        httpx.Client(base_url=service.base, timeout=30.0, trust_env=False) as http,
    ):
        engine = open_engine(f"sqlite:///{folder / 'greenchannel.sqlite'}")
        accounts = Accounts(engine)
        _, off = accounts.add_device("ecg-off", "yinzhao", "switched off")
        accounts.disable_device("ecg-off")
        engine.dispose()
        chen, wang = sign_in(service, http, "chen"), sign_in(service, http, "wang")
        ours = send_one(service, http, "ecg-yinzhao", ECG)
        row = http.get(f"/api/v1/cases/{ours['case_id']}", headers=chen).json()
        alert = row["alert"]["alert_id"]
        assert http.post(f"/api/v1/alerts/{alert}/ack", headers=chen).status_code == 200
        opened = http.post(f"/api/v1/cases/{ours['case_id']}/green-channel", headers=chen)
        theirs = send_one(service, http, "ecg-jishi", devices.pydicom_ecg())
        yield Place(
            service=service,
            http=http,
            chen=chen,
            wang=wang,
            off=off,
            case=ours["case_id"],
            ecg=ours["ecg_id"],
            alert=alert,
            task=opened.json()["case"]["tasks"][0]["task_id"],
            other_case=theirs["case_id"],
            other_ecg=theirs["ecg_id"],
        )


@pytest.fixture
def undisturbed(place: Place) -> Iterator[None]:
    """Around each test: a board stays connected, the memory stays small, the service stays up, without a fault."""
    before = place.service.rss_mb()
    with place.socket("/live", place.chen) as board:
        assert json.loads(board.recv(timeout=20))["type"] == "snapshot"
        yield
        board.send('{"type": "ping"}')
        while json.loads(board.recv(timeout=20))["type"] != "mark":
            pass
    assert place.service.rss_mb() - before < MOST_GROWTH_MB
    assert place.service.faults() == []
