"""Compile expressions to functions over tensors. No text of a document is ever evaluated as Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from itertools import product
from typing import TypeAlias

from torch import Tensor

from ..language import Expression
from ..language.evaluate import TreeCompiler
from ..language.syntax import TRUTH_LEVELS, Cases, Level, Name, Number, Past
from .tensors import TENSORS, Value, look_up

Evaluator: TypeAlias = "Callable[[StepState], Value]"


@dataclass(slots=True)
class StepState:
    """What an expression can see in one step of one run. Tensors have the shape (worlds or 1, patients)."""

    time: float
    dt: float
    parameters: Mapping[str, Value]
    now: dict[str, Tensor]
    history: list[dict[str, Tensor]]  # history[lag - 1]; before step 0, the start
    ever: dict[str, Tensor] = field(default_factory=dict)
    latest: dict[str, Tensor] = field(default_factory=dict)  # step of the last occurrence, or -inf
    seen: dict[str, Tensor] = field(default_factory=dict)  # whether a measurement has been recorded
    kept: dict[int, Value] = field(default_factory=dict)  # cached values that never change, by expression
    timed: dict[int, tuple[float, Value]] = field(default_factory=dict)  # cached values of one step, by expression
    dead: Tensor | None = None  # whose journey has ended: their values are not checked
    patients: Tensor | None = None  # their numbers, to name one in a message

    def past(self, name: str, lag: int) -> Tensor:
        """The value `lag` steps ago; in step 0, and for constants, the current value."""
        for row in self.history[lag - 1 : lag]:
            if name in row:
                return row[name]
        return self.now[name]


def compile_expression(
    expression: Expression,
    *,
    constant: Set[str],
    levels: Mapping[str, tuple[str, ...]],
    shared: dict[Expression, Evaluator] | None = None,
) -> Evaluator:
    """A function from a StepState to a value. `constant`: names that never change in a run. Sub-expressions that read
    only these are evaluated once per run; those that also read the time, once per step. `levels`: the levels of each
    categorical variable. `shared`: evaluators of sub-expressions, shared by all expressions compiled for the same runs.
    """
    return _StepCompiler(constant, levels, {} if shared is None else shared).compile(expression)


class _StepCompiler(TreeCompiler[StepState, Value]):
    """Evaluates trees on tensors, and caches values that cannot change within a run or a step."""

    def __init__(
        self, constant: Set[str], levels: Mapping[str, tuple[str, ...]], shared: dict[Expression, Evaluator]
    ) -> None:
        super().__init__(TENSORS, levels)
        self.constant = constant
        self.shared = shared
        self.names: dict[int, frozenset[str]] = {}  # the names that each node reads, by node id

    def compile(self, node: Expression) -> Evaluator:
        if isinstance(node, Name | Number | Level):
            return self.build(node)
        names = self.find_names(node) - self.constant
        if not names <= {"t"}:
            return self.build(node)
        found = self.shared.get(node)
        if found is None:
            evaluator = self.build(node)
            found = self.shared[node] = _keep_timed(evaluator) if names else _keep(evaluator)
        return found

    def build(self, node: Expression) -> Evaluator:
        return self.look_up(node) if isinstance(node, Cases) else super().build(node)

    def look_up(self, node: Cases) -> Evaluator:
        """The values in the order of the levels; each of `of` is read once."""
        levels = [self.levels.get(name.name, TRUTH_LEVELS) for name in node.of]
        known = dict(node.rows)
        find = look_up([known[row] for row in product(*levels)], [len(own) for own in levels])
        parts = [self.compile(name) for name in node.of]
        return lambda state: find(*(part(state) for part in parts))

    def find_names(self, node: Expression) -> frozenset[str]:
        found = self.names.get(id(node))
        if found is None:
            own = frozenset({node.name}) if isinstance(node, Name | Past) else frozenset[str]()
            found = self.names[id(node)] = own.union(*map(self.find_names, node.children))
        return found

    def read(self, node: Name | Past) -> Evaluator:
        if isinstance(node, Past):
            return _past(node.function, node.name, node.lag)
        name, lag = node.name, node.lag
        if name == "t":
            return lambda state: state.time
        if name == "dt":
            return lambda state: state.dt

        def read(state: StepState) -> Value:
            parameter = state.parameters.get(name)
            return state.now[name] if parameter is None else parameter

        return (lambda state: state.past(name, lag)) if lag else read


def _keep(evaluator: Evaluator) -> Evaluator:
    """Evaluate once per run."""
    key = id(evaluator)

    def keep(state: StepState) -> Value:
        value = state.kept.get(key)
        if value is None:
            value = state.kept[key] = evaluator(state)
        return value

    return keep


def _keep_timed(evaluator: Evaluator) -> Evaluator:
    """Evaluate once per step."""
    key = id(evaluator)

    def keep(state: StepState) -> Value:
        found = state.timed.get(key)
        if found is None or found[0] != state.time:
            found = state.timed[key] = (state.time, evaluator(state))
        return found[1]

    return keep


def _past(function: str, name: str, lag: int) -> Evaluator:
    match function:
        case "ever":
            return lambda state: state.ever[name]
        case "since":
            # counted in steps: a difference of rounded times would make `since(e) <= 0.25` depend on the date
            return lambda state: (round(state.time / state.dt) - state.latest[name]) * state.dt
    key = f"{name} recorded"

    def recorded(state: StepState) -> Value:
        return state.past(key, lag) if lag and state.history else state.seen[name]

    return recorded
