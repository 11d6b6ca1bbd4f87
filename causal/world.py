"""Worlds: the model under a set of interventions. The factual world has none."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from ..errors import NosographError, fail, nearest
from .duration import parse_steps
from .language import Expression, parse_expression, reads
from .model import Model

Operator = Literal["=", "+=", "*="]
TIME = r"\d+(?:\.\d+)?(?:\s*[A-Za-z]+)?"
INTERVENTION = re.compile(
    rf"""\s*(?P<target>[A-Za-z_]\w*)\s*(?P<operator>\+=|\*=|=(?!=))\s*(?P<value>.+?)
    (?:\s+from\s+(?P<first>{TIME})(?:\s+to\s+(?P<stop>{TIME}))?|\s+at\s+(?P<at>{TIME}))?\s*""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Intervention:
    """In steps [first, stop), the mechanism of `target` is replaced (=) or what it gives is changed (+=, *=)."""

    target: str
    operator: Operator
    value: Expression
    first: int
    stop: int
    text: str

    def active(self, step: int) -> bool:
        return self.first <= step < self.stop


@dataclass(frozen=True)
class World:
    name: str
    interventions: tuple[Intervention, ...] = ()

    def __str__(self) -> str:
        return "; ".join(intervention.text for intervention in self.interventions) or "as the model has it"


FACTUAL = World("factual")


def parse_intervention(text: str, *, model: Model) -> Intervention:
    """`lecanemab = 1 from 6 months to 18 months`, `cognition += 0.5 at 6 months`, `amyloid_growth *= 0.7`, or a policy
    `lecanemab = where(amyloid_pet > 24, 1, 0)`. Windows are half-open. Raises NosographError.
    """
    match = INTERVENTION.fullmatch(text)
    if match is None:
        raise fail("an intervention is a name, =, += or *=, and a value", value=text, fix="lecanemab = 1 from 6 months")
    target = match["target"]
    known = [*model.variables, *model.parameters]
    if target not in known:
        near = nearest(target, known)
        fix = f"{near} = …" if near else f"one of {', '.join(sorted(known))}"
        raise fail(f"the model has no variable or parameter {target!r}", value=text, fix=fix)
    steps = model.clock.steps
    try:
        times = [match[key] for key in ("at", "first", "stop") if match[key] is not None]
        marks = parse_steps(times, clock=model.clock)
        value = _parse_value(match["value"], target=target, model=model)
    except NosographError as error:
        raise fail(
            f"in the intervention {text!r}: {error.problems[0].problem}",
            value=error.problems[0].value,
            fix=error.problems[0].fix,
        ) from error
    first = marks[0] if marks else 0
    stop = first + 1 if match["at"] else marks[1] if len(marks) > 1 else steps + 1
    if stop <= first:
        raise fail("an intervention ends before it begins", value=text, fix=f"{target} = … from 6 months to 18 months")
    timeless = target in model.parameters or model.variables[target].kind == "static"
    if timeless and (first > 0 or stop <= steps):
        raise fail(
            f"{target} does not change in time", value=text, fix=f"{target} {match['operator']} {match['value']}"
        )
    return Intervention(target, match["operator"], value, first, stop, " ".join(text.split()))  # type: ignore[arg-type]


def _parse_value(text: str, *, target: str, model: Model) -> Expression:
    levels = model.variables[target].levels if target in model.variables else ()
    stripped = text.strip().strip('"')
    if stripped in levels:
        return parse_expression(str(levels.index(stripped)))
    value = parse_expression(text)
    known = {"t", "dt", *model.parameters} | (set() if target in model.parameters else set(model.variables))
    for read in reads(value):
        if read.name not in known:
            near = nearest(read.name, known)
            raise fail(
                f"{read.name!r} is not known here", value=text, fix=text.replace(read.name, near) if near else ""
            )
        if read.name == target and read.same_step:
            raise fail(f"{target} reads its own value", value=text, fix=f"{target}[-1], or += and *=")
        if target in model.variables and model.variables[target].kind == "static":
            cause = model.variables.get(read.name)
            if cause is not None and cause.kind != "static":
                raise fail(f"{target} is static and cannot read {read.name}", value=text, fix="a number")
    return value


def parse_world(text: str, *, model: Model) -> World:
    """`treated: lecanemab = 1; aria_e = 0`: a name and its interventions."""
    name, colon, body = text.partition(":")
    if not colon or not re.fullmatch(r"[A-Za-z][\w -]*", name.strip()) or name.strip() == FACTUAL.name:
        raise fail("a world is a name, a colon, and interventions", value=text, fix="treated: lecanemab = 1")
    return World(name.strip(), tuple(parse_intervention(part, model=model) for part in body.split(";") if part.strip()))
