"""Differences in meaning are found, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest

from nosograph.causal.model.diff import Difference, diff_models
from nosograph.causal.model.load import load_model

SIX = Path(__file__).parents[2] / "models" / "six.yaml"
TEXT = SIX.read_text()


def compare(path: Path, old: str, new: str) -> list[Difference]:
    assert old in TEXT
    file = path / "other.yaml"
    file.write_text(TEXT.replace(old, new, 1))
    return list(diff_models(load_model(SIX), load_model(file)))


def test_a_model_equals_itself() -> None:
    assert diff_models(load_model(SIX), load_model(SIX)) == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("title: Six variables", "title: 6 variables"),
        ("id: six", "id: sechs  # a comment"),
        ("1.0 * sqrt(dt)", "(1 * sqrt((dt)))"),
        ("value: 2.0", "value: 2"),
        ("every 3 months", "every 0.25 years"),
        ("horizon: 3 years", "horizon: 36 months"),
        ("@ 18 months", "@ 1.5 years"),
        ("      age: {source: assumption}\n      risk: {source: assumption}\n",
         "      risk: {source: assumption}\n      age: {source: assumption}\n"),
        ("  risk:\n    kind: static\n    mechanism: Bernoulli(0.4)\n",
         "  risk: {mechanism: Bernoulli(.4), kind: static}\n"),
    ],
)  # fmt: skip
def test_what_does_not_matter(old: str, new: str, tmp_path: Path) -> None:
    assert compare(tmp_path, old, new) == []


@pytest.mark.parametrize(
    ("old", "new", "node", "aspect", "before", "after"),
    [
        ("value: 2.0", "value: 2.5", "progression", "value", "2.0", "2.5"),
        ("Normal(3, 0.5)", "Normal(3, 0.6)", "benefit", "uncertain", "Normal(3, 0.5)", "Normal(3, 0.6)"),
        ("Bernoulli(0.4)", "Bernoulli(0.5)", "risk", "mechanism", "Bernoulli(0.4)", "Bernoulli(0.5)"),
        ("every 3 months", "every 6 months", "severity_rated", "when", "every 3 steps from step 0",
         "every 6 steps from step 0"),
        ("      risk: {source: assumption}\n", '      risk: {evidence: "PMID:1", checked: text, says: so}\n',
         "severity",
         "caused_by.risk", "assumption", "PMID:1 (text) so"),
        ("    ends: journey\n", "", "death", "ends", "journey", "nothing"),
        ("unit: a", "unit: a\n    synonyms: [years, yrs]", "age", "synonyms", "", "years; yrs"),
        ("unit: a", "unit: a\n    related_synonyms: old", "age", "related_synonyms", "", "old"),
        ("unit: a", "unit: mo", "age", "unit", "a", "mo"),
        ("age >= 50", "age >= 60", "model", "population", "age >= 50", "age >= 60"),
        ("@ 18 months", "@ 12 months", "treated -> severity_rated @ 18 months", "exists", "yes", ""),
        ('"treated -> severity_rated @ 18 months"',
         '{effect: treated -> severity_rated @ 18 months, strategy: sustained}',
         "treated -> severity_rated @ 18 months", "strategy", "initiation", "sustained"),
    ],
)  # fmt: skip
def test_what_matters(old: str, new: str, node: str, aspect: str, before: str, after: str, tmp_path: Path) -> None:
    assert Difference(node, aspect, before, after) in compare(tmp_path, old, new)


def test_what_is_only_in_one(tmp_path: Path) -> None:
    found = compare(tmp_path, "parameters:\n", "parameters:\n  spare: {value: 1}\n")
    assert [str(difference) for difference in found] == ["spare: only in the second"]
    assert [str(d) for d in diff_models(load_model(tmp_path / "other.yaml"), load_model(SIX))] == [
        "spare: only in the first"
    ]
