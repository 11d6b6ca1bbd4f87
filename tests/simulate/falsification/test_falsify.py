"""A graph that is right survives people, and one that lacks an arrow does not: the arrow is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from nosograph.causal.effects.implications import unroll_selected
from nosograph.causal.model.load import load_model
from nosograph.causal.model.model import Model
from nosograph.errors import NosographError
from nosograph.simulate.falsification.falsify import falsify
from nosograph.simulate.falsification.independence import find_p_value

MakeModel = Callable[..., Model]
CHAIN = {
    "sex": {"kind": "static", "mechanism": 'Categorical("f": 1, "m": 1)'},
    "hidden": {"kind": "static", "mechanism": "Normal(0, 1)", "recorded": False},
    "dose": {"kind": "treatment", "start": "Bernoulli(expit(hidden))", "mechanism": "dose[-1]"},
    "level": {"kind": "measurement", "when": "t == 0", "mechanism": "Normal(2 * dose, 1)"},
    "score": {"kind": "measurement", "when": "t == 0", "mechanism": "Normal(level + hidden, 1)"},
}


def draw_chain(seed: int, count: int = 500, *, direct: float = 0.0, by_sex: float = 0.0) -> pd.DataFrame:
    """People of the chain, by NumPy; with `direct`, the dose acts on the score itself, with `by_sex` the sex on the
    level."""
    draw = np.random.default_rng(seed)
    sex, hidden = draw.random(count) < 0.5, draw.normal(size=count)
    dose = draw.random(count) < 1 / (1 + np.exp(-hidden))
    level = draw.normal(2 * dose + by_sex * sex)
    score = draw.normal(level + hidden + direct * dose)
    cells = {"sex": np.where(sex, "m", "f"), "dose @ 0": dose, "level @ 0": level, "score @ 0": score}
    return pd.DataFrame({"patient": range(count), **cells})


def test_the_implied_independencies_are_those_of_the_graph(make_model: MakeModel) -> None:
    """By hand: sex is apart from all; what is latent makes dose and score inseparable."""
    unrolled = unroll_selected(make_model(CHAIN, steps=1), until=0)
    found = unrolled.find_implications(unrolled.list_quantities([0]))
    assert sorted(map(str, found)) == [
        "sex and dose @ 0 months",
        "sex and level @ 0 months",
        "sex and score @ 0 months",
    ]


def test_who_is_seen_is_given(make_model: MakeModel) -> None:
    """Both x and y make people leave: among those who are left they are dependent, and nothing else is claimed."""
    leaving = {
        "x": {"kind": "static", "mechanism": "Normal(0, 1)"},
        "y": {"kind": "static", "mechanism": "Normal(0, 1)"},
        "z": {"kind": "measurement", "mechanism": "Normal(0, 1)"},
        "gone": {"kind": "event", "mechanism": "Bernoulli(expit(x + y))", "ends": "record"},
    }
    unrolled = unroll_selected(make_model(leaving, steps=2), until=1)
    found = {str(claim) for claim in unrolled.find_implications(unrolled.list_quantities([1]))}
    assert found == {"x and y", "x and z @ 1 month", "y and z @ 1 month"}
    population = unroll_selected(make_model(leaving, steps=2, population="x + y > 0"), until=1)
    found = {str(claim) for claim in population.find_implications(population.list_quantities([1]))}
    assert found == {"x and z @ 1 month", "y and z @ 1 month"}


def test_a_right_graph_is_seldom_rejected_and_a_wrong_one_is(make_model: MakeModel) -> None:
    """40 tables of a right graph: at most as many rejections as 5% allow with a probability of 0.999."""
    model = make_model(CHAIN, steps=1)
    options = {"patients": 10, "permutations": 0}
    rejected = sum(not falsify(model, draw_chain(seed), **options).survives for seed in range(40))
    assert rejected <= stats.binom.ppf(0.999, 40, 0.05)
    wrong = falsify(model, draw_chain(0, by_sex=1.0), **options)
    worst = wrong.rejected[0]
    assert {worst.claim.first.name, worst.claim.second.name} == {"sex", "level @ 0 months"}
    assert worst.arrow == "sex -> level"
    downstream = [test for test in wrong.rejected if str(test.claim) != "sex and dose @ 0 months"]
    assert worst.mends == len(downstream)  # sex and score, too, where that is rejected


def test_an_arrow_that_is_missing_is_named(make_model: MakeModel) -> None:
    """Without the latent cause, the graph says that the level is all that the dose acts by."""
    observed = {name: keys for name, keys in CHAIN.items() if name != "hidden"}
    observed["dose"] = {**CHAIN["dose"], "start": "Bernoulli(0.5)"}
    observed["score"] = {**CHAIN["score"], "mechanism": "Normal(level, 1)"}
    found = falsify(make_model(observed, steps=1), draw_chain(1, direct=2.0), patients=100)
    worst = found.rejected[0]
    assert str(worst.claim) == "dose @ 0 months and score @ 0 months given level @ 0 months"
    assert (worst.arrow, worst.mends) == ("dose -> score", 1)
    assert found.permuted is not None
    assert found.permuted.permutations == 20
    assert "the arrow dose -> score would mend it" in str(found)


def test_the_test_keeps_its_level_and_sees_each_type() -> None:
    """Normal, binary and three-valued quantities with a common cause, under and beside the null hypothesis."""
    draw = np.random.default_rng(3)
    p_values = []
    for _ in range(300):
        z = draw.normal(size=400)
        x = (draw.random(400) < 1 / (1 + np.exp(-z))).astype(float)
        y = np.digitize(z + draw.normal(size=400), [-1, 1]).astype(float)
        p_values.append(find_p_value(x, y, pd.DataFrame({"z": z})))
    assert stats.kstest(np.array(p_values, dtype=float), "uniform").pvalue > 0.001
    shifted = np.digitize(z + x + draw.normal(size=400), [-1, 1]).astype(float)
    assert (find_p_value(x, shifted, pd.DataFrame({"z": z})) or 0) < 0.001
    assert find_p_value(x, x, pd.DataFrame({"x": x})) is None  # nothing is left of it
    assert find_p_value(x[:20], y[:20], pd.DataFrame({"z": z[:20]})) is None  # too few


def test_simulated_people_stand_beside_the_real_ones() -> None:
    trial = Path(__file__).parents[2] / "models" / "trial.yaml"
    draw = np.random.default_rng(0)
    age = draw.normal(70, 10, 900)
    people = pd.DataFrame({"patient": range(900), "age": age, "sex": "female", "fall @ 12 months": age > 70})
    found = falsify(trial, people, permutations=0)
    rows = {row.name: row for row in found.compared}
    assert list(rows) == ["age", 'sex = "female"', 'sex = "male"', "fall @ 12 months"]
    assert rows["age"].real["mean"] == pytest.approx(age.mean())
    assert rows["age"].real["95%"] == pytest.approx(np.quantile(age, 0.95))
    assert rows["age"].simulated["mean"] == pytest.approx(60, abs=1)
    assert rows['sex = "male"'].real["mean"] == 0
    assert rows["fall @ 12 months"].real["mean"] == pytest.approx((age > 70).mean())
    assert found.times == ("0 months", "12 months")
    assert load_model(trial).variables["score"].name not in str(found.compared)
    with pytest.raises(NosographError, match="no values at this time"):
        falsify(trial, people, at="6 months")
