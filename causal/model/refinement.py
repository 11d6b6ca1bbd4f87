"""Whether what a document imports still means the same when it is computed in shorter steps than it was written for."""

from __future__ import annotations

from collections.abc import Mapping

from ..language import Expression, reads
from ..language.syntax import Binary, Call, Draw, Name, Number, Unary, find_draw
from .model import Schedule, Variable

DT = Name("dt")


def find_obstacle(variable: Variable, variables: Mapping[str, Variable], *, whole: bool) -> str:
    """Why a variable that was written for one step doesn't hold for another; empty if it does. `whole`: the other step
    is a whole part of the first.

    A static, a composite, and a `Hazard` that reads nothing but statics, parameters and `t` hold for any step. For a
    whole part of the step the rules are on the safe side: what they do not know is refused.

    - Nothing is read more than one step back, no event is read by its value (whether it happened in a step), and only
      a state or a treatment reads `dt`.
    - An event is a `Hazard`, whose rate is per unit of time.
    - A state or a treatment x keeps its value or drifts: `x[-1]`, plus or minus terms of the form `dt * …`; it may draw
      `Normal(that, … * sqrt(dt))`, whose variance grows with time (the Euler-Maruyama scheme).
      A `where` chooses between such forms, or values that follow from statics, parameters and `t`, by what doesn't
      change from step to step: these, `ever`, `since`, its own past, and measurements at fixed times. Limits of `clip`
      may stand around a drift without noise.
    - A measurement has fixed times.
    """
    if variable.kind == "static" or variable.any_of or _is_timeless(variable, variables):
        return ""
    if not whole:
        return "it needs a step that is a whole part of that"
    for read in sorted(variable.reads):
        cause = variables.get(read.name)
        if read.lag > 1:
            return f"it reads {read.name}[-{read.lag}], which would be another time"
        if cause is not None and cause.kind == "event" and read.how == "value":
            return f"it reads whether '{read.name}' happened within a step"
    return _OBSTACLES[variable.kind](variable, variables)


def _is_timeless(variable: Variable, variables: Mapping[str, Variable]) -> bool:
    """Whether an event has a rate that follows from statics, parameters and `t` alone."""
    hazard = isinstance(variable.mechanism, Draw) and variable.mechanism.family == "Hazard"
    return hazard and _is_fixed(variable.mechanism, variables)


def _is_fixed(expression: Expression | None, variables: Mapping[str, Variable]) -> bool:
    """Whether all that is read is statics, parameters and `t`."""
    names = {read.name for read in reads(expression)}
    return "dt" not in names and all(name not in variables or variables[name].kind == "static" for name in names)


def _check_event(event: Variable, variables: Mapping[str, Variable]) -> str:
    draw = event.mechanism
    if not isinstance(draw, Draw):
        return "its condition would be tried more often"
    if draw.family != "Hazard":
        return f"it draws {draw.family} at each step, and not Hazard, which is per unit of time"
    return "its rate reads dt" if _reads_dt(draw) else ""


def _check_measurement(measurement: Variable, variables: Mapping[str, Variable]) -> str:
    if not isinstance(measurement.when, Schedule):
        return "whether it is due is decided at each step"
    return "it reads dt" if any(map(_reads_dt, measurement.expressions.values())) else ""


def _check_course(variable: Variable, variables: Mapping[str, Variable]) -> str:
    """A state or a treatment."""
    mechanism, name = variable.mechanism, variable.name
    if mechanism is None or (variable.start is not None and _reads_dt(variable.start)):
        return "its start reads dt"
    draw = find_draw(mechanism)
    if draw is None:
        inner = mechanism
        while isinstance(inner, Call) and inner.function == "clip" and all(map(_has_no_dt, inner.arguments[1:])):
            inner = inner.arguments[0]
        lasting = _drifts(inner, name, variables) or _is_fixed(inner, variables)
        return "" if lasting else f"it is not {name}[-1], or {name}[-1] + dt * …, at each step"
    if draw.family != "Normal":
        return f"it draws {draw.family} anew at each step"
    if draw is not mechanism:
        return "its noise is limited or rounded at each step"
    mean, scale = draw.parameters
    if not _drifts(mean, name, variables, noisy=True):
        return f"its mean is not {name}[-1] + dt * …"
    grows = scale == Number(0.0) or _factors(scale).count(Call("sqrt", (DT,))) == 1
    rest = [factor for factor in _factors(scale) if factor != Call("sqrt", (DT,))]
    return "" if grows and all(map(_has_no_dt, rest)) else "its noise does not grow with sqrt(dt)"


_OBSTACLES = {
    "event": _check_event,
    "measurement": _check_measurement,
    "state": _check_course,
    "treatment": _check_course,
}


def _drifts(node: Expression, name: str, variables: Mapping[str, Variable], *, noisy: bool = False) -> bool:
    """Whether `node` keeps the last value of `name`, or changes it in proportion to dt; `noisy`: it then gets noise."""
    if isinstance(node, Call) and node.function == "where":
        condition, *branches = node.arguments
        return _lasts(condition, name, variables) and all(
            _drifts(branch, name, variables, noisy=noisy) or (not noisy and _is_fixed(branch, variables))
            for branch in branches
        )
    own, *changes = _terms(node)
    return own == Name(name, 1) and all(_is_proportional(change) for change in changes)


def _lasts(condition: Expression, name: str, variables: Mapping[str, Variable]) -> bool:
    """Whether a condition reads only what does not change from step to step by chance."""
    for read in reads(condition):
        cause = variables.get(read.name)
        if read.name == "dt":
            return False
        if cause is None or cause.kind in ("static", "event") or (read.name == name and read.lag == 1):
            continue
        if cause.kind != "measurement" or not isinstance(cause.when, Schedule):
            return False
    return True


def _terms(node: Expression) -> list[Expression]:
    """The terms of a sum or difference, from left to right."""
    if isinstance(node, Binary) and node.operator in ("+", "-"):
        return [*_terms(node.left), node.right] if node.operator == "-" else [*_terms(node.left), *_terms(node.right)]
    return [node]


def _is_proportional(term: Expression) -> bool:
    """Whether a term is dt times what does not read dt."""
    factors = _factors(term)
    return factors.count(DT) == 1 and all(_has_no_dt(factor) for factor in factors if factor != DT)


def _factors(node: Expression) -> list[Expression]:
    """The factors of a product; a divisor counts as one."""
    if isinstance(node, Unary) and node.operator == "negate":
        return _factors(node.operand)
    if isinstance(node, Binary) and node.operator == "*":
        return [*_factors(node.left), *_factors(node.right)]
    if isinstance(node, Binary) and node.operator == "/":
        return [*_factors(node.left), Binary("/", Number(1.0), node.right)]
    return [node]


def _reads_dt(expression: Expression) -> bool:
    return any(read.name == "dt" for read in reads(expression))


def _has_no_dt(expression: Expression) -> bool:
    return not _reads_dt(expression)
