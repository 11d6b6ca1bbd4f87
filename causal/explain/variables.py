"""A model in words: its variables, equations with numbers and units, each cause with its evidence."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ...errors import fail, list_some, nearest
from ..language import Expression, Read, reads
from ..model.arrows import measured_steps
from ..model.claims import count_claims
from ..model.clock import write_steps
from ..model.duration import describe_time
from ..model.formula import find_inputs, order_formulas
from ..model.model import Claim, Effect, Evidence, Model, Parameter, Schedule, Variable
from ..model.strategies import describe_strategies
from .equations import describe_draw, format_quantity, substitute, write_equation
from .explanation import Explanation, Section

if TYPE_CHECKING:
    from ...ontology.knowledge import KnowledgeGraph

KINDS = {
    "static": "a static: it has one value for the whole journey",
    "state": "a state: the truth, which changes over time and is never recorded",
    "event": "an event",
    "treatment": "a treatment, as given without intervention",
    "measurement": "a measurement",
}
CHECKED = {
    "text": "the text was read",
    "abstract": "the abstract was read",
    "curated": "as curated by a database whose curators read it",
    "recalled": "recalled, not looked up",
}


def explain_model(model: Model, *, knowledge: KnowledgeGraph | None = None) -> Explanation:
    """The whole model: an overview, every variable, every parameter. `knowledge` gives the labels of concepts."""
    sections = [_explain_head(model, knowledge)]
    sections += [_explain_variable(model, variable, knowledge) for variable in model.variables.values()]
    if model.parameters:
        sections.append(_explain_parameters(model, model.parameters.values()))
    return Explanation(model.title or model.id, tuple(sections))


def explain_variable(model: Model, name: str, *, knowledge: KnowledgeGraph | None = None) -> Explanation:
    """One variable, and the parameters that it reads. Raises NosographError for an unknown variable."""
    if name not in model.variables:
        near = nearest(name, model.variables)
        raise fail("unknown variable", value=name, fix=near or list_some(model.variables))
    variable = model.variables[name]
    sections = [_explain_variable(model, variable, knowledge)]
    read = {read.name for read in variable.reads}
    for parameter_name in reversed(order_formulas(model.parameters)):
        formula = model.parameters[parameter_name].formula
        read |= set(find_inputs(formula)) if parameter_name in read and formula is not None else set()
    used = [parameter for parameter in model.parameters.values() if parameter.name in read]
    if used:
        sections.append(_explain_parameters(model, used))
    return Explanation(f"{name}, in {model.title or model.id}", tuple(sections))


def _explain_head(model: Model, knowledge: KnowledgeGraph | None) -> Section:
    clock = model.clock
    counts = count_claims(model.claims)
    lines = [f"{model.id}, version {model.version}." if model.version else f"{model.id}."]
    lines += [model.description.strip()] if model.description.strip() else []
    lines += [f"Disease: {_name_concept(model.disease, knowledge)}."] if model.disease else []
    lines.append(f"Time goes from 0 to {write_steps(clock)}; t and dt are in {clock.text[2]}s, so dt = {clock.dt:.4g}.")
    if model.population is not None:
        lines.append(f"Who enters: {_in_numbers(model.population, model)}.")
    lines.append(
        f"{len(model.variables)} variables and {counts.claims} causal claims: {counts.cited} cited "
        f"({counts.curated} of them as curated by a database, {counts.recalled} recalled, not looked up), "
        f"{counts.assumed} assumed; {counts.structural} more links only say what a measurement measures."
    )
    lines += [f"Declared effect: {_describe_estimand(effect, model)}" for effect in model.effects]
    return Section("The model", tuple(lines), {"model": model.id, **asdict(counts)})


def _describe_estimand(effect: Effect, model: Model) -> str:
    clock = model.clock
    among = f", among those with {effect.population}" if effect.population is not None else ""
    given = "afterwards left to the model" if effect.strategy == "initiation" else "kept until the end"
    return (
        f"{effect.treatment} on {effect.outcome} by {describe_time(effect.by, clock)}{among}: "
        f"{model.write_contrast(effect)}, decided at {describe_time(effect.decision, clock)}, "
        f"{given} ({effect.strategy}); {describe_strategies(effect, model)}"
    )


def _explain_variable(model: Model, variable: Variable, knowledge: KnowledgeGraph | None) -> Section:
    latent = variable.kind != "state" and not variable.recorded
    lines = [f"This is {KINDS[variable.kind]}{'; never recorded' if latent else ''}."]
    if variable.concept:
        lines.append(f"Concept: {_name_concept(variable.concept, knowledge)}.")
    if variable.unit:
        lines.append(f"Unit: {variable.unit}." if variable.unit != "1" else "Unit: 1, a pure number.")
    if variable.levels:
        order = "in order" if variable.has_order else "without an order"
        lines.append(f"Levels, {order}: {', '.join(variable.levels)}.")
    lines += _explain_measuring(model, variable)
    lines += _explain_event(model, variable)
    for key, expression in variable.expressions.items():
        if key in ("start", "mechanism"):
            lines += _explain_equation(model, variable, key, expression)
    lines += _explain_confounding(model, variable)
    causes = [line for claim in variable.claims for line in _explain_claim(model, claim, claim.cause)]
    claimed = [claim for claim in model.claims if claim.cause == variable.name]
    effects = [line for claim in claimed for line in _explain_claim(model, claim, claim.effect)]
    lines += ["Causes:", *causes] if causes else ["Causes: none in this model."]
    lines += ["Acts on:", *effects] if effects else ["Acts on: nothing in this model."]
    title = f"{variable.name}: {variable.title}" if variable.title else variable.name
    return Section(title, tuple(lines), _list_facts(variable, claimed))


def _explain_measuring(model: Model, variable: Variable) -> list[str]:
    if variable.kind != "measurement":
        return []
    lines = [f"It measures {variable.of}."] if variable.of else []
    if isinstance(variable.when, Schedule):
        times = len(measured_steps(variable, steps=model.clock.steps))
        lines.append(f"It is taken {variable.when.text}: {times} times by {model.clock.end}.")
    elif variable.when is None:
        lines.append(f"It is taken in every step, each {model.clock.text[0]}.")
    else:
        lines.append(f"Whether it is taken in a step: {variable.when}")
        lines += _explain_details(model, variable.when)
    if variable.missing is None:
        lines.append("It is never missing when it is taken.")
    else:
        lines.append(f"Whether it goes missing: {variable.missing}")
        lines += _explain_details(model, variable.missing)
    closing = [v.name for v in model.variables.values() if v.ends == "record"]
    lines += [f"Nothing is recorded from {' or '.join(closing)} on."] if closing else []
    return [*lines, "Other variables read its last recorded value."]


def _explain_event(model: Model, variable: Variable) -> list[str]:
    if variable.kind != "event":
        return []
    lines = ["It happens at most once." if variable.occurs == "once" else "It may happen repeatedly."]
    if variable.any_of:
        what = "first of" if variable.occurs == "once" else "any of"
        lines.append(f"It is composite: it happens with the {what} {', '.join(variable.any_of)}, at the same instant.")
    if variable.ends == "journey":
        lines.append("It ends the journey at its instant: nothing happens after it.")
    elif variable.ends == "record":
        lines.append("It ends the record: the journey goes on, but nothing is measured from then on.")
    competitors = [v.name for v in model.variables.values() if v.competes == variable.competes and v is not variable]
    if variable.competes:
        others = ", ".join(competitors) or "no other event"
        lines.append(f"It competes with {others}: in a step, only the first happens.")
    return lines


def _explain_equation(model: Model, variable: Variable, key: str, expression: Expression) -> list[str]:
    once = variable.kind == "static"
    if variable.kind == "event":
        heading = "In each step"
    elif variable.kind == "measurement":
        heading = "When it is taken"
    elif key == "start":
        heading = "At the start"
    else:
        heading = "In each step after it" if variable.start is not None else "At the start and in each step"
    first, *rows = write_equation(expression)
    said = [f"{'Its value' if once else heading}: {first}", *(f"    {row}" for row in rows)]
    return [*said, *_explain_details(model, expression)]


def _explain_details(model: Model, expression: Expression) -> list[str]:
    """The expression in numbers, and its meaning."""
    numeric = substitute(expression, model.parameters)
    lines = [f"  in numbers: {numeric}"] if numeric != expression else []
    meaning = describe_draw(numeric, unit=model.clock.text[2])
    return [*lines, f"  that is: {meaning or 'determined by what it reads, without randomness'}."]


def _explain_confounding(model: Model, variable: Variable) -> list[str]:
    """For a treatment: whether it depends on unrecorded variables."""
    if variable.kind != "treatment":
        return []
    causes = [model.variables[claim.cause] for claim in variable.claims]
    hidden = [cause.name for cause in causes if cause.kind == "state" or not cause.recorded]
    if not hidden:
        return ["It depends only on recorded variables."]
    return [f"It depends on unrecorded variables ({', '.join(hidden)}), so adjusting for others may not suffice."]


def _explain_claim(model: Model, claim: Claim, other: str) -> list[str]:
    """The claim under the name of `other`, its other end: how it acts, then its evidence."""
    effect = model.variables[claim.effect]
    if claim.structural and not claim.evidence:
        what = "a component of" if effect.any_of else "what"
        return [f"  {other}: {what} {claim.effect}{'' if effect.any_of else ' measures'}, by definition"]
    lines = [f"  {other}: acts {_describe_acting(model.variables[claim.cause], effect)}"]
    return lines + [f"    {_describe_evidence(evidence)}" for evidence in claim.evidence or (Evidence("assumption"),)]


def _describe_acting(cause: Variable, effect: Variable) -> str:
    """Which expressions of the effect read the cause, and how far back."""
    places = {
        "start": "on its start",
        "mechanism": "on its value" if effect.kind in ("static", "measurement") else "in each step",
        "when": "on whether it is taken",
        "missing": "on whether it goes missing",
    }
    said = []
    for key, expression in effect.expressions.items():
        found = sorted(read for read in reads(expression) if read.name == cause.name)
        manners = [] if cause.kind == "static" else [_describe_read(read) for read in found]
        said += [places[key] + (f" ({', '.join(manners)})" if manners else "")] if found else []
    return " and ".join(said)


def _describe_read(read: Read) -> str:
    past = {"ever": "whether it has happened before", "since": "how long ago it happened"}
    ago = "" if read.lag == 0 else "the last step's" if read.lag == 1 else f"{read.lag} steps back"
    if read.how in past:
        return past[read.how]
    if read.how == "recorded":
        return f"whether it was recorded by then{f', {ago}' if ago else ''}"
    return f"{ago} value" if read.lag == 1 else f"its value {ago}" if ago else "this step's value"


def _describe_evidence(evidence: Evidence) -> str:
    if evidence.assumed:
        return "assumption"
    checked = f" ({CHECKED[evidence.checked]})" if evidence.checked else " (not stated how it was checked)"
    return evidence.source + checked + (f": {evidence.says}" if evidence.says else "")


def _explain_parameters(model: Model, parameters: Iterable[Parameter]) -> Section:
    lines, facts = [], []
    read = {v.name: {read.name for read in v.reads} for v in model.variables.values()}
    read |= {p.name: set(find_inputs(p.formula)) for p in model.parameters.values() if p.formula is not None}
    for parameter in parameters:
        readers = [reader for reader, names in read.items() if parameter.name in names]
        title = f": {parameter.title}" if parameter.title else ""
        lines.append(f"{parameter.name} = {format_quantity(parameter.value, parameter.unit)}{title}")
        if parameter.formula is not None:
            numeric = substitute(parameter.formula, model.parameters)
            lines.append(f"  from {parameter.formula}, that is {numeric}")
        if parameter.uncertain is not None:
            lines.append(f"  uncertain: {parameter.uncertain}")
        lines += [f"  {_describe_evidence(evidence)}" for evidence in parameter.evidence]
        lines.append(f"  read by {', '.join(readers) or 'nothing'}")
        value = parameter.value if math.isfinite(parameter.value) else None
        formula = str(parameter.formula) if parameter.formula is not None else None
        facts.append(
            {"name": parameter.name, "value": value, "unit": parameter.unit, "formula": formula, "read_by": readers}
        )
    return Section("Parameters", tuple(lines), {"parameters": facts})


def _list_facts(variable: Variable, effects: Sequence[Claim]) -> dict[str, Any]:
    def describe(claim: Claim, end: str) -> dict[str, Any]:
        evidence = [{"source": e.source, "checked": e.checked, "says": e.says} for e in claim.evidence]
        return {end: getattr(claim, end), "evidence": evidence, "structural": claim.structural}

    return {
        "variable": variable.name,
        "kind": variable.kind,
        "concept": variable.concept,
        "unit": variable.unit,
        "levels": list(variable.levels),
        "ordered": variable.has_order,
        "expressions": {key: str(expression) for key, expression in variable.expressions.items()},
        "causes": [describe(claim, "cause") for claim in variable.claims],
        "effects": [describe(claim, "effect") for claim in effects],
    }


def _name_concept(concept: str, knowledge: KnowledgeGraph | None) -> str:
    label = knowledge.label(concept) if knowledge is not None else None
    return f"{concept} ({label})" if label else concept


def _in_numbers(expression: Expression, model: Model) -> str:
    numeric = substitute(expression, model.parameters)
    return str(expression) if str(numeric) == str(expression) else f"{expression}, that is {numeric}"
