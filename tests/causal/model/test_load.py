"""Sources become models: every format says the same, and bad input says what is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rdflib import Graph

from nosograph.causal.model.check import check_model
from nosograph.causal.model.compose import compose, list_catalog, locate_model
from nosograph.causal.model.convert import convert
from nosograph.causal.model.effects import parse_effect
from nosograph.causal.model.load import load_model
from nosograph.causal.model.model import Clock, Schedule
from nosograph.errors import NosographError

MODELS = Path(__file__).parents[2] / "models"
SIX = MODELS / "six.yaml"

# Written by hand, with prefixes and blank nodes, unlike what `convert` writes.
TURTLE = """
@prefix ng: <https://w3id.org/nosograph/vocabulary/> .
@prefix m: <https://w3id.org/nosograph/model/> .
@base <https://w3id.org/nosograph/model/tiny/> .

m:tiny a ng:DiseaseModel ; ng:id "tiny" ; ng:title "Tiny" ;
  ng:disease <http://purl.obolibrary.org/obo/MONDO_0004975> ;
  ng:clock [ a ng:Clock ; ng:step "1 month" ; ng:horizon "2 years" ; ng:unit "year" ] ;
  ng:parameter <par/speed> ;
  ng:variable <var/age> , <var/load> ;
  ng:declares [ a ng:Effect ; ng:effect "age -> load @ 12 months" ; ng:level 80 ; ng:reference 60.5 ] .

<par/speed> a ng:Parameter ; ng:value 0.25 ; ng:unit "1/a" ; ng:source "assumption" .
<var/age> a ng:Variable ; ng:order 1 ; ng:kind "static" ; ng:mechanism "Uniform(50, 90)" .
<var/load> a ng:Variable ; ng:order 2 ; ng:kind "state" ; ng:start "Normal(age / 10, 1)" ;
  ng:mechanism "Normal(load[-1] + speed * dt, 0.1)" ;
  ng:causedBy [ a ng:Claim ; ng:cause <var/age> ; ng:checked "abstract" ; ng:says "it grows" ;
    ng:evidence <https://pubmed.ncbi.nlm.nih.gov/123> , <https://doi.org/10.1000/a%3Cb> ] .
"""
YAML = """
id: tiny
title: Tiny
disease: MONDO:0004975
clock: {step: 1 month, horizon: 2 years, unit: year}
parameters:
  speed: {value: 0.25, unit: 1/a, source: assumption}
variables:
  age: {kind: static, mechanism: "Uniform(50, 90)"}
  load:
    kind: state
    start: Normal(age / 10, 1)
    mechanism: Normal(load[-1] + speed * dt, 0.1)
    caused_by:
      age: {evidence: ["PMID:123", "doi:10.1000/a<b"], checked: abstract, says: it grows}
effects:
  - {effect: age -> load @ 12 months, contrast: [80, 60.5]}
"""


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_six_loads_as_written() -> None:
    model = load_model(SIX)
    assert list(model.variables) == ["age", "risk", "severity", "severity_rated", "treated", "death"]
    assert model.clock == Clock(1 / 12, 3.0, 1.0, ("1 month", "3 years", "year"))
    assert (model.clock.steps, model.clock.dt) == (36, 1 / 12)
    rated = model.variables["severity_rated"]
    assert rated.when == Schedule(every=3, text="every 3 months")
    assert [(c.cause, c.structural) for c in rated.claims] == [("severity", True), ("risk", False)]
    assert not model.variables["severity"].recorded
    assert rated.recorded
    (effect,) = model.effects
    assert (effect.treatment, effect.outcome, effect.at, effect.contrast) == ("treated", "severity_rated", 18, (1, 0))
    lines = SIX.read_text().splitlines()
    file, line = model.places["severity.mechanism"]
    assert file == str(SIX)
    assert lines[line - 1].strip().startswith("mechanism: Normal(severity[-1]")


def test_turtle_written_by_hand_compiles_to_an_equal_model(tmp_path: Path) -> None:
    from_turtle = load_model(write(tmp_path / "tiny.ttl", TURTLE))
    assert from_turtle == load_model(write(tmp_path / "tiny.yaml", YAML))
    (claim,) = from_turtle.variables["load"].claims
    assert [item.source for item in claim.evidence] == ["PMID:123", "doi:10.1000/a<b"]
    assert from_turtle.effects[0].contrast == (80, 60.5)


@pytest.mark.parametrize("name", ["six", "disease", "common"])
@pytest.mark.parametrize("suffix", [".ttl", ".jsonld", ".nt", ".rdf", ".yaml"])
def test_every_format_says_the_same(name: str, suffix: str, tmp_path: Path) -> None:
    write(tmp_path / "common.yaml", (MODELS / "common.yaml").read_text())
    source = write(tmp_path / f"source_{name}.yaml", (MODELS / f"{name}.yaml").read_text())
    if name == "common":
        (tmp_path / "common.yaml").unlink()
    other = convert(source, tmp_path / f"converted{suffix}")
    assert load_model(other) == load_model(source)
    back = convert(other, tmp_path / "back.yaml")
    assert load_model(back) == load_model(source)


@pytest.mark.parametrize("name", ["six", "disease"])
def test_a_graph_loads_as_its_file_does_and_is_left_alone(name: str) -> None:
    composition = compose(MODELS / f"{name}.yaml")
    before = set(composition.graph)
    assert load_model(composition.graph) == load_model(MODELS / f"{name}.yaml")
    assert set(composition.graph) == before


def test_parameters_are_set_by_name() -> None:
    model = load_model(SIX, parameters={"benefit": 5})
    assert model.parameters["benefit"].value == 5.0
    assert load_model(SIX).parameters["benefit"].value == 3.0
    with pytest.raises(NosographError, match=r"unknown parameter 'benefits'\n.*found: benefits\n  write: benefit$"):
        load_model(SIX, parameters={"benefits": 5})
    with pytest.raises(NosographError, match="finite"):
        load_model(SIX, parameters={"benefit": float("nan")})


def test_every_model_of_the_catalog_loads() -> None:
    for name in list_catalog():
        assert load_model(name).id == name


@pytest.mark.parametrize(
    ("text", "expected"),
    [("every 6 months", (0, 6, 12, 18, 24, 30, 36)), ("every 12 months from 6 months", (6, 18, 30)),
     ("at 0, 6, 18 months", (0, 6, 18)), ("at 0", (0,)), ("every year", (0, 12, 24, 36)),
     ("at 1 year, 30 months", (12, 30))],
)  # fmt: skip
def test_schedules_fall_on_steps(text: str, expected: tuple[int, ...], tmp_path: Path) -> None:
    document = SIX.read_text().replace("every 3 months", text).replace("effects:", "effects: []\nnothing:")
    document = document[: document.index("nothing:")]
    when = load_model(write(tmp_path / "six.yaml", document)).variables["severity_rated"].when
    assert isinstance(when, Schedule)
    assert tuple(k for k in range(37) if when.includes(k)) == expected


@pytest.mark.parametrize(
    ("name", "text", "problem", "line"),
    [
        ("a.ttl", TURTLE.replace(' ; ng:title "Tiny"', ' ng:title "Tiny"'), "not valid", 6),
        ("a.ttl", TURTLE.replace("ng:kind", "ng:kindd"), "unknown property ng:kindd", 14),
        ("a.ttl", TURTLE.replace('"static"', '"statc"'), "ng:kind cannot be this", 14),
        ("a.ttl", TURTLE.replace("0.25", '"0.25"'), "ng:value is no number", 13),
        ("a.ttl", TURTLE.replace("ng:cause <var/age> ;", ""), "ng:cause is missing", 15),
        ("a.ttl", TURTLE.replace("speed * dt", "sped * dt"), "'sped' is not declared", 15),
        ("a.ttl", TURTLE.replace("ng:cause <var/age>", "ng:cause <../other/var/age>"), "no variable", 15),
        ("a.ttl", TURTLE.replace("0.25", '"a lot"^^<http://www.w3.org/2001/XMLSchema#double>'), "no double", 0),
        ("a.ttl", "", "no disease model", 0),
        ("a.nt", "<a> <b>", "not valid", 1),
        ("a.jsonld", '{"@context": "https://example.org/context"}', "never fetched", 0),
        ("a.jsonld", '{"@context": {"@import": "https://example.org/context"}}', "never fetched", 0),
        ("a.jsonld", '{"id": \n', "not JSON", 2),
        ("a.jsonld", "[" * 100_000, "nested", 0),
        ("a.rdf", '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>', "document type", 1),
    ],
)
def test_bad_rdf_is_explained(name: str, text: str, problem: str, line: int, tmp_path: Path) -> None:
    path = write(tmp_path / name, text)
    with pytest.raises(NosographError) as caught:
        load_model(path)
    found = next(p for p in caught.value.problems if problem in p.problem)
    assert (found.file, found.line) == (str(path), line)


PIECES = st.sampled_from(
    ['"', "<", ">", ".", ";", "[]", "_:x", "{", "}", '"x"@de', "1.5", "true", "/", "\n", "ng:kind "]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 20), PIECES), min_size=1, max_size=3))
@pytest.mark.parametrize("suffix", [".ttl", ".jsonld", ".rdf"])
def test_no_rdf_ends_in_a_traceback(
    suffix: str, edits: list[tuple[int, int, str]], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    text = convert(SIX, tmp_path / f"six{suffix}").read_text()
    for at, length, piece in edits:
        at %= len(text)
        text = text[:at] + piece + text[at + length :]
    report = check_model(write(tmp_path / f"edited{suffix}", text))
    assert report.ok == (not report.errors)
    assert "Traceback" not in capfd.readouterr().err


def test_sources_that_are_not_there(tmp_path: Path) -> None:
    write(tmp_path / "six.yaml", SIX.read_text())
    with pytest.raises(NosographError, match=r"six\.yaml"):
        locate_model(tmp_path / "sx.yaml")
    with pytest.raises(NosographError, match="write: alzheimers"):
        load_model("alzheimer")
    with pytest.raises(NosographError, match=r"ends in \.yaml"):
        load_model(write(tmp_path / "model.txt", "id: x"))
    with pytest.raises(NosographError, match="no disease model"):
        load_model(Graph())


def test_conversion_leaves_nothing_half_written(tmp_path: Path) -> None:
    with pytest.raises(NosographError, match="unknown file extension"):
        convert(SIX, tmp_path / "six.tlt")
    with pytest.raises(NosographError, match="cannot be written"):
        convert(SIX, tmp_path / "missing" / "six.ttl")
    assert list(tmp_path.iterdir()) == []


def test_loading_imports_nothing_heavy() -> None:
    code = (
        "import sys; from nosograph.causal.model.check import check_model;"
        f"assert check_model({str(SIX)!r}).ok;"
        "print([m for m in ('torch', 'pyro', 'pandas', 'scipy', 'owlready2') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_an_effect_that_the_model_declares_is_meant_with_its_contrast() -> None:
    model = load_model("alzheimers")
    short = parse_effect("apoe4 -> hippocampal_volume_mri @ 24 months", model)
    assert short in model.effects
    assert short.contrast == (2, 0)
    assert short.text == "apoe4 -> hippocampal_volume_mri @ 24 months (2 against 0)"


def test_an_effect_can_be_typed_in_its_longer_form() -> None:
    model = load_model("alzheimers")
    typed = parse_effect('{effect: apoe4 -> mmse @ 24 months, contrast: [1, 0], population: "age >= 65"}', model)
    assert typed.contrast == (1, 0)
    assert str(typed.population) == "age >= 65"
    with pytest.raises(NosographError, match="contrast"):
        parse_effect("{effect: apoe4 -> mmse @ 24 months, contrsat: [1, 0]}", model)
