"""Check the use of categorical levels; and the kind of variable that each function of the past takes."""

from __future__ import annotations

from ...errors import nearest
from ..language import Expression
from ..language.syntax import Binary, Call, Level, Name
from .findings import Findings
from .model import Model, Variable

EXPECTED = {"ever": "event", "since": "event", "recorded": "measurement"}  # function -> the kind of variable it takes


def check_levels_used(path: str, variable: Variable, expression: Expression, model: Model, findings: Findings) -> None:
    """A level may only be compared with a categorical that has it; a categorical cannot be used as a number."""
    levels = {name: v.levels for name, v in model.variables.items() if v.levels}

    def walk(node: Expression, result: bool) -> None:
        if isinstance(node, Binary) and node.operator in ("==", "!="):
            sides = [node.left, node.right]
            names = [side for side in sides if isinstance(side, Name) and side.name in levels]
            for side in sides:
                if isinstance(side, Level):
                    check(side, names)
                elif side not in names or not all(isinstance(s, Level) or s in names for s in sides):
                    walk(side, False)
        elif isinstance(node, Level):
            findings.error(
                path, f"the level {node} is not compared with anything", fix=f"x == {node}", value=str(expression)
            )
        elif isinstance(node, Name) and node.name in levels:
            if not (result and variable.levels == levels[node.name]):
                findings.error(
                    path,
                    f"'{node.name}' is categorical and cannot be used as a number",
                    fix=f'{node} == "{levels[node.name][0]}"',
                    value=str(expression),
                )
        elif isinstance(node, Call) and node.function == "where":
            walk(node.arguments[0], False)
            for branch in node.arguments[1:]:
                walk(branch, result)
        else:
            for child in node.children:
                walk(child, False)

    def check(level: Level, names: list[Name]) -> None:
        if not names:
            findings.error(
                path,
                f"{level} is compared with something that has no levels",
                fix=f"x == {level}, where x is drawn from Categorical({level}: 0.5, …)",
                value=str(expression),
            )
        elif level.name not in levels[names[0].name]:
            known = levels[names[0].name]
            near = nearest(level.name, known) or known[0]
            findings.error(
                path,
                f"'{names[0].name}' has no level {level}; it has {', '.join(known)}",
                fix=f'{names[0]} == "{near}"',
                value=str(expression),
            )

    walk(expression, True)
