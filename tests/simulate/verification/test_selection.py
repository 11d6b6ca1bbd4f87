"""Who enters a run is selected, which verification knows; and an effect that only a front door identifies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from nosograph.causal.model.load import load_model
from nosograph.causal.model.model import Model
from nosograph.simulate.cohort import simulate
from nosograph.simulate.verification.verify import verify

MakeModel = Callable[..., Model]


WARD = """
id: ward
title: Two independent coins that both lead to the ward
version: 1.0.0
disease: MONDO:0004975
clock: {step: 1 month, horizon: 1 month, unit: year}
variables:
  x: {kind: static, mechanism: Bernoulli(0.3)}
  y: {kind: static, mechanism: Bernoulli(0.3)}
  ward:
    kind: static
    mechanism: Bernoulli(where(x or y, 0.9, 0.05))
    caused_by: {x: {source: assumption}, y: {source: assumption}}
"""


def test_a_condition_of_a_run_that_the_cause_influences_is_selection(tmp_path: Path) -> None:
    """Berkson's bias, which adjustment for nothing would give with confidence."""
    (tmp_path / "ward.yaml").write_text(WARD, encoding="utf-8")
    model = load_model(tmp_path / "ward.yaml")
    simulate(model, patients=2_000, where="ward == 1").save(tmp_path / "ward")
    simulate(model, patients=2_000).save(tmp_path / "all")
    keys = {"effects": "x -> y @ 1 month", "truth_patients": 5_000}
    found = verify(tmp_path / "ward", **keys).examinations[0]
    assert found.truth == 0
    assert found.naive is not None
    assert found.naive.estimate < -0.5  # a confident wrong answer, were it given
    assert not found.identifiable
    assert found.estimates == ()
    assert found.reason == "not recoverable: selection by ward == 1 (x -> ward)"
    assert verify(tmp_path / "all", **keys).examinations[0].recovered is not False


def test_a_front_door_from_the_record(make_model: MakeModel) -> None:
    """The drug acts through a rash within the first month; what leads to the drug also acts on the score."""
    model = make_model(
        {
            "hidden": {"kind": "static", "mechanism": "Normal(0, 1)", "recorded": False},
            "drug": {"kind": "treatment", "start": "Bernoulli(expit(hidden))", "mechanism": "drug[-1]"},
            "rash": {"kind": "event", "mechanism": "Hazard(where(t < 0.1, 6 + 12 * drug[-1], 0))"},
            "score": {"kind": "measurement", "when": "t > 0.2", "mechanism": "Normal(3 * ever(rash) + hidden, 1)"},
        },
        steps=3,
    )
    found = verify(model, effects="drug -> score @ 3 months", patients=5_000, truth_patients=20_000).examinations[0]
    assert found.identified_by == "front door"
    assert found.mediators == ("rash@1", "rash@2")
    assert found.recovered
    assert found.naive_misses
