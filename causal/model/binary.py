"""Which variables only take the values 0 and 1, as far as their expressions show."""

from __future__ import annotations

from ..families import FAMILIES
from ..language.syntax import Binary, Call, Draw, Expression, Name, Number, Past, Unary, find_draw
from .model import Model, Variable

COMPARISONS = ("==", "!=", "<", "<=", ">", ">=", "and", "or")


def is_binary(variable: Variable, model: Model) -> bool:
    """Whether all of a variable's values are 0 or 1, as far as its expressions show."""
    return _has_binary_values(variable, model, frozenset())


def is_yes_or_no(variable: Variable, model: Model) -> bool:
    """Whether it can only be 0 or 1, under interventions too: an event, or what is binary and drawn as such. What is 0
    or 1 without chance, such as a treatment that nobody gets, may be set to a dose."""
    draws = (find_draw(expression) for expression in (variable.start, variable.mechanism) if expression is not None)
    return variable.kind == "event" or (any(draw is not None for draw in draws) and is_binary(variable, model))


def _has_binary_values(variable: Variable, model: Model, inside: frozenset[str]) -> bool:
    if variable.kind == "event":  # a composite that is repeated counts its components
        return not variable.any_of or variable.occurs == "once"
    own = [e for e in (variable.start, variable.mechanism) if e is not None]
    return bool(own) and not variable.levels and all(_is_binary(e, model, inside | {variable.name}) for e in own)


def _is_binary(expression: Expression, model: Model, inside: frozenset[str]) -> bool:
    """Induction over the tree; names being checked (`inside`: a variable's own past, loops) count as binary."""

    def all_binary(*parts: Expression) -> bool:
        return all(_is_binary(part, model, inside) for part in parts)

    match expression:
        case Number(value):
            return value in (0, 1)
        case Draw(family):
            return FAMILIES[family].binary
        case Past(function):
            return function != "since"
        case Unary(operator):
            return operator == "not"
        case Binary(operator, left, right):
            return operator in COMPARISONS or (operator == "*" and all_binary(left, right))
        case Call("where", (_, *branches)) | Call("min" | "max" | "round" | "floor" | "abs" | "clip", branches):
            return all_binary(*branches)
        case Name(name):
            other = model.variables.get(name)
            return name in inside or (other is not None and _has_binary_values(other, model, inside))
    return False
