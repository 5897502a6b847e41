"""The mutants of a core: mutmut's and, for the cores that measure, changes of every number, also of the tables.

Two classes of mutants. A *decisive* one changes a threshold or a sign: a number, an operator, a comparison, the lower
of two for the higher, a condition. The others drop or empty an argument or a variable, or change a name.

Left out, because no test should care: the wording of sentences (a string with a space or beyond ASCII).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import libcst as cst
from libcst.metadata import CodeRange
from mutmut.mutation.file_mutation import Mutation, MutationVisitor, create_mutations
from mutmut.mutation.mutators import (
    mutation_operators,
    operator_if_exp,
    operator_keywords,
    operator_number,
    operator_remove_unary_ops,
    operator_swap_op,
)
from mutmut.mutation.pragma_handling import get_ignored_lines

ROOT = Path(__file__).resolve().parents[1]

MORE, LESS = 1.25, 0.8  # a number is changed by so much
SHORT_S = 0.1  # of a shorter time in a table (a name ending in _S), instead,
SAMPLE_S = 0.002  # by a sample at 500 Hz
SIDES = (
    ("min", "max"),
    ("minimum", "maximum"),
    ("argmin", "argmax"),
    ("any", "all"),
    ("floor", "ceil"),
    ("cos", "sin"),
)
OTHER_SIDE = {one: other for pair in SIDES for one, other in (pair, pair[::-1])}
"""Names that stand for a side; each is changed for the other one."""


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One core with one change."""

    core: str
    function: str
    """The function that was changed; of a table the constant."""
    line: int
    was: str
    now: str
    decisive: bool
    """It changes a threshold or a sign."""
    change: str
    """The lines that are new, on one line: by this a mutant is known in `equivalent_mutants.toml`."""
    code: str


class Visitor(MutationVisitor):
    """Looks into decorated functions as well, which mutmut leaves out for its trampolines' sake."""

    def _skip_node_and_children(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.FunctionDef):
            return False
        return bool(super()._skip_node_and_children(node))


def numbers(node: cst.BaseNumber) -> Iterator[cst.BaseNumber]:
    """A whole number and its neighbour; of others a larger and a smaller one."""
    if isinstance(node, cst.Integer):
        yield node.with_changes(value=str(node.evaluated_value + 1))
    elif isinstance(node, cst.Float):
        value = node.evaluated_value
        for new in (value * MORE, value * LESS) if value else (1.0,):
            yield node.with_changes(value=repr(float(f"{new:.6g}")))


def sides(node: cst.Name) -> Iterator[cst.Name]:
    """The other one of two names."""
    if node.value in OTHER_SIDE:
        yield node.with_changes(value=OTHER_SIDE[node.value])


MEASURING: list[tuple[type, Any]] = [
    (kind, numbers if operator is operator_number else operator) for kind, operator in mutation_operators
] + [(cst.Name, sides)]
DECISIVE = {operator_swap_op, operator_keywords, operator_remove_unary_ops, operator_if_exp, numbers, sides}


def mutants(core: str, *, measuring: bool) -> list[Mutant]:
    """All mutants of one core, in the order of its source; of a core that measures also those of its tables."""
    source = (ROOT / core).read_text(encoding="utf-8")
    if measuring:
        wrapper = cst.MetadataWrapper(cst.parse_module(source), unsafe_skip_copy=True)
        found = _measuring(core, source, wrapper)
    else:
        module, plain, _, _ = create_mutations(core, source)
        wrapper = cst.MetadataWrapper(module, unsafe_skip_copy=True)
        found = [
            (one, False) for one in plain if isinstance(one.contained_by_top_level_function, cst.FunctionDef)
        ]
    place = wrapper.resolve(cst.metadata.PositionProvider)
    names = _tables(wrapper.module, place)
    lines = source.splitlines(keepends=True)
    result = []
    for one, decisive in found:
        if _is_wording(one):
            continue
        line = place[one.original_node].start.line
        outer = one.contained_by_top_level_function
        for new in _rounded(one, names.get(line, "")):
            code = _replaced(lines, place[one.original_node], new)
            if code == source:
                continue
            result.append(
                Mutant(
                    core=core,
                    function=outer.name.value if isinstance(outer, cst.FunctionDef) else names.get(line, ""),
                    line=line,
                    was=_short(one.original_node),
                    now=_short(new),
                    decisive=decisive,
                    change=_change(source, code),
                    code=code,
                )
            )
    return result


def _measuring(core: str, source: str, wrapper: cst.MetadataWrapper) -> list[tuple[Mutation, bool]]:
    """Mutations of functions, and the decisive ones of tables, each with whether it is decisive."""
    kinds: list[bool] = []

    def noted(operator: Any) -> Any:
        def each(node: cst.CSTNode) -> Iterable[cst.CSTNode]:
            for new in operator(node):
                kinds.append(operator in DECISIVE)
                yield new

        return each

    operators = [(kind, noted(operator)) for kind, operator in MEASURING]
    visitor = Visitor(operators, get_ignored_lines(core, source, wrapper, None), None)
    wrapper.visit(visitor)
    both = zip(visitor.mutations, kinds, strict=True)
    return [
        (one, decisive)
        for one, decisive in both
        if isinstance(one.contained_by_top_level_function, cst.FunctionDef)
        or (decisive and one.contained_by_top_level_function is None)
    ]


def _tables(module: cst.Module, place: Mapping[cst.CSTNode, CodeRange]) -> dict[int, str]:
    """The constant that each line of a table at the top belongs to."""
    names = {}
    for statement in module.body:
        for part in statement.body if isinstance(statement, cst.SimpleStatementLine) else ():
            if isinstance(part, cst.AnnAssign | cst.Assign):
                target = part.target if isinstance(part, cst.AnnAssign) else part.targets[0].target
                lines = range(place[part].start.line, place[part].end.line + 1)
                names |= dict.fromkeys(lines, _short(target))
    return names


def _rounded(one: Mutation, name: str) -> list[cst.CSTNode]:
    """The new node; where a short time stands in a table, it with a sample more or less."""
    node, outer = one.original_node, one.contained_by_top_level_function
    if outer is None and name.endswith("_S") and isinstance(node, cst.Float):
        value = node.evaluated_value
        if value < SHORT_S and isinstance(one.mutated_node, cst.Float):
            step = SAMPLE_S if one.mutated_node.evaluated_value > value else -min(SAMPLE_S, value)
            return [node.with_changes(value=repr(round(value + step, 6)))]
    if outer is None and isinstance(node, cst.Integer):
        return [one.mutated_node, node.with_changes(value=str(max(node.evaluated_value - 1, 0)))]
    return [one.mutated_node]


def _replaced(lines: list[str], place: CodeRange, new: cst.CSTNode) -> str:
    """The source with another node at a place. Parentheses are doubled by it, which says nothing."""
    first, last = place.start, place.end
    before = [*lines[: first.line - 1], lines[first.line - 1][: first.column]]
    behind = [lines[last.line - 1][last.column :], *lines[last.line :]]
    return "".join([*before, cst.Module(body=[]).code_for_node(new), *behind])


def _change(was: str, now: str) -> str:
    """The lines of `now` that `was` has not, on one line, without the comment behind them."""
    old, new = was.splitlines(), now.splitlines()
    first = next(k for k, (a, b) in enumerate(zip(old, new, strict=False)) if a != b)
    last = next(k for k, (a, b) in enumerate(zip(old[::-1], new[::-1], strict=False)) if a != b)
    lines = new[min(first, len(new) - last - 1) : len(new) - last]
    return " ".join(line.split("  #")[0].strip() for line in lines)


def _is_wording(one: Mutation) -> bool:
    node = one.original_node
    return isinstance(node, cst.SimpleString) and (" " in node.value or not node.value.isascii())


def _short(node: cst.CSTNode) -> str:
    text = " ".join(cst.Module(body=[]).code_for_node(node).split())
    return text if len(text) <= 60 else text[:57] + "..."
