"""Collects the mistakes in a document, so that all of them are reported and not only the first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from ...errors import NosographError, Problem

Place = tuple[str, int]


@dataclass
class Findings:
    """`places` gives file and line by path, such as `amyloid.mechanism` or `effects.0`."""

    places: Mapping[str, Place] = field(default_factory=dict)
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def place(self, path: str) -> Place:
        """File and line of the path, or of its nearest known parent."""
        while path and path not in self.places:
            path = path.rpartition(".")[0]
        return self.places.get(path) or self.places.get("id") or ("", 0)

    def error(self, path: str, problem: str, *, fix: str = "", value: str = "") -> None:
        self.errors.append(self.describe(path, problem, fix, value))

    def warn(self, path: str, problem: str, *, fix: str = "", value: str = "") -> None:
        self.warnings.append(self.describe(path, problem, fix, value))

    def describe(self, path: str, problem: str, fix: str, value: str) -> Problem:
        file, line = self.place(path)
        return Problem(problem, fix=fix, node=path, value=value, file=file, line=line)

    @contextmanager
    def catch(self, path: str) -> Iterator[None]:
        """Collect the mistakes raised inside, with their place."""
        try:
            yield
        except NosographError as error:
            file, line = self.place(path)
            for problem in error.problems:
                self.errors.append(replace(problem, node=path, file=problem.file or file, line=problem.line or line))

    def raise_errors(self) -> None:
        if self.errors:
            raise NosographError(self.errors)
