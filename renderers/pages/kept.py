"""What `verify` keeps beside a run, as it is read again for the report: `verification.json`, and one a modality."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from ...simulate.runs.documents import RunDocument
from ...simulate.runs.inventory import Count

LARGEST = 1e100  # and the reciprocal of the smallest: what can be drawn


def _check_number(value: float) -> float:
    """An estimate may be nothing at all, NaN or infinite."""
    if math.isfinite(value) and value and not 1 / LARGEST <= abs(value) <= LARGEST:
        raise ValueError(f"a number is 0, or from {1 / LARGEST:g} to {LARGEST:g}")
    return value


Number = Annotated[float, AfterValidator(_check_number)]
Pair = Annotated[list[Number], Field(min_length=2, max_length=2)]
Share = Annotated[float, Field(ge=0, le=1)]
Words = Annotated[str, Field(max_length=100_000)]


class _Kept(RunDocument):
    model_config = ConfigDict(allow_inf_nan=True)


class KeptInterval(_Kept):
    estimate: Number
    interval: Pair


class KeptEstimate(KeptInterval):
    method: Words
    covers: bool | None


class KeptRefutation(_Kept):
    name: Words
    value: Number
    passed: bool | None


class KeptExamination(_Kept):
    """What the report reads of `Examination.as_json`."""

    effect: Words
    truth: Number | None
    naive: KeptInterval | None
    complete_cases: KeptInterval | None = None
    estimates: list[KeptEstimate]
    refutations: list[KeptRefutation]
    identifiable: bool
    recovered: bool | None
    naive_misses: bool | None
    reason: Words
    adjustment: list[Words]
    rows: Count
    left_out: Share
    strategies: Words = ""
    compared_with: Words = "truth"


class KeptVerification(_Kept):
    """`verification.json`."""

    model: Words
    patients: Count
    seed: Count
    passed: bool
    effects: list[KeptExamination]


class KeptCost(_Kept):
    method: Words
    difference: Number
    width_ratio: Number


class RereadExamination(KeptExamination):
    """What was read of one effect's variables, and what reading cost."""

    cost: list[KeptCost]
    read: list[Words]
    taken: list[Words]


class BothExaminations(KeptExamination):
    through: RereadExamination

    @model_validator(mode="after")
    def check_costs(self) -> BothExaminations:
        for estimates in (self.estimates, self.through.estimates):
            lacking = {cost.method for cost in self.through.cost} - {found.method for found in estimates}
            if lacking:
                raise ValueError(f"a cost is of a method without an estimate: {min(lacking)}")
        return self


class KeptAccuracy(_Kept):
    variable: Words
    unit: Words
    recorded: Count
    read: Count
    wrong: Count | None
    missed: Annotated[int, Field(ge=-(2**63), lt=2**63)]
    invented: Count
    rmse: Number | None


class KeptReading(_Kept):
    modality: Words
    patients: Count
    artifacts: Count
    counts: dict[Words, Count]
    accuracy: list[KeptAccuracy]
    caveats: list[Words]


class KeptReread(_Kept):
    """`verification-<modality>.json`."""

    model: Words
    patients: Count
    seed: Count
    passed: bool
    effects: list[BothExaminations]
    through: KeptReading
