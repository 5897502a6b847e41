"""The real service with a full board, for `bench_board_page`: `python -m benchmarks.board_service FOLDER CASES`.

The cases are open and were read by the machine; they are entered as a whole, so that filling takes seconds. Their ECGs
have no samples: those of the cases that are sent to the service have. Prints one line of JSON when it can be reached.
"""

import argparse
import asyncio
import json
import os
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import structlog

from greenchannel import assembly
from greenchannel.county import cast
from greenchannel.events import AnyEvent, CaseOpened, EcgAnalysed, EcgReceived
from greenchannel.service.desk import Desk
from greenchannel.settings import load
from greenchannel.signal import kernels
from greenchannel.signal.leads import STANDARD_12

# Of twenty cases that page nobody.
TIERS: Final = {"URG": 3, "FLAG": 5, "NONE": 12}
SITES: Final = ("yinzhao", "jishi", "liuzhuang")
SEED: Final = 20261130


def case(number: int, case_id: str, site: str, patient: str, tier: str) -> Sequence[AnyEvent]:
    """An open case with one ECG and its reading, as long as usual ones are."""
    ecg_id = f"e_board{number}"
    evidence: list[dict[str, Any]] = [
        {
            "lead": lead,
            "quantity": "stj_mv",
            "value": -0.12,
            "threshold": -0.05,
            "rule": "STD-1",
            "relation": "<=",
        }
        for lead in ("V4", "V5", "V6")
    ]
    finding = {
        "id": "STD-1",
        "tier": tier,
        "zh": "ST段压低,请结合临床判断心肌缺血",
        "en": "ST depression: consider ischaemia; correlate with the clinical picture",
        "territories": ["anterolateral"],
        "evidence": evidence,
        "downgraded_by": [],
        "restored_by": [],
    }
    return (
        CaseOpened(case_id=case_id, site=site, patient=patient, arrival_mode=2),
        EcgReceived(
            ecg_id=ecg_id,
            sha256=f"{number:064x}",
            size_bytes=120_000,
            way="upload",
            format="dicom",
            device=f"ecg-{site}",
            leads=STANDARD_12,
            rate_hz=500.0,
            duration_s=10.0,
        ),
        EcgAnalysed(
            ecg_id=ecg_id,
            tier=tier,
            findings=[] if tier == "NONE" else [finding],
            acceptable=True,
            bad_leads=(),
            advice=[],
            software="0",
            rules="2",
            analysis_sha256="0" * 64,
        ),
    )


async def fill(desk: Desk, cases: int) -> list[str]:
    """Enter so many cases; returns their ids."""
    drawn = random.Random(SEED).choices(list(TIERS), list(TIERS.values()), k=cases)
    made = []
    for number, tier in enumerate(drawn):
        site = SITES[number % len(SITES)]

        def events(
            case_id: str, patient: str, n: int = number, s: str = site, t: str = tier
        ) -> Sequence[AnyEvent]:
            return case(n, case_id, s, patient, t)

        made.append((await desk.enter_history(site, events)).case_id)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("cases", type=int)
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    os.environ.setdefault(kernels.VARIABLE, "auto")  # as `greenchannel serve` does
    tokens: dict[str, str] = {}

    def prepare(desk: Desk) -> None:
        tokens.update(cast.settle(desk.accounts, datetime.now(UTC)))

    async def tell(desk: Desk, address: str) -> None:
        made = await fill(desk, given.cases)
        print(json.dumps({"address": address, "tokens": tokens, "cases": made}), flush=True)
        await asyncio.Event().wait()

    assembly.run(
        assembly.run_until_stopped(load(data_dir=given.folder, port=0), during=tell, prepare=prepare)
    )


if __name__ == "__main__":
    main()
