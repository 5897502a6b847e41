"""Rows of the accuracy report, with what they must reach, and the page they become."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from benchmarks.accuracy_stats import Interval
from benchmarks.harness import Json


@dataclass(frozen=True, kw_only=True)
class Value:
    """One number of a row: what came, and the limits it is held against."""

    value: float | None
    ci95: Interval | None = None
    name: str = ""
    unit: str = ""
    must: float | None = None
    aim: float | None = None
    at_most: bool = False  # the size of the value may be no larger than the limits; else no smaller
    digits: int = 1

    def reaches(self, limit: float | None) -> bool | None:
        """Whether the value, unrounded, keeps a limit; None where there is no value or no limit."""
        if limit is None or self.value is None:
            return None
        return abs(self.value) <= limit if self.at_most else self.value >= limit

    def text(self) -> str:
        """``SD 9.1 ms (8.0 to 10.2)``."""
        if self.value is None:
            return f"{self.name} –".strip()
        told = f"{self.name} {self._number(self.value)} {self.unit}".strip()
        if self.ci95 is None:
            return told
        return f"{told} ({self._number(self.ci95[0])} to {self._number(self.ci95[1])})"

    def _number(self, value: float) -> str:
        rounded = f"{value:.{self.digits}f}"
        # A share below 100 % never prints as 100: what was missed once stays to be seen.
        if self.unit == "%" and value < 100 and float(rounded) >= 100:
            return f"{value:.4f}".rstrip("0")
        return rounded.replace("-", "−")

    def limit(self, limit: float | None) -> str:
        """``SD ≤ 9``."""
        if limit is None:
            return "–"
        sign = "≤" if self.at_most else "≥"
        name = f"|{self.name}|" if self.at_most and self.name == "bias" else self.name
        return f"{name} {sign} {limit:g}".strip()


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of a table. `reached` asks every value of it."""

    what: str
    n: str  # records and beats in words
    values: tuple[Value, ...]
    data: str  # set and version
    chosen: str  # where methods and limits were chosen
    reported: str  # what this row is about

    def reached(self, level: str) -> bool | None:
        """Whether all values keep their limits of one level, ``must`` or ``aim``; None where there is none to keep."""
        asked = [value for value in self.values if getattr(value, level) is not None]
        if not asked:
            return None
        return all(value.reaches(getattr(value, level)) is True for value in asked)


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table without limits, for the reader who wants to know why."""

    title: str
    rows: Sequence[Mapping[str, object]]


@dataclass(kw_only=True)
class Topic:
    """One section of the page."""

    name: str
    title: str
    intro: str
    rows: list[Row] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    raw: Json = field(default_factory=dict)  # for the JSON alone

    def json(self) -> Json:
        """Plain values, with what was reached."""
        return {
            "title": self.title,
            "rows": [
                {**asdict(row), "must_reached": row.reached("must"), "aim_reached": row.reached("aim")}
                for row in self.rows
            ],
            "tables": [{"title": table.title, "rows": list(table.rows)} for table in self.tables],
            **self.raw,
        }

    def markdown(self) -> str:
        """The section as Markdown."""
        parts = [f"## {self.title}", self.intro.strip()]
        if self.rows:
            parts.append(markdown_table([_cells(row) for row in self.rows]))
        for table in self.tables:
            parts += [f"**{table.title}**", markdown_table(table.rows) if table.rows else "None."]
        return "\n\n".join(part for part in parts if part)


_ANSWER = {True: "yes", False: "**no**", None: "–"}


def _cells(row: Row) -> Json:
    return {
        "what": row.what,
        "n": row.n,
        "value (95 % CI)": "; ".join(value.text() for value in row.values),
        "must": _limits(row, "must"),
        "aim": _limits(row, "aim"),
        "must reached": _ANSWER[row.reached("must")],
        "aim reached": _ANSWER[row.reached("aim")],
        "data": row.data,
        "methods chosen on": row.chosen,
        "reported": row.reported,
    }


def _limits(row: Row, level: str) -> str:
    told = [value.limit(getattr(value, level)) for value in row.values if getattr(value, level) is not None]
    return "; ".join(told) or "–"


def markdown_table(rows: Sequence[Mapping[str, object]]) -> str:
    """Rows of equal keys as a Markdown table."""
    head = list(rows[0])
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in rows:
        cells = ("" if row.get(key) is None else str(row[key]).replace("|", "\\|") for key in head)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def summary(topics: Sequence[Topic]) -> str:
    """How many rows of each topic keep what they must, and what they aim at."""
    rows = []
    for topic in topics:
        answers = {
            level: [a for row in topic.rows if (a := row.reached(level)) is not None]
            for level in ("must", "aim")
        }
        if answers["must"]:
            rows.append(
                {
                    "topic": topic.title,
                    "rows with a must": len(answers["must"]),
                    "must reached": sum(answers["must"]),
                    "aim reached": f"{sum(answers['aim'])} of {len(answers['aim'])}",
                }
            )
    return markdown_table(rows) if rows else "No row has a limit."
