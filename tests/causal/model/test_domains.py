"""What can be known before a run is said by `check`, with its line; what may be all right raises no alarm."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
import pytest

from nosograph.causal.language import Expression, parse_expression, parse_mechanism
from nosograph.causal.language.bounds import Bounds
from nosograph.causal.language.evaluate import TreeCompiler
from nosograph.causal.language.floats import FLOATS
from nosograph.causal.language.syntax import Name, Past
from nosograph.causal.model.check import Report, check_model
from nosograph.causal.model.domains import find_bounds
from nosograph.causal.model.load import load_model

HEAD = """
id: m
clock: {step: 1 month, horizon: 2 years, unit: year}
parameters:
  scale: {value: -8, source: assumption}
  rate: {value: 0, source: assumption}
  share: {value: 0.2, source: assumption}
  used: {formula: scale + rate + share}
"""
AGE = "clip(Normal(70, 8), 50, 95)"


def check(path: Path, *, age: str = AGE, x: str = "x[-1]", event: str = "Hazard(0.1)", more: str = "") -> Report:
    """A model with a static `age`, a state `x`, an event and a measurement of x; `more` is added to the document."""
    text = f"""{HEAD}
{more}
variables:
  age: {{kind: static, mechanism: '{age}'}}
  x:
    kind: state
    start: Normal(0, 1)
    mechanism: '{x}'
    caused_by: {{{"age: {source: assumption}" if "age" in x else ""}}}
  stroke:
    kind: event
    mechanism: '{event}'
    caused_by: {{{"age: {source: assumption}" if "age" in event else ""}}}
"""
    file = path / "m.yaml"
    file.write_text(text)
    report = check_model(file)
    for problem in (*report.errors, *report.warnings):
        assert problem.file == str(file)
        assert problem.line > 0
    return report


def findings(report: Report) -> list[str]:
    unused = ("unused parameter", "has no evidence")
    return [p.problem for p in (*report.errors, *report.warnings) if not any(word in p.problem for word in unused)]


IMPOSSIBLE = {
    "Normal(0, -1)": "the scale of Normal must be zero or more, not -1",
    "Normal(65, -10)": "the scale of Normal must be zero or more, not -10",
    "Normal(0, scale)": "scale = -8",
    "LogNormal(0, 2 * scale)": "2 * scale = -16",
    "Bernoulli(1.2)": "the probability of Bernoulli must be between 0 and 1, not 1.2",
    "Bernoulli(share - 1)": "share - 1 = -0.8",
    "Bernoulli(1 + exp(x[-1]) + share)": "1 + exp(x[-1]) + share is at least 1.2",
    "Normal(log(-1), 1)": "log() takes positive numbers: log(-1)",
    "log(scale)": "log(scale), where scale = -8",
    "x[-1] + 1 / 0": "division by zero: 1 / 0",
    "x[-1] / rate": "division by zero: x[-1] / rate, where rate = 0",
    "sqrt(-2)": "sqrt() takes no negative number: sqrt(-2)",
    "sqrt(40 - age)": "where 40 - age is at most -10",
    "logit(1.5)": "logit() takes a probability",
    "(-2) ** 0.5": "this power has no value",
    "0 ** -1": "this power has no value",
    'Categorical("a": 1, "b": -1)': 'the weight of "b" of Categorical must be zero or more, not -1',
    'Categorical("a": 0, "b": 0)': "the weights of Categorical must be",
    'OrderedLogistic(0; "a": 1, "b": -1, "c")': "the thresholds of OrderedLogistic must be in increasing order",
    "Uniform(3, 1)": "low and high of Uniform must be finite, with high at least low",
    "Exponential(0)": "the rate of Exponential must be positive, not 0",
    "Beta(0, 1)": "the a of Beta must be positive",
    "Binomial(2.5, 0.5)": "the count of Binomial must be a whole number",
    "Normal(exp(1000), 1)": "the mean of Normal must be a finite number",
    "clip(Normal(0, 1), 10, 0)": "the lower limit of clip() is above the upper one",
    "clip(x[-1], age, 20)": "the lower limit of clip()",
}


@pytest.mark.parametrize("mechanism", IMPOSSIBLE)
def test_a_constant_out_of_its_domain_is_an_error_with_its_line(mechanism: str, tmp_path: Path) -> None:
    if "(0;" in mechanism or "Categorical" in mechanism:
        report = check(tmp_path, age=mechanism)
        line = 12
    else:
        report = check(tmp_path, x=mechanism)
        line = 16
    (error,) = report.errors
    assert IMPOSSIBLE[mechanism] in error.problem
    assert error.line == line
    assert error.fix


POSSIBLE = [
    "Normal(x[-1], sqrt(dt))",
    "Normal(0, x[-1])",  # may be negative: a matter of the run
    "log(x[-1])",
    "sqrt(age - 60)",
    "Bernoulli(x[-1])",
    "where(age > 60, log(age - 60), 0)",
    "where(scale > 0, log(scale), 0)",  # never computed
    "where(x[-1] > 0, x[-1] ** 0.5, 0)",
    "1 / x[-1]",
    "0 ** rate",
    "clip(x[-1], 0, age)",
    "table(age; 50: 0, 90: 1)",
    "where(t >= 1, 1, 0)",
    "where(50 <= age < 80, 1, 0)",
    "Bernoulli(expit(x[-1]))",
    "min(x[-1], log(0.5))",
]


@pytest.mark.parametrize("mechanism", POSSIBLE)
def test_what_may_be_all_right_raises_no_alarm(mechanism: str, tmp_path: Path) -> None:
    assert findings(check(tmp_path, x=mechanism)) == []


CONDITIONS = {
    "where(age >= 180, 1, 0)": "never true: age >= 180, and age is at most 95",
    "where(age < 50, 1, 0)": "never true: age < 50, and age is at least 50",
    "where(age > 90 and age + 10 <= 40, 1, 0)": "never true: age + 10 <= 40, and age + 10 is at least 60",
    "where(age == 20, 1, 0)": "never true: age == 20",
    "where(age >= 40, 1, 0)": "always true: age >= 40",
    "where(t > 3, 1, 0) + age": "",  # reads no variable: a switch
    "2 * (age > 95)": "never true: age > 95",
}


@pytest.mark.parametrize("mechanism", CONDITIONS)
def test_a_condition_that_is_never_or_always_true_is_a_warning(mechanism: str, tmp_path: Path) -> None:
    report = check(tmp_path, x=mechanism)
    assert report.ok
    found = findings(report)
    assert len(found) == (CONDITIONS[mechanism] != "")
    assert all(CONDITIONS[mechanism] in problem for problem in found)


def test_a_population_that_nobody_can_enter_is_an_error(tmp_path: Path) -> None:
    (error,) = check(tmp_path, more="population: age >= 180").errors
    assert (error.problem, error.line) == ("nobody can enter: age >= 180, and age is at most 95", 10)
    (warning,) = [p for p in check(tmp_path, more="population: age >= 40").warnings if p.node == "population"]
    assert "everybody enters" in warning.problem
    assert check(tmp_path, more="population: age >= 90").ok


EVENTS = {
    "Hazard(0)": "'stroke' can never happen",
    "Bernoulli(0)": "'stroke' can never happen",
    "age > 100": "'stroke' can never happen",
    "Hazard(0 * age)": "'stroke' can never happen",
    "where(age > 100, 1, 0)": "'stroke' can never happen",
    "Hazard(rate)": "'stroke' never happens, since rate = 0",
}


@pytest.mark.parametrize("mechanism", EVENTS)
def test_an_event_that_can_never_happen_is_named(mechanism: str, tmp_path: Path) -> None:
    report = check(tmp_path, event=mechanism)
    assert report.ok == ("rate" in mechanism)  # another value of a parameter mends it
    assert EVENTS[mechanism] in findings(report)


def test_bounds_follow_a_variable_through_its_own_past(tmp_path: Path) -> None:
    report = check(tmp_path, x="clip(x[-1] + 0.1 * age, -3, 30)")
    assert report.model is not None
    known = find_bounds(report.model).known
    assert known["age"] == (50, 95)
    assert known["x"] == (-math.inf, math.inf)  # its start has no limits
    cdr_sb = find_bounds(load_model("alzheimers")).known["cdr_sb"]
    assert cdr_sb == (0, 18)


OPERATORS = ["+", "-", "*", "/", "**", "<", "<=", ">", ">=", "==", "!=", "and", "or"]
FUNCTIONS = ["exp", "log", "sqrt", "abs", "floor", "round", "tanh", "expit", "logit", "not"]


def write_expression(random: Random, depth: int) -> str:
    if depth == 0 or random.random() < 0.2:
        return random.choice(["a", "b", "c", "0", "1", "(-2)", "0.5", "3"])
    one, two, three = (write_expression(random, depth - 1) for _ in range(3))
    return random.choice(
        [
            f"({one}) {random.choice(OPERATORS)} ({two})",
            f"({one}) {random.choice(OPERATORS)} ({two})",
            f"{random.choice(FUNCTIONS)} ({one})",
            f"{random.choice(['where', 'clip'])}({one}, {two}, {three})",
            f"{random.choice(['min', 'max'])}({one}, {two})",
        ]
    )


class _Values(TreeCompiler[dict[str, float], float]):
    def read(self, node: Name | Past) -> Callable[[dict[str, float]], float]:
        return lambda state: state[node.name]


def evaluate(tree: Expression, state: dict[str, float]) -> float:
    with np.errstate(all="ignore"):
        return float(_Values(FLOATS, {}).compile(tree)(state))


def test_bounds_hold_for_every_value() -> None:
    """The value lies within the bounds, also where a name has no value yet; what fails for certain has none."""
    random = Random(1)
    checked = failing = 0
    for _ in range(4_000):
        tree = parse_expression(write_expression(random, 3))
        values = {name: random.choice([-2.0, 0.0, 0.5, 3.0, random.uniform(-3, 3)]) for name in "abc"}
        width = {name: random.choice([0.0, 0.5, 2.0]) for name in values}
        unknown = {name for name in values if random.random() < 0.2}
        bounds = Bounds({name: (value - width[name], value + width[name]) for name, value in values.items()}, unknown)
        state = {name: math.nan if name in unknown and random.random() < 0.5 else v for name, v in values.items()}
        try:
            value = evaluate(tree, state)
        except OverflowError:  # floor and round of an infinity
            continue
        if math.isinf(value) and "/" in str(tree):  # the sign of a zero that divides has no meaning
            continue
        low, high = bounds.of(tree)
        if math.isnan(value):
            endless = any(math.isinf(evaluate(node, state)) for node in tree.walk())
            assert bounds.may_lack_value(tree) or endless, tree
        else:
            slack = 1e-9 * max(1.0, abs(value)) if math.isfinite(value) else 0.0
            assert low - slack <= value <= high + slack, tree
            checked += math.isfinite(low) or math.isfinite(high)
        for node in tree.walk():
            if bounds.fails(node) and getattr(node, "function", "") != "clip":
                assert not math.isfinite(evaluate(node, state)), node
                failing += 1
    assert checked > 1_000
    assert failing > 50


def test_a_distribution_has_the_bounds_of_its_values() -> None:
    bounds = Bounds({"p": (0.2, 0.4)})
    for text, expected in {
        "Normal(0, 1)": (-math.inf, math.inf),
        "clip(Normal(0, 1), p, 2)": (0.2, 2),
        "Uniform(p, 3)": (0.2, 3),
        "Bernoulli(p)": (0, 1),
        "Bernoulli(0)": (0, 0),
        "Poisson(p)": (0, math.inf),
        "Binomial(5, p)": (0, 5),
        "Beta(1, p)": (0, 1),
        "round(Gamma(1, p))": (0, math.inf),
    }.items():
        assert bounds.of(parse_mechanism(text)) == expected
