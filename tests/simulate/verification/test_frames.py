"""The frame of the record is the functional that the truth is of."""

import numpy as np
import pytest
import torch

from nosograph.causal.effects.columns import columns
from nosograph.causal.model.effects import parse_effect
from nosograph.causal.model.load import load_model
from nosograph.simulate.cohort import simulate
from nosograph.simulate.contrast import read_outcome
from nosograph.simulate.verification.frames import apply_death, build_frame

EFFECTS = {
    "while alive": "lecanemab -> cdr_sb_rated @ 36 months",
    "composite": "{effect: lecanemab -> cdr_sb_rated @ 36 months, death: composite, composite: 18}",
    "survivors": "{effect: lecanemab -> cdr_sb_rated @ 36 months, death: survivors}",
    "an event": "lecanemab -> aria_e @ 36 months",
    "what ends the journey": "lecanemab -> death @ 36 months",
}


@pytest.mark.parametrize("case", EFFECTS)
def test_the_outcome_in_the_frame_is_that_of_the_journeys(case: str) -> None:
    """Two roads to one quantity: from the tables by pandas, and from the trajectories by torch."""
    model = load_model("alzheimers")
    effect = parse_effect(EFFECTS[case], model)
    cohort = simulate(model, patients=2_000, years=3)
    (column,) = [column for column in columns(model, effect) if column.role == "outcome"]
    frame = build_frame(cohort, [column], world="factual")
    frame = apply_death(frame, cohort, effect, column.name, world="factual")
    (journeys,) = cohort.batches
    expected = read_outcome(journeys, model, effect, recorded=True)[0]
    assert torch.isfinite(expected).sum() > 1_000
    np.testing.assert_allclose(frame[column.name], expected.numpy(), rtol=1e-6)
