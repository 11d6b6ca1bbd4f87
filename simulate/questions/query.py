"""A probability or a mean, as people write it: `P(dementia @ 10 years | apoe4 == 2)`, `E[cdr_sb @ 18 months]`."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

from ...causal.language import Expression, parse_expression, reads
from ...causal.language.syntax import Binary, Name, Unary
from ...causal.model.binary import COMPARISONS, is_binary
from ...causal.model.duration import parse_instant
from ...causal.model.model import Model
from ...causal.model.world import check_levels
from ...errors import fail, nearest

QUERY = re.compile(r"\s*(?:P\s*\((?P<share>.*)\)|E\s*(?:\[(?P<mean>.*)\]|\((?P<round>.*)\)))\s*", re.DOTALL)
SEPARATORS = re.compile(r"""("[^"]*"|'[^']*'|[()\[\]|,@])""")
EXAMPLE = "P(dementia @ 10 years | apoe4 == 2), or E[cdr_sb @ 18 months]"


@dataclass(frozen=True)
class Clause:
    """An expression at a time `by`, in steps: at entry, unless a time is written."""

    expression: Expression
    by: float
    text: str

    @property
    def step(self) -> int:
        """The last step at or before the time."""
        return math.floor(self.by)

    @property
    def names(self) -> frozenset[str]:
        return frozenset(read.name for read in reads(self.expression))


@dataclass(frozen=True)
class Query:
    """The probability that all of `asked` hold, or the mean of the one that there is, among those who meet all of
    `conditions` in the same world."""

    kind: Literal["probability", "mean"]
    asked: tuple[Clause, ...]
    conditions: tuple[Clause, ...]
    text: str

    @property
    def names(self) -> frozenset[str]:
        return frozenset[str]().union(*(clause.names for clause in (*self.asked, *self.conditions)))

    @property
    def last_step(self) -> int:
        """The step that contains the last time: an event may happen within it."""
        return max(math.ceil(clause.by) for clause in (*self.asked, *self.conditions))


def is_query(text: str) -> bool:
    """Whether the text is meant as a query: `P(…)`, `E[…]`."""
    return QUERY.fullmatch(text) is not None


def parse_query(text: str, *, model: Model) -> Query:
    """`P(…)` or `E[…]`: expressions, each `@` its time, separated by commas, and conditions after `|`.

    An event's name means whether, or how often, it has happened by then; no other past is read. Raises NosographError.
    """
    match = QUERY.fullmatch(text)
    if match is None:
        raise fail("expected a probability or a mean", value=text, fix=EXAMPLE)
    inner = next(part for part in match.groups() if part is not None)
    asked, *rest = _split(inner, "|")
    if len(rest) > 1:
        raise fail("there is one | in a query", value=text, fix="several conditions, separated by commas")
    clauses = [_parse_clause(part, model=model) for part in _split(asked, ",")]
    conditions = [_parse_clause(part, model=model) for part in _split(rest[0], ",")] if rest else []
    kind: Literal["probability", "mean"] = "mean" if match["share"] is None else "probability"
    if kind == "mean" and len(clauses) > 1:
        raise fail("a mean is of one expression", value=text, fix="E[…] for each")
    for clause in clauses:
        _check_timed(clause, model=model)
    for clause in [*(clauses if kind == "probability" else []), *conditions]:
        _check_truth(clause, model=model)
    return Query(kind, tuple(clauses), tuple(conditions), " ".join(text.split()))


def _split(text: str, separator: str) -> list[str]:
    """The parts between separators outside of brackets and quotes."""
    parts, depth = [""], 0
    for piece in SEPARATORS.split(text):
        depth += (piece in ("(", "[")) - (piece in (")", "]"))
        if piece == separator and depth == 0:
            parts.append("")
        else:
            parts[-1] += piece
    return [part.strip() for part in parts]


def _parse_clause(written: str, *, model: Model) -> Clause:
    text, *times = _split(written, "@")
    if len(times) > 1:
        raise fail("each part of a query has one time", value=written, fix="commas between the parts")
    expression = parse_expression(text)
    kinds = set()
    for read in sorted(reads(expression)):
        variable = model.variables.get(read.name)
        if variable is None and read.name not in model.parameters:
            near = nearest(read.name, model.variables)
            fix = near and written.replace(read.name, near)
            raise fail(f"the model has no variable {read.name!r}", value=written, fix=fix)
        if read.lag or read.how != "value":
            raise fail("a query reads no past: it names the time", value=written, fix=f"{read.name} @ 1 year")
        kinds.add(variable.kind if variable is not None else "static")
    check_levels(expression, model=model)
    if not times and "event" in kinds:
        raise fail("an event has not happened at entry: by when?", value=written, fix=f"{text} @ 1 year")
    return Clause(expression, parse_instant(times[0], clock=model.clock) if times else 0.0, written)


def _check_timed(clause: Clause, *, model: Model) -> None:
    """Raise NosographError where what is asked changes in time, and no time is written."""
    changing = [name for name in clause.names if name in model.variables and model.variables[name].kind != "static"]
    if changing and "@" not in clause.text:
        raise fail(f"{sorted(changing)[0]} changes in time: when?", value=clause.text, fix=f"{clause.text} @ 1 year")


def _check_truth(clause: Clause, *, model: Model) -> None:
    """Raise NosographError where the expression is a number rather than something that holds or does not."""
    if not _is_truth(clause.expression, model):
        fix = f"a comparison, such as {clause.expression} > 4, or the mean, E[{clause.text}]"
        raise fail("a number has no probability", value=clause.text, fix=fix)


def _is_truth(expression: Expression, model: Model) -> bool:
    match expression:
        case Name(name):
            variable = model.variables.get(name)
            return variable is not None and (variable.kind == "event" or is_binary(variable, model))
        case Binary("and" | "or", left, right):
            return _is_truth(left, model) and _is_truth(right, model)
        case Unary("not", operand):
            return _is_truth(operand, model)
        case Binary(operator):
            return operator in COMPARISONS
    return False
