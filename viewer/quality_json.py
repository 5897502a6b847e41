"""What the quality pages read, as it goes over the wire: minutes end in `_min`, shares are 0 to 1, both languages.

The structs say what a page draws and nothing of how it was counted. Unknown is null. Every number names its cases by a
`set`: the page asks `/quality/cases` with the same view and that set.
"""

import msgspec


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A thing by its id, with its words."""

    id: str
    zh: str
    en: str


class Counted(Said, frozen=True, kw_only=True):
    """A thing that was counted."""

    n: int


class Tally(Counted, frozen=True, kw_only=True):
    """A count with the first of its cases."""

    case_ids: tuple[str, ...] = ()
    more: int = 0  # cases beyond these


class View(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked, with what stands where nothing was said: the address of the page holds the same."""

    standard: str
    from_month: str  # "2026-05"
    to_month: str  # the last one, included
    by: str
    group: str  # "": the whole network
    hours: str  # "all", "on", "off"


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """What every page of quality has around it: the view, what may be chosen, and how many cases it holds."""

    view: View
    standards: tuple[Said, ...]
    groupings: tuple[Said, ...]
    groups: tuple[Counted, ...]  # of `by`, those with cases first
    months: tuple[str, ...]  # all that hold a case
    cases: int
    at: str


class Number(msgspec.Struct, frozen=True, kw_only=True):
    """A metric over one set of cases."""

    n: int
    mean_min: float | None = None
    median_min: float | None = None
    q1_min: float | None = None
    q3_min: float | None = None
    met: int | None = None  # surely; None: the metric has no target
    late: int | None = None  # surely not met
    share: float | None = None  # of all who should have had it: what is missing is not met
    share_low: float | None = None
    share_high: float | None = None
    reached: bool | None = None  # as the edition wants it; None: it wants nothing, or nobody knows


class MonthValue(msgspec.Struct, frozen=True, kw_only=True):
    """One month of a trend."""

    month: str
    n: int
    value: float | None  # of the metric's own statistic: minutes, or a share
    share: float | None


class Metric(Said, frozen=True, kw_only=True):
    """One number of an edition, with what it counts and what it leaves out."""

    label: str  # what the edition calls it; another edition may give the name to other ends
    from_: Said | None = msgspec.field(name="from")  # None: a share of cases
    to: Said | None
    statistic: str  # "mean", "median", "share"
    target_min: float | None
    below: bool  # reached only if shorter than that
    target_share: float | None
    source: str
    mark: str
    without: Number  # the excluded cases left out: what the edition judges
    with_all: Number  # nobody left out
    missing: int
    negative: int
    excluded: int
    reasons: tuple[Counted, ...]  # why cases were excluded
    uncertain: int  # cases whose verdict the clocks' uncertainty could turn
    possibly: int  # cases that meet the target only if the earliest of a told day holds
    half_width_min: float | None  # carried from the clocks to the value
    trend: tuple[MonthValue, ...]
    first: bool = False  # one of the six of the first page


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """The first page."""

    frame: Frame
    metrics: tuple[Metric, ...]


class GroupRow(Said, frozen=True, kw_only=True):
    """One metric of one group."""

    number: Number
    missing: int
    excluded: int


class Groups(msgspec.Struct, frozen=True, kw_only=True):
    """One metric, group by group, against the network."""

    frame: Frame
    metric: Metric
    rows: tuple[GroupRow, ...]


class CaseLine(msgspec.Struct, frozen=True, kw_only=True):
    """One case behind a number."""

    case_id: str
    opened_at: str
    site: Said
    arrival_mode: int | None
    minutes: float | None
    uncertainty_min: float | None
    set: str  # "met", "late", "possibly", "missing", "excluded", "negative", "counted" where there is no target
    lacks: tuple[Said, ...]  # the milestones that are not known
    reasons: tuple[Said, ...]  # why it was late, or excluded
    corrected: bool  # one of its two times stands in place of an earlier value


class Cases(msgspec.Struct, frozen=True, kw_only=True):
    """The cases behind a number."""

    frame: Frame
    metric: Metric | None
    set: str
    total: int
    cases: tuple[CaseLine, ...]


class Segment(Said, frozen=True, kw_only=True):
    """One segment of the way from first contact to the wire, in this period and in the best one."""

    n: int
    missing: int
    median_min: float | None
    low_min: float | None  # 95 % interval
    high_min: float | None
    share: float | None  # of the whole way
    best_min: float | None
    excess_min: float | None  # over the best period
    excess_low_min: float | None
    excess_high_min: float | None
    first_probability: float | None  # how sure it is that this one loses most
    slow_probability: float | None = None  # that it is slower than usual, and no chance
    explained: tuple[Said, ...] = ()  # groups in which it is slow, in words
    case_ids: tuple[str, ...] = ()  # the longest first
    on_the_way: bool = True  # False: a part beside the way that is always shown, as consent


class Part(Said, frozen=True, kw_only=True):
    """A part of a change of the median between two periods."""

    kind: str  # "segment", "mix", "beside", "group": beside and group are no part of the sum
    change_min: float | None
    low_min: float | None
    high_min: float | None
    n_before: int
    n_now: int


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """This period against an earlier one."""

    from_month: str
    to_month: str
    n_before: int
    n_now: int
    before_min: float | None
    now_min: float | None
    change_min: float | None
    low_min: float | None  # 95 % interval of the change
    high_min: float | None
    rest_min: float | None  # what no part explains: medians do not add up
    parts: tuple[Part, ...]  # the largest first


class Waterfall(msgspec.Struct, frozen=True, kw_only=True):
    """Where the time goes, and where it is lost."""

    frame: Frame
    n: int
    mode: int  # the arrival mode whose way it is
    modes: tuple[Counted, ...]  # with their numbers of cases
    whole_min: float | None  # median of the whole way
    best: str  # the months of the best period, as words; "": none
    best_n: int
    segments: tuple[Segment, ...]  # in the order of the way
    ranking: tuple[Segment, ...]  # of all modes together, the one that loses most first
    chance: float | None  # how likely it is that no segment is slower than usual
    change: Change | None


class ChartPoint(msgspec.Struct, frozen=True, kw_only=True):
    """One point of a chart."""

    at: str
    value: float
    signal: bool = False
    case_id: str | None = None


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """A chart says that something has changed: where, since when, by how much."""

    rule: str
    at: str
    zh: str
    en: str
    case_ids: tuple[str, ...] = ()


class Chart(Said, frozen=True, kw_only=True):
    """A control chart of one process."""

    kind: str  # "xmr", "cusum"
    unit: str  # "min", "sd", "sum"
    where: Said
    centre: float | None
    lower: float | None
    upper: float | None
    points: tuple[ChartPoint, ...]
    signals: tuple[Signal, ...]
    usual: float | None  # minutes, or a share where `is_share`
    is_share: bool
    baseline: int  # cases, or months, that say what is usual


class Charts(msgspec.Struct, frozen=True, kw_only=True):
    """All control charts of a view; those with signals first."""

    frame: Frame
    charts: tuple[Chart, ...]
    watch_month: str  # all before it says what is usual
    watched: int  # with those of clinics that are quiet and not drawn
    points: int  # of all of them
    vain: float  # signals that chance alone would give them, on average


class Rate(Said, frozen=True, kw_only=True):
    """A share with its counts, and times where they are of one."""

    n: int
    of: int
    share: float | None
    low: float | None
    high: float | None
    median_min: float | None = None
    q3_min: float | None = None
    case_ids: tuple[str, ...] = ()
    more: int = 0  # cases beyond these


class Table(Said, frozen=True, kw_only=True):
    """Rates of one kind."""

    rows: tuple[Rate, ...]
    lower_is_better: bool = False


class Loop(msgspec.Struct, frozen=True, kw_only=True):
    """What became of alerts, readings, recordings, clocks and transmissions."""

    frame: Frame
    counts: tuple[Tally, ...]
    tables: tuple[Table, ...]


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that the national form asks for and nobody has said."""

    case_id: str
    opened_at: str
    site: Said
    field: Said
    owner: str
    milestone: str | None  # where a time is entered


class Gaps(msgspec.Struct, frozen=True, kw_only=True):
    """What is missing, by who can say it."""

    frame: Frame
    owners: tuple[Counted, ...]
    fields: tuple[Counted, ...]  # what is missing most
    total: int
    gaps: tuple[Gap, ...]
    required: int  # of all cases of the view
    filled: int
    untyped: int  # of the filled, known to the service without anybody typing


class FormField(Said, frozen=True, kw_only=True):
    """One field of the national form of a case."""

    value: str | None
    value_zh: str | None
    value_en: str | None
    required: bool
    owner: Said
    source: str | None
    corrected: bool
    problem_zh: str | None
    problem_en: str | None
    milestone: str | None  # where it is a time that may be entered
    fact: str | None  # where it is a fact that may be said


class FormSection(Said, frozen=True, kw_only=True):
    """Fields that stand together."""

    fields: tuple[FormField, ...]


class CaseForm(msgspec.Struct, frozen=True, kw_only=True):
    """The national form of a case."""

    case_id: str
    state: str
    site: Said
    sections: tuple[FormSection, ...]
    required: int
    filled: int
    untyped: int
