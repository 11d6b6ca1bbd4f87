"""What can be known of a model's numbers before a run: constants outside their domains, conditions that are never or
always true, and events that can never happen."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import replace

from ..families import FAMILIES
from ..language import reads
from ..language.bounds import ANYTHING, COMPARISONS, Bounds, Range
from ..language.syntax import Binary, Call, Draw, Expression, Level, Number
from .composites import list_components
from .findings import Findings
from .model import Model, Variable

SETTLING = 3  # rounds after which a bound that still moves is given up


def check_domains(model: Model, findings: Findings, *, own: Set[str]) -> None:
    """Check every expression of the model against the bounds of what it reads; parameters count at their values.

    Only what holds for all values within the bounds is reported: what may leave its domain is found when it does, in a
    run. `own`: the names that the document itself declares. Warnings are of these only.
    """
    bounds = find_bounds(model)
    for variable in model.variables.values():
        for key, expression in variable.expressions.items():
            path = f"{variable.name}.{key}"
            if not _check_values(path, expression, bounds, findings):
                continue
            if variable.name in own:
                _check_conditions(path, key, expression, bounds, model, findings)
        if variable.kind == "event":
            _check_possible(variable, bounds, model, findings)
    _check_entry("population", model.population, bounds, model, findings)
    for index, effect in enumerate(model.effects):
        _check_entry(f"effects.{index}.population", effect.population, bounds, model, findings)
    for parameter in model.parameters.values():
        if parameter.uncertain is not None:
            _check_values(f"{parameter.name}.uncertain", parameter.uncertain, bounds, findings)


def check_constants(node: str, expression: Expression) -> None:
    """Raise NosographError for an operation that has no value whatever the names stand for: `1 / 0`."""
    findings = Findings()
    _check_values(node, expression, Bounds({}), findings)
    findings.raise_errors()


def check_condition(condition: Expression, *, model: Model) -> None:
    """Raise NosographError for a condition on entry that nobody can meet, since the model's values have limits."""
    findings = Findings()
    _check_entry("", condition, find_bounds(model), model, findings)
    findings.raise_errors()


def find_bounds(model: Model) -> Bounds:
    """Bounds of every name as long as nobody intervenes: variables, parameters (their values), `t` and `dt`.

    Interval arithmetic to a fixed point: what a variable can be follows from its start and mechanism, which may read
    its own past. A bound that still moves after some rounds is taken to be infinite (widening, Cousot 1977).
    """
    clock = model.clock
    fixed: dict[str, Range] = {name: (p.value, p.value) for name, p in model.parameters.items()}
    fixed |= {"dt": (clock.dt, clock.dt), "t": (0.0, clock.dt * clock.steps)}
    unknown = frozenset(v.name for v in model.variables.values() if v.kind == "measurement")
    found: dict[str, Range] = {}
    changed, rounds = True, 0
    while changed:
        changed, rounds = False, rounds + 1
        for variable in model.variables.values():
            new = _find_range(variable, Bounds(fixed | found, unknown), model)
            old = found.get(variable.name)
            if new is None or (old is not None and old[0] <= new[0] and new[1] <= old[1]):
                continue
            if old is not None:
                new = (min(old[0], new[0]), max(old[1], new[1]))
                if rounds > SETTLING:
                    new = (old[0] if new[0] == old[0] else ANYTHING[0], old[1] if new[1] == old[1] else ANYTHING[1])
            found[variable.name] = new
            changed = True
    return Bounds(fixed | {name: found.get(name, ANYTHING) for name in model.variables}, unknown)


def _find_range(variable: Variable, bounds: Bounds, model: Model) -> Range | None:
    """The range of a variable, given what is known so far of what it reads; None where that is nothing yet."""
    if variable.levels:
        return ANYTHING
    if variable.kind == "event":
        return 0.0, float(len(list_components(model.variables, variable.name)))  # of a composite, one of each at most
    ranges = []
    for expression in (variable.start, variable.mechanism):
        names = {read.name for read in reads(expression) if read.how == "value"} & model.variables.keys()
        if expression is not None and names <= bounds.known.keys():
            ranges.append(bounds.of(expression))
    return (min(low for low, _ in ranges), max(high for _, high in ranges)) if ranges else None


def _reachable(expression: Expression, bounds: Bounds) -> Iterator[Expression]:
    """The nodes of an expression, without the branches of a `where` that are never taken."""
    yield expression
    children = expression.children
    if isinstance(expression, Call) and expression.function == "where":
        low, high = bounds.truth(children[0])
        children = (children[0], *([children[1]] if high else []), *([children[2]] if not low else []))
    for child in children:
        yield from _reachable(child, bounds)


def _check_values(path: str, expression: Expression, bounds: Bounds, findings: Findings) -> bool:
    """Whether no operation and no parameter of a distribution is certain to be outside its domain."""
    before = len(findings.errors)
    nodes = list(_reachable(expression, bounds))
    for node in nodes:
        if bounds.fails(node):
            rule, fix = _explain_failure(node)
            findings.error(path, f"{rule}: {_describe(node, bounds)}", fix=fix, value=str(expression))
    if len(findings.errors) == before:
        for node in nodes:
            if isinstance(node, Draw):
                _check_draw(path, node, bounds, findings)
    return len(findings.errors) == before


def _explain_failure(node: Expression) -> tuple[str, str]:
    match node:
        case Call("log", _):
            return "log() takes positive numbers", "log(max(…, 0.001))"
        case Call("sqrt", _):
            return "sqrt() takes no negative number", "sqrt(max(…, 0))"
        case Call("logit", _):
            return "logit() takes a probability from 0 to 1", "logit(clip(…, 0.001, 0.999))"
        case Call("clip", (value, low, high)):
            return "the lower limit of clip() is above the upper one", f"clip({value}, {high}, {low})"
        case Binary("/", _, _):
            return "division by zero", "a divisor that is not 0"
    return "this power has no value", "abs(…) ** …"


def _check_draw(path: str, draw: Draw, bounds: Bounds, findings: Findings) -> None:
    family = FAMILIES[draw.family]
    ranges = [bounds.of(parameter) for parameter in draw.parameters]
    for index, parameter in enumerate(draw.parameters):
        domain = family.get_domain(index)
        if domain.excludes(*ranges[index]):
            weighed = bool(draw.levels) and not family.ordered
            name = Level(draw.levels[index]) if weighed else family.parameters[min(index, len(family.parameters) - 1)]
            given = f"not {parameter}" if not reads(parameter) else f"but {_tell(parameter, bounds)}"
            problem = f"the {'weight of ' if weighed else ''}{name} of {draw.family} must be {domain.rule}, {given}"
            findings.error(path, problem, fix=domain.fix, value=str(draw))
            return
    if family.contradicts(*ranges):
        what = f"{family.parameters[-1]}s" if draw.levels else " and ".join(family.parameters)
        problem = f"the {what} of {draw.family} must be {family.joint_rule}"
        findings.error(path, problem, fix="other numbers", value=str(draw))


def _check_possible(event: Variable, bounds: Bounds, model: Model, findings: Findings) -> None:
    """An event that can never happen is an error; if other values of the parameters would change that, a warning."""
    if event.mechanism is None or bounds.truth(event.mechanism)[1]:
        return
    path, shown = f"{event.name}.mechanism", str(event.mechanism)
    free = replace(bounds, known={name: r for name, r in bounds.known.items() if name not in model.parameters})
    if free.truth(event.mechanism)[1]:
        told = _list_values(event.mechanism, model)
        findings.warn(path, f"'{event.name}' never happens, since {told}", fix="other values of these", value=shown)
    else:
        findings.error(path, f"'{event.name}' can never happen", fix="mechanism: Hazard(0.01)", value=shown)


def _check_entry(path: str, condition: Expression | None, bounds: Bounds, model: Model, findings: Findings) -> None:
    if condition is None or not _check_values(path, condition, bounds, findings):
        return
    low, high = bounds.truth(condition)
    if high == 0:
        why = next((_explain(node, bounds) for node in condition.walk() if _is_never(node, bounds)), "")
        findings.error(
            path, f"nobody can enter{': ' if why else ''}{why}", fix="a wider condition", value=str(condition)
        )
    elif low == 1 and _reads_variables(condition, model):
        findings.warn(path, "everybody enters: this is always true", fix=f"remove {path}", value=str(condition))
    else:
        _warn_never(path, condition, bounds, model, findings)


def _check_conditions(
    path: str, key: str, expression: Expression, bounds: Bounds, model: Model, findings: Findings
) -> None:
    """Warn of comparisons that are never true, and of whole conditions that always are."""
    _warn_never(path, expression, bounds, model, findings)
    conditions = [node.children[0] for node in _reachable(expression, bounds) if _is_where(node)]
    conditions += [expression] if key in ("when", "missing") else []
    for condition in conditions:
        if bounds.truth(condition)[0] == 1 and _reads_variables(condition, model):
            findings.warn(path, f"always true: {condition}", fix="leave the condition out", value=str(expression))


def _warn_never(path: str, expression: Expression, bounds: Bounds, model: Model, findings: Findings) -> None:
    for node in _reachable(expression, bounds):
        if _is_never(node, bounds) and _reads_variables(node, model):
            findings.warn(path, f"never true: {_explain(node, bounds)}", fix="another limit", value=str(expression))


def _is_where(node: Expression) -> bool:
    return isinstance(node, Call) and node.function == "where"


def _is_never(node: Expression, bounds: Bounds) -> bool:
    return isinstance(node, Binary) and node.operator in COMPARISONS and bounds.of(node) == (0, 0)


def _reads_variables(node: Expression, model: Model) -> bool:
    return any(read.name in model.variables for read in reads(node))


def _explain(comparison: Expression, bounds: Bounds) -> str:
    """`age >= 180, and age is at most 95`."""
    assert isinstance(comparison, Binary)
    left, right = bounds.of(comparison.left), bounds.of(comparison.right)
    sides = [(comparison.left, left, left[1] <= right[0]), (comparison.right, right, right[1] <= left[0])]
    told = [
        f"{side} is at {'most' if below else 'least'} {range_[1] if below else range_[0]:g}"
        for side, range_, below in sides
        if not isinstance(side, Number)
    ]
    return f"{comparison}, and {' and '.join(told)}"


def _describe(node: Expression, bounds: Bounds) -> str:
    """`sqrt(40 - age), where 40 - age is at most -10`."""
    told = [_tell(child, bounds) for child in node.children if reads(child) and bounds.of(child) != ANYTHING]
    return str(node) + (f", where {' and '.join(told)}" if told else "")


def _tell(node: Expression, bounds: Bounds) -> str:
    """What is known of an expression's value: `scale = -8`, `2 * x is at most -1`."""
    low, high = bounds.of(node)
    if low == high:
        return f"{node} = {low:g}"
    return f"{node} is at most {high:g}" if high < ANYTHING[1] else f"{node} is at least {low:g}"


def _list_values(expression: Expression, model: Model) -> str:
    names = sorted({read.name for read in reads(expression)} & model.parameters.keys())
    return " and ".join(f"{name} = {model.parameters[name].value:g}" for name in names)
