"""What follows from a term in a record, against hpo-toolkit's hierarchy: presence goes up, absence goes down."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from nosograph.causal.abduction import EventReport, Observation, PatientRecord, abduct, read_record
from nosograph.causal.model.model import Model, Schedule
from nosograph.errors import NosographError

from ... import hpo_toolkit

TERMS = {
    "nervous": "HP:0012638",  # Abnormal nervous system physiology
    "seizure": "HP:0001250",
    "generalized": "HP:0002197",  # Generalized-onset seizure
    "motor": "HP:0032677",  # Generalized-onset motor seizure
    "myoclonic": "HP:0002123",  # Generalized myoclonic seizure
    "absence": "HP:0002121",  # Generalized non-motor (absence) seizure
    "ataxia": "HP:0001251",
}
MERGED = "HP:0002125"  # into Seizure

MakeModel = Callable[..., Model]


def make_findings(make_model: MakeModel, *names: str) -> Model:
    return make_model(
        {name: {"kind": "state", "concept": TERMS[name], "mechanism": "Bernoulli(0.5)"} for name in names}
    )


def read(tmp_path: Path, model: Model, *rows: tuple[str, object]) -> PatientRecord:
    entries = [{"time": 0.5, "concept": concept, "value": value} for concept, value in rows]
    path = tmp_path / "r.json"
    path.write_text(json.dumps({"record": entries}))
    return read_record(path, model=model)


def refuse(tmp_path: Path, model: Model, *rows: tuple[str, object]) -> str:
    with pytest.raises(NosographError) as caught:
        read(tmp_path, model, *rows)
    assert "write: " in str(caught.value)
    return str(caught.value)


def said(record: PatientRecord) -> dict[str, float | None]:
    assert {seen.step for seen in record.observations} == {6}
    return {seen.variable: seen.value for seen in record.observations}


@pytest.mark.parametrize("present", [True, False])
@pytest.mark.parametrize("held", TERMS)
@pytest.mark.parametrize("term", TERMS)
def test_each_pair_of_terms(make_model: MakeModel, tmp_path: Path, term: str, held: str, present: bool) -> None:
    model = make_findings(make_model, held)
    reached = {True: hpo_toolkit.ancestors, False: hpo_toolkit.descendants}[present](TERMS[term])
    if TERMS[held] in reached | {TERMS[term]}:
        assert said(read(tmp_path, model, (TERMS[term], present))) == {held: float(present)}
    else:
        refuse(tmp_path, model, (TERMS[term], present))


def test_all_that_follows_is_observed(make_model: MakeModel, tmp_path: Path) -> None:
    model = make_findings(make_model, *TERMS)
    above = {name: 1.0 for name in TERMS if TERMS[name] in hpo_toolkit.ancestors(TERMS["motor"]) | {TERMS["motor"]}}
    assert said(read(tmp_path, model, (TERMS["motor"], 1))) == above
    below = {name: 0.0 for name in TERMS if TERMS[name] in hpo_toolkit.descendants(TERMS["seizure"])}
    assert said(read(tmp_path, model, (TERMS["seizure"], 0))) == {"seizure": 0.0, **below}
    assert len(below) == 4


def test_a_merged_identifier_is_followed(make_model: MakeModel, tmp_path: Path) -> None:
    assert MERGED in {str(other.value) for other in hpo_toolkit.load_toolkit().get_term(TERMS["seizure"]).alt_term_ids}
    assert said(read(tmp_path, make_findings(make_model, "seizure"), (MERGED, True))) == {"seizure": 1.0}
    assert said(read(tmp_path, make_findings(make_model, "absence"), (MERGED, False))) == {"absence": 0.0}


@pytest.mark.parametrize(
    ("concept", "named"),
    [
        ("HP:0001259000", "not how Human Phenotype Ontology writes"),
        ("HP:9999999", "there is no such concept"),
        ("seizure", "not a CURIE"),
        ("HPP:0001250", "unknown prefix"),
        ("HP:0001726", "this concept is obsolete"),  # with another one to consider
        ("HP:0000535", "HP:0045074 (Thin eyebrow) or HP:0045075"),  # split
        ("HP:0031070", "search for another concept"),
    ],
)
def test_a_concept_that_is_none(make_model: MakeModel, tmp_path: Path, concept: str, named: str) -> None:
    assert named in refuse(tmp_path, make_findings(make_model, "seizure"), (concept, True))


def test_rows_that_agree_and_rows_that_contradict(make_model: MakeModel, tmp_path: Path) -> None:
    model = make_findings(make_model, "seizure", "motor")
    agreed = read(tmp_path, model, (TERMS["myoclonic"], 1), (TERMS["seizure"], 1), (TERMS["absence"], 1))
    assert said(agreed) == {"seizure": 1.0, "motor": 1.0}
    message = refuse(tmp_path, model, (TERMS["myoclonic"], 1), (TERMS["seizure"], 0))
    assert "record[1], HP:0001250: it contradicts record[0] about seizure" in message
    assert "duplicate time" in refuse(tmp_path, model, (TERMS["seizure"], 1), ("HPO:0001250", 1))


def test_a_value_of_a_narrower_term_is_none_of_a_quantity(make_model: MakeModel, tmp_path: Path) -> None:
    model = make_model({"rate": {"kind": "state", "concept": TERMS["seizure"], "mechanism": "Normal(3, 1)"}})
    assert said(read(tmp_path, model, (TERMS["seizure"], 1))) == {"rate": 1.0}
    for term, value in (("absence", 1), ("absence", 0), ("nervous", 0), ("nervous", 2.5)):
        message = refuse(tmp_path, model, (TERMS[term], value))
        assert "HP:0001250 (Seizure), if that was observed" in message


def test_the_fix_names_the_finding_and_not_the_quantity_above_it(make_model: MakeModel, tmp_path: Path) -> None:
    rate = {"kind": "state", "concept": TERMS["nervous"], "mechanism": "Normal(3, 1)"}
    finding = {"kind": "state", "concept": TERMS["absence"], "mechanism": "Bernoulli(0.5)"}
    model = make_model({"rate": rate, "absence": finding})
    assert "what was present, one of HP:0002121" in refuse(tmp_path, model, (TERMS["seizure"], 1))
    assert said(read(tmp_path, model, (TERMS["seizure"], 0))) == {"absence": 0.0}


def test_a_model_without_concepts(make_model: MakeModel, tmp_path: Path) -> None:
    model = make_model({"seizure": {"kind": "state", "mechanism": "Bernoulli(0.5)"}})
    assert "no such row, or the name of a variable" in refuse(tmp_path, model, (TERMS["seizure"], 1))


def test_of_a_term_only_presence_is_said(make_model: MakeModel, tmp_path: Path) -> None:
    model = make_findings(make_model, "seizure")
    for value in (2, 0.5, "yes", "false", None):
        assert "1 or 0 (in JSON, true or false)" in refuse(tmp_path, model, (TERMS["absence"], value))


def examined(make_model: MakeModel) -> Model:
    findings = {"seizure": Schedule(at=(6,), text="at 6 months"), "absence": Schedule(at=(12,), text="at 12 months")}
    variables: dict[str, dict[str, object]] = {}
    for name, when in findings.items():
        variables[name] = {"kind": "state", "concept": TERMS[name], "mechanism": "Bernoulli(0.5)"}
        variables[f"{name}_noted"] = {"kind": "measurement", "of": name, "when": when, "mechanism": name}
    return make_model(variables)


def test_what_is_not_measured_then_is_left_out(make_model: MakeModel, tmp_path: Path) -> None:
    model = examined(make_model)
    assert said(read(tmp_path, model, (TERMS["seizure"], 0))) == {"seizure_noted": 0.0}
    assert said(read(tmp_path, model, (TERMS["nervous"], 0))) == {"seizure_noted": 0.0}
    assert "seizure_noted is measured at 6 months" not in refuse(tmp_path, model, (TERMS["ataxia"], 0))
    path = tmp_path / "late.csv"
    path.write_text(f"time,concept,value\n1,{TERMS['seizure']},0\n")
    with pytest.raises(NosographError, match="seizure_noted is measured at 6 months"):
        read_record(path, model=model)


def test_two_measurements_of_one_state_are_named(make_model: MakeModel, tmp_path: Path) -> None:
    variables: dict[str, dict[str, object]] = {
        "seizure": {"kind": "state", "concept": TERMS["seizure"], "mechanism": "Bernoulli(0.5)"}
    }
    for name in ("asked", "seen"):
        when = Schedule(every=1, text="every month")
        variables[name] = {"kind": "measurement", "of": "seizure", "when": when, "mechanism": "seizure"}
    model = make_model(variables)
    for term in ("seizure", "absence"):
        assert "as the variable one of asked, seen" in refuse(tmp_path, model, (TERMS[term], 1))
    path = tmp_path / "r.csv"
    path.write_text("time,variable,value\n0.5,asked,yes\n")
    assert said(read_record(path, model=model)) == {"asked": 1.0}


def test_variable_and_concept_must_fit(make_model: MakeModel, tmp_path: Path) -> None:
    model = make_findings(make_model, "seizure", "ataxia")
    path = tmp_path / "r.csv"
    for concept, value in (("seizure", 0), ("absence", 1), ("nervous", 0)):
        path.write_text(f"time,variable,concept,value\n0.5,seizure,{TERMS[concept]},{value}\n")
        assert said(read_record(path, model=model)) == {"seizure": float(value)}
    for concept, value in (("ataxia", 1), ("absence", 0), ("nervous", 1)):
        path.write_text(f"time,variable,concept,value\n0.5,seizure,{TERMS[concept]},{value}\n")
        with pytest.raises(NosographError, match="variable and concept differ"):
            read_record(path, model=model)


def test_of_events_the_nearest_one_happened(make_model: MakeModel, tmp_path: Path) -> None:
    events = {
        name: {"kind": "event", "concept": TERMS[name], "mechanism": "Hazard(1)"} for name in ("nervous", "seizure")
    }
    model = make_model(events)
    path = tmp_path / "r.json"

    def tell(concept: str, happened: bool) -> set[EventReport]:
        path.write_text(json.dumps({"events": [{"time": 0.5, "event": concept, "happened": happened}]}))
        return set(read_record(path, model=model).events)

    assert tell(TERMS["absence"], True) == tell(TERMS["seizure"], True) == {EventReport("seizure", 6)}
    assert tell(TERMS["nervous"], False) == {EventReport("nervous", 6, False), EventReport("seizure", 6, False)}
    assert tell(TERMS["seizure"], False) == {EventReport("seizure", 6, False)}
    with pytest.raises(NosographError, match="absence goes down the hierarchy"):
        tell(TERMS["absence"], False)


def test_abduction_knows_what_follows(make_model: MakeModel, tmp_path: Path) -> None:
    """The narrower of two findings is drawn where the wider one is: absent for all particles, in the factual world."""
    finding = {"kind": "state", "start": "0"}
    model = make_model(
        {
            "risk": {"kind": "static", "mechanism": "Normal(0, 1)"},
            "seizure": {**finding, "concept": TERMS["seizure"], "mechanism": "Bernoulli(expit(risk))"},
            "absence": {**finding, "concept": TERMS["absence"], "mechanism": "Bernoulli(0.5 * seizure)"},
        }
    )
    record = read(tmp_path, model, (TERMS["nervous"], False))
    assert set(record.observations) == {Observation("seizure", 6, 0.0), Observation("absence", 6, 0.0)}
    found = abduct(model, record, particles=200).run()
    assert not found.values["seizure"][0, 6].any()
    assert not found.values["absence"][0, 6].any()
