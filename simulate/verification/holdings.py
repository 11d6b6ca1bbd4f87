"""What a table holds of what an effect asks for: said before anything is estimated."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from ...causal.effects.columns import Column, columns
from ...causal.effects.losses import find_losses
from ...causal.effects.regimes import is_regime
from ...causal.language import reads
from ...causal.model.arrows import measured_steps
from ...causal.model.duration import TOLERANCE, write_time
from ...causal.model.model import Effect, Model, Schedule, Variable
from ...causal.model.strategies import list_losses
from ..data.people import People

MOST_SHOWN = 4  # times of what is lacking


@dataclass(frozen=True)
class Needs:
    """What the estimates of an effect read. `steps`: for each recorded variable, the steps at which; `past`: the events
    whose time matters; `history`: the measurements that are read over time."""

    steps: dict[str, set[int]] = field(default_factory=dict)
    past: set[str] = field(default_factory=set)
    history: set[str] = field(default_factory=set)


def find_needs(model: Model, effect: Effect) -> Needs:
    """What the covariates, the weights for losses and the g-formula read, of the variables that count as recorded."""
    offered, needs = columns(model, effect), Needs()
    for column in offered:
        needs.steps.setdefault(column.variable, set()).update(_list_steps(model, column))
        if model.variables[column.variable].kind == "event" and column.role == "covariate":
            needs.past.add(column.variable)
    read = {column.variable for column in offered} if is_regime(model, effect) else set()
    if is_regime(model, effect):
        read |= {v.name for v in model.variables.values() if v.recorded and v.kind in ("measurement", "event")}
    else:
        losses, _ = find_losses(model, effect, [c.node for c in offered if c.role == "covariate"])
        read |= {found.name for loss in losses for found in loss.reads}
    for name in sorted(read):
        variable = model.variables[name]
        if variable.kind == "event":
            needs.past.add(name)
        elif variable.kind == "measurement":
            needs.history.add(name)
            steps = needs.steps.setdefault(name, set())
            if not measured_at_will(variable):
                steps.update(step for step in measured_steps(variable, steps=effect.at) if step < effect.at)
    return needs


def restrict(people: People, effect: Effect) -> tuple[Model, tuple[str, ...], str]:
    """The model in which only what the table holds at the times that the effect needs counts as recorded; what is
    lacking, in words; and why the effect cannot be told from the table, else "".

    A covariate that the table lacks at such a time counts as latent, which can only make an effect unidentifiable.
    """
    model = people.model
    notes: list[str] = []
    if reason := _find_obstacle(people, effect):
        return model, (), reason
    while lacking := _find_lacking(people, model, effect):
        for name, lacks in lacking.items():
            if name in (effect.treatment, effect.outcome) or name in _population_names(model, effect):
                fix = f"it needs a column for that, or a model in which {name} has no value then"
                return model, tuple(notes), f"the table lacks {name} {lacks}: {fix}"
            notes.append(f"{name} counts as not recorded: the table lacks it {lacks}")
        latent = {name: replace(model.variables[name], recorded=False) for name in lacking}
        model = replace(model, variables={**model.variables, **latent})
    return model, tuple(notes), ""


def measured_at_will(variable: Variable) -> bool:
    """Whether a measurement has no times of its own: what is there is all."""
    return variable.when is not None and not isinstance(variable.when, Schedule)


def _population_names(model: Model, effect: Effect) -> set[str]:
    return {read.name for read in reads(effect.population)} & set(model.variables)


def _find_obstacle(people: People, effect: Effect) -> str:
    """Why the table cannot tell the effect whatever else it holds: of the outcome, the endings, the population."""
    model = people.model
    for name in (effect.treatment, effect.outcome, *sorted(_population_names(model, effect))):
        if not model.variables[name].recorded and name in people.missing:
            return f"{name} is not in the table"
    losses = {variable.name for variable in list_losses(effect, model)}
    endings = [v.name for v in model.variables.values() if v.ends != "nothing"]
    for name in dict.fromkeys((*endings, effect.outcome)):
        if (visits := people.by_visit.get(name)) is None:
            continue
        if name in losses:
            return (
                f"weights for {name} need its times, and the table says only whether it had happened: a column {name}"
            )
        for time in (effect.by, *([effect.decision] if effect.decision else [])):
            if all(abs(time - step) > TOLERANCE for step in visits):
                told = ", ".join(write_time(step, clock=model.clock) for step in sorted(visits))
                when = write_time(time, clock=model.clock)
                return f"the table says whether {name} had happened by {told}, and not by {when}"
    return ""


def _find_lacking(people: People, model: Model, effect: Effect) -> dict[str, str]:
    """Where the table lacks what the effect needs, in words, by variable."""
    found, clock, needs = {}, model.clock, find_needs(model, effect)
    for name in sorted(needs.past & set(people.by_visit)):
        if name != effect.outcome and model.variables[name].ends == "nothing":
            found[name] = "by the time at which it happened"
    for name, steps in needs.steps.items():
        variable, held = model.variables[name], people.held.get(name, frozenset())
        if variable.kind == "treatment":
            first = min(steps)
            if all(step > first for step in held):
                found[name] = f"by {write_time(first, clock=clock)}"
        elif variable.kind == "measurement" and measured_at_will(variable):
            if not held:
                found[name] = "at all times"
        elif variable.kind == "measurement" and (lacking := sorted(steps - held)):
            shown = ", ".join(write_time(step, clock=clock) for step in lacking[:MOST_SHOWN])
            found[name] = f"at {shown}{', …' if len(lacking) > MOST_SHOWN else ''}"
    return found


def _list_steps(model: Model, column: Column) -> Iterable[int]:
    """The steps whose values a column is made of: one, or, of a measurement that may be missed, all due by then."""
    variable = model.variables[column.variable]
    if variable.kind != "measurement":
        return (column.step,)
    if column.node[0] == "last":
        return measured_steps(variable, steps=column.node[-1])
    if column.node[0] == "final":
        return measured_steps(variable, steps=column.step)[-1:]
    return (column.node[-1],)
