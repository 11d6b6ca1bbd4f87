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


# Packages together. The rows are written by hand: what counts follows from their effective times.

CONCEPT, DESCRIPTION, RELATIONSHIP, ASSOCIATION = (
    "sct2_Concept_{}_{}",
    "sct2_Description_{}-en_{}",
    "sct2_Relationship_{}_{}",
    "der2_cRefset_Association{}_{}",
)
COLUMNS = dict(
    zip(
        (CONCEPT, DESCRIPTION, RELATIONSHIP, ASSOCIATION),
        (header for name, header in HEADERS.items() if "Stated" not in name),
        strict=True,
    )
)
Rows = dict[str, list[str]]
EARLY: Rows = {
    CONCEPT: ["138875005 20240101 1", "64572001 20240101 1", "26929004 20240101 1", "52448006 20240101 1"],
    DESCRIPTION: [
        f"1010 20240101 1 26929004 {FSN} Alzheimer's disease (disorder)",
        f"1011 20240101 1 26929004 {SYNONYM} a name given up",
        f"1012 20240101 1 52448006 {FSN} Dementia (disorder)",
        f"1013 20240101 0 52448006 {SYNONYM} Dementia",
    ],
    RELATIONSHIP: [
        f"1020 20240101 1 64572001 138875005 {IS_A}",
        f"1021 20240101 1 26929004 64572001 {IS_A}",
        f"1022 20240101 1 52448006 64572001 {IS_A}",
    ],
    ASSOCIATION: [],
}
LATE: Rows = {  # a concept, a description and a relationship become inactive; a description comes back
    CONCEPT: ["52448006 20240701 0"],
    DESCRIPTION: [
        f"1011 20240701 0 26929004 {SYNONYM} a name given up",
        f"1013 20240701 1 52448006 {SYNONYM} Dementia",
    ],
    RELATIONSHIP: [f"1022 20240701 0 52448006 64572001 {IS_A}", f"1023 20240701 1 26929004 52448006 {IS_A}"],
    ASSOCIATION: ["u1 20240701 1 900000000000526001 52448006 26929004"],
}


def write_package(
    folder: Path, rows: Rows, *, kind: str = "Snapshot", where: str = "INT_20240101", prefix: str = "", only: str = ""
) -> Path:
    """A package whose rows leave out what no test needs: module, language and the like."""
    folder = folder / kind.removeprefix("MONO") / "Terminology"
    folder.mkdir(parents=True, exist_ok=True)
    for pattern, content in rows.items():
        if only and pattern != only:
            continue
        lines = [COLUMNS[pattern]]
        for row in content:
            identifier, time, active, *others = row.split(" ", 5 if pattern == DESCRIPTION else 6)
            if pattern == CONCEPT:
                others = [PRIMITIVE]
            elif pattern == DESCRIPTION:
                concept, name, term = others
                others = [concept, "en", name, term, INSENSITIVE]
            elif pattern == RELATIONSHIP:
                others = [others[0], others[1], "0", others[2], INFERRED, EXISTENTIAL]
            lines.append("\t".join([identifier, time, active, MODULE, *others]))
        (folder / f"{prefix}{pattern.format(kind, where)}.txt").write_bytes(
            "".join(f"{line}\r\n" for line in lines).encode()
        )
    return folder.parents[1]


def check_together(knowledge: KnowledgeGraph) -> None:
    assert knowledge.is_obsolete("SNOMEDCT:52448006")
    assert knowledge.replacements("SNOMEDCT:52448006") == ("SNOMEDCT:26929004",)
    assert [s.text for s in knowledge.synonyms("SNOMEDCT:26929004")] == []
    assert [s.text for s in knowledge.synonyms("SNOMEDCT:52448006")] == ["Dementia"]
    assert knowledge.parents("SNOMEDCT:26929004") == ("SNOMEDCT:52448006", "SNOMEDCT:64572001")
    assert knowledge.parents("SNOMEDCT:52448006") == ()
    assert knowledge.label("SNOMEDCT:26929004") == "Alzheimer's disease (disorder)"


@pytest.mark.parametrize("late_first", [False, True])
@pytest.mark.parametrize("how", ["one folder", "one after the other", "opened", "opened, then loaded"])
def test_of_two_packages_the_latest_state_of_each_component_counts(
    tmp_path: Path, how: str, late_first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOSOGRAPH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("nosograph.ontology.hpo.read_hpo", lambda *_: iter(()))  # HPO is not what is tried
    late = write_package(tmp_path / "both" / ("1" if late_first else "3"), LATE, where="GB1000000_20240701")
    early = write_package(tmp_path / "both" / "2", EARLY)
    folders = [late, early] if late_first else [early, late]
    knowledge = KnowledgeGraph()
    if how == "one folder":
        knowledge.load(tmp_path / "both")
    elif how == "one after the other":
        for folder in folders:
            knowledge.load(folder)
    else:
        opened = len(folders) if how == "opened" else 1
        knowledge = KnowledgeGraph.open(*folders[:opened])
        for folder in folders[opened:]:
            knowledge.load(folder)
    check_together(knowledge)


def test_an_older_package_takes_nothing_back(tmp_path: Path) -> None:
    """The extension still has the concept as it was."""
    newest = {**EARLY, CONCEPT: [*EARLY[CONCEPT][:3], "52448006 20250101 0"]}
    knowledge = KnowledgeGraph()
    knowledge.load(write_package(tmp_path / "1", newest))
    knowledge.load(write_package(tmp_path / "2", EARLY, where="GB1000000_20240701"))
    assert knowledge.is_obsolete("SNOMEDCT:52448006")


def test_what_other_files_say_of_a_concept_stays(tmp_path: Path) -> None:
    mapped = tmp_path / "map.nt"
    mapped.write_text(
        "<http://snomed.info/id/52448006> <http://www.w3.org/2004/02/skos/core#exactMatch> <http://e.org/d> ."
    )
    knowledge = KnowledgeGraph()
    for path in (
        write_package(tmp_path / "1", EARLY),
        mapped,
        write_package(tmp_path / "2", LATE, where="GB_20240701"),
    ):
        knowledge.load(path)
    check_together(knowledge)
    assert knowledge.cross_references("SNOMEDCT:52448006") == ("http://e.org/d",)


def join(*packages: Rows) -> Rows:
    return {content: [row for package in packages for row in package[content]] for content in EARLY}


def test_a_full_file_says_what_its_snapshot_says(tmp_path: Path) -> None:
    knowledge = KnowledgeGraph()
    knowledge.load(write_package(tmp_path, join(LATE, EARLY), kind="Full"))
    check_together(knowledge)


def test_a_delta_brings_a_snapshot_up_to_date(tmp_path: Path) -> None:
    knowledge = KnowledgeGraph()
    knowledge.load(write_package(tmp_path / "1", EARLY))
    knowledge.load(write_package(tmp_path / "2", LATE, kind="Delta", where="INT_20240701"))
    check_together(knowledge)


def test_a_whole_package_is_read_by_its_snapshot(tmp_path: Path) -> None:
    """Full and Delta stand beside it; here they hold something else, so that the test can tell."""
    write_package(tmp_path, EARLY)
    for kind in ("Full", "Delta"):
        write_package(tmp_path, LATE, kind=kind)
    knowledge = KnowledgeGraph()
    knowledge.load(tmp_path)
    assert not knowledge.is_obsolete("SNOMEDCT:52448006")


def test_a_delta_alone_is_refused(tmp_path: Path) -> None:
    folder = write_package(tmp_path / "2", LATE, kind="Delta", where="INT_20240701")
    with pytest.raises(NosographError, match="only what has changed") as caught:
        KnowledgeGraph().load(folder)
    assert "an earlier Snapshot" in caught.value.problems[0].fix
    write_package(folder, EARLY)  # the fix, followed
    knowledge = KnowledgeGraph()
    knowledge.load(folder)
    check_together(knowledge)


@pytest.mark.parametrize("kind", ["Snapshot", "Full"])
@pytest.mark.parametrize(
    ("summary", "where", "prefix", "association"),
    [
        ("", "INT_20250101", "", "Association"),
        ("MONO", "GB_20241120", "", "Association"),
        ("UKCL", "GB1000000_20241120", "", "Association"),
        ("", "INT_20140131", "x", "AssociationReference"),
        ("", "EE1000181_20250530", "x", "Association"),
        ("EXT", "1000124_20130301", "", "AssociationReference"),
        ("", "AU1000036_20120531", "", "AlternativeAssociation"),
    ],
)
def test_files_are_found_by_the_names_of_the_standard(
    tmp_path: Path, kind: str, summary: str, where: str, prefix: str, association: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder = write_package(tmp_path, join(EARLY, LATE), kind=summary + kind, where=where, prefix=prefix)
    for file in folder.rglob("*Association*"):
        file.rename(file.with_name(file.name.replace("Association", association)))
    knowledge = KnowledgeGraph()
    knowledge.load(folder)
    check_together(knowledge)
    (missing,) = caplog.records  # the text definitions, which this package has not
    assert "sct2_TextDefinition_" in missing.getMessage()


@pytest.mark.parametrize(
    "name",
    [
        "sct2_StatedRelationship_Snapshot_INT_20250101.txt",
        "sct2_RelationshipConcreteValues_Snapshot_INT_20250101.txt",
        "sct1_Concepts_Core_INT_20120131.txt",
        "sct2_ConceptSnapshot.md",
        "der2_cRefset_AttributeValueSnapshot_INT_20250101.txt",
        "der2_cRefset_LanguageSnapshot-en_INT_20250101.txt",
        "._sct2_Concept_Snapshot_INT_20250101.txt",
    ],
)
def test_other_files_of_a_release_are_left_alone(release: Path, name: str) -> None:
    (release / name).write_text("not\twhat is read\n")
    knowledge = KnowledgeGraph()
    knowledge.load(release)
    assert knowledge.label("SNOMEDCT:26929004") == "Alzheimer's disease (disorder)"


@pytest.mark.parametrize("name", ["sct2_Concept_", "sct2_Description_", "sct2_Relationship_"])
def test_a_release_without_a_necessary_file_is_refused(release: Path, name: str) -> None:
    next(release.rglob(f"{name}*")).unlink()
    with pytest.raises(NosographError, match=f"no {name}Snapshot") as caught:
        KnowledgeGraph().load(release)
    assert f"[x]{name}[…]Snapshot[-language]_[country or namespace]_[date].txt" in caught.value.problems[0].fix
    assert caught.value.problems[0].value == str(release)


def test_what_a_missing_file_would_say_is_told(release: Path, caplog: pytest.LogCaptureFixture) -> None:
    next(release.rglob("*Association*")).unlink()
    knowledge = KnowledgeGraph()
    knowledge.load(release)
    said = [record.getMessage() for record in caplog.records]
    assert (
        f"no [x]der2_cRefset_Association…Snapshot…_INT_[date].txt in {release}: this package does not say what "
        in said[1]
    )
    assert knowledge.replacements("SNOMEDCT:52448006") == ()


def test_a_file_that_one_of_two_packages_lacks_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_package(tmp_path / "1", EARLY)
    for content in (CONCEPT, DESCRIPTION, ASSOCIATION):
        write_package(tmp_path / "2", LATE, where="GB1000000_20240701", only=content)
    KnowledgeGraph().load(tmp_path)
    assert "no [x]sct2_Relationship_…Snapshot…_GB1000000_[date].txt" in caplog.text
    assert "_INT_[date].txt in" in caplog.text  # the text definitions
    assert "Relationship_…Snapshot…_INT" not in caplog.text


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [("\t20250101\t", "\t\t", "effective time"), ("\t20250101\t1\t", "\t20250101\ttrue\t", "active is 0 or 1")],
)
def test_a_state_without_time_or_activity_is_refused(release: Path, old: str, new: str, message: str) -> None:
    file = next(release.rglob("sct2_Concept_*"))
    file.write_text(file.read_text().replace(old, new, 1))
    with pytest.raises(NosographError, match=message) as caught:
        KnowledgeGraph().load(release)
    assert caught.value.problems[0].line == 2


def test_no_file_leads_out_of_the_folder(release: Path, tmp_path: Path) -> None:
    file = next(release.rglob("sct2_Concept_*"))
    outside = tmp_path / "outside.txt"
    file.rename(outside)
    file.symlink_to(outside)
    with pytest.raises(NosographError, match="outside its folder"):
        KnowledgeGraph().load(release)
