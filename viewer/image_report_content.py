"""What the report of a study says, in the language of its reader: words in their order, nothing of how they look.

Every word of the findings is a person's. A report that is provisional says so; a critical result says whether it was
told and said back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from greenchannel.alerts.imaging.critical import critical_results
from greenchannel.alerts.imaging.reading import Call, Reading, Signed
from greenchannel.service.imaging.records import ImageStudy
from greenchannel.viewer import words
from greenchannel.viewer.words import SHOWN_ZONE, Word

Pair = tuple[str, str]

UNKNOWN: Final = Word("未知", "unknown")
_WAYS: Final = {
    "phone": Word("电话", "by phone"),
    "in_person": Word("当面", "in person"),
    "video": Word("视频", "by video"),
}
ROLES: Final = {
    "clinic": Word("基层机构", "the clinic"),
    "ed": Word("急诊科", "the emergency department"),
    "cardiologist": Word("心内科医师", "the cardiologist"),
    "ccu": Word("CCU", "the CCU"),
    "cathlab": Word("导管室", "the cath lab"),
    "other": Word("其他医务人员", "other staff"),
}
ADDENDA: Final = {
    "addition": Word("补充", "addition"),
    "correction": Word("更正", "correction"),
    "confirmation": Word("确认", "confirmation"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyHead:
    """The study and its patient as the report's head has them; None is unknown, or not for this reader."""

    study_uid: str
    modalities: tuple[str, ...] = ()
    body_part: str | None = None
    description: str | None = None
    study_at: datetime | None = None
    study_date: date | None = None
    received_at: datetime | None = None
    accession: str | None = None
    instances: int | None = None
    expected: int | None = None
    reasons: tuple[str, ...] = ()
    patient_name: str | None = None
    patient_id: str | None = None
    pseudonym: str = ""
    sex: str | None = None
    birth_date: date | None = None
    age_years: float | None = None


def head_of(study: ImageStudy, *, named: bool = True) -> StudyHead:
    """What the images say of study and patient; with `named` also what may tell who it is."""
    text = study.text
    day = study.study_date
    return StudyHead(
        study_uid=study.study_uid,
        modalities=study.modalities,
        body_part=text.body_part,
        description=text.description if named else None,
        study_at=study.study_at,
        study_date=None if day is None else date(int(day[:4]), int(day[4:6]), int(day[6:8])),
        received_at=study.received_at,
        accession=text.accession if named else None,
        instances=study.instances,
        expected=study.expected,
        reasons=text.reasons if named else (),
        patient_name=text.patient_name if named else None,
        patient_id=text.patient_id if named else None,
        pseudonym=study.patient,
        sex=text.sex,
        birth_date=text.birth_date if named else None,
        age_years=text.age_years,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """One part of the report."""

    title: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageReport:
    """Everything that stands on the pages."""

    english: bool
    title: str
    network: str
    state: str
    who: tuple[Pair, ...]
    study: tuple[Pair, ...]
    sections: tuple[Section, ...]
    critical: tuple[str, ...]
    calls: tuple[str, ...]
    signed: str
    printed: str
    report_id: str


def people_of(reading: Reading) -> set[str]:
    """Whose names the report needs."""
    called = {call.said.person for call in reading.calls} | {call.said.to_person for call in reading.calls}
    return {one.person for one in reading.signed} | {one for one in called if one is not None}


def content(
    reading: Reading,
    head: StudyHead,
    *,
    names: Mapping[str, str],
    site: Word,
    network: Word,
    printed_at: datetime,
    printed_by: str,
    english: bool,
) -> ImageReport:
    """The report in its order; raises `ValueError` where none is signed, or its words are sealed."""
    report = reading.report
    if report is None or any(one.sealed is not None for one in reading.signed):
        raise ValueError("expected a signed report whose words are opened, got none")
    state = {
        "provisional": Word("临时报告（待确认）", "PROVISIONAL, to be confirmed"),
        "final": Word("正式报告", "final report"),
    }[reading.state]
    return ImageReport(
        english=english,
        title=("Imaging report" if english else "影像诊断报告") + _what(head),
        network=network[english],
        state=state[english],
        who=_who(head, site, english),
        study=_study(head, english),
        sections=(
            *_carried(reading, english),
            Section(title="Findings" if english else "影像所见", text=report.findings),
            Section(title="Impression" if english else "诊断意见", text=report.impression),
            *(_addendum(one, names.get(one.person, one.person), english) for one in reading.signed[1:]),
        ),
        critical=tuple(_result(code)[english] for code in reading.critical),
        calls=tuple(_calls(reading, names, english)),
        signed=_signed(report, names.get(report.person, report.person), english),
        printed=f"{'Printed' if english else '打印'} {clock(printed_at)} {printed_by}",
        report_id=reading.signed[-1].report_id,
    )


def clock(at: datetime | None) -> str:
    """An instant by the network's wall clock."""
    return "—" if at is None else f"{at.astimezone(SHOWN_ZONE):%Y-%m-%d %H:%M}"


def _result(code: str) -> Word:
    row = critical_results().get(code)
    return Word(code, code) if row is None else Word(row.zh, row.en)


def _what(head: StudyHead) -> str:
    parts = ["/".join(head.modalities), head.body_part or ""]
    said = " ".join(part for part in parts if part)
    return f" · {said}" if said else ""


def _who(head: StudyHead, site: Word, english: bool) -> tuple[Pair, ...]:
    sex = words.SEXES.get(head.sex, words.SEXES[None])[english]
    name = head.patient_name or head.pseudonym
    return (
        ("Name" if english else "姓名", name),
        ("Sex, age" if english else "性别年龄", f"{sex} {words.age(head.age_years)[english]}"),
        ("Number" if english else "患者编号", head.patient_id or UNKNOWN[english]),
        ("Site" if english else "机构", site[english]),
    )


def _study(head: StudyHead, english: bool) -> tuple[Pair, ...]:
    if head.study_at is not None:
        made = clock(head.study_at)
    else:
        made = UNKNOWN[english] if head.study_date is None else f"{head.study_date:%Y-%m-%d}"
    count = UNKNOWN[english] if head.instances is None else str(head.instances)
    if head.expected is not None and head.instances is not None and head.instances < head.expected:
        count += f"/{head.expected} {'(incomplete)' if english else '（不完整）'}"
    pairs = [
        ("Examination" if english else "检查", head.description or _what(head).removeprefix(" · ") or "—"),
        ("Made" if english else "检查时间", made),
        ("Received" if english else "接收时间", clock(head.received_at)),
        ("Order" if english else "检查号", head.accession or UNKNOWN[english]),
        ("Images" if english else "影像数", count),
    ]
    if head.reasons:
        pairs.append(("Indication" if english else "申请原因", "；".join(head.reasons)))
    return tuple(pairs)


def _signed(one: Signed, name: str, english: bool) -> str:
    return f"{'Signed by' if english else '报告医师'} {name}  {clock(one.at)}"


def _carried(reading: Reading, english: bool) -> tuple[Section, ...]:
    if not reading.carried:
        return ()
    at = clock(reading.moves[-1].at)
    said = (
        f"Signed while the study was filed to another patient; moved here {at}. Not confirmed for this patient."
        if english
        else f"报告签发时该检查归在另一患者名下，{at} 改归本患者，尚未为本患者重新确认。"
    )
    return (Section(title="Attention" if english else "注意", text=said),)


def _addendum(one: Signed, name: str, english: bool) -> Section:
    word = ADDENDA.get(one.addendum or "", Word("补充", "addition"))[english]
    head = (
        f"Addendum ({word}), {name}, {clock(one.at)}"
        if english
        else f"补充报告（{word}） {name} {clock(one.at)}"
    )
    return Section(title=head, text=one.impression)


def _calls(reading: Reading, names: Mapping[str, str], english: bool) -> Sequence[str]:
    said = [_call(call, names, english) for call in reading.calls]
    if reading.untold:
        said.append(
            "Not yet told and said back: somebody must call"
            if english
            else "危急值尚未完成通知与复述，请立即电话告知"
        )
    return said


def _call(call: Call, names: Mapping[str, str], english: bool) -> str:
    said = call.said
    role = ROLES.get(said.to_role, Word(said.to_role, said.to_role))[english]
    to = role if said.to_person is None else f"{role} {names.get(said.to_person, said.to_person)}"
    who, way = names.get(said.person, said.person), _WAYS.get(said.way, Word(said.way, said.way))[english]
    if not said.reached:
        end = "not reached" if english else "未联系上"
    elif call.closed:
        end = f'said back: "{said.read_back}"' if english else f"对方复述：“{said.read_back}”，核对无误"
    else:
        end = "not said back right" if english else "复述未核对无误"
    at = clock(said.told_at)
    return f"{at} {who} {way} → {to}: {end}" if english else f"{at} {who} {way}告知 {to}：{end}"
