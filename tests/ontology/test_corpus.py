"""What is read of each file of the corpus, written down by hand from what the files say."""

import re
from pathlib import Path
from typing import Any

import pytest

from nosograph.errors import NosographError
from nosograph.ontology.hpo import COLUMNS, GENE_COLUMNS, read_annotations, read_genes
from nosograph.ontology.knowledge import KnowledgeGraph

from . import corpus

DEMENTIA, ALZHEIMERS = f"{corpus.BASE}#Dementia", f"{corpus.BASE}#Alzheimers"
MARK = b"\xef\xbb\xbf"


def load(path: Path, content: str | bytes) -> KnowledgeGraph:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    knowledge = KnowledgeGraph()
    knowledge.load(path)
    return knowledge


def refuse(path: Path, content: str | bytes, match: str) -> str:
    """The fix of the message that refuses a file."""
    with pytest.raises(NosographError, match=match) as caught:
        load(path, content)
    assert caught.value.problems[0].file == str(path)
    assert caught.value.problems[0].fix
    return caught.value.problems[0].fix


@pytest.mark.parametrize("mark", [b"", MARK], ids=["plain", "mark"])
@pytest.mark.parametrize(
    ("content", "names"),
    [
        (corpus.RDF_XML, ("o.owl", "o.rdf", "o.xml", "o")),
        (corpus.TURTLE, ("o.ttl", "o.owl", "o")),
        (corpus.OWL_XML, ("o.owx", "o.owl", "o.xml", "o.rdf")),
        (corpus.OWL_XML_WITH_ENTITIES, ("o.owx", "o.owl", "o.xml")),
    ],
    ids=["RDF/XML", "Turtle", "OWL/XML", "OWL/XML with entities"],
)
def test_protege_files_say_the_same(tmp_path: Path, content: str, names: tuple[str, ...], mark: bytes) -> None:
    for name in names:
        knowledge = load(tmp_path / name, mark + content.encode())
        assert knowledge.label(DEMENTIA) == "dementia"
        assert knowledge.definition(DEMENTIA) == corpus.DEFINITION
        assert knowledge.parents(ALZHEIMERS) == (DEMENTIA,)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "iso-8859-1"])
def test_xml_is_read_in_the_encoding_that_it_declares(tmp_path: Path, encoding: str) -> None:
    declared = "utf-16" if encoding == "utf-16-le" else encoding
    for content, name in ((corpus.OWL_XML, "o.owx"), (corpus.RDF_XML, "o.rdf")):
        if content is corpus.RDF_XML and encoding != "iso-8859-1":
            content = content.partition("<!DOCTYPE")[0] + content.partition("]>\n")[2]
            for entity in ("owl", "obo", "xsd", "rdfs", "rdf"):
                value = re.search(f'ENTITY {entity} "(.*)"', corpus.RDF_XML)
                content = content.replace(f"&{entity};", value[1] if value else "")
        content = content.replace('version="1.0"', f'version="1.0" encoding="{declared}"')
        assert load(tmp_path / name, content.encode(encoding)).definition(DEMENTIA) == corpus.DEFINITION


def test_the_line_of_a_mistake_is_that_of_the_file_with_entities(tmp_path: Path) -> None:
    content = corpus.RDF_XML.replace("</rdf:RDF>", "<undeclared:Class/></rdf:RDF>")
    for name in ("o.owl", "o.rdf"):
        with pytest.raises(NosographError, match="unbound prefix") as caught:
            load(tmp_path / name, content)
        assert caught.value.problems[0].line == content.count("\n")


@pytest.mark.parametrize("mark", [b"", MARK, b"# a comment\n\n"], ids=["plain", "mark", "comment"])
@pytest.mark.parametrize("name", ["o.owl", "o.ofn", "o.omn", "o.ttl", "o", "o.txt"])
@pytest.mark.parametrize("syntax", ["functional", "Manchester"])
def test_other_syntaxes_of_owl_are_named_with_the_way_out(tmp_path: Path, syntax: str, name: str, mark: bytes) -> None:
    content = mark + (corpus.FUNCTIONAL if syntax == "functional" else corpus.MANCHESTER).encode()
    fix = refuse(tmp_path / name, content, f"OWL in {syntax} syntax")
    assert "Save as" in fix
    assert f'robot convert --input "{name}" --output "o-rdfxml.owl"' in fix


def test_turtle_with_a_prefix_of_that_name_is_turtle(tmp_path: Path) -> None:
    """In Turtle, `PREFIX` may be written so as well."""
    knowledge = load(
        tmp_path / "o.ttl",
        'Prefix : <http://e.org/>\nPrefix rdfs:<http://www.w3.org/2000/01/rdf-schema#>\n:a rdfs:label "a".',
    )
    assert knowledge.label("http://e.org/a") == "a"


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("o.owl", b"PK\x03\x04rest", "compressed"),
        ("o.obo.gz", b"\x1f\x8b\x08rest", "compressed"),
        ("o.obo", "format-version: 1.2\n".encode("utf-16"), "UTF-16"),
        ("o.ttl", corpus.TURTLE.encode("utf-16"), "UTF-16"),
        ("o.owl", "<!DOCTYPE html>\n<html><body>Sign in</body></html>", "web page"),
        ("o.owl", "<html xmlns='http://www.w3.org/1999/xhtml'><body/></html>", "web page"),
        ("o.ttl", corpus.RDF_XML, "this is XML"),
        ("o.nt", corpus.OWL_XML, "this is XML"),
        ("o.json", '{"graphs": [{"id": "http://purl.obolibrary.org/obo/hp.json", "nodes": []}]}', "OBO Graphs"),
    ],
)
def test_what_is_saved_in_place_of_an_ontology_is_named(
    tmp_path: Path, name: str, content: str | bytes, match: str
) -> None:
    refuse(tmp_path / name, content, match)


@pytest.mark.parametrize("mark", [b"", MARK], ids=["plain", "mark"])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.nt", '<http://e.org/a> <http://www.w3.org/2000/01/rdf-schema#label> "a" .'),
        ("a.nq", '<http://e.org/a> <http://www.w3.org/2000/01/rdf-schema#label> "a" <http://e.org/g> .'),
        ("a.trig", '<http://e.org/a> <http://www.w3.org/2000/01/rdf-schema#label> "a" .'),
        ("a.jsonld", '{"@id": "http://e.org/a", "http://www.w3.org/2000/01/rdf-schema#label": "a"}'),
        ("a", '{"@id": "http://e.org/a", "http://www.w3.org/2000/01/rdf-schema#label": "a"}'),
        ("a.obo", "[Term]\nid: http://e.org/a\nname: a\n"),
        ("a.txt", "[Term]\nid: http://e.org/a\nname: a\n"),
        ("a", "! saved by hand\nontology: e\n\n[Term]\nid: http://e.org/a\nname: a\n"),
    ],
)
def test_a_byte_order_mark_is_skipped(tmp_path: Path, name: str, content: str, mark: bytes) -> None:
    assert load(tmp_path / name, mark + content.encode()).label("http://e.org/a") == "a"


def test_a_byte_order_mark_is_skipped_in_annotations(tmp_path: Path) -> None:
    row = ["OMIM:104300", "Alzheimer", "", "HP:0000726", "PMID:1", "PCS", "", "", "", "", "P", "HPO:x"]
    path = tmp_path / "phenotype.hpoa"
    for start in ("", "#a comment\n"):
        path.write_text(f"{start}{chr(9).join(COLUMNS)}\n{chr(9).join(row)}\n", encoding="utf-8-sig")
        assert any(getattr(quad.object, "value", "") == "Alzheimer" for quad in read_annotations(path))
    path.write_text(
        "\t".join(GENE_COLUMNS) + "\n351\tAPP\tHP:0000726\tDementia\t-\tOMIM:104300\n", encoding="utf-8-sig"
    )
    assert any(getattr(quad.object, "value", "") == "APP" for quad in read_genes(path))


def test_the_reasoner_says_what_it_reads(tmp_path: Path) -> None:
    (tmp_path / "o.ttl").write_text(corpus.TURTLE)
    with pytest.raises(NosographError, match="RDF/XML or OWL/XML only"):
        KnowledgeGraph().load(tmp_path / "o.ttl", reason=True)


# OBO


def synonyms(knowledge: KnowledgeGraph, concept: str) -> set[tuple[str, str, str]]:
    return {(s.text, s.scope, " ".join(sorted(s.kinds))) for s in knowledge.synonyms(concept)}


def comment(knowledge: KnowledgeGraph, concept: str) -> str:
    found: Any = knowledge.sparql(f"SELECT ?x {{ {concept} rdfs:comment ?x }}")
    return str(next(iter(found))[0])


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_hpo(tmp_path: Path, ends: str) -> None:
    knowledge = load(tmp_path / "hp.obo", corpus.HPO.replace("\n", ends))
    definition = knowledge.definition("HP:0000726") or ""
    assert definition.startswith("A loss of global")
    assert definition.endswith("judgment, and behavior.")
    assert comment(knowledge, "HP:0000726") == "Often progressive."
    assert synonyms(knowledge, "HP:0000726") == {
        ("Dementia, progressive", "EXACT", ""),
        ("Progressive dementia", "EXACT", "layperson"),
        ("Dementia of the grey matter", "EXACT", "uk_spelling"),  # the scope that its type declares
        ("CI", "RELATED", "abbreviation"),
    }
    assert knowledge.cross_references("HP:0000726") == ("SNOMEDCT:52448006", "UMLS:C0497327")
    assert knowledge.parents("HP:0000726") == ("HP:0001268",)
    assert knowledge.replacements("HP:0000727") == ("HP:0000726",)


def test_mondo(tmp_path: Path) -> None:
    knowledge = load(tmp_path / "mondo.obo", corpus.MONDO)
    assert (knowledge.definition("MONDO:0004975") or "").endswith("such as memory and language.")
    assert synonyms(knowledge, "MONDO:0004975") == {
        ("AD", "EXACT", "abbreviation"),
        ("Alzheimer dementia", "EXACT", ""),
        ("Alzheimer's", "RELATED", "dubious"),
    }
    assert knowledge.cross_references("MONDO:0004975") == ("DOID:10652", "ICD9:331.0")
    assert knowledge.parents("MONDO:0004975") == ("MONDO:0001627",)
    located: Any = knowledge.sparql(
        "SELECT ?x { MONDO:0004975 <http://purl.obolibrary.org/obo/mondo#disease_has_location> ?x }"
    )
    assert [str(row[0]) for row in located] == ["http://purl.obolibrary.org/obo/UBERON_0000955"]


def test_go(tmp_path: Path) -> None:
    knowledge = load(tmp_path / "go.obo", corpus.GO)
    assert knowledge.definition("GO:0000015") == (
        "A multimeric enzyme complex, usually a dimer or an octamer, that catalyzes the conversion of "
        "2-phospho-D-glycerate to phosphoenolpyruvate and water."
    )
    assert comment(knowledge, "GO:0000015") == "Note that this term was reinstated, at last! See {the guide}."
    assert synonyms(knowledge, "GO:0000015") == {
        ("enolase complex", "EXACT", ""),
        ("(2R)-2-phosphoglycerate {hydro-lyase}", "EXACT", "systematic_synonym"),
    }
    assert knowledge.cross_references("GO:0000015") == ("EC:4.2.1.11", "Wikipedia:Enolase")
    assert knowledge.parents("GO:0000015") == ("GO:1902494",)


def test_uberon(tmp_path: Path) -> None:
    knowledge = load(tmp_path / "uberon.obo", corpus.UBERON)
    assert knowledge.definition("UBERON:0000955") == (
        "The brain is the center of the nervous system.\nIt has \ttwo halves."
    )
    assert synonyms(knowledge, "UBERON:0000955") == {
        ("the brain", "EXACT", ""),
        ("encephalon", "RELATED", "omo_0003011"),
    }
    assert knowledge.cross_references("UBERON:0000955") == ("EMAPA:16894",)
    assert knowledge.parents("UBERON:0000955") == ("UBERON:0000062",)
    part: Any = knowledge.sparql("SELECT ?x { UBERON:0000955 BFO:0000050 ?x }")
    assert [str(row[0]) for row in part] == ["http://purl.obolibrary.org/obo/UBERON_0001016"]


def test_doid(tmp_path: Path) -> None:
    knowledge = load(tmp_path / "doid.obo", corpus.DOID)
    assert (knowledge.definition("DOID:10652") or "").endswith('confusion, "sundowning" and emotional instability.')
    assert synonyms(knowledge, "DOID:10652") == {
        ("Alzheimers dementia", "EXACT", ""),
        ("Alzheimer disease", "EXACT", ""),
        ("AD2", "NARROW", ""),
    }
    assert knowledge.cross_references("DOID:10652") == ("ICD10CM:G30", "OMIM:104300")


@pytest.mark.parametrize(
    "line",
    [
        'def: "The "inner" text" [PMID:1]',
        'def: "The text" ends here" [PMID:1]',
        'def: "a" [PMID:1',
        'def: "a" [PMID:1] b',
        'def: "a" EXACT [PMID:1]',
        'def: "a" [PMID:1 "b]',
        'def: "a" [PMID:1] {source=b c}',
        "def: a",
        'synonym: "The "inner" text" EXACT []',
        'synonym: "a" exact []',
        'synonym: "a" EXACT NARROW []',
        'synonym: "a" EXACT layperson other []',
        'synonym: "a" undeclared []',
        'synonym: "a" EXACT [] b',
        'exact_synonym: "a" NARROW []',
        'xref: UMLS:C1 "a" b',
        'xref: UMLS:C1 "a',
        "xref:",
        "is_a:",
        "is_a: HP:0000001 HP:0000118",
        "is_a: ! All",
        "relationship: part_of",
        "relationship: part_of HP:0000001 HP:0000118",
        "alt_id:",
        "is_obsolete: True",
        "id: HP:0000002",
    ],
)
def test_obo_that_its_grammar_does_not_have_is_refused(tmp_path: Path, line: str) -> None:
    content = f"format-version: 1.4\nontology: hp\n\n[Term]\nid: HP:0000001\n{line}\nname: All\n"
    path = tmp_path / "hp.obo"
    fix = refuse(path, content, r"hp\.obo:6")
    written = next((part for part in re.split(r"[;\n] ?", fix) if part.startswith(f"{line.partition(':')[0]}:")), "")
    if written and not line.startswith("id:"):  # the fix, followed, is read
        content = content.replace(line, written).replace("ontology:", 'synonymtypedef: layperson "a"\nontology:')
        assert len(load(path, content)) > 0


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ('def: "The "inner" text" [PMID:1]', 'The "inner" text'),
        ('def: "The text" ends here" [PMID:1] {a="b"}', ""),  # which mark ends the text, nobody can know
        ('def: "The \\"inner\\" and "other" text" []', 'The "inner" and "other" text'),
    ],
)
def test_the_fix_of_an_inner_quotation_mark_is_the_line_itself(tmp_path: Path, line: str, text: str) -> None:
    content = f"ontology: hp\n\n[Term]\nid: HP:0000001\n{line}\n"
    fix = refuse(tmp_path / "hp.obo", content, "quoted text")
    if text:
        assert load(tmp_path / "hp.obo", content.replace(line, fix)).definition("HP:0000001") == text


def test_a_fix_of_an_undeclared_type_works(tmp_path: Path) -> None:
    content = 'ontology: hp\n\n[Term]\nid: HP:0000001\nsynonym: "a" layman []\n'
    fix = refuse(tmp_path / "hp.obo", content, "declared type")
    declared = fix.partition("in the header, ")[2]
    knowledge = load(tmp_path / "hp.obo", f"{declared}\n{content}")
    assert synonyms(knowledge, "HP:0000001") == {("a", "EXACT", "layman")}


@pytest.mark.parametrize(
    ("header", "match"),
    [("synonymtypedef:", "type of synonyms"), ('synonymtypedef: a "b" SOME', "type of synonyms")],
)
def test_a_header_that_declares_nothing_is_refused(tmp_path: Path, header: str, match: str) -> None:
    refuse(tmp_path / "hp.obo", f"ontology: hp\n{header}\n", match)


def test_a_stanza_in_small_letters_is_not_passed_over(tmp_path: Path) -> None:
    assert refuse(tmp_path / "hp.obo", "ontology: hp\n\n[term]\nid: HP:0000001\n", "capital") == "[Term]"


def test_text_keeps_what_is_no_modifier(tmp_path: Path) -> None:
    for name in ("Yahoo! the company", "a {b} c", "1-{2-[3]}", "{a}", "a {b", 'a {b="c"} d'):
        assert load(tmp_path / "o.obo", f"[Term]\nid: HP:0000001\nname: {name}\n").label("HP:0000001") == name
    for name in ('a {b="c", d="e } f"}', 'a {b="c"} ! d', "a ! d", "a {}", "a {b=1}"):
        assert load(tmp_path / "o.obo", f"[Term]\nid: HP:0000001\nname: {name}\n").label("HP:0000001") == "a"
