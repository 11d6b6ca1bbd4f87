"""Effects from people in a table: as from the same people in a run, and as they are known to be."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nosograph.causal.effects.examine import DECIDING
from nosograph.causal.model.load import load_model
from nosograph.causal.model.model import Model
from nosograph.errors import NosographError
from nosograph.renderers.readback.verify import verify
from nosograph.simulate.cohort import Cohort, open_run, simulate
from nosograph.simulate.verification.estimation import EstimatedEffect, estimate_effects
from nosograph.simulate.verification.verify import verify_records

TRIAL = Path(__file__).parents[2] / "models" / "trial.yaml"


def write_long(cohort: Cohort) -> pd.DataFrame:
    """A cohort's record as a long table: what a person would make of the files of a run."""
    statics = cohort.patients.to_pandas().drop(columns="world").astype(object)
    record, events = cohort.record.to_pandas(), cohort.events.to_pandas()
    record["value"] = record["level"].astype(object).where(record["level"].notna(), record["value"].astype(object))
    events = events[events["recorded"]].rename(columns={"event": "variable"}).assign(value=1)
    keys = ["patient", "time", "variable", "value"]
    parts = [statics.melt("patient").assign(time=np.nan)[keys], record[keys], events[keys]]
    return pd.concat([part.astype(object) for part in parts]).sort_values("patient", kind="stable")


def test_a_run_as_a_file_gives_the_estimates_of_the_run(tmp_path: Path) -> None:
    """The whole way: dropout and missed visits that are weighted for, a sustained strategy, an event."""
    model = load_model("alzheimers")
    effects = [
        "lecanemab -> cdr_sb_rated @ 18 months",
        "{effect: lecanemab -> cdr_sb_rated @ 6 months, strategy: sustained}",
        "lecanemab -> aria_e @ 10 months",
    ]
    cohort = simulate(model, patients=1_500, years=1.5)
    cohort.save(tmp_path / "run")
    write_long(cohort).to_csv(tmp_path / "people.csv", index=False)
    run = open_run(tmp_path / "run")
    (of_run,) = verify_records(run, [run], effects=effects, truth_patients=1_000)
    of_file = estimate_effects(model, tmp_path / "people.csv", effects=effects)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["people.csv", "run"]
    for expected, got in zip(of_run.examinations, of_file.effects, strict=True):
        assert got.notes == ()
        found = got.examination
        assert len(found.estimates) > 0
        assert [e.method for e in found.estimates] == [e.method for e in expected.estimates]
        pairs = [(found.naive, expected.naive), *zip(found.estimates, expected.estimates, strict=True)]
        for ours, theirs in pairs:
            assert ours is not None
            assert theirs is not None
            assert math.isclose(ours.estimate, theirs.estimate, rel_tol=1e-6)
            assert math.isclose(ours.standard_error, theirs.standard_error, rel_tol=1e-6)
        assert found.losses == expected.losses
        assert found.truth is None
        assert "truth" not in got.as_json()


def make_people(count: int = 4_000, seed: int = 5) -> pd.DataFrame:
    """People of NumPy alone, whose score the drug lowers by 2, and whose falls it makes three times as frequent."""
    draw = np.random.default_rng(seed)
    age = draw.normal(60, 10, count)
    weight = draw.normal(40 + 0.5 * age, 8)
    drug = draw.random(count) < 1 / (1 + np.exp(-(age - 60) / 10 - (weight - 70) / 10))
    fall = draw.exponential(1 / (0.05 + 0.1 * drug))
    return pd.DataFrame(
        {
            "patient": [f"P{number}" for number in range(count)],
            "age": age,
            "sex": np.where(draw.random(count) < 0.5, "female", "male"),
            "weight @ 0 [g]": weight * 1_000,
            "drug @ 0": drug.astype(float),
            "score @ 0": draw.normal(20 + 0.1 * age, 2),
            "score @ 12 months": draw.normal(20 + 0.1 * age - 2 * drug, 2),
            "fall [months]": np.where(fall < 2, fall * 12, np.nan),
        }
    )


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model(TRIAL)


def estimate(model: Model, people: pd.DataFrame, effect: str) -> EstimatedEffect:
    (found,) = estimate_effects(model, people, effects=effect).effects
    return found


def test_known_effects_come_back(model: Model) -> None:
    """By the deciding estimates at five standard errors; the plain difference of the confounded one is far off."""
    people = make_people()
    found = estimate(model, people, "drug -> score @ 12 months")
    assert found.examination.adjustment == ("age",)
    assert found.examination.naive is not None
    assert abs(found.examination.naive.estimate + 2) > 5 * found.examination.naive.standard_error
    assert [refutation.passed for refutation in found.examination.refutations] == [True, True, True, None]
    risk = estimate(model, people, "drug -> fall @ 12 months")
    for got, truth in ((found, -2.0), (risk, math.exp(-0.05) - math.exp(-0.15))):
        deciding = [e for e in got.examination.estimates if e.method in DECIDING]
        assert len(deciding) == 2
        for one in deciding:
            assert abs(one.estimate - truth) < 5 * one.standard_error
            assert one.standard_error < 0.4
    by_visit = people.assign(**{"fall @ 12 months": people["fall [months]"] <= 12}).drop(columns="fall [months]")
    same = estimate(model, by_visit, "drug -> fall @ 12 months")
    assert same.examination.estimates == risk.examination.estimates


def test_who_is_left_out_is_counted_and_nobody_else_is(model: Model) -> None:
    """The estimates are those of a table without these rows."""
    people = make_people(1_000)
    people.loc[:9, "age"] = np.nan
    people.loc[5:29, "score @ 12 months"] = np.nan
    people.loc[40:44, "drug @ 0"] = None
    people.loc[50:69, ["followed until [months]", "fall [months]"]] = [6, np.nan]
    people.loc[50:69, "score @ 12 months"] = np.nan
    score = estimate(model, people, "drug -> score @ 12 months")
    assert score.notes == (
        "left out: 10 of 1,000 people, without age",
        "left out: 5 of 1,000 people, without drug@0",
        "left out: 40 of 1,000 people, without an outcome (score)",
    )
    gone = [*range(30), *range(40, 45), *range(50, 70)]
    rest = estimate(model, people.drop(index=gone), "drug -> score @ 12 months")
    assert rest.notes == ()
    for one, other in zip(score.examination.estimates, rest.examination.estimates, strict=True):
        assert math.isclose(one.estimate, other.estimate, rel_tol=1e-9)
    risk = estimate(model, people, "drug -> fall @ 12 months")
    assert risk.notes[-1] == "left out: 20 of 1,000 people, not followed long enough for fall"


def test_what_the_table_lacks_is_no_confounder_that_was_measured(model: Model) -> None:
    people = make_people(1_000)
    without = estimate(model, people.drop(columns="age"), "drug -> score @ 12 months")
    assert without.examination.estimates == ()
    assert without.verdict == "not identifiable: drug <- age (not recorded) -> score"
    for lacking, effect, reason in (
        ("drug @ 0", "drug -> score @ 12 months", "drug is not in the table"),
        ("fall [months]", "drug -> fall @ 12 months", "fall is not in the table"),
        ("score @ 12 months", "drug -> score @ 12 months", "the table lacks score at 12 months"),
    ):
        found = estimate(model, people.drop(columns=lacking), effect)
        assert found.verdict.startswith(reason)
        assert found.examination.estimates == ()
    by_visit = people.assign(**{"fall @ 18 months": people["fall [months]"] <= 18}).drop(columns="fall [months]")
    found = estimate(model, by_visit, "drug -> fall @ 12 months")
    assert found.verdict == "the table says whether fall had happened by 18 months, and not by 12 months"


def test_an_ending_has_its_column_or_its_rows() -> None:
    """Without it the losses are unknown; with an empty column, or with rows that say that it did not happen, nobody is
    lost and the estimates are the same."""
    model = load_model("alzheimers")
    draw = np.random.default_rng(2)
    count = 400
    wide = pd.DataFrame(
        {
            "patient": range(count),
            "apoe4": draw.integers(0, 3, count).astype(float),
            "hippocampal_volume_mri @ 0 [mL]": draw.normal(6, 1, count),
            "hippocampal_volume_mri @ 12 months [mm3]": draw.normal(6000, 1000, count),
            "cdr_sb_rated @ 0": draw.normal(4, 2, count),
            "cdr_sb_rated @ 6 months": draw.normal(5, 2, count),
            "death": np.nan,
        }
    )
    effect = "{effect: apoe4 -> hippocampal_volume_mri @ 12 months, contrast: [2, 0]}"
    without = estimate_effects(model, wide, effects=effect)
    assert without.effects[0].verdict == "not recoverable: dropout ends the record but is not recorded"
    assert any(line.startswith("dropout ends the record") for line in without.lacking)
    (empty,) = estimate_effects(model, wide.assign(dropout=np.nan), effects=effect).effects
    columns = {"apoe4": (None, "apoe4", 1), "hippocampal_volume_mri @ 0 [mL]": (0, "hippocampal_volume_mri", 1)}
    columns["hippocampal_volume_mri @ 12 months [mm3]"] = (1, "hippocampal_volume_mri", 1 / 1000)
    columns |= {f"cdr_sb_rated @ {at}": (at, "cdr_sb_rated", 1) for at in ("0", "6 months")}
    parts = [
        pd.DataFrame({"patient": range(count), "time": time, "variable": name, "value": wide[title] * factor})
        for title, (time, name, factor) in columns.items()
    ]
    parts += [
        pd.DataFrame({"patient": range(count), "time": 1, "variable": name, "value": 0})
        for name in ("death", "dropout")
    ]
    (rows,) = estimate_effects(model, pd.concat([part.astype(object) for part in parts]), effects=effect).effects
    assert empty.examination.rows == rows.examination.rows == count
    pairs = list(zip(empty.examination.estimates, rows.examination.estimates, strict=True))
    assert pairs
    assert all(math.isclose(one.estimate, other.estimate, rel_tol=1e-9) for one, other in pairs)


def test_who_is_in_question_is_said(model: Model) -> None:
    """Of the effect's population by the table: a missing cell meets no condition."""
    people = make_people(1_000)
    people.loc[:99, "age"] = np.nan
    known = int((people["age"] >= 60).sum())
    found = estimate(model, people, "{effect: drug -> score @ 12 months, population: age >= 60}")
    assert found.notes == (f"{known:,} of 1,000 people are in question at the decision and meet age >= 60",)
    assert found.examination.rows == known


def test_verify_takes_a_table_of_a_model_only(model: Model, tmp_path: Path) -> None:
    found = verify(TRIAL, data=make_people(500), effects="drug -> score @ 12 months")
    assert {"effect", "method", "estimate", "low", "high"} == set(found.to_pandas())
    simulate(model, patients=20).save(tmp_path / "run")
    with pytest.raises(NosographError, match="on a model"):
        verify(tmp_path / "run", data=make_people(500))  # type: ignore[call-overload]
