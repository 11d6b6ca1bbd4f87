"""OBO files, written here as the format's specification shows them."""

from pathlib import Path
from typing import Any

import pytest

from nosograph.errors import NosographError
from nosograph.ontology.knowledge import KnowledgeGraph

SMALL = """format-version: 1.4
data-version: 2026-01-01
ontology: uberon
import: http://127.0.0.1:9/never-fetched.obo

[Term]
id: UBERON:0000955
name: brain
namespace: uberon
def: "The \\"brain\\", \\nwith a newline." [PMID:1, "a \\"quoted\\" source"]
synonym: "encephalon" RELATED [BTO:0000142]
synonym: "suprasegmental \\"structures\\"" EXACT layperson [FMA:67944] {note="x"}
synonym: "the organ {in braces} ! not a comment" NARROW []
synonym: "no scope" []
xref: SNOMEDCT_US:12738006 "Brain structure"
xref: XYZ:1
alt_id: UBERON:0000001
is_a: UBERON:0000062 {source="Wikipedia"} ! organ
relationship: part_of UBERON:0001016 ! nervous system

[Term]
id: UBERON:0000062
name: organ {comment="x"}

[Term]
id: UBERON:0000002
name: obsolete thing
is_obsolete: true
replaced_by: UBERON:0000062

[Term]
id: UBERON:0000003
name: obsolete other thing
is_obsolete: true
consider: UBERON:0000955
consider: UBERON:0000062

[Typedef]
id: part_of
name: part of
xref: BFO:0000050
"""


@pytest.fixture
def knowledge(tmp_path: Path) -> KnowledgeGraph:
    file = tmp_path / "uberon.obo"
    file.write_text(SMALL)
    graph = KnowledgeGraph()
    graph.load(file)
    return graph


def test_a_term_is_read_whole(knowledge: KnowledgeGraph) -> None:
    assert knowledge.label("UBERON:0000955") == "brain"
    assert knowledge.label("UBERON:0000062") == "organ"
    assert knowledge.definition("UBERON:0000955") == 'The "brain", \nwith a newline.'
    assert {(s.text, s.scope) for s in knowledge.synonyms("UBERON:0000955")} == {
        ("encephalon", "RELATED"),
        ('suprasegmental "structures"', "EXACT"),
        ("the organ {in braces} ! not a comment", "NARROW"),
        ("no scope", "RELATED"),
    }
    assert knowledge.cross_references("UBERON:0000955") == ("SNOMEDCT:12738006", "XYZ:1")
    assert knowledge.parents("UBERON:0000955") == ("UBERON:0000062",)


def test_a_synonym_keeps_its_type(knowledge: KnowledgeGraph) -> None:
    kinds = {s.text: set(s.kinds) for s in knowledge.synonyms("UBERON:0000955")}
    assert kinds.pop('suprasegmental "structures"') == {"layperson"}
    assert not any(kinds.values())
    asked: Any = knowledge.sparql("""SELECT ?text ?type {
        ?axiom owl:annotatedSource UBERON:0000955 ; owl:annotatedProperty oboInOwl:hasExactSynonym ;
               owl:annotatedTarget ?text ; oboInOwl:hasSynonymType ?type }""")
    assert [tuple(map(str, row)) for row in asked] == [
        ('suprasegmental "structures"', "http://purl.obolibrary.org/obo/uberon#layperson")
    ]


def test_relations_take_the_name_of_their_cross_reference(knowledge: KnowledgeGraph) -> None:
    found: Any = knowledge.sparql("SELECT ?x { UBERON:0000955 BFO:0000050 ?x }")
    assert [str(row[0]) for row in found] == ["http://purl.obolibrary.org/obo/UBERON_0001016"]


def test_obsolete_and_merged_terms_name_what_replaces_them(knowledge: KnowledgeGraph) -> None:
    assert knowledge.is_obsolete("UBERON:0000002")
    assert knowledge.replacements("UBERON:0000002") == ("UBERON:0000062",)
    assert knowledge.replacements("UBERON:0000003") == ("UBERON:0000062", "UBERON:0000955")
    assert knowledge.replacements("UBERON:0000001") == ("UBERON:0000955",)
    assert not knowledge.is_obsolete("UBERON:0000955")


def test_the_ontology_closes_its_prefix(knowledge: KnowledgeGraph) -> None:
    assert knowledge.known("UBERON:0000955") is True
    assert knowledge.known("UBERON:9999999") is False
    assert knowledge.known("HP:0001250") is None  # not loaded here


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("format-version: 1.2\n\n[Term]\nid: HP:0000001\nwithout a colon\n", 5),
        ("format-version: 1.2\n\n[Term]\nname: nameless\n", 3),
        ("format-version: 1.2\n\n[Term]\nid: HP:0000001\nsynonym: unquoted EXACT []\n", 5),
        ("format-version: 1.2\n\n[Term]\nid: HP:0000001\nis_a: http://not an iri\n", 5),
        ("format-version: 1.4\n\n[Term]\nid: HP:0000001\nid: HP:0000002\n", 5),
        ("format-version: 1.4\n\n[Term]\nid: HP:0000001\nname: All\ncomment: c\nname: Everything\n", 7),
        ('format-version: 1.4\n\n[Term]\nid: HP:0000001\ndef: "All." []\ndef: "All." []\n', 6),
    ],
)
def test_what_is_not_obo_is_named_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    file = tmp_path / "broken.obo"
    file.write_text(text)
    knowledge = KnowledgeGraph()
    with pytest.raises(NosographError) as caught:
        knowledge.load(file)
    assert (caught.value.problems[0].file, caught.value.problems[0].line) == (str(file), line)
    assert len(knowledge) == 0


@pytest.mark.parametrize(("tag", "text"), [("name", "All"), ("def", '"All." []')])
def test_a_second_name_or_definition_is_refused_with_what_to_write(tmp_path: Path, tag: str, text: str) -> None:
    file = tmp_path / "own.obo"
    file.write_text(f"format-version: 1.4\n\n[Term]\nid: HP:0000001\n{tag}: {text}\n{tag}: {text}\n")
    with pytest.raises(NosographError, match=f"a \\[Term\\] has two `{tag}` lines") as caught:
        KnowledgeGraph().load(file)
    instead = caught.value.problems[0].fix.partition("the other as ")[2]
    file.write_text(f"format-version: 1.4\n\n[Term]\nid: HP:0000001\n{tag}: {text}\n{instead}\n")
    KnowledgeGraph().load(file)


def test_what_is_not_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "broken.obo"
    file.write_bytes(b"format-version: 1.2\n\xff\xfe\n")
    with pytest.raises(NosographError, match="UTF-8"):
        KnowledgeGraph().load(file)
