"""The one error type for users' mistakes: what is wrong, where, the offending value, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

# What would steer a terminal, reorder a line, or cannot be written at all: controls but tab and newline, marks of
# direction, separators of lines, and half characters (surrogates).
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True)
class Problem:
    """One mistake. `file` and `line` (1-based) say where in a document, `node` which variable or key."""

    problem: str
    fix: str = ""
    node: str = ""
    value: str = ""
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.file and self.line else self.file
        head = ": ".join(part for part in (place, self.node, self.problem) if part)
        if self.value:
            head += f"\n  found: {self.value}"
        if self.fix:
            head += f"\n  write: {self.fix}" if "\n" not in self.fix else f"\n  write:\n{self.fix}"
        return head


class NosographError(Exception):
    """A user's mistake, or several found together. The command line shows it without a traceback and exits with 2."""

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[type[NosographError], tuple[tuple[Problem, ...]]]:
        """Pickled by its problems, so that it comes whole out of a worker."""
        return NosographError, (self.problems,)


def fail(
    problem: str, *, fix: str = "", node: str = "", value: object = "", file: str = "", line: int = 0
) -> NosographError:
    """A NosographError of one problem, ready to be raised: `raise fail("…", fix="…")`."""
    return NosographError(Problem(problem, fix=fix, node=node, value=str(value), file=file, line=line))


def check_whole(value: object, what: str, *, least: int, most: int = 2**63 - 1, fix: str) -> int:
    """`value` as an int, where it is a whole number from `least` to `most`. Raises NosographError elsewhere."""
    number = value.__index__() if hasattr(value, "__index__") and not isinstance(value, bool) else None
    if number is None or not least <= number <= most:
        limit = f"{least} or more" if most >= 2**63 - 1 else f"from {least} to {most}"
        raise fail(f"{what} is a whole number, {limit}", value=value, fix=fix)
    return int(number)


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name most like `name`, or an empty string: for "did you mean"."""
    import difflib

    matches = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return matches[0] if matches else ""


def list_some(known: Iterable[str]) -> str:
    """What is offered where no known name is near: "one of a, b, c", of very many the first dozen."""
    names = list(known)
    return f"one of {', '.join(names[:12])}" + (", …" if len(names) > 12 else "")


def escape_unprintable(text: str) -> str:
    """The text with whatever would steer a terminal written as an escape, such as \\u001b, which JSON reads too."""
    return UNPRINTABLE.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text)
