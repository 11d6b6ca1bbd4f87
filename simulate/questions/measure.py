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
    `argument`: an example of what is written after the name ("0.9" in "quantile 0.9"), empty where nothing is;
    `optional`: whether that may be left out.
    """

    name: str
    help: str
    answer: Callable[[Question], Answer]
    outcome: Literal["number", "binary", "event"] = "number"
    mediator: Literal["none", "optional", "variable", "value"] = "none"
    levels: bool = False
    argument: str = ""
    optional: bool = False

    @property
    def usage(self) -> str:
        """As it is written after `--measure`."""
        if not self.argument:
            return self.name
        quote = "'" if '"' in self.argument else '"'
        return f"{quote}{self.name} {self.argument}{quote}"
