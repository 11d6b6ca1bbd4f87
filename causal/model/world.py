"""Worlds: the model under a set of interventions. The factual world has none."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import Literal

from ...errors import NosographError, fail, list_some, nearest
from ..language import Expression, Read, parse_expression, reads
from ..language.syntax import Level, Number
from .binary import is_yes_or_no
from .composites import ends_journey
from .domains import check_constants
from .duration import parse_steps
from .findings import Findings
from .formula import refuse_derived
from .levels import EXPECTED, check_levels_used
from .model import Model, Variable

Operator = Literal["=", "+=", "*="]
MAXIMUM_LENGTH = 20_000
TIME = r"\d+(?:\.\d+)?(?:\s*[A-Za-z]+)?"
INTERVENTION = re.compile(
    rf"""\s*(?P<target>[A-Za-z_]\w*)\s*(?P<operator>\+=|\*=|=(?!=))\s*(?P<value>.+?)
    (?:\s+from\s+(?P<first>{TIME})(?:\s+to\s+(?P<stop>{TIME}))?|\s+at\s+(?P<at>{TIME}))?\s*""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Intervention:
    """In steps [first, stop), the mechanism of `target` is replaced (=) or its result is changed (+=, *=).

    If `source` names a world of the same run, `target` takes its value from there, and `value` is ignored.
    """

    target: str
    operator: Operator
    value: Expression
    first: int
    stop: int
    text: str
    source: str = ""

    def active(self, step: int) -> bool:
        return self.first <= step < self.stop


@dataclass(frozen=True)
class World:
    name: str
    interventions: tuple[Intervention, ...] = ()

    def __str__(self) -> str:
        return "; ".join(intervention.text for intervention in self.interventions) or "as the model has it"


FACTUAL = World("factual")
INTERVENED = "intervened"  # the name of a base world that is not factual


def parse_intervention(text: str, *, model: Model) -> Intervention:
    """`lecanemab = 1 from 6 months to 18 months`, `cognition += 0.5 at 6 months`, `amyloid_growth *= 0.7`, or a policy
    `lecanemab = where(amyloid_pet > 24, 1, 0)`. Windows are half-open. Raises NosographError.
    """
    text = " ".join(text.split())
    match = INTERVENTION.fullmatch(text) if len(text) <= MAXIMUM_LENGTH else None
    if match is None:
        raise fail(
            "expected an intervention: a name, =, += or *=, and a value",
            value=text,
            fix="lecanemab = 1 from 6 months",
        )
    target = match["target"]
    known = [*model.variables, *model.parameters]
    if target not in known:
        near = nearest(target, known)
        fix = f"{near} = …" if near else list_some(sorted(known))
        raise fail(f"unknown variable or parameter {target!r}", value=text, fix=fix)
    if target in model.variables and model.variables[target].any_of:
        parts = ", ".join(model.variables[target].any_of)
        problem = f"'{target}' is a composite event, which happens when one of its components does"
        raise fail(problem, value=text, fix=f"an intervention on its components: {parts}")
    if target in model.parameters and (derived := refuse_derived(model.parameters, target)) is not None:
        raise NosographError(replace(derived, value=text))
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
        raise fail("the intervention ends before it begins", value=text, fix=f"{target} = … from 6 months to 18 months")
    if target in model.variables and model.variables[target].kind == "event" and stop <= 1:
        raise fail(
            "no event can happen at the start", value=text, fix=f"{target} = {match['value']} at {_first(model)}"
        )
    _check_change(match["operator"], value, target=target, model=model, text=text)
    timeless = target in model.parameters or model.variables[target].kind == "static"
    if timeless and (first > 0 or stop <= steps):
        raise fail(
            f"{target} does not change over time", value=text, fix=f"{target} {match['operator']} {match['value']}"
        )
    return Intervention(target, match["operator"], value, first, stop, text)  # type: ignore[arg-type]


def take_from(world: str, target: str, *, model: Model) -> Intervention:
    """An intervention that gives `target`, at every step, its value in `world`, which runs in the same pass. Raises
    NosographError for competing events, and for measurements, since whether they are recorded would not be copied."""
    variable = model.variables[target]
    if variable.any_of:
        problem = f"{target} is a composite event and cannot be taken from another world"
        raise fail(problem, value=target, fix=f"one of its components: {', '.join(variable.any_of)}")
    if variable.kind == "measurement" or variable.competes:
        fix = variable.of or "a variable that it depends on, or that depends on it"
        kind = "a measurement" if variable.kind == "measurement" else "a competing event"
        raise fail(f"{target} is {kind} and cannot be taken from another world", value=target, fix=fix)
    text = f"{target} as in {world}"
    return Intervention(target, "=", Number(math.nan), 0, model.clock.steps + 1, text, source=world)


def _parse_value(text: str, *, target: str, model: Model) -> Expression:
    levels = model.variables[target].levels if target in model.variables else ()
    if text.strip() in levels:  # without its quotation marks
        return Level(text.strip())
    value = parse_expression(text)
    if levels and isinstance(value, Number):
        raise fail(f"{target} takes {list_some(levels)}", value=text, fix=f'{target} = "{levels[0]}"')
    known = {"t", "dt", *model.parameters} | (set() if target in model.parameters else set(model.variables))
    for read in sorted(reads(value)):
        if read.name not in known:
            near = nearest(read.name, known)
            raise fail(f"unknown name {read.name!r}", value=text, fix=text.replace(read.name, near) if near else "")
        check_read(read, model=model, text=text)
        if read.name == target and (read.same_step or (target in model.variables and _is_static(target, model))):
            raise fail(f"{target} reads its own value in the same step", value=text, fix=f"{target}[-1], or += and *=")
        if target in model.variables and model.variables[target].kind == "static":
            cause = model.variables.get(read.name)
            if cause is not None and cause.kind != "static":
                raise fail(f"{target} is static and cannot read {read.name}", value=text, fix="a number")
    check_levels(value, model=model, target=model.variables.get(target))
    check_constants(target, value)
    return value


def _is_static(name: str, model: Model) -> bool:
    return model.variables[name].kind == "static"


def _first(model: Model) -> str:
    return model.clock.text[0] if len(model.clock.text[0].split()) > 1 else f"1 {model.clock.text[0]}"


def check_read(read: Read, *, model: Model, text: str) -> None:
    """Raise NosographError if a name cannot be read in this way."""
    variable = model.variables.get(read.name)
    if variable is not None and variable.kind == "event" and ends_journey(model.variables, read.name):
        raise fail(
            f"{read.name!r} ends the journey, so nothing can see that it happened", value=text, fix="leave it out"
        )
    if variable is None and (read.lag or read.how != "value"):
        raise fail(f"{read.name!r} has no past", value=text, fix=read.name)
    if variable is not None and read.how != "value" and variable.kind != EXPECTED[read.how]:
        wanted, kind = EXPECTED[read.how], variable.kind
        raise fail(f"{read.how}() takes a variable of kind {wanted}, but {read.name!r} is of kind {kind}", value=text)
    if read.lag > model.clock.steps:
        raise fail(f"the journey has only {model.clock.steps} steps", value=text, fix=f"{read.name}[-1]")


def check_levels(expression: Expression, *, model: Model, target: Variable | None = None) -> None:
    """Raise NosographError if a level is not compared with a categorical that has it, nor given to `target`."""
    findings = Findings()
    check_levels_used("", expression, model, findings, target=target)
    findings.raise_errors()


def _check_change(operator: str, value: Expression, *, target: str, model: Model, text: str) -> None:
    """A categorical can only be set, not changed; what is yes or no, to 0 or 1. Policies are checked when they run."""
    variable = model.variables.get(target)
    if variable is None:
        return
    if variable.levels and operator != "=":
        fix = f'{target} = "{variable.levels[0]}"'
        raise fail(f"{target} takes {list_some(variable.levels)}", value=text, fix=fix)
    if isinstance(value, Number) and value.value not in (0, 1) and is_yes_or_no(variable, model):
        raise fail(f"{target} takes 0 or 1", value=text, fix=f"{target} = 1")


def parse_world(text: str, *, model: Model) -> World:
    """`treated: lecanemab = 1; aria_e = 0`: a name and its interventions."""
    name, colon, body = text.partition(":")
    if not colon or not name.strip():
        raise fail("a world needs a name, a colon, and interventions", value=text, fix="treated: lecanemab = 1")
    if name.strip() == FACTUAL.name:
        problem = f"{FACTUAL.name!r} is the name of the world without interventions"
        raise fail(problem, value=text, fix=f"treated:{body}")
    if not re.fullmatch(r"[A-Za-z][\w -]*", name.strip()):
        problem = "a world's name begins with a letter from A to Z, and has letters, digits, blanks, - and _ only"
        raise fail(problem, value=text, fix=f"treated:{body}")
    parts = re.split(r";(?![^()]*\))", body) if len(body) <= MAXIMUM_LENGTH else [body]  # table() contains a semicolon
    return World(name.strip(), tuple(parse_intervention(part, model=model) for part in parts if part.strip()))
