"""Declared effects: from `lecanemab -> cdr_sb_rated @ 18 months`, or its longer form, to an estimand."""

from __future__ import annotations

import math
import re

from ...errors import fail, nearest
from ...ontology.document import EffectEntry, read_effect
from ..language import parse_expression
from ..language.syntax import Draw
from .composites import list_components
from .duration import parse_instant, parse_step, write_time
from .model import Clock, Effect, Model, Schedule, Variable
from .strategies import list_prevented

EFFECT = re.compile(r"\s*(?P<treatment>\w+)\s*->\s*(?P<outcome>\w+)\s*@\s*(?P<at>.+)")


def parse_effect(entry: EffectEntry | str, model: Model) -> Effect:
    """An effect, from `lecanemab -> cdr_sb_rated @ 18 months` or its longer form. If the model
    declares an effect with this text, that one is returned, with its contrast and other settings.

    Raises NosographError if it cannot be parsed, names an unknown variable, or needs a contrast.
    """
    if isinstance(entry, str):
        declared = [effect for effect in model.effects if effect.text.split(" (")[0] == " ".join(entry.split())]
        if declared:
            return declared[0]
        entry = read_effect(entry)
    match = EFFECT.fullmatch(entry.effect)
    if match is None:
        raise fail("not an effect", fix="lecanemab -> cdr_sb_rated @ 18 months", value=entry.effect)
    for name in (match["treatment"], match["outcome"]):
        if name not in model.variables:
            near = nearest(name, model.variables)
            raise fail(f"unknown variable '{name}'", fix=near or "a variable of the model", value=entry.effect)
    if parts := model.variables[match["treatment"]].any_of:
        problem = f"'{match['treatment']}' is a composite event, on which nobody can intervene"
        raise fail(problem, fix=f"one of its components: {', '.join(parts)}", value=entry.effect)
    at, instant, note = parse_outcome_time(match["at"], model.variables[match["outcome"]], clock=model.clock)
    decision = parse_step(entry.decision, clock=model.clock) if entry.decision else 0
    if at <= decision and model.variables[match["outcome"]].kind != "static":
        raise fail("the outcome comes before the decision", fix="a later time after @", value=entry.effect)
    if (entry.death == "composite") != (entry.composite is not None):
        raise fail(
            "death: composite and a composite value go together",
            fix="death: composite, with composite: 18",
            value=entry.effect,
        )
    outcome = model.variables[match["outcome"]]
    if entry.composite is not None and outcome.levels:
        raise fail(
            f"a number is no level of '{outcome.name}', so it cannot stand for the dead",
            fix="death: hypothetical, or a level for the dead in the model itself",
            value=entry.effect,
        )
    contrast = _read_contrast(entry, model.variables[match["treatment"]])
    _check_strategies(entry)
    sustained = entry.strategy == "sustained" or entry.stopping == "hypothetical"
    effect = Effect(
        treatment=match["treatment"],
        outcome=match["outcome"],
        at=at,
        contrast=contrast,
        decision=decision,
        strategy="sustained" if sustained else "initiation",
        population=parse_expression(entry.population) if entry.population else None,
        death=entry.death or "while alive",
        leaving=entry.leaving or "hypothetical",
        missed=entry.missed or ("last recorded" if entry.leaving == "last recorded" else "hypothetical"),
        stopping="while on treatment" if entry.stopping == "while on treatment" else "treatment policy",
        composite=entry.composite,
        text=f"{match['treatment']} -> {match['outcome']} @ {match['at'].strip()}{_describe_settings(entry, note)}",
        instant=instant,
    )
    _check_prevented(effect, model, entry)
    return effect


def _check_prevented(effect: Effect, model: Model, entry: EffectEntry) -> None:
    """Raise NosographError for an outcome that the effect's own worlds prevent, in which nobody leaves, or dies."""
    parts = list_components(model.variables, effect.outcome)
    for event in list_prevented(effect, model):
        if event.name in parts:
            key, other = ("leaving", "treatment policy") if event.ends == "record" else ("death", "while alive")
            raise fail(
                f"{key}: hypothetical prevents '{event.name}', which is what '{effect.outcome}' counts",
                fix=f'{{effect: "{entry.effect}", {key}: {other}}}',
                value=entry.effect,
            )


def check_examinable(effect: Effect, model: Model) -> None:
    """Raise NosographError for an effect that cannot be examined on a record, since its outcome has no average. Of two
    levels, the average is the share of the second."""
    outcome = model.variables[effect.outcome]
    if len(outcome.levels) > 2:
        example = f'{outcome.name} {">=" if outcome.has_order else "=="} "{outcome.levels[-1]}"'
        raise fail(
            f"'{outcome.name}' has {len(outcome.levels)} levels, and no average to examine",
            fix=f"an outcome that is 0 or 1, with mechanism: {example}; or ask, which compares the share of each level",
            value=effect.text,
        )


def parse_outcome_time(text: str, outcome: Variable, *, clock: Clock) -> tuple[int, float | None, str]:
    """The step at which an outcome is read, the exact instant by which an event is counted if that is within the step
    (else None), and the words to add where another time is read than was asked for.

    An outcome may be asked at any time: an event is counted by that instant; anything else has the value of the last
    step at or before it. Raises NosographError for a time past the last step.
    """
    exact = parse_instant(text, clock=clock)
    if exact.is_integer() or outcome.kind == "static":
        return int(exact), None, ""
    if outcome.kind == "event":
        return math.ceil(exact), exact, ""
    step = math.floor(exact)
    if isinstance(outcome.when, Schedule):
        due = [k for k in range(step + 1) if outcome.when.includes(k)]
        return step, None, f"last due at {write_time(due[-1], clock=clock)}" if due else "never due by then"
    return step, None, f"its value at {write_time(step, clock=clock)}, the last step by then"


def _check_strategies(entry: EffectEntry) -> None:
    """Raise NosographError for strategies that do not go together."""
    if entry.leaving == "last recorded" and (
        entry.missed == "hypothetical" or entry.death not in (None, "while alive")
    ):
        raise fail(
            "leaving: last recorded is about the last value that was recorded while alive, whatever came after",
            fix="leaving: last recorded alone",
            value=entry.effect,
        )
    if entry.stopping == "hypothetical" and entry.strategy == "initiation":
        raise fail(
            "stopping: hypothetical means that nobody stops, which is a sustained strategy",
            fix="strategy: sustained",
            value=entry.effect,
        )
    if entry.stopping == "while on treatment" and entry.strategy == "sustained":
        raise fail(
            "nobody stops under a sustained strategy",
            fix="strategy: initiation, with stopping: while on treatment",
            value=entry.effect,
        )


def _describe_settings(entry: EffectEntry, note: str) -> str:
    """The settings of an effect beyond its short form, in parentheses."""
    rest = [note] if note else []
    rest += (
        [" against ".join(level if isinstance(level, str) else f"{level:g}" for level in entry.contrast)]
        if entry.contrast
        else []
    )
    rest += [f"decided at {entry.decision}"] if entry.decision else []
    rest += ["sustained"] if entry.strategy == "sustained" or entry.stopping == "hypothetical" else []
    rest += [entry.population] if entry.population else []
    rest += [f"death: {entry.death}"] if entry.death and entry.death != "while alive" else []
    rest += [f"leaving: {entry.leaving}"] if entry.leaving and entry.leaving != "hypothetical" else []
    rest += [f"missed: {entry.missed}"] if entry.missed and entry.missed != "hypothetical" else []
    rest += ["stopping: while on treatment"] if entry.stopping == "while on treatment" else []
    return f" ({'; '.join(rest)})" if rest else ""


def _read_contrast(entry: EffectEntry, treatment: Variable) -> tuple[float, float]:
    """The two values to compare; level indices for a categorical."""
    if entry.contrast is None:
        families = {tree.family for e in treatment.expressions.values() for tree in e.walk() if isinstance(tree, Draw)}
        if treatment.levels or families - {"Bernoulli", "Hazard"}:
            example = ", ".join(f'"{level}"' for level in treatment.levels[:2]) or "2, 0"
            raise fail(
                f"'{treatment.name}' is not binary, so the effect needs two levels to compare",
                fix=f'{{effect: "{entry.effect}", contrast: [{example}]}}',
                value=entry.effect,
            )
        return (1.0, 0.0)
    levels: list[float] = []
    for value in entry.contrast:
        name = value if isinstance(value, str) else f"{value:g}"
        if name not in treatment.levels if treatment.levels else isinstance(value, str):
            known = ", ".join(treatment.levels) or "numbers"
            raise fail(f"unknown level of '{treatment.name}'", fix=f"two of: {known}", value=name)
        levels.append(float(treatment.levels.index(name)) if treatment.levels else float(value))
    if levels[0] == levels[1]:
        raise fail("the two levels are the same", fix="contrast: [1, 0]", value=entry.effect)
    return (levels[0], levels[1])
