"""`nosograph model from-ontology` on a small RF2 release and small OWL files, and on what people get wrong."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest
import yaml

from nosograph.commands import run
from nosograph.ontology.hpo import locate_hpo
from nosograph.ontology.knowledge import KnowledgeGraph
from nosograph.ontology.store import key_of, locate_cache

needs_java = pytest.mark.skipif(shutil.which("java") is None, reason="HermiT needs Java")

# SNOMED CT's identifiers and names; the relations are examples of its Editorial Guide
NAMES = {
    "138875005": "SNOMED CT Concept (SNOMED RT+CTV3)",
    "4989003": "Electrical burn of skin (disorder)",
    "18213006": "Electricity (physical force)",
    "246075003": "Causative agent (attribute)",
    "363698007": "Finding site (attribute)",
    "116680003": "Is a (attribute)",
    "39937001": "Skin structure (body structure)",
}
RELATIONSHIPS = [("1", "4989003", "18213006", "246075003"), ("1", "4989003", "39937001", "363698007")]
# A dysfunction disease is defined as a disease with a basis in a gene, and disrupts a process. Mondo's 0000012 has such
# a basis, so it is one, though nobody says so, and disrupts the process.
OWL = """<?xml version="1.0"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:rdfs="http://www.w3.org/2000/01/rdf-schema#"
         xmlns:owl="http://www.w3.org/2002/07/owl#" xmlns:obo="http://purl.obolibrary.org/obo/">
  <owl:Ontology rdf:about="http://purl.obolibrary.org/obo/mondo.owl"><owl:versionInfo>2025-01-01</owl:versionInfo>
  </owl:Ontology>
  <owl:ObjectProperty rdf:about="http://purl.obolibrary.org/obo/RO_0004020"/>
  <owl:ObjectProperty rdf:about="http://purl.obolibrary.org/obo/RO_0004024"/>
  <owl:Class rdf:about="http://purl.obolibrary.org/obo/MONDO_0000001"/>
  <owl:Class rdf:about="http://identifiers.org/hgnc/1"/>
  <owl:Class rdf:about="http://purl.obolibrary.org/obo/GO_0000001"><rdfs:label>a process</rdfs:label></owl:Class>
  <owl:Class rdf:about="http://purl.obolibrary.org/obo/MONDO_0000011">
    <rdfs:label>dysfunction disease</rdfs:label>
    <owl:equivalentClass><owl:Class><owl:intersectionOf rdf:parseType="Collection">
      <owl:Class rdf:about="http://purl.obolibrary.org/obo/MONDO_0000001"/>
      <owl:Restriction><owl:onProperty rdf:resource="http://purl.obolibrary.org/obo/RO_0004020"/>
        <owl:someValuesFrom rdf:resource="http://identifiers.org/hgnc/1"/></owl:Restriction>
    </owl:intersectionOf></owl:Class></owl:equivalentClass>
    <rdfs:subClassOf><owl:Restriction>
      <owl:onProperty rdf:resource="http://purl.obolibrary.org/obo/RO_0004024"/>
      <owl:someValuesFrom rdf:resource="http://purl.obolibrary.org/obo/GO_0000001"/></owl:Restriction></rdfs:subClassOf>
  </owl:Class>
  <owl:Class rdf:about="http://purl.obolibrary.org/obo/MONDO_0000012">
    <rdfs:label>a disease</rdfs:label>
    <rdfs:subClassOf rdf:resource="http://purl.obolibrary.org/obo/MONDO_0000001"/>
    <rdfs:subClassOf><owl:Restriction>
      <owl:onProperty rdf:resource="http://purl.obolibrary.org/obo/RO_0004020"/>
      <owl:someValuesFrom rdf:resource="http://identifiers.org/hgnc/1"/></owl:Restriction></rdfs:subClassOf>
  </owl:Class>
</rdf:RDF>
"""


def write_release(folder: Path) -> None:
    """A release with the columns of the Release File Specification."""
    folder.mkdir()
    tail = ("20250101", "1", "900000000000207008")
    concepts = [(c, *tail, "900000000000074008") for c in NAMES]
    descriptions = [
        (str(i), *tail, c, "en", "900000000000003001", name, "900000000000448009")
        for i, (c, name) in enumerate(NAMES.items())
    ]
    relationships = [
        (str(i), "20250101", active, tail[2], source, target, "0", kind, "900000000000011006", "900000000000451002")
        for i, (active, source, target, kind) in enumerate(RELATIONSHIPS)
    ]
    columns = {
        "Concept_Snapshot": ("definitionStatusId", concepts),
        "Description_Snapshot-en": ("conceptId languageCode typeId term caseSignificanceId", descriptions),
        "Relationship_Snapshot": (
            "sourceId destinationId relationshipGroup typeId characteristicTypeId modifierId",
            relationships,
        ),
    }
    for name, (header, rows) in columns.items():
        first = ["id", "effectiveTime", "active", "moduleId", *header.split()]
        text = "".join("\t".join(row) + "\r\n" for row in (first, *rows))
        (folder / f"sct2_{name}_INT_20250101.txt").write_bytes(text.encode())


def invoke(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["nosograph", "model", *words])
    return run()


def link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk
        shutil.copy2(source, target)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    KnowledgeGraph.open()  # HPO, from the usual cache into this test's own, which stores with other files go to
    shipped = key_of(locate_hpo())
    shutil.copytree(locate_cache() / shipped, tmp_path / "cache" / shipped, copy_function=link)
    monkeypatch.setenv("NOSOGRAPH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "own.ttl").write_text("<http://e.org/a> <http://e.org/leads> <http://e.org/b> .")
    (tmp_path / "relations.yaml").write_text("relations: {http://e.org/leads: {label: leads to, object: effect}}")
    (tmp_path / "mondo.owl").write_text(OWL)
    write_release(tmp_path / "rf2")
    return tmp_path


def test_an_rf2_release(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("from-ontology", "SCTID:4989003", "-o", "burn.yaml", "--ontology", "rf2", "--json")
    assert invoke(monkeypatch, *words) == 0
    said = capsys.readouterr()
    answer = json.loads(said.out)
    assert (answer["concept"], answer["variables"], answer["claims"]) == ("SNOMEDCT:4989003", 2, 1)
    assert answer["kinds"] == {"electricity": "static", "electrical_burn_of_skin": "event"}
    assert {finding["kind"] for finding in answer["findings"]} == {"guessed", "missing"}
    assert "missing: numbers" in said.err
    text = (folder / "burn.yaml").read_text()
    burn = yaml.safe_load(text)["variables"]["electrical_burn_of_skin"]
    evidence = "axiom:SNOMEDCT:4989003 SNOMEDCT:246075003 SNOMEDCT:18213006"
    assert burn["caused_by"] == {"electricity": {"evidence": evidence, "checked": "curated"}}
    assert "# finding site: SNOMEDCT:39937001 (Skin structure (body structure))" in text
    assert invoke(monkeypatch, "check", "burn.yaml", "--json") == 0
    assert json.loads(capsys.readouterr().out)["warnings"] == []
    assert invoke(monkeypatch, "draw", "burn.yaml", "-o", "burn.svg") == 0


@needs_java
def test_inherited_axioms_count_with_reasoning(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("from-ontology", "MONDO:0000012", "-o", "own.yaml", "--ontology", "mondo.owl")
    assert invoke(monkeypatch, *words) == 0
    assert list(yaml.safe_load((folder / "own.yaml").read_text())["variables"]) == ["hgnc_1", "a_disease"]
    words = (*words[:2], "-o", "inherited.yaml", *words[4:])
    assert invoke(monkeypatch, *words, "--reason") == 0
    text = (folder / "inherited.yaml").read_text()
    claims = yaml.safe_load(text)["variables"]["a_process"]["caused_by"]
    assert claims["a_disease"]["evidence"] == "axiom:MONDO:0000011 RO:0004024 GO:0000001"
    assert "inherited" in text
    assert "drafted from MONDO 2025-01-01" in text
    assert invoke(monkeypatch, "check", "inherited.yaml") == 0
    capsys.readouterr()


def test_own_relations_by_a_mapping_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("from-ontology", "http://e.org/a", "-o", "own.yaml", "--ontology", "own.ttl")
    assert invoke(monkeypatch, *words) == 2
    assert not (folder / "own.yaml").exists()
    assert invoke(monkeypatch, *words, "--relations", "relations.yaml") == 0
    assert invoke(monkeypatch, "check", "own.yaml") == 0


def test_an_edited_draft_is_not_written_over(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("from-ontology", "SCTID:4989003", "-o", "burn.yaml", "--ontology", "rf2")
    for _ in range(2):  # the same text over itself
        assert invoke(monkeypatch, *words) == 0
    edited = (folder / "burn.yaml").read_text() + "# mine"
    (folder / "burn.yaml").write_text(edited)
    capsys.readouterr()
    assert invoke(monkeypatch, *words) == 2
    assert "file already exists" in capsys.readouterr().err
    assert (folder / "burn.yaml").read_text() == edited


WRONG = [
    (["MONDO:0000012"], "where does the model go", "-o model.yaml"),
    (["MONDO:0000012", "-o", "b.txt"], "YAML", "b.yaml"),
    (["MONDO:0000012", "-o", "b.yaml"], "no causal axiom", "--ontology FILE"),
    (["OMIM:154700", "-o", "b.yaml"], "no causal axiom", "from-hpo OMIM:154700"),
    (["HP:9999999", "-o", "b.yaml"], "no such concept", "search"),
    (["dementia", "-o", "b.yaml"], "named by its CURIE", "HP:0000726"),
    (["MONDO:12", "-o", "b.yaml"], "how Mondo", "MONDO:0000012"),
    (["MONDO:0000012", "-o", "b.yaml", "--ontology", "nowhere.owl"], "no such file", "RF2 folder"),
    (["MONDO:0000012", "-o", "b.yaml", "--ontology", "own.ttl", "--reason"], "--reason is for OWL", "FILE.owl"),
    (["MONDO:0000012", "-o", "b.yaml", "--reason"], "--reason is for OWL", "FILE.owl"),
    (["MONDO:0000012", "-o", "b.yaml", "--ontology", "mondo.owl", "--depth", "0"], "depth is a whole number", "2"),
    (["MONDO:0000012", "-o", "b.yaml", "--ontology", "mondo.owl", "--relations", "no.yaml"], "no such file", "path"),
    (["MONDO:0000012", "-o", "nowhere/b.yaml", "--ontology", "mondo.owl"], "cannot be written", "a folder that exists"),
]


def test_bad_input_is_named_with_its_fix(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path.name for path in folder.iterdir()}
    for words, problem, fix in WRONG:
        assert invoke(monkeypatch, "from-ontology", *words, "--json") == 2, words
        said = capsys.readouterr()
        (error,) = json.loads(said.out)["errors"]
        assert problem in error["problem"], words
        assert fix in error["fix"], words
    assert {path.name for path in folder.iterdir()} == before
