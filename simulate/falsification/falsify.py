"""Does a model's graph survive people? What it implies is tested on them, and its own people are shown beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...causal.effects.columns import Column
from ...causal.effects.design import encode
from ...causal.effects.implications import Implication, Unrolled, unroll_selected
from ...causal.model.compose import Source
from ...causal.model.duration import parse_step, write_time
from ...causal.model.load import as_model
from ...causal.model.model import Model
from ...causal.model.world import FACTUAL
from ...causal.program.noise import check_seed
from ...causal.program.threads import one_thread
from ...errors import check_whole, fail
from ..cohort import simulate
from ..data.people import People, read_people
from ..entrants import count_patients
from .frame import build_quantities
from .independence import find_p_value
from .permutations import Permuted, permute
from .summaries import SummaryPair, compare

if TYPE_CHECKING:
    import pandas as pd

SIGNIFICANCE = 0.05  # family-wise, over all independencies that are tested
PATIENTS = 2_000
PERMUTATIONS = 20  # the fewest that can show a graph better than all others at the 0.05 level
MOMENTS = 3  # times that are looked at where none are asked for
MOST_QUANTITIES = 60
MOST_SHOWN = 10


@dataclass(frozen=True)
class Tested:
    """An implied independence and its p-value on `people`; `p_value` is None where it cannot be tested, `adjusted` is
    that of Holm; `mends`: how many of the rejected independencies the arrow would take back, None where not rejected.
    """

    claim: Implication
    people: int
    p_value: float | None
    adjusted: float | None
    mends: int | None = None

    @property
    def rejected(self) -> bool:
        return self.adjusted is not None and self.adjusted <= SIGNIFICANCE

    @property
    def arrow(self) -> str:
        cause, effect = self.claim.arrow
        if cause == effect:
            return f"{cause} -> {effect} (its own past)"
        return f"{cause} -> {effect}" + (f", or {effect} -> {cause}" if self.claim.either else "")

    def as_json(self) -> dict[str, Any]:
        return {
            "independent": [self.claim.first.name, self.claim.second.name],
            "given": [column.name for column in self.claim.given],
            "people": self.people,
            "p_value": self.p_value,
            "adjusted": self.adjusted,
            "rejected": self.rejected,
            "arrow": self.arrow if self.rejected else None,
            "mends": self.mends,
        }


@dataclass(frozen=True)
class Falsification:
    """What a table says of a graph. `tested`: the implied independencies, the worst first, those that cannot be tested
    last; `times`: at which; `survives`: none is rejected."""

    model: str
    data: str
    patients: int
    lacking: tuple[str, ...]
    times: tuple[str, ...]
    tested: tuple[Tested, ...]
    permuted: Permuted | None
    compared: tuple[SummaryPair, ...]

    @property
    def rejected(self) -> tuple[Tested, ...]:
        return tuple(test for test in self.tested if test.rejected)

    @property
    def survives(self) -> bool:
        return not self.rejected

    def as_json(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "data": self.data,
            "patients": self.patients,
            "lacking": list(self.lacking),
            "times": list(self.times),
            "survives": self.survives,
            "independencies": [test.as_json() for test in self.tested],
            "permuted": self.permuted.as_json() if self.permuted else None,
            "summaries": [comparison.as_json() for comparison in self.compared],
        }

    def __str__(self) -> str:
        done = [test for test in self.tested if test.p_value is not None]
        head = f"{self.model}: its graph on {self.patients:,} patients of {self.data or 'a table'}"
        lines = [head, *self.lacking, f"at {', '.join(self.times)}", ""]
        if not done:
            lines.append("the graph implies no independence that can be tested on this table")
        else:
            verdict = f"{len(self.rejected)} of {len(done)} implied independencies rejected"
            lines.append(f"{verdict} (Holm, family-wise error {SIGNIFICANCE})")
        lines += [f"{len(self.tested) - len(done)} more cannot be tested"] if len(done) < len(self.tested) else []
        for test in self.rejected[:MOST_SHOWN]:
            assert test.p_value is not None
            lines.append(f"    {test.claim}: p = {test.p_value:.2g} ({test.people:,} people)")
            lines.append(f"        the arrow {test.arrow} would mend it, and {test.mends} of the rejected in all")
        more = len(self.rejected) - MOST_SHOWN
        lines += [f"    … and {more} more (--json)"] if more > 0 else []
        lines += [str(self.permuted)] if self.permuted else []
        return "\n".join([*lines, "", *_write_table(self.compared)])


def falsify(
    source: Model | Source,
    data: str | Path | pd.DataFrame | People,
    *,
    at: str | Sequence[str] | None = None,
    patients: int = PATIENTS,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> Falsification:
    """Test on the people of a table what a model's graph implies of them, and compare them with simulated ones.

    `data`: a CSV or Parquet file or a DataFrame, in a form of docs/data.md; `at`: the times of what is looked at ("12
    months"), by default up to `MOMENTS` of the table's; `patients`: how many are simulated; `permutations`: how many
    permuted graphs DoWhy may compare the graph with, 0 for none. Raises NosographError for what cannot be read, and for
    times without values.
    """
    model, seed, patients = as_model(source), check_seed(seed), count_patients(patients)
    check_whole(permutations, "the number of permutations", least=0, fix="--permutations 20")
    people = read_people(data, model)
    steps = _choose_steps(people, [at] if isinstance(at, str) else at)
    with one_thread():
        unrolled = unroll_selected(people.model, until=max(steps))
        offered = _choose_quantities(people, unrolled, steps)
        frame = build_quantities(people, offered, world=FACTUAL.name)
        varying = [column for column in offered if frame[column.name].nunique() > 1]
        tested = _test(unrolled, varying, frame)
        permuted = permute(unrolled, varying, frame, permutations=permutations, seed=seed) if varying else None
        years = max(*steps, 1) * people.model.clock.step
        simulated = simulate(people.model, patients=patients, seed=seed, years=years)
        own = build_quantities(simulated, offered, world=FACTUAL.name)
    return Falsification(
        model=people.model.id,
        data=people.name,
        patients=len(people),
        lacking=people.lacking,
        times=tuple(write_time(step, clock=people.model.clock) for step in steps),
        tested=tested,
        permuted=permuted,
        compared=compare(frame, own, offered),
    )


def _choose_steps(people: People, at: Sequence[str] | None) -> list[int]:
    """The steps asked for; else the first, the last and one between them of those at which the table has values."""
    clock = people.model.clock
    held = sorted({0}.union(*people.held.values(), *people.by_visit.values()) & set(range(clock.steps + 1)))
    if at:
        steps = sorted({parse_step(text, clock=clock) for text in at})
        if lacking := [step for step in steps if step not in held]:
            fix = ", ".join(write_time(step, clock=clock) for step in held[:12])
            raise fail("the table has no values at this time", value=write_time(lacking[0], clock=clock), fix=fix)
        return steps
    places = np.linspace(0, len(held) - 1, min(MOMENTS, len(held))).round().astype(int)
    return [held[place] for place in places]


def _choose_quantities(people: People, unrolled: Unrolled, steps: Sequence[int]) -> list[Column]:
    """What the table holds of what the graph has at these steps."""
    found = []
    for column in unrolled.list_quantities(steps):
        variable, held = people.model.variables[column.variable], people.held.get(column.variable, frozenset())
        if variable.kind == "measurement" and column.step not in held:
            continue
        if variable.kind == "treatment" and all(step > column.step for step in held):
            continue
        if variable.name in people.by_visit and column.step not in people.by_visit[variable.name]:
            continue
        found.append(column)
    if len(found) > MOST_QUANTITIES:
        what = f"{len(found)} quantities at {len(steps)} times"
        raise fail(
            f"at most {MOST_QUANTITIES} quantities are tested at once", value=what, fix='fewer times: --at "0 …"'
        )
    return found


def _test(unrolled: Unrolled, quantities: Sequence[Column], frame: pd.DataFrame) -> tuple[Tested, ...]:
    """Each implied independence on those who have all its quantities; the worst first."""
    found = []
    for claim in unrolled.find_implications(quantities):
        names = [claim.first.name, claim.second.name, *(column.name for column in claim.given)]
        whole = frame[names].dropna()
        x, y = (whole[name].to_numpy(dtype=np.float64) for name in names[:2])
        found.append((claim, len(whole), find_p_value(x, y, encode(whole, claim.given))))
    done = sorted((test for test in found if test[2] is not None), key=lambda test: test[2] or 0.0)
    tests, least = [], 0.0
    for place, (claim, people, p_value) in enumerate(done):
        assert p_value is not None
        least = max(least, min(1.0, (len(done) - place) * p_value))  # Holm 1979
        tests.append(Tested(claim, people, p_value, least))
    rejected = [test.claim for test in tests if test.rejected]
    mended: dict[tuple[str, str, int], int] = {}
    for place, test in enumerate(tests[: min(len(rejected), MOST_SHOWN)]):
        pair = (test.claim.first, test.claim.second)
        key = (*test.claim.arrow, pair[1].step - pair[0].step)
        if key not in mended:
            mended[key] = unrolled.count_mended(pair, rejected)
        tests[place] = Tested(test.claim, test.people, test.p_value, test.adjusted, mended[key])
    rest = [Tested(claim, people, None, None) for claim, people, p_value in found if p_value is None]
    return (*tests, *rest)


def _write_table(compared: Sequence[SummaryPair]) -> list[str]:
    """The summaries as lines: real, then simulated."""
    heads = ["", "", "n", "mean", "sd", "5%", "50%", "95%", "difference / sd"]
    rows = [heads]
    for found in compared:
        for name, who, values in ((found.name, "real", found.real), ("", "simulated", found.simulated)):
            cells = ["" if v is None else f"{v:.4g}" if key != "n" else f"{v:,}" for key, v in values.items()]
            shown = "" if who == "real" or found.difference is None else f"{found.difference:+.2f}"
            rows.append([name, who, *cells, shown])
    widths = [max(len(row[place]) for row in rows) for place in range(len(heads))]
    return [
        "  ".join(
            cell.ljust(width) if place < 2 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
