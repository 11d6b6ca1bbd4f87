"""The arrows of the causal graph: when each acts, which an intervention cuts, and what it can reach. No torch here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..language import reads
from .formula import find_dependents
from .model import Model, Schedule, Variable
from .world import Intervention


def measured_steps(variable: Variable, *, steps: int) -> tuple[int, ...]:
    """The steps, from 0 to `steps`, in which a measurement may be taken."""
    if isinstance(variable.when, Schedule):
        return tuple(k for k in range(steps + 1) if variable.when.includes(k))
    return tuple(range(steps + 1))


def evaluated_steps(variable: Variable, key: str, *, steps: int) -> tuple[int, ...]:
    """The steps in which the expression under `key` of `variable` is evaluated."""
    match variable.kind, key:
        case ("static", _) | (_, "start"):
            return (0,)
        case ("measurement", "when"):
            return tuple(range(steps + 1))
        case ("measurement", _):
            return measured_steps(variable, steps=steps)
        case ("event", _):
            return tuple(range(1, steps + 1))
    return tuple(range(0 if variable.start is None else 1, steps + 1))


@dataclass(frozen=True)
class Cut:
    """What one intervention does to the arrows into its target, in steps [first, stop) of the intervention.

    `cut`: causes without influence in those steps. `kept`: causes that still decide whether a measurement is taken or
    missing. `outside`: causes read only at other times (a start before the window, a mechanism after it). `added`:
    variables that the intervention's value reads, as in a policy. `own_past`: whether the target's own past was cut
    too.
    """

    intervention: Intervention
    cut: tuple[str, ...]
    kept: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    own_past: bool = False

    @property
    def edges(self) -> tuple[tuple[str, str], ...]:
        return tuple((cause, self.intervention.target) for cause in self.cut)


def find_cut(model: Model, intervention: Intervention) -> Cut:
    """The arrows that the intervention cuts. A soft one (+=, *=) and one on a parameter cut none."""
    policy = {read.name for read in reads(intervention.value)} - {intervention.target}
    added = tuple(name for name in model.variables if name in policy)
    variable = model.variables.get(intervention.target)
    if variable is None or intervention.operator != "=":
        return Cut(intervention, (), added=added)
    by_key = {key: {read.name for read in reads(text)} for key, text in variable.expressions.items()}
    replaced: set[str] = set()
    for key in by_key.keys() & {"start", "mechanism"}:
        if any(intervention.active(step) for step in evaluated_steps(variable, key, steps=model.clock.steps)):
            replaced |= by_key[key]
    deciding = by_key.get("when", set()) | by_key.get("missing", set())
    causes = [name for name in model.variables if any(claim.cause == name for claim in variable.claims)]
    return Cut(
        intervention,
        cut=tuple(name for name in causes if name in replaced),
        kept=tuple(name for name in causes if name in deciding),
        outside=tuple(name for name in causes if name not in replaced | deciding),
        added=added,
        own_past=variable.name in replaced,
    )


def find_reach(model: Model, interventions: Iterable[Intervention]) -> dict[str, int]:
    """The variables that can differ from the factual world, each with the first step in which it can differ.

    These are the targets and their descendants in the graph unrolled over time, including effects through a closed
    record or a competing event. Earlier steps, and all other variables, are the same in both worlds, bit for bit, as
    long as the journey lasts in both.
    """
    arrows: dict[str, list[_Arrow]] = {}
    for arrow in _find_arrows(model):
        arrows.setdefault(arrow.cause, []).append(arrow)
    reached = dict.fromkeys(model.variables, 0)  # steps as the bits of a number
    for name, steps in _find_sources(model, interventions):
        reached[name] |= steps
    waiting = [name for name, steps in reached.items() if steps]
    while waiting:
        name = waiting.pop()
        for arrow in arrows.get(name, ()):
            new = arrow.carry(reached[name], last=model.clock.steps) | reached[arrow.effect]
            if new != reached[arrow.effect]:
                reached[arrow.effect] = new
                waiting.append(arrow.effect)
    return {name: (steps & -steps).bit_length() - 1 for name, steps in reached.items() if steps}


@dataclass(frozen=True)
class _Arrow:
    """In `steps` (as bits), `effect` reads `cause` `lag` steps back; if `lasting`, also all earlier values."""

    cause: str
    effect: str
    lag: int
    steps: int
    lasting: bool = False

    def carry(self, changed: int, *, last: int) -> int:
        """The steps in which the effect can change, given those (at least one) in which the cause can."""
        if self.lasting:
            changed = (1 << (last + 1)) - (changed & -changed)  # the lowest bit and all above it
        start = (1 << self.lag) - 1 if changed & 1 else 0  # a lag that reaches before step 0 reads the start
        return (changed << self.lag | start) & self.steps


def _as_bits(steps: Iterable[int]) -> int:
    digits = bytearray(b"0")
    for step in steps:
        digits.extend(b"0" * (step + 1 - len(digits)))
        digits[step] = ord("1")
    return int(digits[::-1], 2)


def _find_arrows(model: Model) -> Iterator[_Arrow]:
    closing = [v.name for v in model.variables.values() if v.ends == "record"]
    for variable in model.variables.values():
        name = variable.name
        mechanism = _as_bits(evaluated_steps(variable, "mechanism", steps=model.clock.steps))
        for key, expression in variable.expressions.items():
            steps = _as_bits(evaluated_steps(variable, key, steps=model.clock.steps))
            for read in reads(expression):
                if read.name in model.variables:
                    lasting = read.how != "value" or model.variables[read.name].kind in ("static", "measurement")
                    own = read.name == name and read.lag == 1  # continues from its last value
                    yield _Arrow(read.name, name, read.steps_back, steps, lasting or own)
        if variable.kind == "measurement":
            yield from (_Arrow(event, name, 0, mechanism, lasting=True) for event in closing)
        yield from (_Arrow(part, name, 0, mechanism, lasting=variable.occurs == "once") for part in variable.any_of)
        if variable.kind == "event" and variable.occurs == "once":
            yield _Arrow(name, name, 1, mechanism, lasting=True)
        if variable.competes:  # an event that happens once stops competing after it has happened
            competitors = [v for v in model.variables.values() if v.competes == variable.competes and v is not variable]
            yield from (_Arrow(v.name, name, 0, mechanism, lasting=v.occurs == "once") for v in competitors)


def _find_sources(model: Model, interventions: Iterable[Intervention]) -> Iterator[tuple[str, int]]:
    """The variables on which the interventions act directly, with the steps (as bits) in which they do."""
    for intervention in interventions:
        parameters = find_dependents(model.parameters, {intervention.target} & model.parameters.keys())
        for variable in model.variables.values():
            for key, expression in variable.expressions.items():
                steps: Iterable[int] = evaluated_steps(variable, key, steps=model.clock.steps)
                if intervention.target == variable.name and key in ("start", "mechanism"):
                    yield variable.name, _as_bits(step for step in steps if intervention.active(step))
                elif not parameters.isdisjoint(read.name for read in reads(expression)):
                    yield variable.name, _as_bits(steps)
