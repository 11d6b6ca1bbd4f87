"""Numbers that cannot be are refused by the library itself, so in Python as on the command line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nosograph as ng
from nosograph.causal.catalog.rare.mixture import read_mixture
from nosograph.errors import NosographError
from nosograph.ontology.knowledge import KnowledgeGraph
from nosograph.simulate.cohort import simulate_cohorts, simulate_to

SIX = Path(__file__).parents[1] / "models" / "six.yaml"
EFFECT = "treated -> severity_rated @ 18 months"


def write(path: Path, **keys: Any) -> None:
    simulate_to(ng.load(SIX), path / "run", **{"patients": 3, **keys})


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "a negative seed": (lambda _: ng.simulate(SIX, patients=3, seed=-1), "a seed is"),
    "a seed beyond 63 bits": (lambda _: ng.simulate(SIX, patients=3, seed=2**63), "a seed is"),
    "a fractional seed": (lambda _: ng.simulate(SIX, patients=3, seed=0.5), "a seed is"),  # type: ignore[arg-type]
    "no patients": (lambda _: ng.simulate(SIX, patients=0), "the number of patients is"),
    "patients that are no number": (
        lambda _: ng.simulate(SIX, patients=float("nan")),  # type: ignore[arg-type]
        "the number of patients is",
    ),
    "a patient's number": (lambda _: ng.ask(SIX, patient=-3, do="treated = 1"), "a patient's number is"),
    "the seed of a question": (lambda _: ng.ask(SIX, EFFECT, seed=-1), "a seed is"),
    "the patients of a question": (lambda _: ng.ask(SIX, EFFECT, patients=0), "the number of patients is"),
    "the seed of a verification": (lambda _: ng.verify(SIX, seed=-1), "a seed is"),
    "the patients of a verification": (lambda _: ng.verify(SIX, patients=-5), "the number of patients is"),
    "the patients of a truth": (lambda _: ng.verify(SIX, truth_patients=0), "the number of patients is"),
    "a run's seed": (lambda path: write(path, seed=-1), "a seed is"),
    "a run's workers": (lambda path: write(path, workers=0), "the number of workers is"),
    "a run's shards": (lambda path: write(path, shard_size=0), "the size of a shard is"),
    "a run's rows": (lambda path: write(path, every=0), "every so many steps is"),
    "cohorts": (
        lambda path: simulate_cohorts(ng.load(SIX), path / "run", cohorts=0, patients=3),
        "the number of cohorts is",
    ),
    "the seed of a rendering": (lambda path: ng.render(path, seed=-1), "a seed is"),
    "the workers of a rendering": (lambda path: ng.render(path, workers=-1), "the number of workers is"),
    "an intervention without a value": (
        lambda _: ng.simulate(SIX, patients=3, do="severity = log(-1)"),
        "log() takes positive numbers",
    ),
    "an intervention by a division by zero": (
        lambda _: ng.ask(SIX, patient=1, do="treated = 1 / 0"),
        "division by zero",
    ),
    "a condition that nobody can meet": (
        lambda _: ng.simulate(SIX, patients=3, where="age >= 180"),
        "nobody can enter: age >= 180, and age is at most 90",
    ),
    "a subgroup that nobody is in": (lambda _: ng.ask(SIX, EFFECT, given="age < 45"), "nobody can enter"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_number_out_of_range_is_refused_in_python(case: str, tmp_path: Path) -> None:
    act, problem = REFUSED[case]
    with pytest.raises(NosographError) as error:
        act(tmp_path)
    (found,) = error.value.problems
    assert problem in found.problem
    assert found.fix
    assert not (tmp_path / "run").exists()


def test_numbers_of_other_libraries_are_numbers() -> None:
    one = ng.simulate(SIX, patients=np.int64(3), seed=np.int32(5))
    assert one.patients.equals(ng.simulate(SIX, patients=3, seed=5).patients)


@pytest.mark.parametrize(
    "mix", ["OMIM:154700=-1, OMIM:609192=2", "OMIM:154700=nan", "OMIM:154700=0", "OMIM:154700=inf"]
)
def test_a_weight_that_cannot_be_is_refused(mix: str) -> None:
    with pytest.raises(NosographError, match="weight"):
        read_mixture(mix, knowledge=KnowledgeGraph.open())


def test_the_command_line_says_the_same(tmp_path: Path) -> None:
    code = "from nosograph.commands import main; main()"
    arguments = ["simulate", str(SIX), "--out", str(tmp_path / "run"), "-n", "3", "--seed", "-1"]
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "a seed is a whole number, 0 or more" in done.stderr
