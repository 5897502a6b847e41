"""Exports over HTTP: who gets what, in which form, and that it is noted."""

import asyncio
import csv
import io
import zipfile
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import openpyxl
import pytest

from greenchannel.viewer.words import SHOWN_ZONE
from tests.service.viewer_house import House, ecg_file, house

Story = Callable[[House], Awaitable[None]]
EXPORT = "/api/v1/export"
SECRETS = {"name": "王建国", "phone": "13800138000", "id_number": "110101199003074610"}


def tell(story: Story, folder: Path) -> None:
    async def run() -> None:
        async with house(folder) as here:
            await story(here)

    asyncio.run(run())


async def send(here: House, device: str = "ecg-1", *, seed: int = 1) -> str:
    """One named patient with one ECG; the answer is the case."""
    answer = await here.http.post(
        "/api/v1/ecgs",
        content=ecg_file(st_mv=0.4, seed=seed),
        params={**SECRETS, "age": "61", "sex": "male", "patient_ref": f"p-{seed}"},
        headers=here.device(device),
    )
    assert answer.status_code == 201, answer.text
    case_id: str = answer.json()["case_id"]
    return case_id


async def get(here: House, path: str, user: str = "quality", status: int = 200, **params: Any) -> Any:
    answer = await here.http.get(f"{EXPORT}/{path}", params=params, headers=await here.person(user))
    assert answer.status_code == status, answer.text
    return answer


def rows_of(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_the_form_of_a_case_keeps_both_values_of_a_corrected_time(tmp_path: Path) -> None:
    """The standing value is marked as corrected, and the first is beside it."""

    async def story(here: House) -> None:
        case = await send(here)
        village = await here.person("village")
        first = await here.http.get(f"/api/v1/cases/{case}", headers=village)
        opened = first.json()["opened_at"]
        said: list[dict[str, str]] = [{}, {"note": "a slip of the pen"}]
        for number, more in enumerate(said):
            at = f"{opened[:17]}0{number}{opened[19:]}"
            answer = await here.http.post(
                f"/api/v1/cases/{case}/milestones",
                json={"milestone": "FMC", "at": at, "source": "clinic", **more},
                headers=village | {"Idempotency-Key": f"k-{number}"},
            )
            assert answer.status_code in (200, 201), answer.text[:500]
        form = (await get(here, "national-form", format="json", case=case)).json()
        fmc = next(one for one in form["fields"] if one["id"] == "fmc_at")

        assert (fmc["state"], fmc["corrected"], len(fmc["values"])) == ("known", True, 2)
        assert form["filled"]["required_times"] > 0
        assert "missing" in {one["code"] for one in form["problems"]}

    tell(story, tmp_path)


def test_every_form_of_file_opens(tmp_path: Path) -> None:
    """CSV, workbook, JSON and XML of the same cases, under a name that says what it is."""

    async def story(here: House) -> None:
        case = await send(here)
        for form in ("cpc_stemi", "single_disease"):
            got = await get(here, "national-form", form=form, format="csv")
            assert got.headers["content-disposition"].startswith(f'attachment; filename="{form}_')
            assert got.headers["cache-control"] == "no-store"
            (row,) = rows_of(got.content)
            assert row["首诊机构"] == "阴赵卫生院"
            book = await get(here, "national-form", form=form, format="xlsx", lang="en")
            assert "Definitions" in openpyxl.load_workbook(io.BytesIO(book.content)).sheetnames
            many = (await get(here, "national-form", form=form, format="json")).json()
            assert (many["total"], many["cases"][0]["case_id"]) == (1, case)
            root = ElementTree.fromstring((await get(here, "national-form", form=form, format="xml")).content)
            assert [one.get("id") for one in root] == [case]
        for table in ("cases", "times", "ecgs", "alerts"):
            assert rows_of((await get(here, "cases", table=table)).content)
        names = openpyxl.load_workbook(
            io.BytesIO((await get(here, "cases", format="xlsx")).content)
        ).sheetnames
        assert names == ["病例", "时间", "心电图", "预警", "定义"]

    tell(story, tmp_path)


def test_no_file_names_a_patient(tmp_path: Path) -> None:
    """Neither name, phone and identity number nor the reference under which the clinic knows the patient."""

    async def story(here: House) -> None:
        for seed in range(1, 6):
            await send(here, seed=seed)
        files = [
            (await get(here, "national-form", format="json")).content,
            (await get(here, "national-form", format="xml")).content,
            *[
                (await get(here, "cases", table=table)).content
                for table in ("cases", "times", "ecgs", "alerts")
            ],
            (await get(here, "research", format="json")).content,
            (await get(here, "research", format="csv")).content,
        ]
        packed = (await get(here, "research")).content
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            files += [archive.read(name) for name in archive.namelist()]
        unwanted = [*SECRETS.values(), "p-1"]

        assert [word for word in unwanted for data in files if word.encode() in data] == []

    tell(story, tmp_path)


def test_research_leaves_out_who_would_stand_alone(tmp_path: Path) -> None:
    """Four patients alike are too few, five are told."""

    async def story(here: House) -> None:
        for seed in range(1, 5):
            await send(here, seed=seed)
        few = (await get(here, "research", format="json")).json()
        assert (few["cases"], few["dictionary"]["left_out"]) == ([], 4)
        await send(here, seed=5)
        enough = (await get(here, "research", format="json")).json()
        assert (len(enough["cases"]), enough["dictionary"]["left_out"]) == (5, 0)
        again = (await get(here, "research", format="json")).json()
        codes = [{one["case_code"] for one in got["cases"]} for got in (enough, again)]
        assert codes[0].isdisjoint(codes[1]), "the key of an export is thrown away"

    tell(story, tmp_path)


def test_a_clinic_gets_its_own_cases_and_no_research(tmp_path: Path) -> None:
    """What belongs to another site is not there; the doctors at the bedside have their own pages."""

    async def story(here: House) -> None:
        ours, theirs = await send(here), await send(here, "ecg-2", seed=2)
        assert [row["病例号"] for row in rows_of((await get(here, "cases", "village")).content)] == [ours]
        for what in ("cases", "national-form", "metrics"):  # an empty file would say that there was none
            await get(here, what, "village", status=404, site="jishi")
            await get(here, what, status=404, site="yinzhoa")
        for what in ("cases", "national-form", "research"):
            await get(here, what, status=422, diagnosis="stemi")
        await get(here, "national-form", "village", status=404, case=theirs)
        await get(here, "research", "village", status=403)
        month: dict[str, Any] = {"month": "2026-03", "format": "json"}
        await get(here, "monthly-report", "village", status=404, site="jishi", **month)  # and no 0 of it
        await get(here, "monthly-report", status=404, site="../etc", **month)
        assert (await get(here, "monthly-report", site="jishi", **month)).json()["cases"] >= 0
        await get(here, "cases", "cardiologist", status=403)
        device = await here.http.get(f"{EXPORT}/cases", headers=here.device())
        assert device.status_code == 403
        assert (await here.http.get(f"{EXPORT}/cases")).status_code == 401

    tell(story, tmp_path)


def test_every_export_is_in_the_access_log(tmp_path: Path) -> None:
    """Who took what, of how many cases."""

    async def story(here: House) -> None:
        case = await send(here)
        await get(here, "cases", "boss", site="yinzhao")
        await get(here, "national-form", format="json", case=case)
        await get(here, "research", format="json")
        here.desk.access.flush()
        noted = {one.action: one for one in here.desk.access.newest_of("export_")}

        assert set(noted) == {"export_cases", "export_national_form", "export_research"}
        assert noted["export_cases"].actor == "user:boss"
        assert "site=yinzhao cases=1" in (noted["export_cases"].detail or "")
        assert noted["export_national_form"].case_id == case
        assert "left_out=1" in (noted["export_research"].detail or "")

    tell(story, tmp_path)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"from": "yesterday"}, "bad_instant"),
    ({"from": "2026-05-04T08:00:00"}, "bad_instant"),
    ({"from": "2026-13-01"}, "bad_instant"),
    ({"from": "2026-05-04", "to": "2026-05-03"}, "bad_period"),
    ({"from": "0001-01-01"}, "bad_instant"),
    ({"form": "of_another_country"}, "unknown_form"),
    ({"format": "doc"}, "invalid"),
]


def test_a_wrong_question_says_what_was_expected_and_what_came(tmp_path: Path) -> None:
    """422, as a problem document in both languages."""

    async def story(here: House) -> None:
        for params, code in WRONG:
            problem = (await get(here, "national-form", status=422, **params)).json()
            assert problem["code"] == code, problem
            assert problem["zh"]
            if code != "invalid":
                assert problem["expected"]
                assert problem["got"]

    tell(story, tmp_path)


@pytest.mark.parametrize(
    ("days", "count"),
    [({"from": "2020-01-01"}, 1), ({"to": "2020-01-01"}, 0), ({"from": "2020-01-01", "to": "2099-12-31"}, 1)],
)
def test_a_period_holds_what_began_in_it(days: dict[str, Any], count: int, tmp_path: Path) -> None:
    """Its last day belongs to it; an end that is left out is as far away as can be."""

    async def story(here: House) -> None:
        await send(here)
        assert len(rows_of((await get(here, "cases", **days)).content)) == count

    tell(story, tmp_path)


def test_metrics_and_the_month_are_files_too(tmp_path: Path) -> None:
    """Numbers by clinic with and without exclusions; the month as PDF and as its numbers, for a clinic its own."""

    async def story(here: House) -> None:
        ours, _ = await send(here), await send(here, "ecg-2", seed=2)
        opened = (await here.http.get(f"/api/v1/cases/{ours}", headers=here.device())).json()["opened_at"]
        # The network's own calendar: eight hours before the month ends in London the next has begun there.
        month = f"{datetime.fromisoformat(opened).astimezone(SHOWN_ZONE):%Y-%m}"
        rows = rows_of((await get(here, "metrics", standard="china", by="clinic")).content)
        assert {row["口径"] for row in rows} == {"all", "kept"}
        assert {row["分组"] for row in rows} <= {"全部", "阴赵卫生院", "姬石卫生院"}
        book = await get(here, "metrics", format="xlsx", exclusions="none")
        assert len(openpyxl.load_workbook(io.BytesIO(book.content)).sheetnames) == 4
        network = (await get(here, "monthly-report", month=month, format="json")).json()
        clinic = (await get(here, "monthly-report", "village", month=month, format="json")).json()
        assert (network["cases"], clinic["cases"]) == (2, 1)
        assert "阴赵卫生院" in clinic["network"]["zh"], "its own numbers are not the network's"
        assert network["site_names"]["yinzhao"]["zh"] == "阴赵卫生院"
        for lang in ("zh", "en"):
            pdf = await get(here, "monthly-report", month=month, lang=lang)
            assert (pdf.headers["content-type"], pdf.content[:5]) == ("application/pdf", b"%PDF-")
        wrong: list[tuple[dict[str, Any], str]] = [
            ({"month": "May"}, "bad_period"),
            ({"month": "0001-01"}, "instant_beyond"),
            ({"month": month, "standard": "other"}, "unknown_edition"),
        ]
        for params, code in wrong:
            problem = (await get(here, "monthly-report", status=422, **params)).json()
            assert problem["code"] == code, problem

    tell(story, tmp_path)
