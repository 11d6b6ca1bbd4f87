"""What a measure of an effect says of itself; the measures are in `measures/`, a file each.

Light: the command line reads it before anything is computed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from .answer import Answer
    from .question import Question


@dataclass(frozen=True)
class Measure:
    """A measure: how an outcome is contrasted between two worlds.

    `name`: of `--measure`; `help`: one line on what it is; `answer`: its code.
    `outcome`: what it needs; "binary" is 0 or 1 for everybody, as an event is.
    `levels`: whether it also takes an outcome that has levels, whose shares it then compares.
    `mediator`: whether it takes none, may take a variable, needs a variable, or needs one held at a value ("tau = 1").
    `quantile`: whether it needs one, which is written after the name: "quantile 0.9".
    """

    name: str
    help: str
    answer: Callable[[Question], Answer]
    outcome: Literal["number", "binary", "event"] = "number"
    mediator: Literal["none", "optional", "variable", "value"] = "none"
    quantile: bool = False
    levels: bool = False

    @property
    def usage(self) -> str:
        """As it is written after `--measure`."""
        return f'"{self.name} 0.9"' if self.quantile else self.name
