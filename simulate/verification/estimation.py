"""Effects estimated from people: DoWhy gets the model's graph and a table, and there is no truth to compare with."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...causal.effects.examine import Examination
from ...causal.model.compose import Source
from ...causal.model.load import as_model
from ...causal.model.model import Effect, Model
from ...causal.model.strategies import describe_strategies
from ...causal.model.world import FACTUAL
from ...causal.program.noise import check_seed
from ...causal.program.threads import one_thread
from ..data.people import People, read_people
from .complete import find_complete
from .given import prepare
from .holdings import restrict
from .verify import choose_effects, show_estimate

if TYPE_CHECKING:
    import pandas as pd

WITHOUT_TRUTH = ("truth", "truth_error", "compared_with", "recovered", "naive_misses")


@dataclass(frozen=True)
class EstimatedEffect:
    """One effect, estimated from people. `notes`: what the table lacks for it, and who is left out and why."""

    examination: Examination
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The row of `verify --data --json`: that of `verify --json` without what needs a truth."""
        row = {key: value for key, value in self.examination.as_json().items() if key not in WITHOUT_TRUTH}
        for estimate in row["estimates"]:
            del estimate["covers"]
        return {**row, "notes": list(self.notes)}

    @property
    def verdict(self) -> str:
        """How the effect is identified, and the caveats; or why there is no estimate."""
        found = self.examination
        if not found.estimates:
            return found.reason
        by = f"{found.identified_by} for {', '.join(found.adjustment)}" if found.adjustment else found.identified_by
        if found.identified_by == "adjustment" and not found.adjustment:
            by = "no adjustment is needed"
        if found.mediators:
            by += f" through {', '.join(found.mediators)}"
        return f"{by}; {found.reason}" if found.reason else by

    def __str__(self) -> str:
        found = self.examination
        shown = [("identified by" if found.estimates else "no estimate", self.verdict)]
        if found.rows:
            shown = [("people", f"{found.rows:,} with an outcome"), *shown]
            shown.append(("without adjustment", show_estimate(found.naive)))
        if found.complete_cases:
            shown.append(("complete cases", show_estimate(found.complete_cases)))
        shown += [(estimate.method, show_estimate(estimate)) for estimate in found.estimates]
        if found.complete_cases and found.losses:
            shown.append(("weighted for", "; ".join(found.losses)))
        for refutation in found.refutations:
            words = {True: " (passed)", False: " (FAILED)", None: ""}[refutation.passed]
            shown.append((refutation.name, f"{refutation.value:+.3f}{words}"))
        width = max(len(name) for name, _ in shown) + 2
        lines = [found.effect, *([f"    {found.strategies}"] if found.strategies else [])]
        lines += [f"    {note}" for note in self.notes]
        return "\n".join([*lines, *(f"    {name:<{width}}{value}" for name, value in shown)])


@dataclass(frozen=True)
class Estimation:
    """Effects estimated from the people of a table. `data`: the file's name, or ""; `lacking`: what cannot be had from
    it."""

    effects: tuple[EstimatedEffect, ...]
    model: str
    data: str
    patients: int
    lacking: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "data": self.data,
            "patients": self.patients,
            "lacking": list(self.lacking),
            "effects": [effect.as_json() for effect in self.effects],
        }

    def to_pandas(self) -> pd.DataFrame:
        """A row for each estimate of each effect, the naive one among them."""
        import pandas as pd

        rows = []
        for found in (effect.examination for effect in self.effects):
            for estimate in [*([found.naive] if found.naive else []), *found.estimates]:
                low, high = estimate.interval
                row = {"effect": found.effect, "method": estimate.method}
                rows.append({**row, "estimate": estimate.estimate, "low": low, "high": high})
        return pd.DataFrame(rows, columns=["effect", "method", "estimate", "low", "high"])

    def __str__(self) -> str:
        head = f"{self.model}: DoWhy on {self.patients:,} patients of {self.data or 'a table'} (95% intervals)"
        return "\n".join([head, *self.lacking, *(f"\n{effect}" for effect in self.effects)])

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


def estimate_effects(
    source: Model | Source,
    data: str | Path | pd.DataFrame | People,
    *,
    effects: str | Sequence[str | Effect] | None = None,
    seed: int = 0,
) -> Estimation:
    """Estimate effects (the model's declared ones by default) from the people of a table, on the model's graph.

    `data`: a CSV or Parquet file or a DataFrame, in a form of docs/data.md. `seed` is that of the refutations. Raises
    NosographError for what cannot be read, and for an effect that the model cannot have.
    """
    model, seed = as_model(source), check_seed(seed)
    chosen = choose_effects(model, effects)
    people = read_people(data, model)
    with one_thread():
        found = tuple(_estimate(people, effect, seed=seed, of=len(chosen)) for effect in chosen)
    return Estimation(found, model.id, people.name, len(people), people.lacking)


def _estimate(people: People, effect: Effect, *, seed: int, of: int) -> EstimatedEffect:
    model, notes, reason = restrict(people, effect)
    if reason:
        return EstimatedEffect(_refuse(model, effect, reason), notes)
    given = prepare(model, effect, people, world=FACTUAL.name)
    if (count := len(given.frame)) < len(people):
        meet = f" and meet {effect.population}" if effect.population is not None else ""
        notes = (*notes, f"{count:,} of {len(people):,} people are in question at the decision{meet}")
    given, left_out = find_complete(people, given)
    return EstimatedEffect(given.examine(seed=seed, number_of_effects=of), (*notes, *left_out))


def _refuse(model: Model, effect: Effect, reason: str) -> Examination:
    """An examination without estimates, since the table cannot tell the effect."""
    return Examination(
        effect=effect.text or f"{effect.treatment} -> {effect.outcome} @ step {effect.at}",
        truth=None,
        naive=None,
        estimates=(),
        refutations=(),
        identifiable=False,
        confounded=False,
        recovered=None,
        naive_misses=None,
        reason=reason,
        adjustment=(),
        rows=0,
        left_out=1.0,
        strategies=describe_strategies(effect, model),
    )
