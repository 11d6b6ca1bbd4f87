"""A categorical's probabilities as a table: one row for each combination of the levels of what it reads."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import fail
from ...ontology.document import CasesEntry
from ..language import Expression, parse_expression
from ..language.syntax import Cases, Draw, Name

ROUNDING = 1e-6  # of the sum of a row

Row = tuple[tuple[str, ...], tuple[float, ...]]  # the levels that are read, and the probability of each own level


@dataclass(frozen=True)
class CasesTable:
    """The levels of what is read (`of`), and the probability of each level of its own, row by row."""

    of: tuple[str, ...]
    levels: tuple[str, ...]
    rows: tuple[Row, ...]


def build_cases(entry: CasesEntry, levels: tuple[str, ...]) -> Draw:
    """The table as a Categorical. Raises NosographError for a row that has the wrong length or does not sum to 1."""
    names = tuple(_read_name(text) for text in entry.of)
    if not names:
        raise fail("cases need what they read", fix="of: [smoking, sex]")
    rows = [(tuple(key.split(", ")), numbers) for key, numbers in entry.table.items()]
    for keys, numbers in rows:
        shown = f"{', '.join(keys)}: [{', '.join(f'{number:g}' for number in numbers)}]"
        if len(keys) != len(names):
            fix = ", ".join(f"a level of {name}" for name in names)
            raise fail(f"the row {', '.join(keys)!r} does not name one level of each", fix=fix, value=shown)
        if len(numbers) != len(levels):
            fix = f"{len(levels)} numbers, of {', '.join(levels)}"
            raise fail(f"the row {', '.join(keys)!r} has {len(numbers)} probabilities", fix=fix, value=shown)
        if min(numbers) < 0 or abs(sum(numbers) - 1) > ROUNDING:
            problem = f"the row {', '.join(keys)!r} sums to {sum(numbers):.6g}"
            problem = problem if min(numbers) >= 0 else f"the row {', '.join(keys)!r} has a negative probability"
            raise fail(problem, fix="probabilities that sum to 1", value=shown)
    weights = (Cases(names, tuple((keys, numbers[i]) for keys, numbers in rows)) for i in range(len(levels)))
    return Draw("Categorical", tuple(weights), levels)


def _read_name(text: str) -> Name:
    name = parse_expression(text)
    if not isinstance(name, Name):
        raise fail("cases read variables", value=text, fix="of: [smoking, sex]")
    return name


def find_table(expression: Expression) -> CasesTable | None:
    """The table that an expression is, as `build_cases` makes it; None for any other."""
    if not isinstance(expression, Draw) or not expression.levels:
        return None
    columns = [weight for weight in expression.parameters if isinstance(weight, Cases)]
    keys = [[row for row, _ in column.rows] for column in columns]
    if len(columns) < len(expression.parameters) or any(c.of != columns[0].of for c in columns):
        return None
    if any(own != keys[0] for own in keys):
        return None
    numbers = zip(*([number for _, number in column.rows] for column in columns), strict=True)
    return CasesTable(tuple(map(str, columns[0].of)), expression.levels, tuple(zip(keys[0], numbers, strict=True)))
