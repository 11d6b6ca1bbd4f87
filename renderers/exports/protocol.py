"""What an export is: it writes patients of a run in another format."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from ...simulate.cohort import Run


class Exporter(Protocol):
    def __call__(
        self,
        run: Run,
        *,
        patients: str | Iterable[int] | None = None,
        world: str | None = None,
        at: str | None = None,
        progress: Callable[[int], None] = lambda patients: None,
    ) -> list[Path]:
        """Write at least one file into a folder of the run's with the name of the format, all of them or none; the same
        bytes for the same run. Returns them. Files of an earlier export stay.

        `patients` are numbers ("0-11,20"; all by default), `world` is the first by default, `at` one time ("18 months";
        by default the last encounter). `progress` is told how many patients are newly done. Raises NosographError for
        what the run does not have or the format cannot tell.
        """
