"""Check the use of categorical levels; and the kind of variable that each function of the past takes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from ...errors import list_some, nearest
from ..language import Expression
from ..language.syntax import TRUTH_LEVELS, Binary, Call, Cases, Level, Name, Number, find_draw
from .binary import is_binary
from .findings import Findings
from .model import Model, Variable

EXPECTED = {"ever": "event", "since": "event", "recorded": "measurement"}  # function -> the kind of variable it takes
EQUALITY, ORDER = ("==", "!="), ("<", "<=", ">", ">=")
MOST_ROWS = 10_000  # of cases


def check_levels_declared(variable: Variable, findings: Findings) -> None:
    """All that gives the variable its levels must agree on them and on their order; only levels have an order."""
    name, levels = variable.name, variable.levels
    for key, expression in variable.expressions.items():
        draw, path = find_draw(expression), f"{variable.name}.{key}"
        if draw is None or key not in ("start", "mechanism"):
            continue
        if draw.levels and draw is not expression:
            findings.error(path, "levels cannot be limited or rounded", fix=str(draw), value=str(expression))
        elif draw.levels != levels:
            shown = ", ".join(draw.levels) or "numbers"
            findings.error(
                path,
                f"'{name}' has the levels {', '.join(levels)}, but this draws {shown}",
                fix="the same levels in the same order; one that cannot occur has the weight 0",
                value=str(expression),
            )
    if variable.ordered and not levels:
        findings.error(f"{name}.ordered", "only levels have an order", fix="levels: [I, II, III], or no ordered")


def check_levels_used(
    path: str, expression: Expression, model: Model, findings: Findings, *, target: Variable | None = None
) -> None:
    """A level may only be compared with a categorical that has it; a categorical cannot be used as a number.

    `target`: the variable whose value the expression gives, if any. With levels, it takes one of them.
    """
    _LevelChecker(path, expression, model, findings, target).walk(expression, gives=target is not None)


class _LevelChecker:
    def __init__(
        self, path: str, expression: Expression, model: Model, findings: Findings, target: Variable | None
    ) -> None:
        self.path, self.shown, self.findings, self.target, self.model = path, str(expression), findings, target, model
        self.levels = {name: v.levels for name, v in model.variables.items() if v.levels}
        self.tables: set[tuple[object, ...]] = set()  # of cases that were checked: each level has its own column

    def error(self, problem: str, fix: str) -> None:
        self.findings.error(self.path, problem, fix=fix, value=self.shown)

    def walk(self, node: Expression, *, gives: bool) -> None:
        """`gives`: whether the node's value is the target's."""
        own = self.target.levels if gives and self.target is not None else ()
        if isinstance(node, Binary) and node.operator in EQUALITY + ORDER:
            self.compare(node)
        elif isinstance(node, Cases):
            table = (node.of, *(row for row, _ in node.rows))
            if table not in self.tables:
                self.tables.add(table)
                check_cases(self.path, node, self.model, self.findings)
        elif isinstance(node, Level):
            if not own:
                self.error(f"the level {node} is not compared with anything", fix=f"x == {node}")
            elif node.name not in own:
                self.miss(node, self.target.name if self.target is not None else "", own, "")
        elif isinstance(node, Name) and node.name in self.levels:
            if own != self.levels[node.name]:
                self.misuse(node)
        elif isinstance(node, Call) and node.function == "where":
            self.walk(node.arguments[0], gives=False)
            for branch in node.arguments[1:]:
                self.walk(branch, gives=gives)
        else:
            if own and self.target is not None and find_draw(node) is None:
                fix = _quote(node, own)
                self.error(f"'{self.target.name}' takes {list_some(own)}", fix=fix)
            for child in node.children:
                self.walk(child, gives=False)

    def compare(self, node: Binary) -> None:
        sides = (node.left, node.right)
        names = [side for side in sides if isinstance(side, Name) and side.name in self.levels]
        for side in sides:
            if isinstance(side, Level) and not names:
                fix = f"x == {side}, where x is drawn from Categorical({side}: 0.5, …)"
                self.error(f"{side} is compared with something that has no levels", fix=fix)
            elif isinstance(side, Level):
                own = self.levels[names[0].name]
                if side.name not in own:
                    self.miss(side, names[0].name, own, f"{names[0]} {node.operator} ")
            elif side not in names:
                if names:
                    fix = f"{names[0]} {node.operator} {_quote(side, self.levels[names[0].name])}"
                    self.error(f"'{names[0].name}' is categorical and cannot be used as a number", fix=fix)
                self.walk(side, gives=False)
        if len(names) == 2 and self.levels[names[0].name] != self.levels[names[1].name]:
            fix = "a comparison with levels by name, or the same levels in the same order in both"
            self.error(f"'{names[0].name}' and '{names[1].name}' have different levels", fix=fix)
        if names and node.operator in ORDER and all(isinstance(side, Level) or side in names for side in sides):
            for name in names:
                if not self.model.variables[name.name].has_order:
                    fix = f'ordered: true in {name.name}, or {name} == "{self.levels[name.name][0]}"'
                    self.error(f"the levels of '{name.name}' have no order", fix=fix)

    def miss(self, level: Level, name: str, own: Sequence[str], before: str) -> None:
        near = nearest(level.name, own) or own[0]
        self.error(f"'{name}' has no level {level}; it has {', '.join(own)}", fix=f'{before}"{near}"')

    def misuse(self, name: Name) -> None:
        first = self.levels[name.name][0]
        self.error(f"'{name.name}' is categorical and cannot be used as a number", fix=f'{name} == "{first}"')


def _quote(node: Expression, levels: Sequence[str]) -> str:
    """The level that a number was meant to be, or else the first."""
    written = str(node)
    return f'"{written if isinstance(node, Number | Name) and written in levels else levels[0]}"'


def check_cases(path: str, node: Cases, model: Model, findings: Findings) -> None:
    """Every combination of the levels of what is read has one row, and there are no others."""
    choices: list[tuple[str, ...]] = []
    for name in node.of:
        variable = model.variables.get(name.name)
        if variable is None:
            return  # not declared: another rule says so
        if not variable.levels and not is_binary(variable, model):
            fix = "variables with levels, or that are 0 or 1"
            findings.error(path, f"'{name.name}' has no levels, so it has no cases", fix=fix, value=str(name))
            return
        choices.append(variable.levels or TRUTH_LEVELS)
    count = 1
    for own in choices:
        count *= len(own)
    if count > MOST_ROWS:
        findings.error(path, f"{count:,} combinations of levels", fix=f"at most {MOST_ROWS:,}", value=_name_cases(node))
        return
    held = {row for row, _ in node.rows}
    for row in sorted(held - set(product(*choices))):
        wrong = next((k for k, (level, own) in enumerate(zip(row, choices, strict=True)) if level not in own), 0)
        own = choices[wrong]
        near = nearest(row[wrong], own)
        problem = f"'{node.of[wrong]}' has no level \"{row[wrong]}\"; it has {', '.join(own)}"
        findings.error(path, problem, fix=near or f"one of {', '.join(own)}", value=", ".join(row))
    missing = [row for row in product(*choices) if row not in held]
    if missing:
        more = f", and {len(missing) - 1:,} more" if len(missing) > 1 else ""
        fix = f'"{", ".join(missing[0])}": [0.5, …]'
        findings.error(path, f"no row for {', '.join(missing[0])}{more}", fix=fix, value=_name_cases(node))


def _name_cases(node: Cases) -> str:
    return f"cases of {', '.join(map(str, node.of))}"
