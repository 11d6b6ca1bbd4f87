"""Quantities: whether what is added, compared and assigned has the units that were declared, as far as they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...errors import NosographError
from ...ontology.units import parse_unit
from ..families import FAMILIES
from ..language import Expression
from ..language.bounds import COMPARISONS
from ..language.syntax import Binary, Call, Draw, Name, Past, Unary
from .findings import Findings
from .model import Model, Parameter, Variable

TIME_CODES = {"year": "a", "month": "mo", "week": "wk", "day": "d", "hour": "h", "minute": "min"}
ALIKE = frozenset({"mean", "scale", "location", "low", "high"})  # parameters in the unit of the values
ALIKE_FAMILIES = frozenset({"Normal", "Logistic", "StudentT", "Uniform"})


@dataclass(frozen=True)
class _Quantity:
    """An expression whose unit (UCUM) is known, since names with declared units are its terms."""

    unit: str
    shown: str


def check_quantities(model: Model, findings: Findings) -> None:
    """Compare the units of the terms of each sum, the sides of each comparison, the limits of `clip`, the branches of
    `where` and the mean and scale of a distribution; the rate of a `Hazard` with the clock's unit; and the unit of each
    variable with that of its expressions.

    A number without a unit may stand for whatever makes it right, and so may what it multiplies: only names count whose
    unit is declared, and `t`, `dt` and `since`, which are in the clock's unit. What measures different things is an
    error; the same in another size (mg and g) a warning.
    """
    units = _collect_units(model)
    for variable in model.variables.values():
        for key, expression in variable.expressions.items():
            path = f"{variable.name}.{key}"
            own = [_Quantity(variable.unit, variable.name)] if _is_declared(variable.unit) else []
            alike = [own + _find(expression, units)] if key in ("start", "mechanism") else []
            for group in [*alike, *_find_groups(expression, units)]:
                if _compare(path, group, expression, findings):
                    break  # one finding for each expression
    conditions = [("population", model.population)]
    conditions += [(f"effects.{index}.population", effect.population) for index, effect in enumerate(model.effects)]
    for path, condition in conditions:
        if condition is not None and any(
            _compare(path, group, condition, findings) for group in _find_groups(condition, units)
        ):
            continue


def _collect_units(model: Model) -> dict[str, str]:
    """The declared unit of each name; names without one are left out."""
    named: list[Variable | Parameter] = [*model.variables.values(), *model.parameters.values()]
    units = {item.name: item.unit for item in named if _is_declared(item.unit)}
    time = model.clock.text[2].strip().lower().removesuffix("s")
    return units | (dict.fromkeys(("t", "dt"), TIME_CODES[time]) if time in TIME_CODES else {})


def _is_declared(unit: str) -> bool:
    """Whether there is a unit. A pure number ("1", "{score}") may be on any scale of its own."""
    try:
        return bool(unit) and bool(parse_unit(unit).dimensions)
    except NosographError:  # what is not UCUM is an error of its own, with its line
        return False


def _find(node: Expression, units: dict[str, str]) -> list[_Quantity]:
    """The quantities that `node` is made of without being multiplied: all must have the unit of `node`."""
    match node:
        case Name(name, _):
            return [_Quantity(units[name], str(node))] if name in units else []
        case Past("since", _, _):
            return [_Quantity(units["t"], str(node))] if "t" in units else []
        case Unary("negate", operand) | Call("abs" | "round" | "floor", (operand,)):
            return _find(operand, units)
        case Binary("+" | "-", _, _) | Call("min" | "max" | "clip", _):
            return [quantity for child in node.children for quantity in _find(child, units)]
        case Call("where", (_, yes, no)):
            return [*_find(yes, units), *_find(no, units)]
        case Draw(family, parameters) if family in ALIKE_FAMILIES:
            alike = zip(FAMILIES[family].parameters, parameters, strict=True)
            return [quantity for name, parameter in alike if name in ALIKE for quantity in _find(parameter, units)]
    return []


def _find_groups(expression: Expression, units: dict[str, str]) -> Iterator[list[_Quantity]]:
    """Groups of quantities that must have one unit, anywhere in an expression."""
    for node in expression.walk():
        if isinstance(node, Binary) and node.operator in COMPARISONS:
            yield [*_find(node.left, units), *_find(node.right, units)]
        elif isinstance(node, Draw) and node.family == "Hazard" and "t" in units:
            yield [_Quantity(f"1/{units['t']}", "the rate of Hazard"), *_find(node.parameters[0], units)]
        else:
            yield _find(node, units)


def _compare(path: str, group: Sequence[_Quantity], expression: Expression, findings: Findings) -> bool:
    """Whether the group has units that differ, which is then among the findings."""
    for other in group[1:]:
        first = group[0]
        one, two = parse_unit(first.unit), parse_unit(other.unit)
        if one == two:
            continue
        told = f"'{first.shown}' is in {first.unit} and '{other.shown}' in {other.unit}"
        if one.dimensions != two.dimensions:
            fix = f"a parameter that turns {other.unit} into {first.unit}, such as k * {other.shown}"
            findings.error(path, f"{told}, which measure different things", fix=fix, value=str(expression))
        else:
            factor = f"{float(two.factor / one.factor):.6g} * {other.shown}"
            findings.warn(path, f"{told}: numbers of different size", fix=factor, value=str(expression))
        return True
    return False
