"""Questions about other worlds: of a simulated patient, of a population, of somebody known by a record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from ...causal.language import Expression
from ...causal.language.syntax import Binary
from ...causal.model.build import parse_effect
from ...causal.model.model import Effect, Model
from ...causal.model.world import World, parse_intervention, parse_world
from ...errors import fail, nearest
from ..entrants import count_patients, parse_condition
from . import averages, causation, mediation, survival
from .answer import Answer
from .of_patient import compare_worlds, parse_outcome
from .of_record import compare_record
from .question import Question
from .strata import strata

PATIENTS = 20_000
MEASURES: dict[str, Callable[[Question], Answer]] = {
    "ate": averages.average,
    "att": averages.on_the_treated,
    "quantile": averages.quantile,
    "risk": averages.risk,
    "survival": survival.survival,
    "rmst": survival.restricted_mean,
    "nde": mediation.natural_direct,
    "nie": mediation.natural_indirect,
    "cde": mediation.controlled_direct,
    "strata": strata,
    "necessity": causation.necessity,
    "sufficiency": causation.sufficiency,
    "both": causation.necessity_and_sufficiency,
}
MEDIATED = ("nde", "nie", "cde", "strata")


def ask(
    model: Model,
    effect: str | Effect | None = None,
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
    """What would have been. One of three questions:

    `effect="lecanemab -> cdr_sb @ 18 months"`: of a population, or of those who are `given` at entry
    ("apoe4 == 2 and age > 70"). `measure` says what contrast of the two worlds: one of `MEASURES`, "quantile 0.9" for
    a quantile effect. `mediator` is for nde, nie (a name), cde ("tau = 1.2") and strata; `do` acts in both worlds.
    `patients` enter, and each is simulated in all worlds. An effect may have its longer form, for levels of a cause
    that is not binary and the rest of an estimand: '{effect: "apoe4 -> cdr_sb @ 18 months", contrast: [2, 0]}'.

    `patient=42, do="lecanemab = 1"`: of a simulated patient, exactly; `record="her.csv", do=…`: of somebody known by a
    record. With `outcome="cdr_sb @ 18 months"` the value is how that differs, else all that does.

    Raises NosographError for what the model does not know, and for what the question has no answer to.
    """
    if sum(form is not None for form in (patient, record, effect)) != 1:
        fix = '--effect "lecanemab -> cdr_sb @ 18 months", or --patient 42 or --record FILE with --do'
        raise fail("a question is about an effect, a patient, or a record: one of them", fix=fix)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        if effect is not None:
            if outcome is not None:
                raise fail("the effect names the outcome already", value=outcome, fix="--effect without --outcome")
            name, quantile = _read_measure(measure, mediator)
            question = _read_question(model, effect, do, given, mediator, patients, seed)
            return MEASURES[name](replace(question, quantile=quantile))
        for name, value in {"given": given, "mediator": mediator}.items():
            if value is not None or measure != "ate":
                raise fail("that is asked of an effect", value=value or measure, fix=f"--effect with --{name}")
        asked = _read_world(model, do)
        end = parse_outcome(outcome, model=model) if outcome is not None else None
        if patient is not None:
            return compare_worlds(model, asked, patient=patient, outcome=end, seed=seed)
        assert record is not None
        return compare_record(model, asked, path=record, outcome=end, seed=seed)
    finally:
        torch.set_num_threads(threads)


def _read_measure(text: str, mediator: str | None) -> tuple[str, float]:
    """The name of a measure, and the quantile where it takes one."""
    name, _, rest = text.strip().partition(" ")
    if name not in MEASURES:
        near = nearest(name, MEASURES)
        raise fail("there is no such measure", value=text, fix=near or f"one of {', '.join(MEASURES)}")
    if mediator is not None and name not in MEDIATED:
        raise fail(f"{name} has no mediator", value=mediator, fix=f"--measure {', '.join(MEDIATED)}")
    if (name == "quantile") != bool(rest):
        raise fail("only a quantile effect says which", value=text, fix='--measure "quantile 0.9"')
    try:
        quantile = float(rest) if rest else 0.5
    except ValueError:
        quantile = 0.0
    if not 0 < quantile < 1:
        raise fail("a quantile lies between 0 and 1", value=text, fix='--measure "quantile 0.9"')
    return name, quantile


def _read_world(model: Model, do: str | Sequence[str]) -> World:
    texts = [do] if isinstance(do, str) else list(do)
    if not any(text.strip() for text in texts):
        raise fail("the other world is not said", fix='--do "lecanemab = 1 from 6 months"')
    return parse_world(f"asked: {'; '.join(texts)}", model=model)


def _read_question(
    model: Model,
    effect: str | Effect,
    do: str | Sequence[str],
    given: str | None,
    mediator: str | None,
    patients: int,
    seed: int,
) -> Question:
    chosen = effect if isinstance(effect, Effect) else parse_effect(effect, model)
    if model.variables[chosen.outcome].levels:
        fix = f"{chosen.treatment} -> a number or an event @ …"
        raise fail(f"{chosen.outcome} has levels, and no average", value=chosen.text, fix=fix)
    conditions = [chosen.population, parse_condition(given, model=model) if given else None]
    level = parse_intervention(mediator, model=model) if mediator and "=" in mediator else None
    return Question(
        model=model,
        effect=chosen,
        patients=count_patients(patients),
        seed=seed,
        where=_join(conditions),
        base=_read_world(model, do).interventions if do else (),
        mediator="" if level is not None else (mediator or "").strip(),
        level=level,
    )


def _join(conditions: Sequence[Expression | None]) -> Expression | None:
    joined: Expression | None = None
    for condition in conditions:
        if condition is not None:
            joined = condition if joined is None else Binary("and", joined, condition)
    return joined
