"""YAML by its 1.2 specification, and the keys of a document."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nosograph.errors import NosographError
from nosograph.ontology.document import Document, Places, read_document, validate_document
from nosograph.ontology.yaml import Written, read_yaml, write_yaml

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"],
     exclude_characters="\u2028\u2029\ufeff\ufffe\uffff")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcdefgh.-_ ", max_size=8), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(JSON)
def test_json_is_yaml(data: Any) -> None:
    """YAML 1.2 is a superset of JSON, so json.dumps is an independent writer of it (section 1.2)."""
    assert read_yaml(json.dumps(data, ensure_ascii=False)).plain() == data
    assert read_yaml(json.dumps(data, ensure_ascii=False, indent=2)).plain() == data


@given(JSON)
def test_what_is_written_is_read(data: Any) -> None:
    assert read_yaml(write_yaml({"data": data})).plain() == {"data": data}


@pytest.mark.parametrize(
    ("text", "value"),
    [  # YAML 1.2.2, section 10.3.2, and example 10.9; then what YAML 1.1 read otherwise
        ("null", None), ("~", None), ("", None), ("true", True), ("False", False), ("0", 0), ("0o7", 7), ("0x3A", 58),
        ("-19", -19), ("0.", 0.0), ("-0.0", 0.0), (".5", 0.5), ("+12e03", 12000.0), ("-2E+05", -200000.0),
        (".inf", math.inf), ("-.Inf", -math.inf), ("+.INF", math.inf),
        ("no", "no"), ("on", "on"), ("Yes", "Yes"), ("off", "off"), ("y", "y"), ("1e-5", 1e-5), ("010", 10),
        ("1_000", "1_000"), ("12:30:45", "12:30:45"), ("2001-12-14", "2001-12-14"), ("0b101", "0b101"),
        ('"1"', "1"), ("'true'", "true"), ("=", "="), ("<<", "<<"), ("1e400", math.inf), ("9" * 400, math.inf),
    ],
)  # fmt: skip
def test_scalars_of_the_core_schema(text: str, value: object) -> None:
    found = read_yaml(f"key: {text}\n").plain()["key"]
    assert found == value
    assert isinstance(found, bool) == isinstance(value, bool)
    assert isinstance(found, str) == isinstance(value, str)


def test_not_a_number() -> None:
    assert math.isnan(read_yaml("a: .nan").plain()["a"])


def test_numbers_remember_how_they_were_written() -> None:
    number = read_yaml("a: 1.10").plain()["a"]
    assert isinstance(number, Written)
    assert (number, number.text) == (1.1, "1.10")
    assert validate_document({"id": "x", "version": number}, Places("", {})).version == "1.10"


def test_every_node_knows_its_line() -> None:
    lines = {
        ".".join(path): line
        for path, line in read_yaml("a: 1\n\nb:\n  - c\n  - d: |\n      text\n    e: 2\n").find_lines()
    }
    assert lines == {"a": 1, "b": 3, "b.0": 4, "b.1": 5, "b.1.d": 5, "b.1.e": 7}


@pytest.mark.parametrize(
    ("text", "problem", "line"),
    [
        ("a: 1\nb: 2\na: 3\n", "the key 'a' occurs twice, first in line 1", 3),
        ("x: {a: 1, a: 2}", "occurs twice", 1),
        ('a: 1\n"a": 2', "occurs twice", 2),
        ("a: 1\n---\nb: 2\n", "a second document", 2),
        ("a: !!python/name:os.system x", "tags have no place", 1),
        ("a: !thing {b: 1}", "tags have no place", 1),
        ("? [a]\n: b", "a key must be text", 1),
        ("a: &x [*x]", "nothing before this is named &x", 1),
        ("a: *x", "named &x|undefined alias", 1),
        ("a: [1,\nb: 2", "not YAML", 2),
        ("a:\n\t- b", "not YAML", 2),
        ("a: \x00", "not YAML", 0),
        ("a: \ud800", "not YAML", 0),
        ("[" * 50, "nested deeper than 20", 1),
        ("a: " + "x" * 5_000_000, "longer than", 0),
    ],
)
def test_what_is_refused(text: str, problem: str, line: int) -> None:
    with pytest.raises(NosographError, match=problem) as caught:
        read_yaml(text, file="x.yaml")
    assert caught.value.problems[0].file == "x.yaml"
    assert caught.value.problems[0].line == line


def test_aliases_are_read_but_do_not_explode() -> None:
    assert read_yaml("a: &x {b: 1}\nc: *x").plain() == {"a": {"b": 1}, "c": {"b": 1}}
    levels = "".join(f"l{i}: &l{i} [{','.join([f'*l{i - 1}'] * 9)}]\n" for i in range(1, 12))
    with pytest.raises(NosographError, match="more than 200,000 values"):
        read_yaml(f"l0: &l0 [lol]\n{levels}")


@pytest.mark.parametrize(
    "source", ["PMID:36449413", "doi:10.1056/NEJMoa2212948", "doi:10.1002/(SICI)1<1661::AID>3.0;2-2"]
)
def test_citations_by_their_form(source: str) -> None:
    entry = {"value": Written(1, "1"), "evidence": source, "checked": "recalled"}
    document = validate_document({"id": "x", "parameters": {"p": entry}}, Places("", {}))
    assert document.parameters["p"].evidence == (source,)


@pytest.mark.parametrize("source", ["PMID:0", "PMID:123456789", "PMID: 1", "pmid:1", "36449413", "doi:11.1/x",
 "doi:10.1/x",
                                    "https://doi.org/10.1000/x", "doi:10.1000/a b"])  # fmt: skip
def test_what_is_no_citation(source: str) -> None:
    entry = {"value": Written(1, "1"), "evidence": source, "checked": "recalled"}
    with pytest.raises(NosographError, match="neither a PMID nor a DOI"):
        validate_document({"id": "x", "parameters": {"p": entry}}, Places("", {}))


def test_every_mistake_in_the_keys_is_told(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("id: x\ntitel: t\nvariables:\n  a:\n    kind: sttate\n    mechanisms: 1\nclock: {step: 1 day}\n")
    with pytest.raises(NosographError) as caught:
        read_document(file)
    found = {(problem.line, problem.problem) for problem in caught.value.problems}
    assert found == {
        (2, "unknown key 'titel'"),
        (5, "'kind' cannot be this"),
        (6, "unknown key 'mechanisms'"),
        (7, "the key 'horizon' is missing"),
        (7, "the key 'unit' is missing"),
    }


@pytest.mark.parametrize(
    ("synonyms", "problem", "fix"),
    [
        ("[MMSE, '']", "a synonym is empty", "what clinicians also call it"),
        ("''", "a synonym is empty", "what clinicians also call it"),
        ("[MMSE, Folstein test, MMSE]", "the synonym 'MMSE' stands twice", "each synonym once"),
        ("[{a: b}]", "is not as it should be", "text"),
    ],
)
def test_wrong_synonyms_are_named(synonyms: str, problem: str, fix: str, tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(f"id: x\nvariables:\n  a:\n    kind: static\n    mechanism: 1\n    synonyms: {synonyms}\n")
    with pytest.raises(NosographError, match=problem) as caught:
        read_document(file)
    found = caught.value.problems[0]
    assert (found.node, found.line) == ("a", 6)
    assert fix in found.fix


def test_a_synonym_is_not_a_related_one_too(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    names = "synonyms: [MMSE, mini-mental], related_synonyms: mini-mental"
    file.write_text(f"id: x\nvariables:\n  a: {{kind: static, mechanism: 1, {names}}}\n")
    with pytest.raises(NosographError, match="'mini-mental' is also a related one") as caught:
        read_document(file)
    assert (caught.value.problems[0].node, caught.value.problems[0].line) == ("a", 3)


def test_one_synonym_needs_no_list(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("id: x\nvariables:\n  a: {kind: static, mechanism: 1, synonyms: two  words}\n")
    assert read_document(file)[0].variables["a"].synonyms == ("two words",)


def test_the_context_has_every_key_of_a_document() -> None:
    from nosograph.ontology.document import ClaimEntry, ClockEntry, EffectEntry, ParameterEntry, VariableEntry
    from nosograph.ontology.files import read_context

    entries = (Document, ClockEntry, ParameterEntry, VariableEntry, ClaimEntry, EffectEntry)
    keys = {key for entry in entries for key in entry.model_fields} - {"contrast"}  # `level` and `reference` in RDF
    assert keys <= read_context().keys()
