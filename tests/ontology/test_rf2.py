"""A small SNOMED CT release, written here in the exact columns of the Release File Specification.

The identifiers and names are SNOMED CT's own for the top of its hierarchy and a few well-known findings.
"""

from pathlib import Path
from typing import Any

import pytest

from nosograph.errors import NosographError
from nosograph.ontology.knowledge import KnowledgeGraph

MODULE, PRIMITIVE, INSENSITIVE = "900000000000207008", "900000000000074008", "900000000000448009"
FSN, SYNONYM, IS_A = "900000000000003001", "900000000000013009", "116680003"
INFERRED, EXISTENTIAL = "900000000000011006", "900000000000451002"
CONCEPTS = ["138875005", "404684003", "64572001", "26929004", "116680003", "363698007", "12738006", "52448006"]
HEADERS = {
    "sct2_Concept_Snapshot_INT_20250101.txt": "id\teffectiveTime\tactive\tmoduleId\tdefinitionStatusId",
    "sct2_Description_Snapshot-en_INT_20250101.txt": (
        "id\teffectiveTime\tactive\tmoduleId\tconceptId\tlanguageCode\ttypeId\tterm\tcaseSignificanceId"
    ),
    "sct2_Relationship_Snapshot_INT_20250101.txt": (
        "id\teffectiveTime\tactive\tmoduleId\tsourceId\tdestinationId\trelationshipGroup\ttypeId\tcharacteristicTypeId"
        "\tmodifierId"
    ),
    "sct2_StatedRelationship_Snapshot_INT_20250101.txt": "id\teffectiveTime\tnot\tread",
    "der2_cRefset_AssociationSnapshot_INT_20250101.txt": (
        "id\teffectiveTime\tactive\tmoduleId\trefsetId\treferencedComponentId\ttargetComponentId"
    ),
}
DESCRIPTIONS = [
    ("1", "138875005", FSN, "SNOMED CT Concept (SNOMED RT+CTV3)"),
    ("1", "404684003", FSN, "Clinical finding (finding)"),
    ("1", "64572001", FSN, "Disease (disorder)"),
    ("1", "64572001", SYNONYM, "Disease"),
    ("1", "26929004", FSN, "Alzheimer's disease (disorder)"),
    ("1", "26929004", SYNONYM, 'Alzheimer\'s "disease"'),  # RF2 has no quoting
    ("0", "26929004", SYNONYM, "a name given up"),
    ("1", "12738006", FSN, "Brain structure (body structure)"),
    ("1", "52448006", FSN, "Dementia (disorder)"),
]
RELATIONSHIPS = [
    ("1", "404684003", "138875005", IS_A),
    ("1", "64572001", "404684003", IS_A),
    ("1", "26929004", "64572001", IS_A),
    ("0", "26929004", "12738006", IS_A),  # inactive: must not count
    ("1", "26929004", "12738006", "363698007"),  # finding site
]


def write_release(folder: Path) -> Path:
    terminology = folder / "Snapshot" / "Terminology"
    terminology.mkdir(parents=True)
    rows: dict[str, list[tuple[str, ...]]] = {name: [] for name in HEADERS}
    concept, description, relationship, _, association = rows
    inactive = {"52448006"}
    rows[concept] = [(c, "20250101", "0" if c in inactive else "1", MODULE, PRIMITIVE) for c in CONCEPTS]
    rows[description] = [
        (str(i), "20250101", active, MODULE, c, "en", kind, term, INSENSITIVE)
        for i, (active, c, kind, term) in enumerate(DESCRIPTIONS)
    ]
    rows[relationship] = [
        (str(i), "20250101", active, MODULE, source, target, "0", kind, INFERRED, EXISTENTIAL)
        for i, (active, source, target, kind) in enumerate(RELATIONSHIPS)
    ]
    rows[association] = [("uuid", "20250101", "1", MODULE, "900000000000526001", "52448006", "26929004")]
    for name, header in HEADERS.items():
        lines = [header, *("\t".join(row) for row in rows[name])]
        (terminology / name).write_bytes(("\r\n".join(lines) + "\r\n").encode())
    return folder


@pytest.fixture
def release(tmp_path: Path) -> Path:
    return write_release(tmp_path / "SnomedCT_Test")


def test_a_release_is_read(release: Path) -> None:
    knowledge = KnowledgeGraph()
    knowledge.load(release)
    assert knowledge.label("SNOMEDCT:26929004") == "Alzheimer's disease (disorder)"
    assert [(s.text, s.scope) for s in knowledge.synonyms("SCTID:26929004")] == [('Alzheimer\'s "disease"', "EXACT")]
    assert knowledge.ancestors("SNOMEDCT:26929004") == {
        "SNOMEDCT:64572001",
        "SNOMEDCT:404684003",
        "SNOMEDCT:138875005",
    }
    assert knowledge.descendants("SNOMEDCT:12738006") == frozenset()
    site: Any = knowledge.sparql("SELECT ?x { SNOMEDCT:26929004 SNOMEDCT:363698007 ?x }")
    assert [str(row[0]) for row in site] == ["http://snomed.info/id/12738006"]
    assert knowledge.search("alzheimer's disease")[0].concept == "SNOMEDCT:26929004"


def test_inactive_concepts_are_obsolete_with_their_replacement(release: Path) -> None:
    knowledge = KnowledgeGraph()
    knowledge.load(release)
    assert knowledge.is_obsolete("SNOMEDCT:52448006")
    with pytest.raises(NosographError, match="obsolete") as caught:
        knowledge.require("SNOMEDCT:52448006")
    assert "SNOMEDCT:26929004" in caught.value.problems[0].fix
    assert knowledge.known("SNOMEDCT:38341003") is False  # valid, but not in this release


def test_snomed_and_hpo_are_asked_together(release: Path) -> None:
    knowledge = KnowledgeGraph.open()
    knowledge.load(release)
    references = knowledge.cross_references("HP:0002511", "SNOMEDCT")
    assert "SNOMEDCT:26929004" in references
    assert any(knowledge.is_a(reference, "SNOMEDCT:64572001") for reference in references)


@pytest.mark.parametrize(
    ("name", "change", "message", "line"),
    [
        ("sct2_Concept", ("effectiveTime", "time"), "other columns", 1),
        ("sct2_Description", ("\tAlzheimer's disease (disorder)", ""), "9 columns", 6),
        ("sct2_Relationship", ("64572001\t404684003", "64572002\t404684003"), "check digit", 0),
        ("sct2_Concept", ("26929004", "nonsense"), "identifier", 0),
    ],
)
def test_what_is_not_rf2_is_named(release: Path, name: str, change: tuple[str, str], message: str, line: int) -> None:
    file = next(release.rglob(f"{name}_*"))
    file.write_bytes(file.read_bytes().replace(change[0].encode(), change[1].encode()))
    knowledge = KnowledgeGraph()
    with pytest.raises(NosographError, match=message) as caught:
        knowledge.load(release)
    assert (caught.value.problems[0].file, caught.value.problems[0].line) == (str(file), line)
    assert len(knowledge) == 0


def test_a_folder_that_is_no_release_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NosographError, match="no sct2_Concept_Snapshot"):
        KnowledgeGraph().load(tmp_path)


def test_no_file_leads_out_of_the_folder(release: Path, tmp_path: Path) -> None:
    file = next(release.rglob("sct2_Concept_*"))
    outside = tmp_path / "outside.txt"
    file.rename(outside)
    file.symlink_to(outside)
    with pytest.raises(NosographError, match="outside its folder"):
        KnowledgeGraph().load(release)
