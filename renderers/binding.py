"""Which of a model's variables a renderer means: by concept and what is below it, by unit and kind; never by name."""

from __future__ import annotations

from collections.abc import Iterator

from ..causal.families import FAMILIES
from ..causal.language.syntax import Binary, Call, Draw, Expression, Name, Number, Past, Unary
from ..causal.model.model import Model, Variable
from ..errors import NosographError, Problem
from ..ontology.knowledge import KnowledgeGraph
from ..ontology.units import parse_unit
from .protocol import Requirement

COMPARISONS = ("==", "!=", "<", "<=", ">", ">=", "and", "or")


def concepts_of(variable: Variable, model: Model) -> tuple[str, ...]:
    """The concept of a variable, and of what it measures."""
    measured = model.variables.get(variable.of)
    return tuple(c for c in (variable.concept, measured.concept if measured else "") if c)


def falls_under(variable: Variable, concepts: tuple[str, ...], *, model: Model, knowledge: KnowledgeGraph) -> bool:
    """Whether a variable, or what it measures, is one of the concepts or below one ("HGNC:": any of that prefix)."""
    return any(
        own.startswith(wanted) if wanted.endswith(":") else knowledge.is_a(own, wanted)
        for own in concepts_of(variable, model)
        for wanted in concepts
    )


def converts(unit: str, target: str) -> bool:
    """Whether a variable's unit (perhaps none) measures what `target` does."""
    return bool(unit) and parse_unit(unit).dimensions == parse_unit(target).dimensions


def begins_at_birth(model: Model) -> bool:
    """Whether time 0 is birth and time is age: there is an age at onset, by its title, and no age at entry."""
    statics = (v for v in model.variables.values() if v.kind == "static" and converts(v.unit, "a"))
    titles = [(v.title or v.name).lower() for v in statics]
    return any(t.startswith("age at onset") for t in titles) and not any(t in ("age", "age at entry") for t in titles)


def bind(requirement: Requirement, *, model: Model, knowledge: KnowledgeGraph) -> list[Variable]:
    """The variables that meet a requirement, in the order of the model."""
    return list(_bind(requirement, model, knowledge))


def _bind(requirement: Requirement, model: Model, knowledge: KnowledgeGraph) -> Iterator[Variable]:
    for variable in model.variables.values():
        if variable.kind not in requirement.kinds or (requirement.recorded and not variable.recorded):
            continue
        if requirement.unit and not converts(variable.unit, requirement.unit):
            continue
        if not requirement.concepts or falls_under(variable, requirement.concepts, model=model, knowledge=knowledge):
            yield variable


def check_requirements(
    requirements: tuple[Requirement, ...], *, modality: str, model: Model, knowledge: KnowledgeGraph
) -> None:
    """Raise NosographError, naming all of what a model lacks to be rendered."""
    lacking = [need for need in requirements if not bind(need, model=model, knowledge=knowledge)]
    if lacking:
        raise NosographError(
            Problem(
                f"{modality} cannot be rendered: the model has no {need.what}",
                node=model.id,
                fix=_describe(need, knowledge),
            )
            for need in lacking
        )


def _describe(need: Requirement, knowledge: KnowledgeGraph) -> str:
    """What a model would have to hold, as its author would write it."""
    kinds = " or ".join(need.kinds)
    names = [f"{c}…" if c.endswith(":") else f"{c} ({knowledge.label(c) or 'or below'})" for c in need.concepts]
    concept = f" with a concept under {' or '.join(names)}" if names else ""
    unit = f" in a unit such as {need.unit}" if need.unit else ""
    return f"a {'recorded ' if need.recorded else ''}variable of kind {kinds}{concept}{unit}"


def is_binary(variable: Variable, model: Model) -> bool:
    """Whether all of a variable's values are 0 or 1, as far as its expressions show."""
    own = [e for e in (variable.start, variable.mechanism) if e is not None]
    if variable.kind == "event":
        return True
    return bool(own) and not variable.levels and all(_is_binary(e, model, frozenset({variable.name})) for e in own)


def _is_binary(expression: Expression, model: Model, inside: frozenset[str]) -> bool:
    """Induction over the tree; a variable's own past, and loops, are what its other values are."""

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
        case Call("where", arguments):
            return all_binary(*arguments[1:])
        case Call("min" | "max" | "round" | "floor" | "abs" | "clip", arguments):
            return all_binary(*arguments)
        case Name(name):
            other = model.variables.get(name)
            if other is None or name in inside:
                return name in inside
            parts = [e for e in (other.start, other.mechanism) if e is not None]
            return other.kind == "event" or (
                bool(parts) and not other.levels and all(_is_binary(e, model, inside | {name}) for e in parts)
            )
    return False
