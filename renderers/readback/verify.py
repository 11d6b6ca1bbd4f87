"""Effects through a modality: DoWhy examines values that were measured from artifacts, beside those of the record.

The truth is that of the worlds, as ever. Both tables are of the same patients, so what lies between them is the
reading: what it missed, misread and invented.
"""

from __future__ import annotations

import html
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from ...causal.effects.columns import columns
from ...causal.effects.estimate import Estimate
from ...causal.effects.examine import DECIDING, Examination
from ...causal.effects.g_formula import G_FORMULA
from ...causal.model.model import Effect, Model
from ...errors import fail
from ...simulate.cohort import Run
from ...simulate.runs.workers import PROCESSES
from ...simulate.verification import verify as simulated
from ...simulate.verification.estimation import Estimation, estimate_effects
from ...simulate.verification.verify import (
    PATIENTS,
    TRUTH_PATIENTS,
    Verification,
    as_model_or_run,
    choose_run_effects,
    find_factual_world,
    verify_records,
)
from ..usage import write_unit
from .accuracy import Accuracy, compare_records
from .measure import Source, find_source, measure_rendering
from .record import build_read, find_read, keep_part

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[int], None]


def silent(count: int) -> None:
    """No progress is shown."""


@dataclass(frozen=True)
class Reread:
    """Effects examined on what was read of a `modality`, beside those on the record of the same patients.

    `of`: how many patients the run has; `counts`: of readings (see `readings.Chart`); `read`: for each effect which of
    its variables were read, and `taken`: which of them are the run's own, since no artifact tells of them. `seconds`:
    of reading and of examining.
    """

    modality: str
    record: Verification
    through: Verification
    of: int
    artifacts: int
    counts: Mapping[str, int]
    accuracy: tuple[Accuracy, ...]
    read: tuple[tuple[str, ...], ...]
    taken: tuple[tuple[str, ...], ...]
    faults: Mapping[str, float]
    chosen_times: bool
    seconds: Mapping[str, float]

    @property
    def passed(self) -> bool:
        """The pass rule, on what was read."""
        return self.through.passed

    def caveats(self) -> list[str]:
        """What has to be known of the rendering, in words."""
        told, patients = [], self.through.patients
        if patients < self.of:
            wider = (self.of / patients) ** 0.5
            told.append(
                f"Only {patients:,} of the run's {self.of:,} patients have {self.modality}, and both tables are of "
                f"these: intervals are about {wider:.1f} times as wide as all would give, and so much larger an error "
                "goes unseen."
            )
        if self.chosen_times:
            told.append(f"The {self.modality} are of chosen times; what was measured at others is missed.")
        if self.faults:
            kinds = ", ".join(f"{kind} {rate:g}" for kind, rate in self.faults.items())
            told.append(f"The {self.modality} have faults on purpose: {kinds}.")
        return told

    def as_json(self) -> dict[str, Any]:
        """The document of `verify --json` on the record, each effect with `through` beside it. `passed` is of what was
        read."""
        document = self.record.as_json()
        for row, own, other, read, taken in zip(
            document["effects"], self.record.examinations, self.through.examinations, self.read, self.taken, strict=True
        ):
            row["through"] = {
                "modality": self.modality,
                **other.as_json(),
                "cost": cost_of_reading(own, other),
                "read": list(read),
                "taken": list(taken),
            }
        return {
            **document,
            "passed": self.passed,
            "record_passed": self.record.passed,
            "through": {
                "modality": self.modality,
                "patients": self.through.patients,
                "of": self.of,
                "artifacts": self.artifacts,
                "counts": dict(self.counts),
                "accuracy": [one.as_json() for one in self.accuracy],
                "faults": dict(self.faults),
                "caveats": self.caveats(),
                "seconds": dict(self.seconds),
            },
        }

    def to_pandas(self) -> pd.DataFrame:
        """The rows of both tables; `values` says whether they are the record's or were read."""
        import pandas as pd

        tables = [
            self.record.to_pandas().assign(values="record"),
            self.through.to_pandas().assign(values=self.modality),
        ]
        return pd.concat(tables, ignore_index=True)

    def __str__(self) -> str:
        head = f"{self.through.model}: DoWhy on values read from {self.artifacts:,} {self.modality} of "
        lines = [
            head + f"{self.through.patients:,} patients, seed {self.through.seed} (95% intervals)",
            *self.caveats(),
        ]
        pairs = zip(self.record.examinations, self.through.examinations, self.through.rows(), self.taken, strict=True)
        for own, other, (effect, truth, naive, _, verdict), taken in pairs:
            lines += ["", effect, f"    {own.compared_with:<20} {truth}", f"    without adjustment   {naive}"]
            for cost in cost_of_reading(own, other):
                one, two = (_tell(found, str(cost["method"])) for found in (own, other))
                lines += [
                    f"    {cost['method']}",
                    f"        from the record {one}",
                    f"        from {self.modality:10s} {two}",
                ]
                moved = f"{cost['difference']:+.3f}, and the interval is {cost['width_ratio']:.2f} times as wide"
                lines.append(f"        reading moves it by {moved}")
            lines.append(f"    {verdict.replace('from the record ', '')}")
            lines += [f"    not read, but the run's own: {', '.join(taken)}"] if taken else []
        return "\n".join([*lines, "", "What was read of the record:", *self._tell_accuracy()])

    def _tell_accuracy(self) -> list[str]:
        lines = [f"    {'':34s}{'recorded':>9s}{'read':>9s}{'wrong':>7s}{'missed':>8s}{'invented':>9s}  RMSE"]
        for one in self.accuracy:
            wrong = "-" if one.wrong is None else f"{one.wrong:,}"
            rmse = "-" if one.rmse is None else f"{one.rmse:.3g} {write_unit(one.unit)[0]}".rstrip()
            counts = f"{one.recorded:9,}{one.read:9,}{wrong:>7s}{one.missed:8,}{one.invented:9,}"
            lines.append(f"    {one.variable:34s}{counts}  {rmse}")
        told = ", ".join(f"{count:,} {name}" for name, count in sorted(self.counts.items()))
        return [*lines, f"    of readings: {told}"]

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


def _tell(found: Examination, method: str) -> str:
    (estimate,) = (one for one in found.estimates if one.method == method)
    return "{:+.3f} ({:+.3f} to {:+.3f})".format(estimate.estimate, *estimate.interval)


def cost_of_reading(own: Examination, other: Examination) -> list[dict[str, Any]]:
    """How far each deciding estimate moves, and how many times as wide its interval is, when its values are read."""
    held = {estimate.method: estimate for estimate in own.estimates}
    return [
        {
            "method": two.method,
            "difference": two.estimate - held[two.method].estimate,
            "width_ratio": _width(two) / _width(held[two.method]),
        }
        for two in other.estimates
        if two.method in held and two.method in (*DECIDING, G_FORMULA)
    ]


def _width(estimate: Estimate) -> float:
    low, high = estimate.interval
    return high - low


@overload
def verify(
    source: Model | Run | str | Path, *, effects: str | Sequence[str | Effect] | None = ..., patients: int = ...,
    truth_patients: int = ..., seed: int = ..., through: None = ..., workers: int | None = ...,
    engine: str = ..., data: None = ...,
) -> Verification: ...  # fmt: skip
@overload
def verify(
    source: Model | Run | str | Path, *, effects: str | Sequence[str | Effect] | None = ..., patients: int = ...,
    truth_patients: int = ..., seed: int = ..., through: str, workers: int | None = ...,
    engine: str = ..., data: None = ...,
) -> Reread: ...  # fmt: skip
@overload
def verify(
    source: Model | str | Path, *, effects: str | Sequence[str | Effect] | None = ..., seed: int = ...,
    data: str | Path | pd.DataFrame,
) -> Estimation: ...  # fmt: skip
def verify(
    source: Model | Run | str | Path,
    *,
    effects: str | Sequence[str | Effect] | None = None,
    patients: int = PATIENTS,
    truth_patients: int = TRUTH_PATIENTS,
    seed: int = 0,
    through: str | None = None,
    workers: int | None = None,
    engine: str = PROCESSES,
    data: str | Path | pd.DataFrame | None = None,
) -> Verification | Reread | Estimation:
    """Examine effects (the model's declared ones by default) on a fresh cohort of `patients`, or on a run's record.

    `source`: a model, its catalog name or its path, a run, or a run's folder.
    With `through`, a modality that the run has been rendered in: on what can be read of that, by `workers` of the
    `engine` (see `run_parts`). With `data`, the file or the DataFrame of a cohort (docs/data.md): on these people,
    whose truth nobody knows.

    Raises NosographError for an effect that the model cannot have, for a run without the rendering, and for data that
    cannot be read.
    """
    source = as_model_or_run(source)
    if data is not None:
        if isinstance(source, Run) or through is not None:
            raise fail("data is examined on a model", fix="verify(model, data=…), without through")
        return estimate_effects(source, data, effects=effects, seed=seed)
    if through is None:
        return simulated.verify(source, effects=effects, patients=patients, truth_patients=truth_patients, seed=seed)
    if not isinstance(source, Run):
        fix = f"nosograph simulate …, nosograph render DIR --modality {through}, and the run's folder"
        raise fail("what is read are the artifacts of a run, and this is a model", value=source.id, fix=fix)
    return verify_through(
        source, modality=through, effects=effects, truth_patients=truth_patients, workers=workers, engine=engine
    )


def verify_through(
    run: Run,
    *,
    modality: str,
    effects: str | Sequence[str | Effect] | None = None,
    truth_patients: int = TRUTH_PATIENTS,
    workers: int | None = None,
    engine: str = PROCESSES,
    reading: Progress = silent,
    examining: Progress = silent,
) -> Reread:
    """Examine effects on what is read of a run's artifacts in its factual world, and on its record, against one truth.

    Where only some patients were rendered, both are of these. `reading` is told of patients read, `examining` of
    effects examined. Raises NosographError for an effect that the run cannot have, and where it has not been rendered.
    """
    chosen = choose_run_effects(run, effects)
    source = find_source(run, modality=modality, world=find_factual_world(run))
    started = time.monotonic()
    measured = measure_rendering(source, workers=workers, engine=engine, progress=reading)
    if not measured.chart.mentioned:
        raise fail(f"nothing could be read of the {modality}", value=source.folder, fix="artifacts that tell something")
    own = keep_part(run, source)
    read = build_read(measured, own)
    halfway = time.monotonic()
    record, through = verify_records(
        run, [own, read], effects=chosen, truth_patients=truth_patients, progress=examining
    )
    known = find_read(measured, run.model)
    used = [_variables_of(run.model, effect, found) for effect, found in zip(chosen, through.examinations, strict=True)]
    return Reread(
        modality=modality,
        record=record,
        through=through,
        of=len(run),
        artifacts=measured.artifacts,
        counts=dict(measured.chart.counts),
        accuracy=compare_records(measured, own),
        read=tuple(tuple(name for name in names if name in known) for names in used),
        taken=tuple(tuple(name for name in names if name not in known) for names in used),
        faults=source.faults,
        chosen_times=source.steps is not None,
        seconds={
            "reading": round(halfway - started, 1),
            "examining": round(time.monotonic() - halfway, 1),
        },
    )


def count_to_read(run: Run, modality: str) -> int:
    """How many patients are to be read. Raises NosographError where the run has no such rendering."""
    source: Source = find_source(run, modality=modality, world=find_factual_world(run))
    return len(source.patients)


def _variables_of(model: Model, effect: Effect, found: Examination) -> list[str]:
    """The variables whose recorded values an examination stands on: adjustment set, mediators, cause and outcome."""
    used = [c for c in columns(model, effect) if c.role != "covariate" or c.name in found.adjustment]
    mediators = [name.partition("@")[0] for name in found.mediators]
    return list(dict.fromkeys([*(column.variable for column in used), *mediators]))
