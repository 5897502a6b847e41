"""Infarction within blocks and pacing, where ST is moved by the QRS itself: Sgarbossa and what came after (EQV).

A deviation is concordant where it points as the QRS of its lead does, discordant where it points the other way.
"""

from typing import Final

from greenchannel.triage.context import Context, falls_to, reaches, shown_whole
from greenchannel.triage.finding import Evidence, Tier
from greenchannel.triage.hit import Hit, Hits, Rule, Words
from greenchannel.triage.rule_set import STE_LEADS, Numbers
from greenchannel.triage.shape import down_uv, polarity, r_uv, ratio

_RIGHT: Final = ("V1", "V2", "V3")
_RBBB: Final = "MIM-RBBB"

Levels = tuple[Evidence, ...]


def _concordant_elevation(ctx: Context, rule: str, ste_uv: float) -> Levels:
    """Criterion a: ST elevated where R outweighs S."""
    return tuple(
        ctx.shown(rule, lead, "stj_mv", ste_uv)
        for lead in ctx.stj_uv
        if reaches(ctx.stj_uv[lead], ste_uv) and polarity(ctx.leads[lead]) > 0
    )


def _concordant_depression(ctx: Context, rule: str, depth_uv: float) -> Levels:
    """Criterion b: ST depressed in V1 to V3, unless R outweighs S there."""
    return tuple(
        ctx.shown(rule, lead, "stj_mv", -depth_uv, "<=")
        for lead in _RIGHT
        if falls_to(ctx.uv(lead), -depth_uv) and polarity(ctx.leads[lead]) <= 0
    )


def sgarbossa(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """The score of 1996: concordant elevation, concordant depression, much discordant elevation (EQV-SGARB)."""
    rule = "EQV-SGARB"
    a = _concordant_elevation(ctx, rule, n.ste_uv)
    b = _concordant_depression(ctx, rule, n.depth_uv)
    c = tuple(
        ctx.shown(rule, lead, "stj_mv", n.high_uv)
        for lead in ctx.stj_uv
        if reaches(ctx.stj_uv[lead], n.high_uv) and polarity(ctx.leads[lead]) < 0
    )
    points = n.a_points * bool(a) + n.b_points * bool(b) + n.c_points * bool(c)
    if not reaches(points, n.points):
        return None
    return Hit(
        tier=Tier.FLAG,
        evidence=(shown_whole(rule, "sgarbossa_points", points, n.points), *a, *b, *c),
        more=_named({"a": a, "b": b, "c": c}),
    )


def modified_sgarbossa(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """Concordant as before; discordant elevation against the depth of its own S (EQV-MSC)."""
    rule = "EQV-MSC"
    a = _concordant_elevation(ctx, rule, n.ste_uv)
    b = _concordant_depression(ctx, rule, n.depth_uv)
    c = tuple(one for lead in ctx.stj_uv for one in _out_of_proportion(ctx, rule, lead, n))
    if not (a or b or c):
        return None
    more = _named({"a": a, "b": b, "c′": c})
    return Hit(tier=Tier.ACT if a or b else Tier.URG, evidence=(*a, *b, *c), more=more)


def _out_of_proportion(ctx: Context, rule: str, lead: str, n: Numbers) -> Levels:
    """Criterion c′: elevation of at least a quarter of the deepest S or QS."""
    down, stj_uv = down_uv(ctx.leads[lead]), ctx.stj_uv[lead]
    share = ratio(stj_uv, None if down is None else -down)
    if share is None or not reaches(stj_uv, n.ste_uv) or not falls_to(share, -n.ratio):
        return ()
    if polarity(ctx.leads[lead]) > 0:  # concordant: criterion a
        return ()
    return (
        ctx.shown(rule, lead, "stj_mv", n.ste_uv),
        Evidence(lead=lead, quantity="st_s_ratio", value=share, threshold=-n.ratio, rule=rule, relation="<="),
    )


def _named(criteria: dict[str, Levels]) -> Words:
    met = [name for name, found in criteria.items() if found]
    return f"criterion {', '.join(met)}", f"标准{'、'.join(met)}"


def barcelona(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """Any concordant deviation, or a discordant one beside a small QRS (EQV-BARC)."""
    rule, evidence = "EQV-BARC", []
    for lead in ctx.leads:
        stj, direction = ctx.uv(lead), polarity(ctx.leads[lead])
        high = reaches(stj, n.deviation_uv)
        if not direction or not (high or falls_to(stj, -n.deviation_uv)):
            continue
        shown = ctx.shown(
            rule, lead, "stj_mv", n.deviation_uv if high else -n.deviation_uv, ">=" if high else "<="
        )
        largest = max(r_uv(ctx.leads[lead]) or 0.0, down_uv(ctx.leads[lead]) or 0.0)
        if high == (direction > 0):
            evidence.append(shown)
        elif falls_to(largest, n.small_uv):
            small = Evidence(
                lead=lead, quantity="rs_peak_mv", value=largest / 1000.0, threshold=n.small_uv / 1000.0, rule=rule,
                relation="<=",
            )  # fmt: skip
            evidence += [shown, small]
    return Hit(tier=Tier.URG, evidence=tuple(evidence)) if evidence else None


def right_block_with_hemiblock(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """A right bundle branch block with a left axis and any elevation, in a patient with symptoms (EQV-RBLA).

    Unknown symptoms make it a note, an earlier ECG with the same block says that it is not new.
    """
    rule, axis = "EQV-RBLA", ctx.measurements.axis_deg
    high = [lead for lead in STE_LEADS if reaches(ctx.uv(lead), n.ste_uv)]
    if axis is None or not falls_to(axis, n.axis_from_deg) or not reaches(axis, n.axis_to_deg) or not high:
        return None
    patient = ctx.patient
    ill = patient.chest_pain is True or patient.symptoms is True
    old = any(_RBBB in one.rules and not one.same_episode for one in ctx.earlier)
    if old or (patient.symptoms is False and not ill):
        return None
    return Hit(
        tier=Tier.URG if ill else Tier.FLAG,
        evidence=(
            *ctx.conduction.evidence,
            shown_whole(rule, "axis_deg", axis, n.axis_from_deg, "<="),
            *(ctx.shown(rule, lead, "stj_mv", n.ste_uv) for lead in high),
        ),
        more=None if ill else ("urgent if the patient has symptoms", "如有症状请紧急复核"),
    )


RULES: Final[dict[str, Rule]] = {
    "EQV-SGARB": sgarbossa,
    "EQV-MSC": modified_sgarbossa,
    "EQV-BARC": barcelona,
    "EQV-RBLA": right_block_with_hemiblock,
}
