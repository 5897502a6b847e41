"""QIDO-RS over many studies, asked over HTTP on loopback: what a reader, a clinic and a PACS ask for.

The archive is filled by its own rows, sealed as they are in use; then a running service is asked, one question at a
time, client and service in one process, so that both count. The client is a plain one: it writes a request and waits
for the whole answer. The process is set as that of the service is (`collecting.settle`, `SWITCH_S`).
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from benchmarks.harness import Json, quantiles, save, show

MUST_MS, AIM_MS = 50.0, 15.0
PER_COMMAND: Final = 2_000
SITES: Final = 12
PASSWORD: Final = "a long enough password"
_FAMILY: Final = "Wang Li Zhang Liu Chen Yang Zhao Huang Zhou Wu Xu Sun Hu Zhu Gao Lin He Guo Ma Luo"
_GIVEN: Final = "Wei Fang Na Min Jing Li Qiang Lei Jun Yang Yong Yan Jie Juan Tao Ming Chao Xia Ping Gang"
_FIRST_DAY: Final = datetime(2024, 1, 1, tzinfo=UTC)


def fill(desk: Any, n: int) -> None:
    """`n` studies of one series and two objects each, of a third as many patients, over three years."""
    from sqlalchemy import insert

    from greenchannel.store import schema
    from greenchannel.store.writer import Tx

    made = _Made(desk.images._vault, n)
    tables = (schema.image_studies, schema.image_series, schema.image_instances, schema.image_names)
    for begin in range(0, n, PER_COMMAND):

        def command(tx: Tx, begin: int = begin) -> None:
            rows: dict[str, list[Json]] = {table.name: [] for table in tables}
            for number in range(begin, min(n, begin + PER_COMMAND)):
                made.add(tx, number, rows)
            for table in tables:
                if rows[table.name]:
                    tx.conn.execute(insert(table), rows[table.name])

        desk._writer.transact_sync(command)


class _Made:
    """Rows of invented studies, sealed as those of real ones are."""

    def __init__(self, vault: Any, n: int) -> None:
        from greenchannel.service.imaging import records

        self._vault, self._rng, self._people = vault, random.Random(1), max(1, n // 3)
        self._family, self._given = _FAMILY.split(), _GIVEN.split()
        self._facts = records.facts_of(_an_instance())
        self._known: dict[tuple[str, int], tuple[str, bytes]] = {}

    def add(self, tx: Any, number: int, rows: dict[str, list[Json]]) -> None:
        """One study."""
        vault, rng = self._vault, self._rng
        site, who = f"site-{number % SITES}", rng.randrange(self._people)
        name = f"{self._family[who % 20]}^{self._given[who // 20 % 20]} {self._given[who // 400 % 20]}"
        patient, key = self._patient(tx, site, who, name, rows)
        at = _FIRST_DAY + timedelta(minutes=rng.randrange(3 * 365 * 1440))
        study, modality = f"1.2.840.99.{number}", rng.choice(("CT", "CT", "DX", "CR", "MR"))
        text = {"patient_id": f"P{who}", "patient_name": name, "sex": "male", "description": "头颅平扫"}
        rows["image_studies"].append(
            {
                "study_uid": study, "site": site, "case_id": f"c-{number}", "patient": patient,
                "study_date": f"{at:%Y%m%d}", "study_time": f"{at:%H%M%S.%f}", "study_at": at, "modalities": modality,
                "number_mac": vault.image_mac("patient", f"P{who}"),
                "accession_mac": vault.image_mac("accession", f"A{number}"),
                "instances": 2, "expected": 2, "expected_by": "sender", "state": "settled", "received_at": at,
                "last_at": at, "actor": "device:x", "sealed": _sealed(key, text, study),
            }
        )  # fmt: skip
        rows["image_series"].append(
            {
                "study_uid": study, "series_uid": f"{study}.1", "patient": patient, "modality": modality, "number": 1,
                "body_part": "HEAD", "instances": 2, "received_at": at,
                "sealed": _sealed(key, {"description": "5 mm"}, f"{study}.1"),
            }
        )  # fmt: skip
        for slice_number in (1, 2):
            rows["image_instances"].append(
                {
                    "sop_uid": f"{study}.1.{slice_number}", "study_uid": study, "series_uid": f"{study}.1",
                    "patient": patient, "sha256": "0" * 64, "content_sha256": "0" * 64, "size_bytes": 1,
                    "number": slice_number, "sop_class": "1.2.840.10008.5.1.4.1.1.2",
                    "transfer_syntax": "1.2.840.10008.1.2.1", "received_at": at, "facts": self._facts,
                }
            )  # fmt: skip

    def _patient(
        self, tx: Any, site: str, who: int, name: str, rows: dict[str, list[Json]]
    ) -> tuple[str, bytes]:
        """The pseudonym and the key of a patient of a site, who can be found by name."""
        from greenchannel.store import image_rows

        known = self._known.get((site, who))
        if known is None:
            patient = self._vault.patient_for(tx, site, f"P{who}")
            known = self._known[site, who] = (patient, self._vault.key_of(tx.conn, patient))
            rows["image_names"] += [
                {"mac": self._vault.image_mac("name", word), "patient": patient}
                for word in image_rows.beginnings(name)
            ]
        return known


def _sealed(key: bytes, text: Json, bound_to: str) -> bytes:
    from msgspec.json import encode

    from greenchannel.store.vault import seal

    return seal(key, encode(text), f"image:{bound_to}")


def _an_instance() -> Any:
    from greenchannel.ingest.imaging.instance import ImageInstance

    return ImageInstance(
        sop_uid="1", series_uid="1", study_uid="1", sop_class="1", transfer_syntax="1", content_sha256="0",
        rows=512, cols=512, frames=1, bits_allocated=16, decodable=True,
    )  # fmt: skip


def questions(n: int, rng: random.Random) -> dict[str, Callable[[], str]]:
    """What is asked, by kind; each time with other values."""

    family, given = _FAMILY.split(), _GIVEN.split()

    def day() -> datetime:
        return _FIRST_DAY + timedelta(days=rng.randrange(3 * 365 - 8))

    return {
        "one study": lambda: f"/studies?StudyInstanceUID=1.2.840.99.{rng.randrange(n)}",
        "accession number": lambda: f"/studies?AccessionNumber=A{rng.randrange(n)}",
        "patient's number": lambda: f"/studies?PatientID=P{rng.randrange(max(1, n // 3))}",
        "patient's name": lambda: f"/studies?PatientName={rng.choice(family)}^{rng.choice(given)}*&limit=25",
        "CT of a day": lambda: f"/studies?StudyDate={day():%Y%m%d}&ModalitiesInStudy=CT",
        "a week": lambda: f"/studies?StudyDate={(one := day()):%Y%m%d}-{one + timedelta(7):%Y%m%d}&limit=100",
        "the newest 50": lambda: "/studies?limit=50",
        "page 20 of all": lambda: "/studies?limit=50&offset=1000",
        "series of a study": lambda: f"/studies/1.2.840.99.{rng.randrange(n)}/series",
        "objects of a study": lambda: f"/studies/1.2.840.99.{rng.randrange(n)}/instances",
    }


class _Client:
    """One connection that stays open, and one question at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def get(self, path: str, cookie: str) -> tuple[int, bytes]:
        """Status and body of an answer that says how long it is."""
        self._writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n".encode())
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        _, _, length = head.partition("content-length:")
        body = await self._reader.readexactly(int(length.split("\r\n")[0])) if length else b""
        return int(head.split()[1]), body


async def ask(desk: Any, n: int, rounds: int) -> tuple[list[Json], Json]:
    """Each kind `rounds` times, in turn, by a reader of the network and by a clinic."""
    import httpx

    from greenchannel.assembly import SWITCH_S, listen, running
    from greenchannel.service import collecting

    sys.setswitchinterval(SWITCH_S)
    sock = listen(desk.settings)
    base = f"http://127.0.0.1:{sock.getsockname()[1]}"
    times: dict[tuple[str, str], list[float]] = {}
    found: dict[tuple[str, str], int] = {}
    rng = random.Random(2)
    async with running(desk, sock), httpx.AsyncClient(base_url=base, timeout=60.0, trust_env=False) as http:
        people = {}
        for user in ("reader", "clinic"):
            answer = await http.post("/api/v1/session", json={"user": user, "password": PASSWORD})
            people[user] = {"Cookie": answer.headers["set-cookie"].partition(";")[0]}
            http.cookies.clear()
        client = _Client(*await asyncio.open_connection("127.0.0.1", sock.getsockname()[1]))
        collecting.settle()
        for _ in range(rounds):
            for kind, make in questions(n, rng).items():
                for user, headers in people.items():
                    path = make()
                    since = time.perf_counter()
                    status, body = await client.get(f"/dicom-web{path}", headers["Cookie"])
                    times.setdefault((kind, user), []).append((time.perf_counter() - since) * 1000)
                    assert status in (200, 204, 404), body
                    count = len(json.loads(body)) if status == 200 else 0
                    found[kind, user] = max(found.get((kind, user), 0), count)
    rows = [
        {"what": kind, "who": user, "most found": found[kind, user], **quantiles(values, digits=1)}
        for (kind, user), values in times.items()
    ]
    return rows, quantiles([one for values in times.values() for one in values], digits=1)


def run(n: int = 5_000, rounds: int = 10, folder: Path | None = None) -> Json:
    """Fill, ask, print, save."""
    from greenchannel.assembly import build
    from greenchannel.settings import Settings

    with tempfile.TemporaryDirectory() as made:
        place = folder or Path(made)
        is_new = not (place / "greenchannel.sqlite").exists()
        desk = build(Settings(data_dir=place, port=0), durable=not is_new)
        since = time.perf_counter()
        if is_new:
            for number in range(SITES):
                desk.accounts.add_site(f"site-{number}", f"{number}号卫生院", f"Clinic {number}", "clinic")
            desk.accounts.add_user("reader", "王医生", "radiologist", PASSWORD)
            desk.accounts.add_user("clinic", "李医生", "clinic", PASSWORD, frozenset({"site-3"}))
            desk._writer.start()
            fill(desk, n)
            desk._writer.close()
            desk = build(Settings(data_dir=place, port=0))
        filled_s = round(time.perf_counter() - since, 1)
        rows, every = asyncio.run(ask(desk, n, rounds))
    show(f"QIDO-RS over {n} studies, ms", rows)
    show("All together, ms", [every | {"must p95": MUST_MS, "aim p95": AIM_MS}])
    results: Json = {"studies": n, "filled_s": filled_s, "rows": rows, "all": every}
    save("qidors", results)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--folder", type=Path, help="kept, and not filled a second time")
    given = parser.parse_args()
    run(given.studies, given.rounds, given.folder)


if __name__ == "__main__":
    main()
