"""The table of causal relations, held to what the Relation Ontology itself says, and mapping files."""

from pathlib import Path

import pytest

from nosograph.errors import NosographError
from nosograph.ontology.prefixes import to_iri
from nosograph.ontology.relations import RELATIONS, read_relations

# `inverseOf` of the Relation Ontology
INVERSES = {
    "RO:0002200": "RO:0002201", "RO:0002411": "RO:0002404", "RO:0002412": "RO:0002405", "RO:0002418": "RO:0002427",
    "RO:0002566": "RO:0002559", "RO:0002500": "RO:0002608", "RO:0002211": "RO:0002334", "RO:0002212": "RO:0002335",
    "RO:0002213": "RO:0002336", "RO:0003307": "RO:0003310", "RO:0003309": "RO:0003311", "RO:0004010": "RO:0004000",
    "RO:0004011": "RO:0004001", "RO:0004012": "RO:0004002", "RO:0004013": "RO:0004003", "RO:0004014": "RO:0004004",
    "RO:0004015": "RO:0004005", "RO:0004016": "RO:0004006",
}  # fmt: skip
# Examples of SNOMED's Editorial Guide: an electrical burn of skin has electricity as its causative agent, and so on
OBJECTS = {
    "SNOMEDCT:42752001": ("due to", "cause"),
    "SNOMEDCT:246075003": ("causative agent", "cause"),
    "SNOMEDCT:255234002": ("after", "cause"),
    "SNOMEDCT:116676008": ("associated morphology", "description"),
    "SNOMEDCT:363698007": ("finding site", "description"),
    "RO:0004019": ("disease has basis in", "cause"),
    "RO:0003303": ("causes condition", "effect"),
    "http://purl.obolibrary.org/obo/mondo#disease_causes_feature": ("disease causes feature", "effect"),
}


def test_inverse_relations_name_the_same_edge() -> None:
    for name, inverse in INVERSES.items():
        one, other = RELATIONS[to_iri(name)], RELATIONS[to_iri(inverse)]
        assert (one.object, other.object) == ("effect", "cause"), name
        assert (one.lowers, one.causal) == (other.lowers, other.causal), name


def test_labels_and_directions() -> None:
    for name, expected in OBJECTS.items():
        relation = RELATIONS[to_iri(name)]
        assert (relation.label, relation.object) == expected
    lowering = {relation.label for relation in RELATIONS.values() if relation.lowers}
    assert lowering == {label for label in lowering if "negative" in label or "ameliorate" in label}
    assert len(lowering) == 6
    assert not RELATIONS[to_iri("SNOMEDCT:255234002")].causal  # it asserts a sequence, no cause


def test_a_mapping_file_adds_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "relations.yaml"
    path.write_text(
        "relations:\n"
        "  http://e.org/leads: {label: leads to, object: effect}\n"
        "  http://e.org/protects: {object: effect, lowers: true, causal: false}\n"
        "  ro:0002200: {object: nothing}\n"
    )
    found = read_relations(path)
    assert found["http://e.org/leads"].label == "leads to"
    protects = found["http://e.org/protects"]
    assert (protects.label, protects.lowers, protects.causal) == ("http://e.org/protects", True, False)
    phenotype = found[to_iri("RO:0002200")]
    assert (phenotype.label, phenotype.object) == ("has phenotype", "nothing")
    assert len(found) == len(RELATIONS) + 2


@pytest.mark.parametrize(
    ("text", "problem", "line"),
    [
        ("relations:\n  RO:0002411:\n    object: subject\n", "'effect', 'cause'", 3),
        ("relations:\n  RO:0002411: {object: effect, cause: yes}\n", "extra", 2),
        ("relations:\n  RO:0002411: {object: effect, lowers: 1}\n", "boolean", 2),
        ("relations:\n  RO:2411: {object: effect}\n", "not how Relation Ontology writes", 2),
        ("relations:\n  causes: {object: effect}\n", "not a CURIE", 2),
        ("causes: {object: effect}\n", "relations", 0),
        ("- RO:0002411\n", "dictionary", 0),
        ("relations: {a: 1, a: 2}\n", "a", 1),
    ],
)
def test_a_bad_mapping_file_is_named_with_its_line(tmp_path: Path, text: str, problem: str, line: int) -> None:
    path = tmp_path / "relations.yaml"
    path.write_text(text)
    with pytest.raises(NosographError) as caught:
        read_relations(path)
    first = caught.value.problems[0]
    assert problem in str(first)
    assert first.file == str(path)
    assert line in (0, first.line)
    assert first.fix or "twice" in first.problem or "duplicate" in first.problem
