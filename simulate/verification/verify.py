"""Verification: the true effect comes from worlds that share noise; DoWhy gets the graph and the record alone."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from ...causal.effects.estimate import Estimate
from ...causal.effects.examine import Examination
from ...causal.language import Expression
from ...causal.language.syntax import Binary
from ...causal.model.compose import Source
from ...causal.model.effects import check_examinable, parse_effect
from ...causal.model.load import as_model
from ...causal.model.model import Effect, Model
from ...causal.model.world import FACTUAL
from ...causal.program.noise import check_seed
from ...causal.program.sampling import sample
from ...causal.program.threads import one_thread
from ...errors import fail
from ..cohort import Cohort, Run, Tables, open_run
from ..contrast import BATCH, find_truth
from ..entrants import count_patients, parse_condition, select_entrants
from .given import prepare

if TYPE_CHECKING:
    import pandas as pd

PATIENTS = 20_000
TRUTH_PATIENTS = 100_000  # others than those of the record: their average is the population's, not the sample's


@dataclass(frozen=True)
class Verification:
    """One examination an effect. `passed`: no effect that the record identifies was missed."""

    examinations: tuple[Examination, ...]
    model: str
    patients: int
    seed: int

    @property
    def passed(self) -> bool:
        return all(examination.recovered is not False for examination in self.examinations)

    def as_json(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "patients": self.patients,
            "seed": self.seed,
            "passed": self.passed,
            "effects": [examination.as_json() for examination in self.examinations],
        }

    def to_pandas(self) -> pd.DataFrame:
        """A row for each estimate of each effect, the naive one among them."""
        import pandas as pd

        rows = []
        for found in self.examinations:
            estimates = ([found.naive] if found.naive else []) + list(found.estimates)
            for estimate in estimates:
                low, high = estimate.interval
                row = {"effect": found.effect, "truth": found.truth, "method": estimate.method}
                rows.append(
                    {**row, "estimate": estimate.estimate, "low": low, "high": high, "covers": found.covers(estimate)}
                )
        return pd.DataFrame(rows)

    def rows(self) -> list[tuple[str, str, str, str, str]]:
        """effect, truth, without adjustment, with it, and what comes of it; in words."""
        return [_describe(examination) for examination in self.examinations]

    def __str__(self) -> str:
        lines = [f"{self.model}: DoWhy on the record of {self.patients:,} patients, seed {self.seed} (95% intervals)"]
        for found, (effect, truth, naive, adjusted, verdict) in zip(self.examinations, self.rows(), strict=True):
            lines += ["", effect, f"    {found.strategies}"] if found.strategies else ["", effect]
            lines += [f"    {found.compared_with:<20} {truth}", f"    without adjustment   {naive}"]
            lines += [f"    complete cases       {show_estimate(found.complete_cases)}"] if found.complete_cases else []
            lines += [f"    with adjustment      {adjusted}"]
            lines += (
                [f"    weighted for         {'; '.join(found.losses)}"] if found.complete_cases and found.losses else []
            )
            lines += [f"    {verdict}"]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{name}</th>" for name in ("effect", "truth", "without adjustment", "adjusted", "verdict"))
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in self.rows()
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def show_estimate(estimate: Estimate | None) -> str:
    """An estimate and its 95% interval, or a dash."""
    return "-" if estimate is None else "{:+.3f} ({:+.3f} to {:+.3f})".format(estimate.estimate, *estimate.interval)


def _describe(found: Examination) -> tuple[str, str, str, str, str]:
    truth = "-" if found.truth is None else f"{found.truth:+.3f}"
    naive = show_estimate(found.naive)
    adjusted = show_estimate(found.estimates[-1] if found.estimates else None)
    if not found.identifiable:
        verdict = f"from the record {found.reason}"
    elif found.recovered is None:
        verdict = found.reason
    else:
        verdict = "recovered" if found.recovered else "MISSED by the adjusted estimates"
        if found.naive_misses is not None:
            verdict += "; missed without adjustment" if found.naive_misses else "; not missed without adjustment"
        if found.reason:
            verdict += f"; {found.reason}"
    return found.effect, truth, naive, adjusted, verdict


def verify(
    source: Model | Run | Source,
    *,
    effects: str | Sequence[str | Effect] | None = None,
    patients: int = PATIENTS,
    truth_patients: int = TRUTH_PATIENTS,
    seed: int = 0,
) -> Verification:
    """Examine effects (the model's declared ones by default) on a fresh cohort of `patients`, or on a run's record.

    `source`: a model, what `nosograph.load` finds, a run, or its folder. Raises NosographError for an effect that the
    model cannot have.
    """
    patients, truth_patients = count_patients(patients), count_patients(truth_patients)
    source, seed = as_model_or_run(source), check_seed(seed)
    if isinstance(source, Run):
        return verify_records(source, [source], effects=effects, truth_patients=truth_patients)[0]
    chosen = choose_effects(source, effects)
    with one_thread():
        cohort = _record(source, chosen, patients, seed)
        examiner = _Examiner(source, FACTUAL.name, truth_patients, skip=patients, seed=seed, of=len(chosen))
        found = [examiner.examine(effect, [cohort])[0] for effect in chosen]
    return Verification(tuple(found), source.id, patients, seed)


def as_model_or_run(source: Model | Run | Source) -> Model | Run:
    """`source` itself, the run in a folder, or else the model that `load_model` finds there."""
    if isinstance(source, Run):
        return source
    if isinstance(source, str | Path) and Path(source).is_dir():
        return open_run(source)
    return as_model(source)


def verify_records(
    run: Run,
    records: Sequence[Tables],
    *,
    effects: str | Sequence[str | Effect] | None = None,
    truth_patients: int = TRUTH_PATIENTS,
    progress: Callable[[int], None] = lambda effects: None,
) -> list[Verification]:
    """One verification for each of several records of a run's patients in its factual world (its own, and what was read
    of its artifacts), against the same truths, which are found once. `progress` is told of each effect.

    Raises NosographError for an effect that the model cannot have, and one beyond the run's end.
    """
    world, seed = find_factual_world(run), int(run.manifest["seed"])
    chosen = choose_run_effects(run, effects)
    held = run.manifest["where"]
    model = _narrow(run.model, parse_condition(held, model=run.model)) if held else run.model
    found = []
    with one_thread():
        examiner = _Examiner(model, world, truth_patients, skip=len(run), seed=seed, of=len(chosen))
        for effect in chosen:
            found.append(examiner.examine(effect, records))
            progress(1)
    sizes = [len(run) if record is run else _count_patients(record, world) for record in records]
    columns = zip(*found, strict=True)
    return [Verification(own, run.model.id, size, seed) for own, size in zip(columns, sizes, strict=True)]


def choose_effects(model: Model, effects: str | Sequence[str | Effect] | None) -> list[Effect]:
    """The effects that are asked for, or the model's declared ones. Raises NosographError where there are none."""
    effects = [effects] if isinstance(effects, str) else effects
    chosen = [parse_effect(e, model) if isinstance(e, str) else e for e in effects] if effects else list(model.effects)
    for effect in chosen:
        check_examinable(effect, model)
    if not chosen:
        raise fail("the model declares no effects", node=model.id, fix='--effect "treatment -> outcome @ 18 months"')
    return chosen


def choose_run_effects(run: Run, effects: str | Sequence[str | Effect] | None) -> list[Effect]:
    """The same, of a run: of the declared effects those by its end. Raises NosographError for an effect beyond it."""
    chosen, last = choose_effects(run.model, effects), int(run.manifest["steps"])
    within = [effect for effect in chosen if effect.at <= last]
    if not effects and within:
        return within
    for effect in chosen:
        if effect.at > last:
            fix = "an earlier time, or a longer run"
            raise fail("the effect lies beyond the run's end", value=effect.text, fix=fix)
    return chosen


def _narrow(model: Model, where: Expression) -> Model:
    """The model of those who also meet `where` at entry: a condition of the run selects as its population does."""
    joined = where if model.population is None else Binary("and", model.population, where)
    return replace(model, population=joined)


def _count_patients(record: Tables, world: str) -> int:
    return int(pc.sum(pc.equal(record.table("patients", ["world"]).column("world").cast("string"), world)).as_py() or 0)


def find_factual_world(run: Run) -> str:
    """The name of the run's world without interventions. Raises NosographError where it has none."""
    for world in run.manifest["worlds"]:
        if not world["interventions"]:
            return str(world["name"])
    raise fail("the run has no factual world to verify", value=run.folder, fix="simulate without --do")


def _record(model: Model, effects: Sequence[Effect], patients: int, seed: int) -> Cohort:
    """A cohort as long as the effects need, of what is recorded alone."""
    steps = max(effect.at for effect in effects)
    keep = [v.name for v in model.variables.values() if v.recorded and v.kind != "state"]
    batches, drawn = [], 0
    for entrants in select_entrants(model, count=patients, seed=seed, batch=BATCH):
        batches.append(sample(model, patients=entrants.numbers, seed=seed, steps=steps, keep=keep))
        drawn = entrants.drawn
    return Cohort(model, (FACTUAL,), seed, steps, None, tuple(batches), drawn)


@dataclass(frozen=True)
class _Examiner:
    """What the examinations of a table share; `of`: how many effects it has, `skip`: whom the truths leave out."""

    model: Model
    world: str
    truth_patients: int
    skip: int
    seed: int
    of: int

    def examine(self, effect: Effect, records: Sequence[Tables]) -> list[Examination]:
        """One effect on each record, against one truth."""
        truth = find_truth(self.model, effect, patients=self.truth_patients, skip=self.skip, seed=self.seed)
        return [
            prepare(self.model, effect, record, world=self.world).examine(
                truth=truth.value, truth_error=truth.error, seed=self.seed, number_of_effects=self.of
            )
            for record in records
        ]
