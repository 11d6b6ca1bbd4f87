"""Many cohorts of one model side by side, each a whole run: with drawn parameters, what is not known shows between."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..causal.model.model import Model
from ..errors import fail
from .cohort import simulate_to
from .runs.run import RunSummary


def simulate_cohorts(model: Model, folder: Path, *, cohorts: int, seed: int = 0, **options: Any) -> list[RunSummary]:
    """Simulate into `folder`/cohort-0 and so on; the `options` are those of `simulate_to`.

    Cohort k is made with seed + k, and so is what `simulate_to` makes alone with that seed. What was interrupted goes
    on from the finished cohorts and shards. Raises NosographError as `simulate_to`, and where `folder` is a run itself.
    """
    if cohorts < 1:
        raise fail("at least one cohort is simulated", value=cohorts, fix="--cohorts 10")
    if (folder / "manifest.json").exists():
        raise fail("the folder holds a run, and not cohorts", value=folder, fix="a new folder")
    return [simulate_to(model, folder / f"cohort-{k}", seed=seed + k, **options) for k in range(cohorts)]


def simulate_one_or_many(model: Model, folder: Path, *, cohorts: int | None, **options: Any) -> list[RunSummary]:
    """One run in `folder` itself, or `cohorts` of them in it."""
    if cohorts is None:
        return [simulate_to(model, folder, **options)]
    return simulate_cohorts(model, folder, cohorts=cohorts, **options)
