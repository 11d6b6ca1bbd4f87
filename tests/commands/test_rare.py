"""`nosograph model from-hpo`, `simulate` and `export` on what people get wrong: named, with the fix, exit code 2."""

from __future__ import annotations

import json
import random
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from nosograph.causal.catalog.rare import document as rare_document
from nosograph.causal.catalog.rare.survey import survey
from nosograph.commands import run
from nosograph.ontology.annotations import find_annotations, list_diseases
from nosograph.ontology.hpo import Annotation
from nosograph.ontology.knowledge import KnowledgeGraph
from nosograph.simulate.runs.workers import run_parts

FROM_HPO = ["model", "from-hpo"]
MIX = [*FROM_HPO, "-o", "b.yaml", "--mix"]
SINGLE = "OMIM:132700"  # one phenotype
WRONG = [
    ([*FROM_HPO, "OMIM:154701", "-o", "b.yaml"], "no disease of this identifier", "OMIM:154700 (Marfan syndrome)"),
    ([*FROM_HPO, "Marfan syndrom", "-o", "b.yaml"], "no disease of this name", "OMIM:154700 (Marfan syndrome)"),
    ([*FROM_HPO, "OMIM:620730", "-o", "b.yaml"], "no phenotype", "another disease"),
    ([*FROM_HPO, "MONDO:0007947", "-o", "b.yaml"], "OMIM, ORPHA, DECIPHER", "OMIM:154700"),
    ([*FROM_HPO, SINGLE], "where does the model go", "-o model.yaml"),
    ([*FROM_HPO], "one disease, or a mixture", "-o FILE"),
    ([*FROM_HPO, SINGLE, "-o", "b.txt"], "YAML", "b.yaml"),
    ([*FROM_HPO, SINGLE, "-o", "nowhere/b.yaml"], "cannot be written", "a folder that exists"),
    ([*FROM_HPO, SINGLE, "-o", "b.yaml", "--severity-strength", "2"], "from 0 to 0.995", "0.5"),
    ([*FROM_HPO, SINGLE, "-o", "b.yaml", "--severity-strength", "nan"], "from 0 to 0.995", "0.5"),
    ([*FROM_HPO, SINGLE, "-o", "b.yaml", "--severity-strength", "much"], "a number or none", "0.5"),
    ([*MIX, "OMIM:154700=60%, ORPHA:558=30%"], "add up to 90", "100"),
    ([*MIX, "OMIM:154700=1, omim:154700=2"], "twice", "OMIM:154700 once"),
    ([*MIX, "OMIM:154700=1, ORPHA:55x=1"], "no disease", "ORPHA:5"),
    ([*MIX, "OMIM:154700=1, ORPHA:558=1", "--population"], "affected", "without --population"),
    ([*FROM_HPO, "--all"], "report goes to a file", "--report"),
    (["simulate", "model.yaml", "--out", "run", "--cohorts", "0"], "number of cohorts is", "--cohorts 10"),
    (["simulate", "model.yaml", "--out", "run", "--clinic", "nonsense=3"], "another name", "listing=7"),
    (["simulate", "model.yaml", "--out", "run", "--clinic", "listing=-1"], "at least one term", "listing=7"),
    (["export", "run", "--to", "nonsense"], "unknown format", "--to phenopacket"),
    (["export", "nowhere"], "no finished run", "nosograph simulate"),
]


def invoke(words: list[str], monkeypatch: pytest.MonkeyPatch) -> int:
    """The exit code, without a process for each."""
    monkeypatch.setattr(sys, "argv", ["nosograph", *words])
    before = random.getstate()
    code = run()
    random.setstate(before)  # the progress bar draws from it
    return code


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    monkeypatch.chdir(tmp_path)
    assert invoke([*FROM_HPO, SINGLE, "-o", "model.yaml"], monkeypatch) == 0
    assert (tmp_path / "model.yaml").exists()
    capsys.readouterr()
    return tmp_path


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_bad_input_is_named_with_its_fix(
    as_json: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for words, problem, fix in WRONG:
        assert invoke([*words, *as_json], monkeypatch) == 2, words
        said = capsys.readouterr()
        assert problem in said.err, words
        assert fix in said.err, words
        if as_json:
            (error,) = json.loads(said.out)["errors"]
            assert problem in error["problem"]
            assert fix in error["fix"]
        else:
            assert not said.out
    assert {path.name for path in folder.iterdir()} == {"model.yaml"}


@pytest.mark.parametrize("frequency", ["5/3", "0/0", "145%", "HP:0000118"])
def test_an_impossible_frequency_names_disease_and_term(
    frequency: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a release of HPO with such a row would bring it."""

    def spoil(disease: str, *, knowledge: KnowledgeGraph) -> tuple[Annotation, ...]:
        rows = find_annotations(disease, knowledge=knowledge)
        return tuple(replace(row, frequency=frequency) if row.aspect == "P" else row for row in rows)

    monkeypatch.setattr(rare_document, "find_annotations", spoil)
    assert invoke([*FROM_HPO, SINGLE, "-o", "b.yaml", "--json"], monkeypatch) == 2
    (error,) = json.loads(capsys.readouterr().out)["errors"]
    assert error["node"].startswith(f"{SINGLE}, HP:")
    assert error["value"] == frequency
    assert error["fix"]
    assert not (folder / "b.yaml").exists()


def test_a_frequency_in_the_document_is_from_0_to_1(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (folder / "model.yaml").read_text()
    name = next(line.split(":")[0].strip() for line in text.splitlines() if "_frequency:" in line)
    assert invoke(["simulate", "model.yaml", "--out", "run", "--set", f"{name}=1.5"], monkeypatch) == 2
    said = capsys.readouterr().err
    assert "from 0 to 1" in said
    assert f"{name} = 1.5" in said


@pytest.mark.parametrize("what", [[SINGLE], ["--mix", "OMIM:132700=1, OMIM:154700=1"]])
def test_an_edited_model_is_not_written_over(
    what: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*FROM_HPO, *what, "-o", "again.yaml"]
    for _ in range(2):  # the same text over itself
        assert invoke(words, monkeypatch) == 0
    edited = (folder / "again.yaml").read_text().replace("0.5", "0.6")
    (folder / "again.yaml").write_text(edited)  # as long as before
    capsys.readouterr()
    assert invoke(words, monkeypatch) == 2
    assert "file already exists" in capsys.readouterr().err
    assert (folder / "again.yaml").read_text() == edited


def test_a_survey_in_two_processes_is_that_in_one() -> None:
    knowledge = KnowledgeGraph.open()
    diseases = sorted(list_diseases(knowledge=knowledge))[:101]  # two chunks
    alone = survey(knowledge=knowledge, diseases=diseases)
    together = survey(knowledge=knowledge, diseases=diseases, run=partial(run_parts, workers=2))
    assert len(alone.outcomes) == 101
    assert together.outcomes == alone.outcomes
