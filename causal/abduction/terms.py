"""The variables that a row of a record speaks of, by name or by concept.

A concept is followed to what replaced it. Of what is present or absent, presence goes up the hierarchy (a narrower term
is present, so the wider one is) and absence goes down (a wider term is absent, so the narrower one is); never the other
way. Anything else, such as a volume or a level, is a value of that very concept alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...errors import fail, list_some, nearest
from ...ontology.prefixes import compact
from ..model.binary import is_binary
from ..model.concepts import open_knowledge
from ..model.model import Model, Variable
from .rows import RecordRow


@dataclass(frozen=True)
class RowTarget:
    """A variable of a row. `direct`: the row names it or its concept, so it isn't inferred by the hierarchy."""

    variable: Variable
    direct: bool = True


def find_targets(row: RecordRow, *, present: bool | None, model: Model) -> tuple[RowTarget, ...]:
    """The variables of a row; `present` is what it says of its concept, None if neither present nor absent.

    Raises NosographError if there is none, or one that cannot be told from others.
    """
    if not row.concept:
        return (RowTarget(_find_named(row, model)),)
    wanted = open_knowledge().follow(row.concept)
    held = {v.name: compact(open_knowledge().resolve(v.concept)) for v in model.variables.values() if v.concept}
    if row.variable:
        named = _find_named(row, model)
        own = [held[name] for name in (named.name, named.of) if name in held]
        if wanted in own or named.name in _infer(wanted, held, row, present=present, model=model):
            return (RowTarget(named),)
        fix = f"one of the two; the concept of {named.name} is {own[0]}" if own else "leave the concept empty"
        raise fail("variable and concept differ", value=f"{row.variable}, {row.concept}", fix=fix)
    exact = _bind(model, {name for name, concept in held.items() if concept == wanted}, row.event)
    inferred = _infer(wanted, held, row, present=present, model=model)
    if len(exact) > 1:
        raise fail("several variables have this concept", value=row.concept, fix=_name(exact))
    direct = tuple(RowTarget(model.variables[name]) for name in exact)
    kinds = {model.variables[name].kind == "event" for name in exact or inferred}
    if len(kinds) > 1:
        raise fail("an event and a finding may be meant", value=row.concept, fix=_name(inferred))
    if direct and ((kinds == {True} and present) or not is_binary(direct[0].variable, model)):
        inferred = []  # an event that happened is not when a wider one did
    found = [model.variables[name] for name in inferred if name not in exact]
    found = [variable for variable in found if (variable.kind == "event") in kinds]
    if not direct and not found:
        raise _refuse(wanted, held, row, present=present, model=model)
    return (*direct, *(RowTarget(variable, direct=False) for variable in found))


def _name(names: list[str]) -> str:
    return f"no concept, and as the variable {list_some(names)}"


def _find_named(row: RecordRow, model: Model) -> Variable:
    known = {v.name: v for v in model.variables.values() if row.event in (None, v.kind == "event")}
    if row.variable in known:
        return known[row.variable]
    if not row.variable:
        offered = list_some(v.name for v in known.values() if v.recorded)
        raise fail("a row must name a variable or a concept", fix=offered)
    if row.variable in model.variables:
        fix = "it under record" if row.event else "it under events"
        raise fail(f"{row.variable} is {'not ' if row.event else ''}an event", fix=fix)
    fix = (
        nearest(row.variable, known)
        or nearest(row.variable.lower(), known)
        or list_some(v.name for v in known.values() if v.recorded)
    )
    raise fail(f"unknown variable {row.variable!r}", value=row.variable, fix=fix)


def _bind(model: Model, held: set[str], event: bool | None) -> list[str]:
    """The variables that a row may mean among those with a concept (`held`): for a state, its measurements."""
    variables = [v for v in model.variables.values() if event in (None, v.kind == "event")]
    found = [v.name for v in variables if v.kind != "state" and (v.name in held or v.of in held)]
    return found or [v.name for v in variables if v.name in held]


def _infer(wanted: str, held: Mapping[str, str], row: RecordRow, *, present: bool | None, model: Model) -> list[str]:
    """The variables that are present or absent if the concept is: all wider or all narrower ones that have one
    measurement at most. Of events that happened only the nearest: when a wider one did is not known."""
    if present is None:
        return []
    graph = open_knowledge()
    above = graph.ancestors(wanted)
    related = {n for n, concept in held.items() if (concept in above if present else graph.is_a(concept, wanted))}
    bound = {name: _bind(model, {name}, row.event) for name in related}
    found = {n: v[0] for n, v in bound.items() if len(v) == 1 and is_binary(model.variables[v[0]], model)}
    if present:
        events = {name for name, target in found.items() if model.variables[target].kind == "event"}
        wider = {n for n in events for other in events if held[n] != held[other] and graph.is_a(held[other], held[n])}
        found = {name: target for name, target in found.items() if name not in wider}
    return [name for name in model.variables if name in found.values()]


def _refuse(wanted: str, held: Mapping[str, str], row: RecordRow, *, present: bool | None, model: Model) -> Exception:
    """Why nothing follows from a row whose concept no variable has."""
    graph = open_knowledge()
    term, bound = graph.describe(wanted), {name: _bind(model, {name}, row.event) for name in held}
    above = {n for n, variables in bound.items() if variables and graph.is_a(wanted, held[n])}
    below = {n for n, variables in bound.items() if variables and graph.is_a(held[n], wanted)}
    if not above and not below:
        offered = sorted({graph.describe(held[n]) for n, variables in bound.items() if variables})
        fix = f"no such row, or {list_some(offered)}" if offered else "no such row, or the name of a variable"
        return fail("no variable of the model has this concept", value=row.concept, fix=fix)
    binary = {n for n in above | below if is_binary(model.variables[bound[n][0]], model)}
    near = list_some(sorted({graph.describe(held[n]) for n in binary or above or below}))
    if not binary:
        problem = f"a value of {term} is not one of a {'wider' if above else 'narrower'} concept"
        fix = f"{near}, if that was observed; otherwise no such row"
    elif present is None:
        problem, fix = f"of {term} it can be said only whether it is present", "1 or 0 (in JSON, true or false)"
        return fail(problem, value=row.value if row.value is not None else row.concept, fix=fix)
    elif several := [name for n in sorted(binary & (above if present else below)) for name in bound[n]]:
        problem, fix = "several measurements may be meant", _name(several)
    elif present:
        problem = f"{term} is present, which does not say what narrower is"
        fix = f"what was present, {near}; or no such row"
    else:
        problem = f"{term} is absent, which does not say that anything wider is: absence goes down the hierarchy"
        fix = f"no such row; or {near}, if that was absent"
    return fail(problem, value=row.concept, fix=fix)
