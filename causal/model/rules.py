"""The rules for a model: names, claims, time and kinds. Each rule adds its mistakes to the findings."""

from __future__ import annotations

import re
from collections.abc import Set

from ...errors import nearest
from ..language import Expression, Read, reads
from ..language.syntax import find_draw
from .events import check_events, find_circle
from .findings import Findings
from .levels import EXPECTED, check_levels_declared, check_levels_used
from .model import Model, Variable
from .order import find_cycle, find_waits

TIME = frozenset({"t", "dt"})


def check_claims(variable: Variable, place: str, model: Model, findings: Findings, broken: Set[str]) -> None:
    """All names that the variable reads must exist, and match its claims (`caused_by` and `of`) exactly.

    `place` is its path in the document; `broken` holds the places whose expressions could not be parsed, so that their
    reads are unknown.
    """
    known = [*model.variables, *model.parameters, *sorted(TIME)]
    own_name = place if place not in model.variables and place not in model.parameters else ""
    for key, expression in variable.expressions.items():
        for name in sorted({read.name for read in reads(expression)} - set(known)):
            near = nearest(name, known)
            corrected = re.sub(rf"\b{name}\b", near, str(expression))
            fix = f"{key}: {corrected}" if near else f"declare a variable or parameter {name}"
            if name == own_name:
                fix = f"{variable.name}: an extension only adds to its event"
            findings.error(f"{place}.{key}", f"'{name}' is not declared", fix=fix, value=str(expression))
    claimed = {claim.cause for claim in variable.claims}
    for cause in sorted(claimed - model.variables.keys()):
        where = f"{place}.caused_by.{cause}"
        if cause == variable.of or cause in variable.any_of:
            where = f"{place}.of" if cause == variable.of else f"{place}.any_of"
        near = nearest(cause, model.variables)
        if cause in model.parameters:
            findings.error(where, f"'{cause}' is a parameter, but causes must be variables", fix=f"remove {cause}")
        else:
            findings.error(where, f"'{cause}' is not declared", fix=near or "the name of a variable", value=cause)
    if variable.name in claimed:
        findings.error(
            f"{place}.caused_by.{variable.name}",
            "a variable's own past needs no claim",
            fix=f"remove {variable.name} from caused_by",
        )
    if place not in broken:
        _compare_claims(variable, place, model, findings, claimed)


def _compare_claims(variable: Variable, place: str, model: Model, findings: Findings, claimed: set[str]) -> None:
    keys: dict[str, list[str]] = {}
    for key, expression in variable.expressions.items():
        for read in sorted(reads(expression)):
            if read.name in model.variables and read.name != variable.name:
                keys.setdefault(read.name, []).append(key)
    parts = {name for name in variable.any_of if name in model.variables}
    for name in sorted(keys.keys() - claimed):
        findings.error(
            place,
            f"{place}.{keys[name][0]} reads '{name}', which {place}.caused_by does not claim",
            fix=f"caused_by:\n  {name}: {{source: assumption}}",
            value=str(variable.expressions[keys[name][0]]),
        )
    for name in sorted((claimed & model.variables.keys()) - keys.keys() - parts - {variable.name}):
        side, path = ("of", f"{place}.of") if name == variable.of else ("caused_by", f"{place}.caused_by.{name}")
        findings.error(
            path,
            f"{place}.{side} claims '{name}', which no expression of {place} reads",
            fix=f"read {name} in the mechanism, or remove it from {side}",
            value=str(variable.mechanism if variable.mechanism is not None else variable.start or ""),
        )


def check_model_rules(model: Model, findings: Findings, *, own: Set[str], broken: Set[str]) -> None:
    """All rules except those about claims. `own`: the names declared by the document itself, not its imports;
    `broken`: those with an expression that does not parse."""
    for variable in model.variables.values():
        if variable.name not in broken:
            _check_keys(variable, findings)
        _check_draws(variable, findings)
        for key, expression in variable.expressions.items():
            path = f"{variable.name}.{key}"
            if variable.name not in broken:
                _check_reads(variable, key, expression, model, findings)
            gives = variable if key in ("start", "mechanism") else None
            check_levels_used(path, expression, model, findings, target=gives)
        if variable.name not in broken:
            check_levels_declared(variable, findings)
        if variable.kind == "treatment":
            _check_treatment(variable, model, findings)
    if circle := find_circle(model):
        findings.error(f"{circle}.any_of", f"'{circle}' is a component of itself", fix="its components without it")
        return
    check_events(model, findings, broken)
    _check_cycles(model, findings, broken)
    if model.population is not None:
        check_entry("population", model.population, model, findings)
    _check_parameters(model, findings, own)
    _check_groups(model, findings)


def _check_keys(variable: Variable, findings: Findings) -> None:
    """Check which keys a kind may have, and which it needs."""
    name, kind = variable.name, variable.kind
    only: dict[str, tuple[Set[str], bool]] = {
        "start": ({"static", "state", "treatment"}, variable.start is not None),
        "of": ({"measurement"}, bool(variable.of)),
        "when": ({"measurement"}, variable.when is not None),
        "missing": ({"measurement"}, variable.missing is not None),
        "occurs": ({"event"}, variable.occurs != "once"),
        "ends": ({"event"}, variable.ends != "nothing"),
        "competes": ({"event"}, bool(variable.competes)),
    }
    for key, (kinds, present) in only.items():
        if present and kind not in kinds:
            kinds_text = " or ".join(sorted(kinds))
            findings.error(f"{name}.{key}", f"{_an(kind)} has no '{key}'", fix=f"remove {key}, or kind: {kinds_text}")
    if kind == "state" and variable.recorded:
        findings.error(
            f"{name}.recorded", "a state is never recorded", fix="add a measurement of it, with kind: measurement"
        )
    if kind == "static" and variable.start is not None and variable.mechanism is not None:
        findings.error(f"{name}.start", "a static has a start or a mechanism, not both", fix="remove start")
    elif variable.mechanism is None and not variable.any_of and not (kind == "static" and variable.start is not None):
        past = f"{name}[-1]" if kind in ("state", "treatment") else "Bernoulli(0.5)"
        findings.error(name, "missing key 'mechanism'", fix=f"mechanism: {past}")


def _check_draws(variable: Variable, findings: Findings) -> None:
    """Check which distributions are allowed where."""
    for key, expression in variable.expressions.items():
        draw = find_draw(expression)
        path = f"{variable.name}.{key}"
        if draw is None:
            if key == "mechanism" and variable.competes:
                findings.error(
                    path, "competing events take Hazard", fix="mechanism: Hazard(0.01)", value=str(expression)
                )
            continue
        truth = key in ("when", "missing") or variable.kind == "event"
        allowed = {"Bernoulli"} if truth else None
        if variable.kind == "event" and key == "mechanism":
            allowed = {"Hazard"} if variable.competes else {"Hazard", "Bernoulli"}
        if allowed is not None and (draw.family not in allowed or draw is not expression):
            events = "competing events take" if variable.competes else "events take"
            subject = events if variable.kind == "event" else f"'{key}' takes"
            problem = f"{subject} {' or '.join(sorted(allowed))}"
            names = " or ".join(f"{family}(…)" for family in sorted(allowed))
            findings.error(path, problem, fix=names, value=str(expression))
        elif allowed is None and draw.family == "Hazard":
            findings.error(
                path, "only events can have a Hazard", fix="Bernoulli(0.1), or kind: event", value=str(expression)
            )


def _check_reads(variable: Variable, key: str, expression: Expression, model: Model, findings: Findings) -> None:
    """Check how names are read: past values, functions of the past, and what is known when."""
    path, shown = f"{variable.name}.{key}", str(expression)
    at_start = key == "start" or (key == "mechanism" and variable.start is None)
    for read in sorted(reads(expression)):
        if read.name in model.parameters or read.name in TIME:
            if read.lag or read.how != "value":
                findings.error(path, f"'{read.name}' has no past", fix=read.name, value=shown)
            continue
        cause = model.variables.get(read.name)
        if cause is None:
            continue
        if read.how != "value" and cause.kind != EXPECTED[read.how]:
            fix = f"{read.name}[-1]" if read.how != "recorded" else read.name
            wanted = EXPECTED[read.how]
            findings.error(
                path, f"{read.how}() takes {_an(wanted)}, but '{cause.name}' is {_an(cause.kind)}", fix=fix, value=shown
            )
        if read.lag > model.clock.steps:
            findings.error(
                path,
                f"the lag of '{read.name}' exceeds the {model.clock.steps} steps of the journey",
                fix=f"{read.name}[-1]",
                value=shown,
            )
        if cause.name == variable.name:
            _check_own_past(variable, key, read, at_start, path, shown, findings)
        if variable.kind == "static" and cause.kind in ("event", "measurement"):
            findings.error(
                path,
                f"a static cannot depend on the {cause.kind} '{cause.name}'",
                fix="read only statics, or kind: state",
                value=shown,
            )
        if variable.ends != "nothing" and read.same_step and cause.kind != "static" and cause.name != variable.name:
            findings.error(
                path,
                f"an event that ends the {variable.ends} is decided first in its step and cannot read the new "
                f"'{read.name}'",
                fix=f"{read.name}[-1]",
                value=shown,
            )


def _an(kind: str) -> str:
    return f"an {kind}" if kind == "event" else f"a {kind}"


def _check_own_past(
    variable: Variable, key: str, read: Read, at_start: bool, path: str, shown: str, findings: Findings
) -> None:
    name = variable.name
    if variable.kind == "static":
        findings.error(path, f"the static '{name}' reads itself", fix=f"remove {name}", value=shown)
    elif read.same_step:
        findings.error(path, f"'{name}' reads its own value in the same step", fix=f"{name}[-1]", value=shown)
    elif at_start and variable.kind in ("state", "treatment"):
        fix = f"start: Normal(0, 1), and {name}[-1] in the mechanism only"
        problem = "has no past" if key == "start" else "has no start, but its mechanism reads its past"
        findings.error(path, f"at step 0 '{name}' {problem}", fix=fix, value=shown)


def _check_treatment(variable: Variable, model: Model, findings: Findings) -> None:
    """A treatment that depends on an unrecorded variable is confounded by it: its effect cannot be identified."""
    latent = sorted(
        read.name
        for read in variable.reads
        if read.name in model.variables and read.name != variable.name and not model.variables[read.name].recorded
    )
    for name in dict.fromkeys(latent):
        measures = [v.name for v in model.variables.values() if v.of == name]
        findings.warn(
            variable.name,
            f"'{variable.name}' depends on '{name}', which is never recorded: its effect cannot be identified",
            fix=f"read {measures[0]} instead of {name}" if measures else f"read a measurement of {name} instead",
        )


def _check_cycles(model: Model, findings: Findings, broken: Set[str]) -> None:
    """No variable may depend on itself within a step; at step 0 a lag reads the start, so lags count too."""
    for first in (False, True):
        waits = find_waits(model, first=first)
        others = {  # a variable that reads itself is reported by another rule
            name: [cause for cause in causes if cause != name or model.variables[name].competes]
            for name, causes in waits.items()
            if name not in broken
        }
        if cycle := find_cycle(others):
            when = "at step 0, where a lag reads the start" if first else "within one step"
            cause, effect = cycle[0], cycle[1]
            fix = f"read {cause}[-1] in {effect}, the last step's value"
            if first:
                fix = f"a start of {next((n for n in cycle if model.variables[n].start), effect)} that reads less"
            findings.error(effect, f"the variables form a cycle {when}", fix=fix, value=" -> ".join(cycle))
            return


def check_entry(path: str, expression: Expression, model: Model, findings: Findings) -> None:
    """Check a population, of the model or of an effect: it is selected at the start."""
    for read in sorted(reads(expression)):
        cause = model.variables.get(read.name)
        if cause is None and read.name not in model.parameters:
            near = nearest(read.name, [*model.variables, *model.parameters])
            findings.error(path, f"'{read.name}' is not declared", fix=near or "a variable", value=str(expression))
        elif read.lag or read.how in ("ever", "since") or (cause is not None and cause.kind == "event"):
            findings.error(
                path,
                f"the population is selected at the start, where '{read.name}' has no past",
                fix="age >= 50",
                value=str(expression),
            )
    check_levels_used(path, expression, model, findings)


def _check_parameters(model: Model, findings: Findings, own: Set[str]) -> None:
    used = {read.name for variable in model.variables.values() for read in variable.reads}
    for expression in (model.population, *(effect.population for effect in model.effects)):
        used |= {read.name for read in reads(expression)}
    for parameter in model.parameters.values():
        if parameter.formula is not None:
            used |= {read.name for read in reads(parameter.formula)}
    for name, parameter in model.parameters.items():
        if name in own and name not in used:
            findings.warn(name, f"unused parameter '{name}'", fix=f"use {name} in a mechanism, or remove it")
        if name in own and not parameter.evidence and parameter.formula is None:
            findings.warn(name, f"the parameter '{name}' has no evidence", fix="source: assumption")
        if parameter.uncertain is not None and reads(parameter.uncertain):
            findings.error(
                f"{name}.uncertain",
                "uncertain must contain numbers only",
                fix="Normal(3.6, 0.35)",
                value=str(parameter.uncertain),
            )


def _check_groups(model: Model, findings: Findings) -> None:
    groups: dict[str, list[str]] = {}
    for variable in model.variables.values():
        if variable.competes:
            groups.setdefault(variable.competes, []).append(variable.name)
    for group, members in groups.items():
        if len(members) == 1:
            findings.warn(
                f"{members[0]}.competes",
                f"'{members[0]}' is the only event that competes in '{group}'",
                fix=f"competes: {group} for another event",
            )
