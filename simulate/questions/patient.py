"""One simulated patient in another world: the same noise, so the answer is exact."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ...causal.model.clock import round_times
from ...causal.model.effects import parse_outcome_time
from ...causal.model.model import Effect, Model
from ...causal.model.world import FACTUAL, World
from ...causal.program.journeys import Journeys, first_dates
from ...causal.program.sampling import sample
from ...errors import check_whole, fail, list_some, nearest
from ..entrants import meets
from ..outcomes import read_outcome
from .answer import Answer
from .timelines import Band, TimelineEvent
from .trajectories import choose_shown, draw_timelines, find_evidence, read_trajectory

METHOD = "exact: this patient's own noise, run through the model in both worlds"
OUTCOME = re.compile(r"\s*(?P<name>\w+)\s*@\s*(?P<at>.+)")


def compare_patient(model: Model, world: World, *, patient: int, outcome: Effect | None, seed: int) -> Answer:
    """Patient number `patient` of any cohort with this seed, as she was and in another `world`.

    Without an outcome the value is what differs: for each variable its last value in each world, for each event the
    time at which it first happens there, None where it does not. Raises NosographError for a number of nobody who
    enters the model's population.
    """
    patient = check_whole(patient, "a patient's number", least=0, fix="--patient 42")
    numbers = torch.tensor([patient])
    if model.population is not None and not bool(meets(model, [model.population], patients=numbers, seed=seed)):
        fix = f"--patient {_find_next(model, patient, seed=seed)}"
        raise fail(f"patient {patient} does not enter: not {model.population}", value=patient, fix=fix)
    journeys = sample(model, patients=numbers, seed=seed, worlds=(FACTUAL, world))
    values = {name: last_values(journeys, name, model=model) for name in model.variables}
    differing = {name: pair for name, pair in values.items() if _differs(journeys, name)}
    question = f"patient {patient} of {model.id} (seed {seed}), had it been: {world}"
    shown = choose_shown(model, [world], outcome=outcome.outcome if outcome else "", differing=list(differing))
    timelines = draw_timelines(
        journeys,
        model=model,
        title=f"Patient {patient}",
        shown=shown,
        bands={name: _exact_bands(journeys, name, model) for name in shown},
        evidence=find_evidence(journeys, model=model),
        events=_list_events(journeys, model),
    )
    if outcome is None:
        value = {name: dict(zip((FACTUAL.name, world.name), pair, strict=True)) for name, pair in differing.items()}
        note = "" if differing else "Nothing differs: the intervention sets what happened anyway, or reaches nothing."
        return Answer(question, value, None, METHOD, note, timelines=timelines)
    factual, there = (_known(number) for number in read_outcome(journeys, model, outcome)[:, 0].tolist())
    note = "The journey had ended by then, or nothing was recorded." if factual is None or there is None else ""
    levels = model.variables[outcome.outcome].levels
    if levels:
        codes = {FACTUAL.name: factual, world.name: there}
        named = {name: None if code is None else levels[int(code)] for name, code in codes.items()}
        return Answer(f"{question}: {outcome.text}", named, None, METHOD, note, timelines=timelines)
    return Answer(
        question=f"{question}: {outcome.text}",
        value=there - factual if factual is not None and there is not None else None,
        interval=None,
        method=METHOD,
        note=note,
        details={FACTUAL.name: factual, world.name: there},
        timelines=timelines,
    )


def parse_outcome(text: str, *, model: Model) -> Effect:
    """`cdr_sb @ 18 months`: an outcome and its time. Raises NosographError."""
    match = OUTCOME.fullmatch(text)
    if match is None:
        variables = [v for v in model.variables.values() if v.kind != "static"]
        own = text.strip() if text.strip() in model.variables else nearest(text, [v.name for v in variables])
        name = own or (variables or list(model.variables.values()))[0].name
        raise fail("an outcome is a variable, @ and a time", value=text, fix=f"{name} @ {model.clock.end}")
    name = match["name"]
    if name not in model.variables:
        near = nearest(name, model.variables)
        fix = text.replace(name, near) if near else list_some(model.variables)
        raise fail(f"there is no variable {name!r}", value=text, fix=fix)
    at, instant, note = parse_outcome_time(match["at"], model.variables[name], clock=model.clock)
    return Effect("", name, at, text=text.strip() + (f" ({note})" if note else ""), instant=instant)


def last_values(journeys: Journeys, name: str, *, model: Model) -> Sequence[Any]:
    """Of the first patient, in each world: a variable's last value, or when an event first happened; None if never."""
    variable = model.variables[name]
    if variable.kind == "event":
        return _find_dates(journeys, name, model)
    found: list[Any] = []
    for row in read_trajectory(journeys, name, model=model)[:, :, 0].numpy():
        known = row[~np.isnan(row)]
        value = float(str(np.float32(known[-1]))) if len(known) else None  # the shortest decimal that is this float32
        found.append(variable.levels[int(value)] if variable.levels and value is not None else value)
    return found


def _exact_bands(journeys: Journeys, name: str, model: Model) -> dict[str, Band]:
    courses = read_trajectory(journeys, name, model=model)[:, :, 0].numpy()
    return {world.name: Band(row, row, row) for world, row in zip(journeys.worlds, courses, strict=True)}


def _differs(journeys: Journeys, name: str) -> bool:
    """Whether a variable's course differs between the worlds, in any step lived in both, or an event's date does."""
    if name in journeys.occurrences:
        dates = first_dates(journeys, name)
        return bool((dates[0] != dates[1]).any())
    values = journeys.values[name]
    if values.shape[0] == 1 and name not in journeys.recorded:
        return False
    both = journeys.ended.amin(0)
    steps = [row for row, step in enumerate(journeys.steps[name]) if step < int(both[0])]
    pairs = [values.expand(2, -1, -1)[:, steps]]
    if name in journeys.recorded:
        shown = journeys.recorded[name].expand(2, -1, -1)[:, steps]
        pairs = [torch.where(shown, pairs[0], torch.nan).nan_to_num(torch.inf)]
    return any(not torch.equal(pair[0], pair[1]) for pair in pairs)


def _find_next(model: Model, patient: int, *, seed: int) -> int:
    assert model.population is not None
    block = torch.arange(patient + 1, patient + 10_001)
    entering = block[meets(model, [model.population], patients=block, seed=seed)]
    return int(entering[0]) if len(entering) else 0


def _list_events(journeys: Journeys, model: Model) -> Sequence[TimelineEvent]:
    return [
        TimelineEvent(world.name, name, model.variables[name].title, date, None, model.variables[name].ends)
        for name in journeys.occurrences
        for world, date in zip(journeys.worlds, _find_dates(journeys, name, model), strict=True)
    ]


def _known(value: float) -> float | None:
    return None if value != value else value


def _find_dates(journeys: Journeys, event: str, model: Model) -> list[float | None]:
    """When an event first happened to the first patient in each world; None where it did not."""
    dates = round_times(first_dates(journeys, event)[:, 0].numpy(), clock=model.clock).tolist()
    return [date if date != float("inf") else None for date in dates]
