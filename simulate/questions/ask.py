"""Questions about other worlds: of a simulated patient, of a population, of somebody known by a record."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import networkx as nx

from ...causal.language import Expression
from ...causal.language.syntax import Binary
from ...causal.model.compose import Source
from ...causal.model.effects import parse_effect
from ...causal.model.load import as_model
from ...causal.model.model import Effect, Model
from ...causal.model.strategies import describe_strategies, list_prevented
from ...causal.model.world import Intervention, World, parse_intervention, parse_world
from ...causal.program.noise import check_seed
from ...causal.program.threads import one_thread
from ...errors import fail, nearest
from ..entrants import count_patients, parse_condition
from .answer import Answer
from .measure import Measure
from .measures import list_measures
from .patient import compare_patient, parse_outcome
from .probability import answer_query
from .query import is_query, parse_query
from .question import Question
from .record import compare_record

PATIENTS = 20_000


def ask(
    model: Model | Source,
    question: str | Effect | None = None,
    *,
    patient: int | None = None,
    record: str | Path | None = None,
    do: str | Sequence[str] = (),
    given: str | None = None,
    measure: str = "ate",
    mediator: str | None = None,
    outcome: str | None = None,
    patients: int = PATIENTS,
    seed: int = 0,
) -> Answer:
    """What would have been, in a model or what `nosograph.load` finds. One of four questions:

    `"P(dementia @ 10 years | apoe4 == 2)"`, `"E[cdr_sb @ 18 months]"`: a probability or a mean; with `do`, in that
    world as well. What follows `|` is a condition in the same world, at its own time; `given` is one at entry.

    `"lecanemab -> cdr_sb @ 18 months"`: an effect, of a population, or of those who are `given` at entry
    ("apoe4 == 2 and age > 70"). `measure` says what contrast of the two worlds: one of the files in `measures/`, with
    what it needs after its name ("quantile 0.9"). `mediator` is for nde, nie (a name), cde ("tau = 1.2") and strata;
    `do` acts in both worlds. `patients` enter, and each is simulated in all worlds. An effect may have its longer form,
    for levels of a cause that is not binary and the rest of an estimand:
    '{effect: "apoe4 -> cdr_sb @ 18 months", contrast: [2, 0]}'.

    `patient=42, do="lecanemab = 1"`: of a simulated patient, exactly; `record="her.csv", do=…`: of somebody known by a
    record. With `outcome="cdr_sb @ 18 months"` the value is how that differs, else all that does.

    Raises NosographError for what the model does not know, and for what the question has no answer to.
    """
    if sum(form is not None for form in (patient, record, question)) != 1:
        fix = '"P(dementia @ 10 years)", "lecanemab -> cdr_sb @ 18 months", or --patient 42 or --record FILE with --do'
        raise fail("a question is about a probability, an effect, a patient, or a record: one of them", fix=fix)
    model, seed = as_model(model), check_seed(seed)
    with one_thread():
        if question is not None:
            if outcome is not None:
                raise fail("the question names the outcome already", value=outcome, fix="no --outcome")
            if isinstance(question, str) and is_query(question):
                if mediator is not None or measure != "ate":
                    fix = "an effect, with --measure or --mediator"
                    raise fail("a probability has no measure and no mediator", value=mediator or measure, fix=fix)
                return answer_query(
                    model,
                    parse_query(question, model=model),
                    world=_read_world(model, do) if do else None,
                    where=parse_condition(given, model=model) if given else None,
                    patients=count_patients(patients),
                    seed=seed,
                )
            return _ask_effect(
                model, question, do=do, given=given, measure=measure, mediator=mediator, patients=patients, seed=seed
            )
        for name, value in {"given": given, "mediator": mediator}.items():
            if value is not None or measure != "ate":
                raise fail("only an effect has that", value=value or measure, fix=f"--effect with --{name}")
        world = _read_world(model, do)
        end = parse_outcome(outcome, model=model) if outcome is not None else None
        if patient is not None:
            return compare_patient(model, world, patient=patient, outcome=end, seed=seed)
        assert record is not None
        return compare_record(model, world, path=record, outcome=end, seed=seed)


def _ask_effect(
    model: Model,
    effect: str | Effect,
    *,
    do: str | Sequence[str],
    given: str | None,
    measure: str,
    mediator: str | None,
    patients: int,
    seed: int,
) -> Answer:
    chosen, argument = _read_measure(measure)
    target = effect if isinstance(effect, Effect) else parse_effect(effect, model)
    _check_outcome(chosen, target, model=model)
    name, level = _read_mediator(chosen, mediator, effect=target, model=model)
    conditions = [target.population, parse_condition(given, model=model) if given else None]
    question = Question(
        model=model,
        effect=target,
        patients=count_patients(patients),
        seed=seed,
        where=_join(conditions),
        base=_read_world(model, do).interventions if do else (),
        mediator=name,
        level=level,
        argument=argument,
        binary=chosen.outcome == "binary",
    )
    return chosen.answer(question).with_details(strategies=describe_strategies(target, model))


def _read_measure(text: str) -> tuple[Measure, str]:
    """A measure, and what is written after its name."""
    known = list_measures()
    name, _, argument = text.strip().partition(" ")
    if name not in known:
        near = nearest(name, known)
        raise fail("there is no such measure", value=text, fix=near or f"one of {', '.join(known)}")
    measure = known[name]
    if argument and not measure.argument:
        raise fail(f"{name} takes nothing after its name", value=text, fix=f"--measure {name}")
    if measure.argument and not argument and not measure.optional:
        raise fail(f"{name} needs something after its name", value=text, fix=f"--measure {measure.usage}")
    return measure, argument.strip()


def _check_outcome(measure: Measure, effect: Effect, *, model: Model) -> None:
    """Raise NosographError where the outcome is of no kind that the measure is for. Whether values are binary shows
    only when they are there."""
    outcome = model.variables[effect.outcome]
    if outcome.levels and not measure.levels:
        able = [other.name for other in list_measures().values() if other.levels]
        problem = f"{outcome.name} has levels, and {measure.name} takes numbers or events"
        raise fail(problem, value=effect.text, fix=f"--measure {' or '.join(able)}: the share of each level")
    if measure.outcome == "event" and outcome.kind != "event":
        events = [v.name for v in model.variables.values() if v.kind == "event"]
        fix = f"{effect.treatment} -> {events[0]} @ …" if events else "a model with events"
        raise fail(f"{outcome.name} is no event, and {measure.name} needs one", value=effect.text, fix=fix)


def _read_mediator(
    measure: Measure, text: str | None, *, effect: Effect, model: Model
) -> tuple[str, Intervention | None]:
    """The mediator's name, and the intervention that holds it at a value where the measure needs one. Raises
    NosographError where the measure takes none or needs one, and for what cannot mediate the effect."""
    text = (text or "").strip()
    if text and measure.mediator == "none":
        names = [other.name for other in list_measures().values() if other.mediator != "none"]
        raise fail(f"{measure.name} has no mediator", value=text, fix=f"--measure {', '.join(names)}")
    if not text and measure.mediator in ("none", "optional"):
        return "", None
    level = parse_intervention(text, model=model) if "=" in text else None
    name = level.target if level is not None else text
    if not name or (level is not None) != (measure.mediator == "value"):
        example = name or _suggest_mediator(model, effect)
        fix = f'--mediator "{example} = 1"' if measure.mediator == "value" else f"--mediator {example}"
        how = "held at a value" if measure.mediator == "value" else "by its name"
        raise fail(f"{measure.name} takes a mediator {how}", value=text, fix=fix)
    if measure.mediator != "optional":
        _check_mediator(name, effect=effect, model=model)
    if prevented := [event.name for event in list_prevented(effect, model) if event.name == name]:
        fix = "leaving: treatment policy" if model.variables[name].ends == "record" else "death: while alive"
        raise fail(f"the worlds of the effect prevent {prevented[0]!r}", value=name, fix=f"{{effect: …, {fix}}}")
    return name, level


def _suggest_mediator(model: Model, effect: Effect) -> str:
    graph: Any = model.graph
    between = nx.descendants(graph, effect.treatment) & nx.ancestors(graph, effect.outcome)
    return next((name for name in model.variables if name in between), "NAME")


def _check_mediator(name: str, *, effect: Effect, model: Model) -> None:
    """Raise NosographError where a variable cannot be the mediator of the effect."""
    if name not in model.variables:
        near = nearest(name, model.variables) or _suggest_mediator(model, effect)
        raise fail(f"there is no variable {name!r}", value=name, fix=f"--mediator {near}")
    if name in (effect.treatment, effect.outcome):
        raise fail("cause and outcome are no mediators", value=name, fix="a variable between them")
    if model.variables[name].ends == "journey":
        raise fail("an event that ends the journey is no mediator", value=name, fix="--measure strata")


def _read_world(model: Model, do: str | Sequence[str]) -> World:
    texts = [do] if isinstance(do, str) else list(do)
    if not any(text.strip() for text in texts):
        raise fail("the other world has no intervention", fix='--do "lecanemab = 1 from 6 months"')
    return parse_world(f"asked: {'; '.join(texts)}", model=model)


def _join(conditions: Sequence[Expression | None]) -> Expression | None:
    joined: Expression | None = None
    for condition in conditions:
        if condition is not None:
            joined = condition if joined is None else Binary("and", joined, condition)
    return joined
