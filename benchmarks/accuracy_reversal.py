"""Exchanged cables: made from real recordings by the algebra of the leads, and looked for by the core."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from benchmarks.accuracy_data import Case, Samples, cases, changed, clean, twelve, version
from benchmarks.accuracy_report import Row, Table, Topic, Value
from benchmarks.accuracy_stats import share
from benchmarks.harness import Json
from greenchannel.signal.leads import PRECORDIAL
from greenchannel.signal.measure import measure

SETS: Final = ("ludb", "ptb-10s", "ptb-diagnostic", "cinc-12lead")
RIGHT_LEG_SHARE: Final = 0.98  # of the left leg: nobody records the right one, and II must not be nothing [E]

# Exchange: the rule of the clinical specification that should name it.
LIMBS: Final = {"RA/LA": "LEAD-1", "RA/LL": "LEAD-2", "LA/LL": "LEAD-4", "RA/RL": "LEAD-3", "LA/RL": "LEAD-3"}
NEIGHBOURS: Final = dict.fromkeys(("V1/V2", "V2/V3", "V3/V4", "V4/V5", "V5/V6"), "LEAD-5")
OTHERS: Final = {"V1/V3": "LEAD-5", "V1/V6": "LEAD-5", "LA/V1": "LEAD-6"}
RULES: Final = LIMBS | NEIGHBOURS | OTHERS
RA_LA: Final = (95.0, 99.0)
SIX: Final = (85.0, 95.0)
FALSE: Final = (1.0, 0.3)

PARTS: Final[Mapping[str, tuple[bool, ...]]] = {
    # Which values of `Case.development` are in it.
    "all": (True, False),
    "development half": (True,),
    "held-back half": (False,),
}


def common(number: int) -> tuple[str, ...]:
    """The six common exchanges: five of limb cables, and two neighbouring chest cables, other ones each time."""
    return (*LIMBS, list(NEIGHBOURS)[number % len(NEIGHBOURS)])


def exchange(rows: dict[str, Samples], first: str, second: str) -> None:
    """Leads as they are with two cables exchanged, in place.

    Potentials stand against Wilson's terminal of the right cables. The right leg's cable only drives: exchanged with
    an arm, the arm's input sees the leg.
    """
    one, two = rows["I"], rows["II"]
    body = {"RA": -(one + two) / 3, "LA": (2 * one - two) / 3, "LL": (2 * two - one) / 3}
    body["RL"] = RIGHT_LEG_SHARE * body["LL"]
    body |= {lead: rows[lead] for lead in PRECORDIAL}
    seen = dict(body)
    seen[first], seen[second] = body[second], body[first]
    ra, la, ll = seen["RA"], seen["LA"], seen["LL"]
    terminal = (ra + la + ll) / 3
    rows |= {"I": la - ra, "II": ll - ra, "III": ll - la}
    rows |= {"aVR": ra - (la + ll) / 2, "aVL": la - (ra + ll) / 2, "aVF": ll - (ra + la) / 2}
    rows |= {lead: seen[lead] - terminal for lead in PRECORDIAL}


def told(case: Case, name: str) -> str | None:
    """What the core calls one exchange, made from one recording."""
    first, second = name.split("/")
    return measure(changed(case.recording, lambda rows: exchange(rows, first, second))).quality.reversal


def topic(folder: Path, step: int = 1) -> Topic:
    """Found and rightly named, and named where nothing was exchanged."""
    data = version(folder, *SETS)
    found = cases(folder, SETS, step)
    good = list(clean(found))
    answers = {name: {case: told(case, name) for case in good} for name in RULES}
    made = Topic(name="reversal", title="Exchanged cables", intro=_INTRO)
    for part, inside in PARTS.items():
        some = [case for case in good if case.development in inside]
        arms = [(case, "RA/LA") for case in some]
        six = [(case, name) for number, case in enumerate(some) for name in common(number)]
        made.rows += [
            _row("RA/LA found", arms, answers, part, data, RA_LA),
            _row("six common exchanges found", six, answers, part, data, SIX),
            _false_row("exchange named on clean recordings as they are", some, part, data, FALSE),
        ]
        readable = [c for c in twelve(found) if c.development in inside and c.measured.quality.acceptable]
        made.rows.append(_false_row("… on every acceptable 12-lead recording", readable, part, data, None))
    made.tables = [
        Table(
            title="By exchange (clean recordings, both halves)",
            rows=[_by_exchange(n, answers[n]) for n in RULES],
        ),
        Table(
            title="By exchange (clean recordings, held-back half)",
            rows=[_by_exchange(n, _held(answers[n])) for n in RULES],
        ),
        Table(title="Named where nothing was exchanged", rows=_false_names(found)),
    ]
    return made


def _held(answers: Mapping[Case, str | None]) -> dict[Case, str | None]:
    return {case: answer for case, answer in answers.items() if not case.development}


def _row(what: str, asked: Sequence[tuple[Case, str]], answers: Mapping[str, Mapping[Case, str | None]], part: str,
         data: str, limits: tuple[float, float]) -> Row:  # fmt: skip
    patients = {case.patient: [0, 0, 0] for case, _ in asked}
    for case, name in asked:
        count = patients[case.patient]
        answer = answers[name][case]
        count[0] += answer is not None
        count[1] += answer == RULES[name]
        count[2] += 1
    of = [count[2] for count in patients.values()]
    any_name, any_ci = share([count[0] for count in patients.values()], of)
    right, right_ci = share([count[1] for count in patients.values()], of)
    values = (
        Value(name="found", value=any_name, ci95=any_ci, unit="%", must=limits[0], aim=limits[1]),
        Value(name="by its own rule", value=right, ci95=right_ci, unit="%"),
    )
    n = f"{len({case for case, _ in asked})} records of {len(patients)} people, {sum(of)} exchanges"
    return Row(what=what, n=n, values=values, data=data, chosen=_CHOSEN, reported=part)


_CHOSEN: Final = "the development half"


def _false_row(
    what: str, some: Sequence[Case], part: str, data: str, limits: tuple[float, float] | None
) -> Row:
    value, ci = share([case.measured.quality.reversal is not None for case in some], [1] * len(some))
    must, aim = limits or (None, None)
    named = Value(name="named", value=value, ci95=ci, unit="%", must=must, aim=aim, at_most=True)
    n = f"{len(some)} records"
    return Row(what=what, n=n, values=(named,), data=data, chosen=_CHOSEN, reported=part)


def _by_exchange(name: str, answers: Mapping[Case, str | None]) -> Json:
    count, rule = len(answers), RULES[name]
    found = [answer for answer in answers.values() if answer is not None]
    others = {answer: found.count(answer) for answer in sorted(set(found)) if answer != rule}
    return {
        "exchange": name,
        "rule": rule,
        "n": count,
        "found %": f"{100 * len(found) / count:.1f}" if count else "–",
        "by its own rule %": f"{100 * found.count(rule) / count:.1f}" if count else "–",
        "by another": ", ".join(f"{key} ×{n}" for key, n in others.items()) or "–",
    }


def _false_names(found: Sequence[Case]) -> list[Json]:
    return [
        {"record": f"{case.set} {case.record}", "named": case.measured.quality.reversal, "label": case.label}
        for case in twelve(found)
        if case.measured.quality.reversal is not None
    ]


_INTRO: Final = """
Cables of real recordings are exchanged by the algebra of their leads, Wilson's terminal included; the core is asked
for the result's `quality.reversal`. *Found* is any name, *by its own rule* the right one. The six: RA/LA, RA/LL,
LA/LL, RA/RL, LA/RL, and two neighbouring chest cables, other ones in each recording. LA/LL is known to be all but
invisible on one ECG: read the table by exchange. As they are, the recordings are taken for rightly connected; nobody
checked that. Halves: LUDB below 100 and above; of the other sets every second person. *Clean*: sinus rhythm,
acceptable, no bad lead, by the core's own reading of the untouched recording.
"""
