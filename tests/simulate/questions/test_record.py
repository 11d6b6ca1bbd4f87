"""Somebody known by a record, in another world: Gaussian and exponential closed forms."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nosograph.causal.model.model import Model, Schedule
from nosograph.errors import NosographError
from nosograph.simulate.questions.ask import ask

MakeModel = Callable[..., Model]


@pytest.fixture(scope="module")
def model(make_model: MakeModel) -> Model:
    return make_model(
        {
            "x": {"kind": "static", "recorded": False, "mechanism": "Normal(0, 1)"},
            "a": {"kind": "treatment", "start": "Bernoulli(0.5)", "mechanism": "a[-1]"},
            "m": {"kind": "measurement", "of": "x", "when": Schedule(at=(0,)), "mechanism": "Normal(x, 1)"},
            "y": {"kind": "state", "mechanism": "x + a * (2 + 0.5 * x)"},
            "death": {"kind": "event", "ends": "journey", "mechanism": "Hazard(0.4 + 0.8 * a[-1])"},
        },
        steps=24,
    )


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("record") / "her.json"
    rows = [{"time": 0, "variable": "m", "value": 1.5}, {"time": 0, "variable": "a", "value": 0}]
    path.write_text(json.dumps({"patient": "A17", "record": rows, "alive_at": "6 months"}))
    return path


def test_a_record_gives_the_conjugate_posterior_in_both_worlds(model: Model, record: Path) -> None:
    """x given m = 1.5 is N(0.75, 1/2); y is x in the one world and 2 + 1.5 x in the other."""
    found = ask(model, record=record, do="a = 1 from 6 months", outcome="y @ 7 months")
    size = found.effective_sample_size
    assert size > 200
    error = math.sqrt(0.5 / size)
    assert abs(found.details["factual"]["mean"] - 0.75) < 5 * error
    assert abs(found.details["asked"]["mean"] - (2 + 1.5 * 0.75)) < 5 * 1.5 * error
    assert abs(found.value - (2 + 0.5 * 0.75)) < 5 * 0.5 * error
    low, high = found.interval
    edge = 5 * 0.5 * math.sqrt(0.5) * math.sqrt(0.025 * 0.975 / size) / 0.0585  # of a 0.025 quantile
    assert abs(low - (2.375 - 1.96 * 0.5 * math.sqrt(0.5))) < edge
    assert abs(high - (2.375 + 1.96 * 0.5 * math.sqrt(0.5))) < edge
    assert "No data can test" in found.note
    assert found.question.startswith("A17, by the record until 0.5 years")


def test_events_have_probabilities_given_that_she_lived_so_long(model: Model, record: Path) -> None:
    found = ask(model, record=record, do="a = 1 from 6 months", outcome="death @ 18 months")
    risks = [1 - math.exp(-rate) for rate in (0.4, 1.2)]
    size = found.effective_sample_size
    for world, risk in zip(("factual", "asked"), risks, strict=True):
        assert abs(found.details[world]["mean"] - risk) < 5 * math.sqrt(risk * (1 - risk) / size), world
    low, high = found.interval
    # one clock: who dies untreated dies treated
    share = risks[1] - risks[0]
    assert (high - low) / (2 * 1.96) == pytest.approx(math.sqrt(share * (1 - share) / size), rel=0.2)
    assert abs(found.value - share) < 5 * math.sqrt(share * (1 - share) / size)


def test_timelines_have_bands_evidence_and_probabilities(model: Model, record: Path) -> None:
    found = ask(model, record=record, do="a = 1 from 6 months", outcome="y @ 7 months")
    timelines = found.timelines
    shown = {variable.name: variable for variable in timelines.variables}
    assert {"a", "y"} <= shown.keys()
    factual = shown["y"].worlds["factual"]
    assert factual.high[0] - factual.low[0] == pytest.approx(2 * 1.645 * math.sqrt(0.5), rel=0.15)
    assert not factual.exact
    assert shown["a"].evidence == ((0.0, 0.0),)
    by = {event.world: event.probability for event in timelines.events}
    assert not by["factual"][:7].any(), "she is known to have lived to 6 months"
    assert (np.diff(by["asked"]) >= 0).all()
    assert by["asked"][-1] == pytest.approx(1 - math.exp(-1.2 * 1.5), abs=0.1)
    assert timelines.interventions[0].start == 0.5


def test_without_an_outcome_all_that_differs(model: Model, record: Path) -> None:
    found = ask(model, record=record, do="a = 1 from 6 months")
    assert set(found.value) == {"a", "y", "death"}
    assert set(found.interval) == set(found.value)
    assert found.value["death"]["asked"] > found.value["death"]["factual"]
    assert found.to_json()["effective_sample_size"] == found.effective_sample_size


BAD = {
    "unknown variable": ({"record": [{"time": 0, "variable": "mm", "value": 1}]}, "mm"),
    "after death": ({"record": [{"time": 0, "variable": "a", "value": 0}], "death": 0.5, "alive_at": 1}, "after death"),
    "twice": ({"record": [{"time": 0, "variable": "m", "value": v} for v in (1, 2)]}, "duplicate time"),
}


@pytest.mark.parametrize(("document", "said"), BAD.values(), ids=BAD.keys())
def test_bad_records_are_refused(model: Model, tmp_path: Path, document: dict[str, object], said: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(document))
    with pytest.raises(NosographError, match=said):
        ask(model, record=path, do="a = 1")
