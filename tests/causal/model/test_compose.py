"""Imports, `extends` and `overrides`: what they mean, and what goes wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest
from rdflib import URIRef

from nosograph.causal.model.compose import compose
from nosograph.causal.model.load import load_model
from nosograph.errors import NosographError

MODELS = Path(__file__).parents[2] / "models"
STATIC = "variables:\n  {name}: {{kind: static, mechanism: 'Uniform(0, 1)'}}\n"


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def problems(path: Path) -> list[str]:
    with pytest.raises(NosographError) as caught:
        load_model(path)
    return [str(problem) for problem in caught.value.problems]


def test_imports_come_first_and_keep_their_iris() -> None:
    model = load_model(MODELS / "disease.yaml")
    assert list(model.variables) == ["age", "sex", "death", "severity"]
    assert model.variables["sex"].iri == "https://w3id.org/nosograph/model/common/var/sex"
    assert model.variables["severity"].iri == "https://w3id.org/nosograph/model/disease/var/severity"
    assert model.parameters["background"].iri == "https://w3id.org/nosograph/model/common/par/background"
    assert model.clock.text == ("1 month", "3 years", "year")  # the import's own clock stays behind


def test_the_graph_of_a_composition_is_the_union() -> None:
    union = compose(MODELS / "disease.yaml").graph
    parts = compose(MODELS / "common.yaml").own
    assert set(parts) <= set(union)
    claim = URIRef("https://w3id.org/nosograph/model/disease/claim/severity/age")
    causes = {str(o) for p, o in union.predicate_objects(claim) if str(p).endswith("/cause")}
    assert causes == {"https://w3id.org/nosograph/model/common/var/age"}


def test_extending_adds_a_hazard_and_its_claims() -> None:
    """Independent hazards: the first to strike has the sum of their rates."""
    model, common = load_model(MODELS / "disease.yaml"), load_model(MODELS / "common.yaml")
    death = model.variables["death"]
    own = common.variables["death"].mechanism
    assert own is not None
    first = str(own).removeprefix("Hazard(").removesuffix(")")
    assert str(death.mechanism) == f"Hazard({first} + (deadliness * severity[-1] + 0.0001 * age))"
    assert death.ends == "journey"
    claims = {claim.cause: [item.source for item in claim.evidence] for claim in death.claims}
    assert claims == {
        "age": ["PMID:11111111", "PMID:22222222", "doi:10.1000/xyz(1)<2>"],
        "sex": ["assumption"],
        "severity": ["assumption"],
    }


def test_overriding_replaces_the_mechanism_only() -> None:
    age = load_model(MODELS / "disease.yaml").variables["age"]
    assert str(age.mechanism) == "Uniform(60, 80)"
    assert (age.kind, age.unit) == ("static", "a")


def test_overriding_replaces_the_claims_too(tmp_path: Path) -> None:
    write(tmp_path / "common.yaml", (MODELS / "common.yaml").read_text())
    top = "id: top\nclock: {step: 1 month, horizon: 1 year, unit: year}\nimports: [./common.yaml]\nvariables:\n"
    path = write(tmp_path / "top.yaml", f"{top}  death: {{overrides: death, mechanism: Hazard(0.1)}}\n")
    assert load_model(path).variables["death"].claims == ()
    path = write(tmp_path / "top.yaml", f"{top}  death: {{overrides: death, mechanism: Hazard(0.01 * age)}}\n")
    assert any("reads 'age', which death.caused_by does not claim" in text for text in problems(path))


def test_a_diamond_of_imports_is_no_clash(tmp_path: Path) -> None:
    write(tmp_path / "base.yaml", "id: base\n" + STATIC.format(name="x"))
    for side in ("left", "right"):
        write(tmp_path / f"{side}.yaml", f"id: {side}\nimports: [./base.yaml]\n" + STATIC.format(name=side))
    path = write(tmp_path / "top.yaml", "id: top\nimports: [./left.yaml, ./right.yaml]\n")
    assert list(load_model(path).variables) == ["x", "left", "right"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("imports: [./a.yaml, ./b.yaml]\n", "'x' is declared by both 'a' and 'b'"),
        ("imports: [./a.yaml]\n" + STATIC.format(name="x"), "'x' is already declared by the import 'a'"),
        ("imports: [./a.yaml]\nparameters: {x: {value: 1}}\n", "'x' is already declared by the import 'a'"),
        ("imports: [./c.yaml]\n", "import not found\n  found: ./c.yaml"),
        ("imports: [commmon]\n", "unknown import 'commmon'"),
        ("imports: [a]\n", "found: a\n  write: ./a.yaml"),
        ("imports: [../outside.yaml]\n", "an import must be inside the folder of its document"),
        ("imports: [/etc/passwd]\n", "an import must be inside the folder of its document"),
        ("imports: [./link.yaml]\n", "an import must be inside the folder of its document"),
        ("imports: [./top.yaml]\n", "circular imports\n  found: top -> top"),
        ("imports: [./round.yaml]\n", "circular imports\n  found: top -> round -> top"),
        ("imports: [./a.yaml, ./again.yaml]\n", "two files contain a model with the id 'a'"),
        ("imports: [./broken.yaml]\n", "broken.yaml:2: titel: unknown key 'titel'"),
        ("imports: [./a.yaml]\nvariables: {y: {overrides: x, mechanism: 1}}\n",
         "an override must have the name of its target"),
        ("imports: [./a.yaml]\nvariables: {z: {overrides: z, mechanism: 1}}\n", "no import declares a variable 'z'"),
        ("imports: [./a.yaml]\nvariables: {y: {extends: x, mechanism: Hazard(1)}}\n", "an extension must be a Hazard"),
        ("variables: {y: {extends: deth, mechanism: Hazard(1)}}\n", "no import declares a variable 'deth'"),
    ],
)  # fmt: skip
def test_imports_that_go_wrong(text: str, expected: str, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    outside = write(tmp_path / "outside.yaml", "id: outside\n" + STATIC.format(name="x"))
    (folder / "link.yaml").symlink_to(outside)
    for name in ("a", "b"):
        write(folder / f"{name}.yaml", f"id: {name}\n" + STATIC.format(name="x"))
    write(folder / "again.yaml", "id: a\n" + STATIC.format(name="y"))
    write(folder / "round.yaml", "id: round\nimports: [./top.yaml]\n")
    write(folder / "broken.yaml", "id: broken\ntitel: x\n")
    found = problems(write(folder / "top.yaml", f"id: top\n{text}"))
    assert any(expected in problem for problem in found), found


def test_an_import_that_is_missing_is_shown_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path / "top.yaml", "id: top\ntitle: x\nimports:\n  - ./gone.yaml\n")
    assert problems(path)[0].startswith(f"{path}:4: imports: import not found")
