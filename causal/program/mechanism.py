"""Mechanisms: how a variable gets its value from its causes and its own noise."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass

import torch
from torch import Tensor

from ...errors import fail
from ..families import FAMILIES, Family
from ..families.domain import REAL
from ..language import Expression
from ..language.bounds import Bounds, Range
from ..language.syntax import Call, Draw, find_draw
from .expressions import Evaluator, StepState
from .tensors import Value, as_tensor, clip


@dataclass(frozen=True)
class Mechanism:
    """One compiled expression. Without a family it is deterministic, and `parameters` holds its only expression."""

    variable: str
    family: Family | None
    parameters: tuple[Evaluator, ...]
    doubtful: tuple[int, ...]  # indices of parameters to check at run time
    wraps: tuple[tuple[Evaluator, Evaluator] | None, ...]  # clip(low, high), or None for round; innermost first

    def push(self, state: StepState, noise: Tensor | None, *, patients: Tensor) -> Tensor:
        """The value, shape (worlds or 1, patients), from the noise, (1, patients).

        Raises NosographError where a parameter leaves its domain, naming variable, time, value and patient.
        """
        if self.family is None:
            return as_tensor(self.parameters[0](state))
        assert noise is not None
        value = self.family.push(noise, *self.evaluate_parameters(state, patients=patients))
        for wrap in self.wraps:
            value = torch.round(value) if wrap is None else as_tensor(clip(value, wrap[0](state), wrap[1](state)))
        return value

    def evaluate_parameters(self, state: StepState, *, patients: Tensor) -> list[Value]:
        """The parameters of the distribution, checked against their domains."""
        assert self.family is not None
        values = [evaluate(state) for evaluate in self.parameters]
        for index in self.doubtful:
            self.check(values[index], index, state, patients)
        if self.family.joint_rule:
            for index, valid in enumerate(self.family.valid(*values)):
                self.complain(~valid, values[index], index, state, patients, self.family.joint_rule)
        return values

    def check(self, value: Value, index: int, state: StepState, patients: Tensor) -> None:
        assert self.family is not None
        domain = self.family.get_domain(index)
        tensor = as_tensor(value).detach()
        least, greatest = (float(extreme) for extreme in torch.aminmax(tensor))
        finite = least > -math.inf and greatest < math.inf
        if domain.whole or not finite or not domain.covers(least, greatest):
            self.complain(~domain.contains(tensor), tensor, index, state, patients, domain.rule)

    def complain(self, bad: Tensor, value: Value, index: int, state: StepState, patients: Tensor, rule: str) -> None:
        """Raise NosographError for the first living patient whose parameter is `bad`."""
        assert self.family is not None
        found = find_bad(bad, value, time=state.time, dead=state.dead, patients=patients)
        if found is None:
            return
        names = self.family.parameters
        raise fail(
            f"the {names[min(index, len(names) - 1)]} of {self.family.name} must be {rule}",
            node=self.variable,
            value=str(found),
            fix="where(recorded(x), …, …) around a measurement that may not be recorded yet"
            if math.isnan(found.value)
            else self.family.get_domain(index).fix,
        )


@dataclass(frozen=True)
class BadValue:
    """A value that must not be, when, and whose (None: everybody's)."""

    value: float
    time: float
    patient: int | None

    def __str__(self) -> str:
        return f"{self.value:g} at t = {self.time:g}" + (
            f", patient {self.patient}" if self.patient is not None else ""
        )


def find_bad(
    bad: Tensor, value: Value, *, time: float, dead: Tensor | None, patients: Tensor | None
) -> BadValue | None:
    """The value of the first living patient for whom it is `bad`; None if there is none."""
    if dead is not None:
        bad = bad & ~dead
    if not bool(bad.any()):
        return None
    where = bad.nonzero()[0]
    found = float(as_tensor(value).expand(bad.shape)[tuple(where)])
    known = patients is not None and bad.dim() and bad.shape[-1] == len(patients)
    return BadValue(found, time, int(patients[where[-1]]) if patients is not None and known else None)


def compile_mechanism(
    expression: Expression,
    *,
    variable: str,
    evaluator: Callable[[Expression], Evaluator],
    known: Mapping[str, Range],
    measured: Set[str],
) -> Mechanism:
    """Compile `expression`, its parts with `evaluator`. `known`: bounds of names; `measured`: names that may have no
    value yet."""
    draw = find_draw(expression)
    if draw is None:
        return Mechanism(variable, None, (evaluator(expression),), (), ())
    wraps: list[tuple[Evaluator, Evaluator] | None] = []
    inner = expression
    while isinstance(inner, Call):
        wraps.insert(
            0, None if inner.function == "round" else (evaluator(inner.arguments[1]), evaluator(inner.arguments[2]))
        )
        inner = inner.arguments[0]
    family = FAMILIES[draw.family]
    doubtful = tuple(i for i in range(len(draw.parameters)) if _doubtful(draw, i, family, known, measured))
    return Mechanism(variable, family, tuple(map(evaluator, draw.parameters)), doubtful, tuple(wraps))


def _doubtful(draw: Draw, index: int, family: Family, known: Mapping[str, Range], measured: Set[str]) -> bool:
    """Whether a parameter could leave its domain, as far as is known before the run."""
    domain = family.get_domain(index)
    expression = draw.parameters[index]
    if any(getattr(node, "name", "") in measured for node in expression.walk()):
        return True  # a measurement is NaN until it is first recorded
    if domain is REAL:
        return False  # an overflow is caught in the value itself
    bounds = Bounds(known)
    if any(map(bounds.may_be_undefined, expression.walk())):
        return True  # bounds do not cover NaN
    return domain.whole or not domain.covers(*bounds.of(expression))
