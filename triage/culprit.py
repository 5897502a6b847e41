"""Which vessel an anterior or inferior infarction suggests, with the steps that led there (LOC-LAD, LOC-INF).

For people to read, as "possible culprit 可能罪犯血管"; never an input of a decision. The numbers stand in
`culprits.toml`.
"""

from importlib.resources import files
from typing import Annotated, Final

import msgspec

from greenchannel.triage.context import Context, falls_to, reaches
from greenchannel.triage.finding import Finding
from greenchannel.triage.hit import Words
from greenchannel.triage.rule_rows import Mark, Text
from greenchannel.triage.rule_set import RuleSetError

ANTERIOR: Final = frozenset({"septal", "anteroseptal", "anterior", "extensive_anterior", "anterolateral"})
INFERIOR: Final = frozenset({"inferior", "inferolateral", "inferoposterior"})
_WALL: Final = ("II", "III", "aVF")
_CHEST: Final = ("V1", "V2", "V3")


class Amount(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One number and where it comes from."""

    value: Annotated[float, msgspec.Meta(ge=0)]
    source: Text
    mark: Mark


class Lad(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Numbers of LOC-LAD."""

    proximal_uv: Amount
    between_uv: Amount
    s_uv: Amount
    v1_uv: Amount
    inferior_uv: Amount
    inferior_leads: Amount


class Inferior(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Numbers of LOC-INF."""

    i_uv: Amount
    ratio: Amount
    v3_iii: Amount
    v6_uv: Amount
    i_avl_uv: Amount
    proximal: Amount


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All numbers of localisation."""

    lad: Lad
    inferior: Inferior


def load(text: str) -> Table:
    """Read a table of numbers; `RuleSetError` where it is broken."""
    try:
        return msgspec.toml.decode(text, type=Table)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise RuleSetError(f"expected the numbers of LOC-LAD and LOC-INF, got: {error}") from error


TABLE: Final = load((files("greenchannel") / "triage/culprits.toml").read_text(encoding="utf-8"))
"""The product's numbers."""


def possible(ctx: Context, found: Finding, table: Table = TABLE) -> Words | None:
    """The vessel that an STE-1 suggests, and why, in English and Chinese.

    None for another finding, another wall, or where a lead that a step needs is not usable: then the usual culprit of
    the wall stands. An anterior wall with an inferior one is one LAD that wraps around the apex.
    """
    if found.id != "STE-1" or ctx.child:
        return None
    if any(one.trace == "corrected" for one in found.evidence):
        return None if ctx.corrected is None else _of_wall(ctx.corrected, found, table)
    return _of_wall(ctx, found, table)


def _of_wall(ctx: Context, found: Finding, table: Table) -> Words | None:
    if ANTERIOR & set(found.territories):
        return _lad(ctx, table.lad)
    return _inferior(ctx, table.inferior) if INFERIOR & set(found.territories) else None


def _mv(uv: float) -> str:
    return f"{uv / 1000.0:+.2f} mV".replace("-", "−")


def _limit(amount: Amount, sign: str = "") -> str:
    return f"{sign}{amount.value / 1000.0:.2f} mV"


def _levels(ctx: Context, leads: tuple[str, ...]) -> list[float] | None:
    """J levels of these leads in µV; None where one of them is not usable."""
    found = [ctx.uv(lead) for lead in leads]
    return None if any(uv is None for uv in found) else [uv for uv in found if uv is not None]


def _lad(ctx: Context, t: Lad) -> Words | None:
    inferior = _levels(ctx, _WALL)
    if inferior is None:
        return None
    d = -(inferior[1] + inferior[2])
    head = f"D = −(ST III + ST aVF) = {_mv(d)}"
    if reaches(d, t.proximal_uv.value):
        en, zh = "LAD proximal to D1", "左前降支D1近段"
        steps = f"{head} ≥ {_limit(t.proximal_uv)}"
    elif reaches(d, t.between_uv.value):
        rest = _levels(ctx, ("aVR", "V1", "V6"))
        if rest is None:
            return None
        s = rest[0] + rest[1] - rest[2]
        proximal = reaches(s, t.s_uv.value)
        en = "LAD proximal to S1" if proximal else "LAD distal to S1, proximal to D1"
        zh = "左前降支S1近段" if proximal else "左前降支S1远段、D1近段"
        between = f"{_limit(t.between_uv)} ≤ {head} < {_limit(t.proximal_uv)}"
        steps = (
            f"{between}, S = ST aVR + ST V1 − ST V6 = {_mv(s)} {'≥' if proximal else '<'} {_limit(t.s_uv)}"
        )
    else:
        elevated = sum(reaches(uv, t.inferior_uv.value) for uv in inferior)
        wraps = elevated >= t.inferior_leads.value
        en = "distal LAD, wrapping around the apex" if wraps else "distal LAD"
        zh = "左前降支远段(环绕型)" if wraps else "左前降支远段"
        steps = f"{head} < {_limit(t.between_uv)}"
    more = _before_s1(ctx, t)
    return f"{en} ({steps}{more[0]})", f"{zh}({steps}{more[1]})"


def _before_s1(ctx: Context, t: Lad) -> Words:
    """What favours a place before the first septal branch."""
    v1 = ctx.uv("V1")
    if v1 is not None and v1 > t.v1_uv.value:
        why = f"V1 {_mv(v1)} > {_limit(t.v1_uv)}"
        return f"; {why} favours a place before S1", f";{why}提示S1之前"
    if ctx.conduction.name == "rbbb" and ctx.newly("MIM-RBBB"):
        return "; new right bundle branch block favours a place before S1", ";新发右束支阻滞提示S1之前"
    return "", ""


def _inferior(ctx: Context, t: Inferior) -> Words | None:
    levels, first = _levels(ctx, _WALL), ctx.uv("I")
    if levels is None or first is None:
        return None
    second, third, _ = levels
    if falls_to(first, -t.i_uv.value):
        right, steps = True, f"ST I {_mv(first)} ≤ {_limit(t.i_uv, '−')}"
    elif reaches(first, t.i_uv.value):
        right, steps = False, f"ST I {_mv(first)} ≥ {_limit(t.i_uv)}"
    elif reaches(second, third):
        right, steps = False, f"ST I {_mv(first)}, ST II {_mv(second)} ≥ ST III {_mv(third)}"
    else:
        chest = _levels(ctx, _CHEST)
        up = sum(max(uv, 0.0) for uv in levels)
        if chest is None or up <= 0.0:
            return None
        ratio = sum(max(-uv, 0.0) for uv in chest) / up
        right = falls_to(ratio, t.ratio.value)
        steps = (
            f"ST I {_mv(first)}, II < III, Σ↓(V1–V3)/Σ↑(II,III,aVF) = {ratio:.2f}"
            f" {'≤' if right else '>'} {t.ratio.value:g}"
        )
    checks = _checks(ctx, t, third)
    proximal = right and checks is not None and checks.proximal
    en = ("proximal RCA" if proximal else "RCA") if right else "LCx"
    zh = ("右冠状动脉近段" if proximal else "右冠状动脉") if right else "左回旋支"
    more = ("", "") if checks is None else checks.words(right=right)
    return f"{en} ({steps}{more[0]})", f"{zh}({steps}{more[1]})"


class _Checks(msgspec.Struct, frozen=True, kw_only=True):
    """The cross-check of Vives-Borrás."""

    left: str  # what speaks for the LCx; empty: nothing
    right: str  # what speaks for the RCA
    proximal: bool
    share: str  # how the proximal RCA shows

    def words(self, *, right: bool) -> Words:
        """Whether the cross-check agrees."""
        en, zh = "", ""
        if right and self.proximal:
            en, zh = f"; {self.share}", f";{self.share}"
        for why, vessel_en, vessel_zh, agrees in (
            (self.left, "LCx", "左回旋支", not right), (self.right, "RCA", "右冠状动脉", right),
        ):  # fmt: skip
            if why:
                en += f"; cross-check {'agrees' if agrees else 'differs'}: {vessel_en} by {why}"
                zh += f";交叉验证{'一致' if agrees else '不一致'}:{why},{vessel_zh}"
        return en, zh


def _checks(ctx: Context, t: Inferior, third: float) -> _Checks | None:
    v3, v6, first, avl = (ctx.uv(lead) for lead in ("V3", "V6", "I", "aVL"))
    ratio = None if v3 is None or third <= 0.0 else max(-v3, 0.0) / third
    left = []
    if ratio is not None and ratio > t.v3_iii.value:
        left.append(f"↓V3/↑III = {ratio:.2f} > {t.v3_iii.value:g}")
    if v6 is not None and reaches(v6, t.v6_uv.value):
        left.append(f"V6 {_mv(v6)} ≥ {_limit(t.v6_uv)}")
    low = -t.i_avl_uv.value
    right = falls_to(first, low) and falls_to(avl, low)
    return _Checks(
        left=", ".join(left),
        right=f"I, aVL ≤ {_limit(t.i_avl_uv, '−')}" if right else "",
        proximal=ratio is not None and ratio < t.proximal.value,
        share="" if ratio is None else f"↓V3/↑III = {ratio:.2f} < {t.proximal.value:g}",
    )
