"""How many inputs the fuzz tests try, and what counts as a failure.

All of them together try 3,000 inputs, the same ones at every run, or as many new ones as $NOSOGRAPH_FUZZ_CASES says:

    NOSOGRAPH_FUZZ_CASES=100000 pytest -m verification tests/fuzz

Whatever hypothesis makes of an input, the answer is a result or a `NosographError`: any other exception fails the test,
and so does an input that takes longer than `SLOWEST`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings

from nosograph.errors import NosographError

DEFAULT = 3_000
TOTAL = int(os.environ.get("NOSOGRAPH_FUZZ_CASES", DEFAULT))
SLOWEST = timedelta(seconds=20)  # far above what any input needs, since machines are noisy
SHARES = {  # how many of the 3,000 inputs are of each kind
    "documents": 450,  # disease models in YAML
    "graphs": 150,  # disease models in Turtle and JSON-LD
    "expressions": 500,
    "questions": 400,  # worlds, interventions, effects, probabilities
    "records": 200,  # of a patient, in JSON and CSV
    "tables": 100,  # of a cohort, wide and long
    "ontologies": 400,  # OBO, OWL, RDF, RF2
    "annotations": 100,  # phenotype.hpoa
    "sparql": 100,
    "notes": 100,
    "runs": 500,  # the files of a run folder
}
assert sum(SHARES.values()) == DEFAULT

_Result = TypeVar("_Result")


def fuzz(kind: str, *, of: int = 1) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Marks a test that tries inputs of a kind; `of` tests share their number."""
    own = "NOSOGRAPH_FUZZ_CASES" in os.environ
    chosen = settings(
        max_examples=max(1, TOTAL * SHARES[kind] // (DEFAULT * of)),
        derandomize=not own,
        database=None,
        deadline=SLOWEST,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
    )
    return lambda test: pytest.mark.verification(chosen(test))


def refuse_politely(call: Callable[[], _Result]) -> _Result | None:
    """What `call` returns, or None where it raises NosographError; the message then says something."""
    try:
        return call()
    except NosographError as error:
        if not error.problems or not all(problem.problem for problem in error.problems):
            raise AssertionError("the message is empty") from error
        return None
