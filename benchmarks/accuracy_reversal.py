"""Exchanged cables: made from real recordings by the algebra of the leads, and looked for by the core."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.accuracy_data import Case, Samples, cases, changed, clean, twelve, version
from benchmarks.accuracy_report import Row, Table, Topic, Value
from benchmarks.accuracy_stats import share
from benchmarks.harness import RESULTS, Json
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

CV_FILE: Final = RESULTS / "reversal-cv.json"
# Row of the cross-validation: what it is called here, its limits, and whether few are good.
CV_ROWS: Final[Mapping[str, tuple[str, tuple[float, float] | None, bool]]] = {
    "RA/LA": ("RA/LA found", RA_LA, False),
    "mean of the six common": ("six common exchanges found, their mean", SIX, False),
    "false on clean": (
        "exchange named on recordings as they are, sinus rhythm and nothing else by label",
        FALSE,
        True,
    ),
    "false on all": ("… on every 12-lead recording", None, True),
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
    """Found and rightly named, and named where nothing was exchanged: the cross-validation, and `measure` beside it."""
    data = version(folder, *SETS)
    found = cases(folder, SETS, step)
    good = list(clean(found))
    answers = {name: {case: told(case, name) for case in good} for name in RULES}
    cv, note, tables = cross_validated(data)
    made = Topic(name="reversal", title="Exchanged cables", intro=_INTRO + note, rows=cv)
    six = [(case, name) for number, case in enumerate(good) for name in common(number)]
    readable = [case for case in twelve(found) if case.measured.quality.acceptable]
    # Without a cross-validation the limits stay with the only rows there are.
    held = (None, None, None) if cv else (RA_LA, SIX, FALSE)
    made.rows += [
        _row("RA/LA found", [(case, "RA/LA") for case in good], answers, data, held[0]),
        _row("six common exchanges found", six, answers, data, held[1]),
        _false_row("exchange named on clean recordings as they are", good, data, held[2]),
        _false_row("… on every acceptable 12-lead recording", readable, data, None),
    ]
    made.tables = [
        *tables,
        Table(
            title="In-sample, by exchange (clean recordings)",
            rows=[_by_exchange(n, answers[n]) for n in RULES],
        ),
        Table(title="In-sample, named where nothing was exchanged", rows=_false_names(found)),
    ]
    return made


def cross_validated(data: str, path: Path = CV_FILE) -> tuple[list[Row], str, list[Table]]:
    """Rows of the cross-validation by person, a sentence on it, its tables; the sentence alone where it is missing."""
    try:
        cv: Json = json.loads(path.read_text(encoding="utf-8"))
        by_name = {row["id"]: row for row in cv["rows"]}
        rows = [_cv_row(by_name[name], name, data) for name in CV_ROWS]
        tables = [
            Table(title="Cross-validation, by exchange", rows=[_cv_cells(r) for r in cv["rows"]]),
            *(
                Table(
                    title=f"Cross-validation, fitted on half {fold['fitted_on']['half']}, "
                    f"asked about half {fold['reported_on']['half']}",
                    rows=[_cv_cells(row) for row in fold["rows"] if row["id"] in CV_ROWS],
                )
                for fold in cv["folds"]
            ),
            Table(
                title="Cross-validation, named where nothing was exchanged",
                rows=[{"record and exchange": name} for name in cv["falsely"]],
            ),
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        why = "there is none yet" if isinstance(error, OSError) else f"not readable: {error!r}"
        return [], f"\nCross-validation ({path.name}): {why}.\n", []
    return rows, f"\nCross-validation: {cv['what']}.\n", tables


def _cv_row(row: Mapping[str, Any], name: str, data: str) -> Row:
    what, limits, at_most = CV_ROWS[name]
    must, aim = limits or (None, None)
    ci = row.get("found_percent_ci95")
    values = [Value(name="named" if at_most else "found", value=row["found_percent"], ci95=tuple(ci) if ci else None,
                    unit="%", must=must, aim=aim, at_most=at_most)]  # fmt: skip
    if "right_percent" in row and not at_most:
        ci = row.get("right_percent_ci95")
        values.append(
            Value(name="the very pair", value=row["right_percent"], ci95=tuple(ci) if ci else None, unit="%")
        )
    n = f"{row['persons']} people, {row['n']} {'records' if at_most else 'exchanges'}"
    return Row(what=what, n=n, values=tuple(values), data=data, chosen="the other half; constants: half A",
               reported="cross-validation")  # fmt: skip


def _cv_cells(row: Mapping[str, Any]) -> Json:
    right = row.get("right_percent")
    return {"exchange": row["id"], "people": row["persons"], "n": row["n"], "found %": f"{row['found_percent']:.1f}",
            "the very pair %": "–" if right is None else f"{right:.1f}"}  # fmt: skip


def _row(what: str, asked: Sequence[tuple[Case, str]], answers: Mapping[str, Mapping[Case, str | None]],
         data: str, limits: tuple[float, float] | None) -> Row:  # fmt: skip
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
    must, aim = limits or (None, None)
    values = (
        Value(name="found", value=any_name, ci95=any_ci, unit="%", must=must, aim=aim),
        Value(name="by its own rule", value=right, ci95=right_ci, unit="%"),
    )
    n = f"{len({case for case, _ in asked})} records of {len(patients)} people, {sum(of)} exchanges"
    return Row(what=what, n=n, values=values, data=data, chosen=_CHOSEN, reported=_IN_SAMPLE)


_CHOSEN: Final = "half A; table: all persons"
_IN_SAMPLE: Final = "in-sample, through `measure`"


def _false_row(what: str, some: Sequence[Case], data: str, limits: tuple[float, float] | None) -> Row:
    value, ci = share([case.measured.quality.reversal is not None for case in some], [1] * len(some))
    must, aim = limits or (None, None)
    named = Value(name="named", value=value, ci95=ci, unit="%", must=must, aim=aim, at_most=True)
    n = f"{len(some)} records"
    return Row(what=what, n=n, values=(named,), data=data, chosen=_CHOSEN, reported=_IN_SAMPLE)


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
Cables of real recordings are exchanged by the algebra of their leads, Wilson's terminal included. *Found* is any name.
LA/LL is known to be all but invisible on one ECG: read the tables by exchange. As they are, the recordings are taken
for rightly connected; nobody checked that. **The table of the shipped core is fitted on all of these persons**: the
rows called *in-sample* ask it through `measure` for `quality.reversal` (*by its own rule*: the rule that should name
it) and are optimistic; they have no limits. The claim, held against them, is the *cross-validation*, which asks
the search itself on median beats (*the very pair*: both electrodes rightly named). Half A is LUDB below 100 and every
second person of the other sets. The six common exchanges: RA/LA, RA/LL, LA/LL, RA/RL, LA/RL, and two neighbouring
chest cables (in the cross-validation all five pairs, in-sample another one each time). *Clean* in-sample: sinus
rhythm, acceptable, no bad lead, by the core's own reading of the untouched recording.
"""
