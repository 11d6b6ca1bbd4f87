"""Unrolling, columns and identification on small models whose answers are known by hand."""

from __future__ import annotations

import dataclasses

import networkx as nx
import pytest

from nosograph.causal.effects.adjustment import ask_dowhy
from nosograph.causal.effects.columns import columns
from nosograph.causal.effects.identify import identify_effect
from nosograph.causal.effects.losses import find_losses
from nosograph.causal.effects.projection import project
from nosograph.causal.effects.unroll import ENTERS, last_recorded, unroll
from nosograph.causal.language import parse_expression
from nosograph.causal.model.model import Effect, Model, Schedule, Variable

from .effects_models import make_model, make_trial, make_variable

DEATH = make_variable("death", "event", ends="journey", mechanism="Hazard(exp(severity[-1]))")


def test_lags_clip_at_step_zero_and_parameters_are_no_nodes() -> None:
    model = make_model(
        make_variable("a", "state", start="Normal(0, 1)", mechanism="Normal(a[-2] + speed * dt, 1)"),
        make_variable("b", "state", mechanism="a[-1] + t"),
    )
    graph = unroll(model, until=3)
    assert set(graph.edges) == {
        (("a", 0), ("a", 1)),
        (("a", 0), ("a", 2)),
        (("a", 1), ("a", 3)),
        (("a", 0), ("b", 0)),
        (("a", 0), ("b", 1)),
        (("a", 1), ("b", 2)),
        (("a", 2), ("b", 3)),
    }


def test_statics_have_one_node_and_a_treatment_without_a_mechanism_stays() -> None:
    model = make_model(
        make_variable("sex", "static", mechanism='Categorical("female": 0.5, "male": 0.5)'),
        make_variable("drug", "treatment", start="Bernoulli(0.5)"),
        make_variable("x", "state", start="Normal(0, 1)", mechanism='x[-1] + where(sex == "male", drug, 0)'),
    )
    graph = unroll(model, until=2)
    assert [node for node in graph if node[0] == "sex"] == [("sex", 0)]
    assert set(graph.predecessors(("drug", 2))) == {("drug", 1)}
    assert set(graph.predecessors(("x", 2))) == {("x", 1), ("sex", 0), ("drug", 2)}


def test_a_certain_measurement_is_its_own_last_value_and_an_uncertain_one_is_a_chain() -> None:
    model = make_model(
        make_variable("x", "state", start="Normal(0, 1)", mechanism="x[-1]"),
        make_variable("sure", "measurement", of="x", when=Schedule(every=3), mechanism="Normal(x, 1)"),
        make_variable(
            "unsure", "measurement", of="x", when=Schedule(every=3), mechanism="x", missing="Bernoulli(expit(sure))"
        ),
        make_variable("late", "measurement", of="x", when=Schedule(at=(2,)), mechanism="x"),
    )
    graph = unroll(model, until=4)
    assert last_recorded(model, "sure", 4) == ("sure", 3)
    assert last_recorded(model, "late", 1) is None
    assert last_recorded(model, "unsure", 5) == ("last", "unsure", 3)
    assert set(graph.predecessors(("last", "unsure", 3))) == {
        ("last", "unsure", 0),
        ("unsure", 3),
        ("recorded", "unsure", 3),
    }
    assert set(graph.predecessors(("recorded", "unsure", 3))) == {("sure", 3)}


def test_the_past_of_events_speaks_of_earlier_steps() -> None:
    model = make_model(
        make_variable("fall", "event", mechanism="Hazard(0.1)", occurs="repeatedly"),
        make_variable("x", "state", start="Normal(0, 1)", mechanism="x[-1] + where(ever(fall), 1, 0)"),
    )
    graph = unroll(model, until=3)
    assert set(graph.predecessors(("x", 3))) == {("x", 2), ("ever", "fall", 3)}
    assert set(graph.predecessors(("ever", "fall", 3))) == {("ever", "fall", 2), ("fall", 2)}
    assert ("fall", 0) not in graph
    assert set(graph.predecessors(("x", 1))) == {("x", 0)}  # no event is earlier than step 1


def test_competing_events_share_a_race() -> None:
    model = make_model(
        make_variable("risk", "static", mechanism="Normal(0, 1)"),
        make_variable("stroke", "event", mechanism="Hazard(exp(risk))", competes="end", ends="journey"),
        make_variable("death", "event", mechanism="Hazard(0.1)", competes="end", ends="journey"),
    )
    graph = unroll(model, until=1)
    assert set(graph.predecessors(("death", 1))) == {("race", "end", 1)}
    assert not nx.is_d_separator(graph, {("risk", 0)}, {("death", 1)}, set())


def test_columns_leave_out_what_the_cause_changes_and_what_is_not_recorded() -> None:
    model, effect = make_trial()
    assert [(column.name, column.role) for column in columns(model, effect)] == [
        ("age", "covariate"),
        ("score@0", "covariate"),
        ("drug@0", "treatment"),
        ("score@6", "outcome"),
    ]
    model, _ = make_trial()
    static = Effect("age", "score", 6, contrast=(80.0, 60.0))
    assert [column.name for column in columns(model, static)] == ["age", "score@6"]  # score@0 is an effect of age


def test_indication_by_the_record_is_identifiable_and_confounded() -> None:
    found = identify_effect(*make_trial())
    assert found.identifiable
    assert found.confounded
    assert "score@0" in found.adjustment


def test_indication_by_a_latent_state_is_not_and_the_path_is_told() -> None:
    found = identify_effect(*make_trial("Bernoulli(expit(severity))"))
    assert not found.identifiable
    assert found.confounded
    assert found.reason == "not identifiable: drug <- severity (not recorded) -> score"
    found = identify_effect(*make_trial("Bernoulli(expit(frailty))"))
    assert "drug <- frailty (not recorded) -> severity (not recorded) -> score" in found.reason


def test_the_path_told_goes_through_values_rather_than_through_who_is_recorded() -> None:
    dropout = make_variable("dropout", "event", ends="record", mechanism="Hazard(exp(frailty))")
    found = identify_effect(*make_trial("Bernoulli(expit(severity + frailty))", dropout))
    assert found.reason == "not identifiable: drug <- severity (not recorded) -> score"


def test_a_later_decision_looks_at_what_was_recorded_by_then() -> None:
    fall = make_variable("fall", "event", mechanism="Hazard(exp(severity[-1]))")
    model, _ = make_trial("Bernoulli(0.5)", fall)
    names = [column.name for column in columns(model, Effect("drug", "score", 6, decision=3))]
    assert names == ["age", "score@0", "score@3", "fall@2", "drug@2", "drug@3", "score@6"]


def test_a_randomized_trial_is_not_confounded_but_baseline_is_used() -> None:
    found = identify_effect(*make_trial("Bernoulli(0.5)"))
    assert found.identifiable
    assert not found.confounded
    assert set(found.adjustment) == {"age", "score@0"}


def test_an_instrument_is_left_out() -> None:
    clinic = make_variable("clinic", "static", mechanism="Bernoulli(0.5)")
    found = identify_effect(*make_trial("Bernoulli(expit(score + clinic))", clinic))
    assert found.identifiable
    assert set(found.adjustment) == {"age", "score@0"}


def test_a_collider_among_the_baseline_columns_is_left_out() -> None:
    """M-bias: u1 -> drug, u1 -> test <- u2 -> severity. Adjusting for the test would open the path."""
    model = make_model(
        make_variable("u1", "static", mechanism="Normal(0, 1)", recorded=False),
        make_variable("u2", "static", mechanism="Normal(0, 1)", recorded=False),
        make_variable("test", "static", mechanism="Normal(u1 + u2, 1)"),
        make_variable("drug", "treatment", start="Bernoulli(expit(u1))", mechanism="drug[-1]"),
        make_variable("severity", "state", start="Normal(u2, 1)", mechanism="Normal(severity[-1] - drug[-1], 1)"),
        make_variable("score", "measurement", of="severity", when=Schedule(at=(6,)), mechanism="severity"),
    )
    found = identify_effect(model, Effect("drug", "score", 6))
    assert found.identifiable
    assert not found.confounded
    assert found.adjustment == ()


def test_no_directed_path_still_finds_the_adjustment_set() -> None:
    model = make_model(
        make_variable("age", "static", mechanism="Normal(70, 8)"),
        make_variable("drug", "treatment", start="Bernoulli(expit(age - 70))", mechanism="drug[-1]"),
        make_variable("score", "measurement", when=Schedule(at=(6,)), mechanism="Normal(age, 1)"),
    )
    found = identify_effect(model, Effect("drug", "score", 6))
    assert found.identifiable
    assert found.confounded
    assert found.adjustment == ("age",)


def test_death_is_part_of_the_default_outcome_but_selects_the_survivors() -> None:
    model, effect = make_trial("Bernoulli(expit(score))", DEATH)
    assert identify_effect(model, effect).identifiable
    assert identify_effect(model, dataclasses.replace(effect, death="composite", composite=10.0)).identifiable
    for death, reason in (
        ("hypothetical", "not recoverable: selection by death: death <- severity (not recorded) -> score"),
        ("survivors", "not recoverable: it is about the people alive in both worlds, and a record has one world"),
    ):
        assert find_losses(model, dataclasses.replace(effect, death=death), ())[1] == reason


def test_survivors_will_do_where_death_has_nothing_to_do_with_the_outcome() -> None:
    accident = make_variable("death", "event", ends="journey", mechanism="Hazard(0.02 + 0.001 * (age - 70))")
    model, effect = make_trial("Bernoulli(expit(score))", accident)
    effect = dataclasses.replace(effect, death="hypothetical")
    assert identify_effect(model, effect).identifiable
    (loss,), reason = find_losses(model, effect, ())
    assert reason == ""
    assert loss.text == "death by age"


def test_a_population_chosen_by_a_latent_opens_a_path() -> None:
    """Who enters is an effect of the state and of a doctor who treats more: a collider, held fixed by entering."""
    zeal = make_variable("zeal", "static", mechanism="Normal(0, 1)", recorded=False)
    model, effect = make_trial("Bernoulli(expit(zeal))", zeal)
    assert identify_effect(model, effect).identifiable
    found = identify_effect(dataclasses.replace(model, population=parse_expression("zeal + severity > 0")), effect)
    assert not found.identifiable
    assert found.reason == (
        "not recoverable: selection by zeal + severity > 0 "
        "(drug <- zeal (not recorded) -> who enters <- severity (not recorded) -> score)"
    )
    harmless = identify_effect(dataclasses.replace(model, population=parse_expression("age >= 50")), effect)
    assert harmless.identifiable
    assert str(ENTERS) not in harmless.adjustment


@pytest.mark.parametrize("hidden", ["drug", "score"])
def test_what_is_not_recorded_is_said_to_be(hidden: str) -> None:
    model, effect = make_trial()
    variables = {**model.variables, hidden: dataclasses.replace(model.variables[hidden], recorded=False)}
    found = identify_effect(dataclasses.replace(model, variables=variables), effect)
    assert not found.identifiable
    assert f"{hidden} is not recorded" in found.reason


def test_a_state_as_outcome_is_not_recorded_but_its_measurement_is() -> None:
    model, _ = make_trial()
    found = identify_effect(model, Effect("drug", "severity", 6))
    assert found.reason == "not identifiable: severity is not recorded; what is recorded of it: score"


def test_a_latent_instrument_does_not_identify() -> None:
    """DoWhy lists the latent instrument; its backdoor is None all the same."""
    graph = nx.DiGraph([("u", "x"), ("u", "y"), ("z", "x"), ("z", "w"), ("x", "y")])
    assert ask_dowhy(project(graph, ["x", "y", "w"]), "x", "y") is None
    assert ask_dowhy(project(graph, ["x", "y", "w", "u"]), "x", "y") is not None


def test_missingness_at_baseline_is_part_of_the_column() -> None:
    """Treatment that looks at whether there is a score looks at the column, gap included."""
    gaps = make_variable("note", "measurement", of="severity", when=Schedule(at=(0,)), mechanism="Normal(severity, 1)")
    gaps = dataclasses.replace(gaps, missing=make_variable("_", "static", mechanism="Bernoulli(0.3)").mechanism)
    found = identify_effect(*make_trial("Bernoulli(where(recorded(note), expit(note), 0.2))", gaps))
    assert found.identifiable
    assert "note@0" in found.adjustment


def wide_model(covariates: int, indication: str) -> tuple[Model, Effect]:
    baseline: list[Variable] = []
    for number in range(covariates):
        baseline.append(
            make_variable(f"s{number}", "state", start="Normal(frailty, 1)", mechanism=f"Normal(s{number}[-1], 1)")
        )
        baseline.append(
            make_variable(
                f"m{number}", "measurement", of=f"s{number}", when=Schedule(every=6), mechanism=f"Normal(s{number}, 1)",
                missing=f"Bernoulli(expit(m{number}[-1] - 3))",
            )
        )  # fmt: skip
    terms = " + ".join(f"0.1 * m{number}" for number in range(covariates))
    drift = " + ".join(f"0.1 * s{number}[-1]" for number in range(covariates))
    return make_model(
        make_variable("frailty", "static", mechanism="Normal(0, 1)", recorded=False),
        *baseline,
        make_variable("drug", "treatment", start=f"Bernoulli(expit({terms} + {indication}))", mechanism="drug[-1]"),
        make_variable("y", "state", start="Normal(frailty, 1)", mechanism=f"Normal(y[-1] - drug[-1] + {drift}, 1)"),
        make_variable("rated", "measurement", of="y", when=Schedule(every=6), mechanism="Normal(y, 1)"),
        make_variable("death", "event", ends="journey", mechanism="Hazard(exp(-4 + 0.1 * y[-1]))"),
        steps=24,
    ), Effect("drug", "rated", 24)


@pytest.mark.parametrize(("indication", "identifiable"), [("0", True), ("frailty", False)])
def test_a_wide_model_of_24_steps_is_answered_in_seconds(indication: str, identifiable: bool) -> None:
    import time

    model, effect = wide_model(14, indication)
    start = time.perf_counter()
    assert identify_effect(model, effect).identifiable == identifiable
    assert time.perf_counter() - start < 15  # a few seconds; subsets of 14 columns one by one would not end
