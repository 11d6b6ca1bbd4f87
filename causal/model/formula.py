"""Formulas: parameters computed from other parameters, such as a threshold from a frequency."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter

import numpy as np

from ...errors import Problem, nearest
from ..language import Expression, reads
from ..language.evaluate import TreeCompiler
from ..language.floats import FLOATS
from ..language.syntax import Call, Name, Past
from .findings import Findings
from .model import Parameter

ROUNDING = 1e-9


def find_inputs(formula: Expression) -> list[str]:
    """The parameters that a formula reads."""
    return sorted({read.name for read in reads(formula)})


def find_dependents(parameters: Mapping[str, Parameter], names: Iterable[str]) -> set[str]:
    """`names`, and every parameter whose formula depends on one of them."""
    found = set(names)
    for name in order_formulas(parameters):
        formula = parameters[name].formula
        if formula is not None and not found.isdisjoint(find_inputs(formula)):
            found.add(name)
    return found


def find_origins(parameters: Mapping[str, Parameter], name: str) -> list[str]:
    """The parameters without a formula from which a parameter is computed."""
    found: dict[str, None] = {}
    stack = [name]
    while stack:
        parameter = parameters[stack.pop()]
        if parameter.formula is None:
            found[parameter.name] = None
        else:
            stack += reversed(find_inputs(parameter.formula))
    return list(found)


def refuse_derived(parameters: Mapping[str, Parameter], name: str) -> Problem | None:
    """The problem with setting a parameter that has a formula; None if it has none."""
    parameter = parameters[name]
    if parameter.formula is None:
        return None
    origins = find_origins(parameters, name)
    fix = f"one of: {', '.join(origins[:8])}" if origins else "a value instead of the formula, in the document"
    return Problem(f"'{name}' has a formula and cannot be set", fix=fix, value=f"{name} = {parameter.formula}")


def order_formulas(parameters: Mapping[str, Parameter]) -> list[str]:
    """The parameters with a formula, each after those that it reads. Raises CycleError if they form a cycle."""
    waits = {p.name: find_inputs(p.formula) for p in parameters.values() if p.formula is not None}
    return [name for name in TopologicalSorter(waits).static_order() if name in waits]


def resolve_formulas(parameters: Mapping[str, Parameter]) -> dict[str, Parameter]:
    """The parameters with all formulas recomputed (float64)."""
    values = {name: parameter.value for name, parameter in parameters.items()}
    resolved = dict(parameters)
    for name in order_formulas(parameters):
        formula = parameters[name].formula
        assert formula is not None
        values[name] = evaluate_formula(formula, values)
        resolved[name] = replace(parameters[name], value=values[name])
    return resolved


def check_formulas(parameters: Mapping[str, Parameter], variables: Iterable[str], findings: Findings) -> bool:
    """Whether every formula reads parameters only, without cycles; mistakes are added to the findings."""
    before = len(findings.errors)
    for parameter in parameters.values():
        if parameter.formula is None:
            continue
        shown = str(parameter.formula)
        for name in find_inputs(parameter.formula):
            if name in parameters:
                continue
            problem, fix = f"'{name}' is not declared", nearest(name, parameters) or f"declare a parameter {name}"
            if name in variables:
                problem, fix = f"'{name}' is a variable, but a formula can read parameters only", "a parameter"
            findings.error(f"{parameter.name}.formula", problem, fix=fix, value=shown)
    if len(findings.errors) > before:
        return False
    try:
        order_formulas(parameters)
    except CycleError as error:
        cycle: list[str] = error.args[1]
        findings.error(
            f"{cycle[0]}.formula",
            "circular formulas",
            fix=f"{cycle[0]}: {{value: …}}, or a formula that does not read {cycle[-2]}",
            value=" -> ".join(cycle),
        )
    return len(findings.errors) == before


def check_values(parameters: Mapping[str, Parameter]) -> list[Problem]:
    """Formulas without a value (NaN), such as the logarithm of a negative number (of a chain, only the first); and
    those that take the probit of a value that is not a probability."""
    problems = []
    values = {name: parameter.value for name, parameter in parameters.items()}
    for parameter in parameters.values():
        if parameter.formula is None:
            continue
        for node in parameter.formula.walk():
            if isinstance(node, Call) and node.function == "probit":
                problems += _check_probability(parameter.name, node.arguments[0], values)
        if not math.isnan(parameter.value):
            continue
        inputs = {name: parameters[name].value for name in find_inputs(parameter.formula)}
        if not any(map(math.isnan, inputs.values())):
            shown = ", ".join(f"{name} = {value:g}" for name, value in inputs.items())
            problems.append(
                Problem(
                    "the formula has no value",
                    fix="arguments within their range: positive for log and sqrt, probabilities for leak",
                    node=f"{parameter.name}.formula",
                    value=f"{parameter.formula}" + (f", where {shown}" if shown else ""),
                )
            )
    return problems


def _check_probability(name: str, argument: Expression, values: Mapping[str, float]) -> list[Problem]:
    value = evaluate_formula(argument, values)
    if math.isnan(value) or -ROUNDING <= value <= 1 + ROUNDING:
        return []
    shown = f"{argument} = {value:g}"
    return [Problem("not a probability from 0 to 1", fix=f"{argument}: 0.5", node=f"{name}.formula", value=shown)]


def evaluate_formula(formula: Expression, values: Mapping[str, float]) -> float:
    """The value of a formula for these parameter values: float64, NaN if undefined."""
    with np.errstate(all="ignore"):
        return float(_compile_formula(formula)(values))


class _FormulaCompiler(TreeCompiler[Mapping[str, float], float]):
    """Evaluates trees on floats; names are parameters with given values."""

    def read(self, node: Name | Past) -> Callable[[Mapping[str, float]], float]:
        if isinstance(node, Past):
            raise AssertionError(f"{node} cannot occur in a formula")
        name = node.name
        return lambda values: float(values[name])


@lru_cache(maxsize=4096)  # a formula is evaluated for every particle
def _compile_formula(formula: Expression) -> Callable[[Mapping[str, float]], float]:
    return _FormulaCompiler(FLOATS, levels={}).compile(formula)
