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
        """Write files into a folder of the run's, all of them or none; the same bytes for the same run. Returns them.

        `patients` are numbers ("0-11,20"; all by default), `world` is the first by default, `at` a time ("18 months";
        by default the last encounter). `progress` is told of patients that are done. Raises NosographError for what the
        run does not have or the format cannot tell.
        """
