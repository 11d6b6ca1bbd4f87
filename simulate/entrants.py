"""Who enters: candidates are drawn by number until as many as asked for meet the condition."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..causal.language import Expression, parse_expression, reads
from ..causal.model.domains import check_condition
from ..causal.model.model import Model
from ..causal.model.world import check_levels, check_read
from ..causal.program.expressions import StepState, compile_expression
from ..causal.program.sampling import sample
from ..causal.program.tensors import is_true
from ..errors import check_whole, fail, nearest

BLOCK = 20_000
PATIENCE = 50 * BLOCK  # candidates in a row of whom nobody enters


@dataclass(frozen=True)
class Entrants:
    """Patient numbers, ascending, and how many candidates had been drawn when the last of them was found."""

    numbers: Tensor
    drawn: int


def count_patients(patients: int) -> int:
    """`patients`, where it is a number of patients. Raises NosographError for none."""
    return check_whole(patients, "the number of patients", least=1, fix="-n 1000")


def parse_condition(text: str, *, model: Model) -> Expression:
    """A condition on entry such as `age >= 65`. Raises NosographError for a name that the model does not have."""
    condition = parse_expression(text)
    for read in sorted(reads(condition)):
        variable = model.variables.get(read.name)
        if variable is None and read.name not in model.parameters and read.name not in ("t", "dt"):
            near = nearest(read.name, model.variables)
            raise fail(
                f"the model has no variable {read.name!r}", value=text, fix=near and text.replace(read.name, near)
            )
        check_read(read, model=model, text=text)
        if read.lag or read.how in ("ever", "since") or (variable is not None and variable.kind == "event"):
            raise fail(
                f"who enters is chosen at the start, where {read.name!r} has no past", value=text, fix="age > 50"
            )
    check_levels(condition, model=model)
    check_condition(condition, model=model)
    return condition


def select_entrants(
    model: Model, *, count: int, seed: int, where: Expression | None = None, batch: int = BLOCK
) -> Iterator[Entrants]:
    """The first `count` patients, in batches, who meet the model's population and `where` at step 0.

    Raises NosographError where nobody enters.
    """
    conditions = [condition for condition in (model.population, where) if condition is not None]
    if not conditions:
        for first in range(0, count, batch):
            last = min(first + batch, count)
            yield Entrants(torch.arange(first, last), last)
        return
    waiting = torch.empty(0, dtype=torch.int64)
    found = 0
    first, last_found = 0, 0
    while found < count:
        block = torch.arange(first, first + BLOCK)
        entering = block[meets(model, conditions, patients=block, seed=seed)][: count - found]
        found += len(entering)
        first += BLOCK
        last_found = int(entering[-1]) + 1 if len(entering) else last_found
        if first - last_found > PATIENCE:
            raise fail(
                f"of the last {first - last_found:,} candidates drawn, nobody meets the condition on entry",
                value=" and ".join(map(str, conditions)),
                fix="a wider condition, or fewer patients",
            )
        waiting = torch.cat([waiting, entering])
        while len(waiting) >= batch or (found == count and len(waiting)):
            numbers, waiting = waiting[:batch], waiting[batch:]
            yield Entrants(numbers, int(numbers[-1]) + 1)


def meets(model: Model, conditions: list[Expression], *, patients: Tensor, seed: int) -> Tensor:
    """Which of `patients` meet all conditions at step 0: bool, (patients,)."""
    names = sorted({read.name for read in reads(*conditions)} & set(model.variables))
    start = sample(model, patients=patients, seed=seed, steps=0, keep=names)
    now: dict[str, Tensor] = {}
    seen = {name: taken.any(1) for name, taken in start.recorded.items()}
    for name in names:
        held = start.values[name]
        if name in start.recorded:
            held = torch.where(start.recorded[name], held, torch.nan)
        now[name] = held[:, 0] if held.shape[1] else torch.full((1, len(patients)), torch.nan)
    return find_meeting(conditions, model=model, now=now, seen=seen, count=len(patients))


def find_meeting(
    conditions: Sequence[Expression],
    *,
    model: Model,
    now: dict[str, Tensor],
    seen: dict[str, Tensor],
    count: int,
) -> Tensor:
    """Which of `count` patients meet all conditions at step 0, by values and by what has been recorded, each of shape
    (1, patients): bool, (patients,). A condition that is NaN, since what it reads has no value, is not met."""
    parameters = {name: parameter.value for name, parameter in model.parameters.items()}
    moment = StepState(time=0.0, dt=model.clock.dt, parameters=parameters, now=now, history=[], seen=seen)
    levels = {variable.name: variable.levels for variable in model.variables.values() if variable.levels}
    kept = torch.ones(count, dtype=torch.bool)
    for condition in conditions:
        value = compile_expression(condition, constant=frozenset(), levels=levels)(moment)
        kept &= torch.as_tensor(is_true(value)).expand(1, count)[0]
    return kept
