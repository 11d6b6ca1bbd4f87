"""The outcome by the record is the outcome of the journeys, where the record tells it."""

import numpy as np
import pytest

from nosograph.causal.model.effects import parse_effect
from nosograph.causal.model.load import load_model
from nosograph.simulate.cohort import simulate
from nosograph.simulate.outcomes import read_outcome
from nosograph.simulate.verification.follow_up import build_follow_up

EFFECTS = {
    "while alive": "lecanemab -> cdr_sb_rated @ 36 months",
    "between visits": "lecanemab -> cdr_sb_rated @ 35 months",
    "composite": "{effect: lecanemab -> cdr_sb_rated @ 36 months, death: composite, composite: 18}",
    "survivors": "{effect: lecanemab -> cdr_sb_rated @ 36 months, death: survivors}",
    "last recorded": "{effect: lecanemab -> cdr_sb_rated @ 36 months, leaving: last recorded}",
    "last recorded visit": "{effect: lecanemab -> cdr_sb_rated @ 36 months, missed: last recorded}",
    "while on treatment": "{effect: lecanemab -> cdr_sb_rated @ 36 months, stopping: while on treatment}",
    "decided later": "{effect: lecanemab -> cdr_sb_rated @ 36 months, decision: 12 months}",
    "a treatment": "lecanemab -> lecanemab @ 36 months",
    "an event": "lecanemab -> aria_e @ 36 months",
    "an event on treatment": "{effect: lecanemab -> aria_e @ 36 months, stopping: while on treatment}",
    "what ends the journey": "lecanemab -> death @ 36 months",
}


@pytest.mark.parametrize("case", EFFECTS)
def test_the_outcome_by_the_record_is_that_of_the_journeys(case: str) -> None:
    """Two roads to one quantity: from the tables by pandas, and from the trajectories by torch."""
    model = load_model("alzheimers")
    effect = parse_effect(EFFECTS[case], model)
    cohort = simulate(model, patients=2_000, years=3)
    found = build_follow_up(cohort, effect, world="factual")
    (journeys,) = cohort.batches
    expected = read_outcome(journeys, model, effect)[0].numpy()
    if case != "survivors":
        assert found.index.tolist() == journeys.patients[~np.isnan(expected)].tolist()
    truth = dict(zip(journeys.patients.tolist(), expected, strict=True))
    told = found["outcome"].dropna()
    assert len(told) > 1_000
    alive = [patient for patient in told.index if not np.isnan(truth[patient])]
    np.testing.assert_allclose(told[alive], [truth[patient] for patient in alive], rtol=1e-6)
    lost = (found["lost"] != "").mean()
    assert lost == 0 if case == "last recorded" else 0.05 < lost < 0.4
