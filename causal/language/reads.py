"""What an expression reads: the names, how far back, and how."""

from __future__ import annotations

from dataclasses import dataclass

from .syntax import Expression, Name, Past


@dataclass(frozen=True, slots=True, order=True)
class Read:
    """`how` is "value" for `x` and `x[-lag]`; otherwise "ever", "since" or "recorded"."""

    name: str
    lag: int
    how: str = "value"

    @property
    def same_step(self) -> bool:
        """Whether the read needs this step's value; `ever` and `since` refer to earlier steps only."""
        return self.lag == 0 and self.how in ("value", "recorded")

    @property
    def steps_back(self) -> int:
        """The smallest number of steps that the read looks back."""
        return self.lag if self.same_step or self.lag else 1


def reads(*expressions: Expression | None) -> frozenset[Read]:
    """Everything that the expressions read: variables, parameters, `t` and `dt`."""
    found: set[Read] = set()
    for expression in expressions:
        for node in expression.walk() if expression is not None else ():
            if isinstance(node, Name):
                found.add(Read(node.name, node.lag))
            elif isinstance(node, Past):
                found.add(Read(node.name, node.lag, node.function))
    return frozenset(found)
