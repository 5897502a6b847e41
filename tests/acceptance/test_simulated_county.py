"""A simulated county at the running service: over a link on which three in ten requests fail, all comes as it was."""

import asyncio
import hashlib
from collections import Counter
from datetime import datetime
from pathlib import Path

import httpx

from greenchannel.county.county_run import CountyRun
from greenchannel.county.links import PROFILES
from greenchannel.county.machines import samples_sha256
from greenchannel.county.plan import STREAM, WAYS, PlanOptions, make_plan
from greenchannel.county.settling import Keys, settle
from greenchannel.county.truth import read_truth
from greenchannel.events import AlertAcknowledged, EcgReceived
from greenchannel.ingest.reader import read_ecg
from greenchannel.store.accounts import Accounts
from greenchannel.store.engine import open_engine
from greenchannel.store.log import Log
from tests.served import served

SEED = 11
SPEED = 600.0


def test_a_county_over_failing_links_arrives_whole(tmp_path: Path) -> None:
    """Every format and a stream, from as many clinics: each once, and its bytes or samples are those of the truth."""
    plan = make_plan(SEED, PlanOptions(clinics=len(WAYS), ecgs=2 * len(WAYS), span_s=1800.0, duration_s=5.0))
    keys: list[Keys] = []

    def enter(accounts: Accounts, now: datetime) -> dict[str, str]:
        keys.append(settle(accounts, plan, now))
        return keys[0].tokens

    with served(tmp_path / "county", settle=enter) as service:
        run = CountyRun(
            plan=plan,
            server=service.base,
            keys=keys[0],
            folders=None,
            profile=PROFILES["failing"],
            speed=SPEED,
            staff=True,
            patience_s=60.0,
        )
        tally = asyncio.run(run.play(tmp_path / "truth.jsonl"))
        truth = list(read_truth(tmp_path / "truth.jsonl"))
        for line in truth:
            headers = {"Authorization": f"Bearer {service.tokens[line['device']]}"}
            with httpx.Client(base_url=service.base, headers=headers, trust_env=False) as http:
                content = http.get(f"/api/v1/ecgs/{line['answer']['ecg_id']}/file").content
            if line["way"] == STREAM:
                strip = read_ecg([(None, content)]).recording
                assert samples_sha256(strip, line["lsb_mv"]) == line["samples_sha256"]
            else:
                assert hashlib.sha256(content).hexdigest() == line["sha256"]
        service.stop()
        engine = open_engine(f"sqlite:///{service.folder / 'greenchannel.sqlite'}")
        events = [one.event for one in Log(engine).read()]
        engine.dispose()
        assert service.faults() == []

    assert tally.confirmed == len(plan.ecgs) == len(truth)
    received = Counter(one.ecg_id for one in events if isinstance(one, EcgReceived))
    assert received == Counter(line["answer"]["ecg_id"] for line in truth)
    faults = run.links
    assert faults["requests"] > len(plan.ecgs) and faults.total() > faults["requests"]
    assert run.doctors is not None
    acknowledged = {one.alert_id for one in events if isinstance(one, AlertAcknowledged)}
    assert acknowledged >= run.doctors.answered
