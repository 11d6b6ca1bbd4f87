"""The rules for events: composites, the order of instants within a step, and what can no longer be seen."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set

from ...errors import nearest
from ..language import Expression, reads
from ..language.bounds import Range, bound
from ..language.syntax import Binary, Draw, Name
from .composites import ends_journey, list_components
from .duration import YEARS
from .findings import Findings
from .model import Model, Variable
from .order import find_waits

MOST_PER_STEP = 0.2  # expected events in a step, above which one a step at most is too few


def check_events(model: Model, findings: Findings, broken: Set[str]) -> None:
    """Check every rule for events. `broken`: variables with an expression that does not parse."""
    for variable in model.variables.values():
        if variable.any_of:
            _check_composite(variable, model, findings)
        if variable.name not in broken:
            _check_ended(variable, model, findings)
            _check_order(variable, model, findings)
            _check_frequency(variable, model, findings)


def find_circle(model: Model) -> str:
    """A composite that is a component of itself; empty if there is none."""
    for name, variable in model.variables.items():
        waiting, seen = list(variable.any_of), set[str]()
        while waiting:
            at = waiting.pop()
            if at == name:
                return name
            if at not in seen and at in model.variables:
                seen.add(at)
                waiting += model.variables[at].any_of
    return ""


def _check_composite(composite: Variable, model: Model, findings: Findings) -> None:
    name, path = composite.name, f"{composite.name}.any_of"
    events = [v.name for v in model.variables.values() if v.kind == "event" and v.name != name]
    if composite.kind != "event":
        findings.error(path, f"only an event is composite, and '{name}' is a {composite.kind}", fix="kind: event")
    fixes = {
        "mechanism": (composite.mechanism is not None, "remove mechanism, or any_of"),
        "competes": (bool(composite.competes), "competes at its components"),
        "ends": (composite.ends != "nothing", "ends at those of its components that end something"),
    }
    for key, (present, fix) in fixes.items():
        if present:
            problem = f"a composite event has no '{key}': it happens when one of its components does"
            findings.error(f"{name}.{key}", problem, fix=fix)
    for part in composite.any_of:
        if part in model.variables and model.variables[part].kind != "event":
            kind = model.variables[part].kind
            fix = f"an event, such as kind: event, mechanism: {part} > 0"
            findings.error(path, f"a composite is made of events, and '{part}' is a {kind}", fix=fix, value=part)
        elif part not in model.variables and not findings.errors:
            findings.error(path, f"'{part}' is not declared", fix=nearest(part, events) or "an event", value=part)


def _check_ended(variable: Variable, model: Model, findings: Findings) -> None:
    """What ends the journey cannot be read: nothing happens, and nothing is computed, after it."""
    for key, expression in variable.expressions.items():
        for name in sorted({read.name for read in reads(expression)}):
            cause = model.variables.get(name)
            if cause is None or cause.kind != "event" or not ends_journey(model.variables, name):
                continue
            text = str(expression)
            joined = _list_alternatives(expression)
            guard = rf"(?: and not ever\({name}\)|not ever\({name}\) and )"
            without = re.sub(guard, "", text)
            fix = f"leave it out: {without}" if without != text else "leave it out, or any_of for an event of several"
            if joined and variable.kind == "event":
                fix = f"any_of: [{', '.join(joined)}] instead of the mechanism"
            findings.error(
                f"{variable.name}.{key}",
                f"'{name}' ends the journey, so '{variable.name}' can never see that it happened",
                fix=fix,
                value=text,
            )


def _list_alternatives(expression: Expression) -> list[str]:
    """The names in `a or b or c`; empty for any other expression."""
    match expression:
        case Name(name, 0):
            return [name]
        case Binary("or", left, right):
            sides = _list_alternatives(left), _list_alternatives(right)
            return [*sides[0], *sides[1]] if all(sides) else []
    return []


def _check_order(variable: Variable, model: Model, findings: Findings) -> None:
    """A hazard has an instant within the step, so it cannot read an event of the same step: that may come later."""
    if not variable.is_hazard:
        return
    waits = find_waits(model, first=False, grouped=False)
    seen: dict[str, str] = {}  # variable -> the one that reads it
    waiting = [(cause, variable.name) for cause in waits[variable.name]]
    while waiting:
        name, reader = waiting.pop(0)
        if name in seen or name == variable.name:
            continue
        seen[name] = reader
        if model.variables[name].kind != "event":
            waiting += [(cause, name) for cause in waits[name]]
            continue
        if reader == variable.name:
            through, fix = "", f"{name}[-1] or ever({name})"
        else:
            through, fix = f" through '{reader}'", f"{reader}[-1]"
        findings.error(
            f"{variable.name}.mechanism",
            f"the hazard reads the event '{name}' of its own step{through}, which may come after it",
            fix=f"{fix} for earlier steps; any_of for an event that is one of several",
            value=str(variable.mechanism),
        )


def _check_frequency(variable: Variable, model: Model, findings: Findings) -> None:
    """An event happens at most once a step: 1 - exp(-r dt) of them instead of r dt."""
    draw = variable.mechanism
    if variable.occurs != "repeatedly" or not isinstance(draw, Draw) or draw.family != "Hazard":
        return
    rate = bound(draw.parameters[0], known=_known(model))[1]
    expected = rate * model.clock.dt
    if MOST_PER_STEP < expected < float("inf"):
        findings.warn(
            f"{variable.name}.mechanism",
            f"'{variable.name}' may be due {expected:.2g} times in a step, but happens at most once in it",
            fix=f"clock: {{step: {_write_duration(model.clock.step * MOST_PER_STEP / expected)}, …}}",
            value=str(draw),
        )


def _write_duration(years: float) -> str:
    """The longest duration of at most so many years that is a whole number of days, hours or minutes."""
    for unit in ("day", "hour"):
        if (count := int(years / YEARS[unit] + 1e-9)) >= 1:
            return f"{count} {unit}{'s' * (count > 1)}"
    return f"{max(int(years / YEARS['minute']), 1)} minutes"


def _known(model: Model) -> Mapping[str, Range]:
    known: dict[str, Range] = {name: (p.value, p.value) for name, p in model.parameters.items()}
    known |= {
        v.name: (0.0, float(len(list_components(model.variables, v.name))))
        for v in model.variables.values()
        if v.kind == "event"
    }
    return known | {"dt": (model.clock.dt,) * 2, "t": (0.0, model.clock.dt * model.clock.steps)}
