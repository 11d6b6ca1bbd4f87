"""XML's document types: what Protege writes is read as expat reads it, and nothing else gets through."""

from __future__ import annotations

import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from nosograph.errors import NosographError
from nosograph.ontology.knowledge import KnowledgeGraph
from nosograph.ontology.markup import read_markup

from ..ontology import corpus

ROOT = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:e="http://e.org/">'
RDFS = "http://www.w3.org/2000/01/rdf-schema#"


def write(path: Path, declared: str, body: str) -> Path:
    path.write_text(f"<!DOCTYPE rdf:RDF [{declared}]>\n{ROOT}{body}</rdf:RDF>", encoding="utf-8")
    return path


def label(text: str) -> str:
    return f'<rdf:Description rdf:about="http://e.org/a" xmlns:l="{RDFS}"><l:label>{text}</l:label></rdf:Description>'


@pytest.mark.parametrize("suffix", [".owl", ".rdf", ".xml"])
@pytest.mark.parametrize(
    ("declared", "body", "why"),
    [
        ('<!ENTITY a "x"><!ENTITY b "&a;&a;">', label("&b;"), "holds an entity"),
        ('<!ENTITY b "&b;">', label("&b;"), "holds an entity"),
        ('<!ENTITY a "&#38;a;">', label("&a;"), "holds an entity"),
        ('<!ENTITY a "<e:b/>">', label("&a;"), "holds an entity or an element"),
        ('<!ENTITY a "&#60;e:b/>">', label("&a;"), "holds an entity or an element"),
        ('<!ENTITY a SYSTEM "file:///etc/passwd">', label("&a;"), "another file"),
        ('<!ENTITY a PUBLIC "x" "http://127.0.0.1:9/x">', "", "another file"),
        ("<!ENTITY % a \"<!ENTITY b 'x'>\"> %a;", label("&b;"), "parameter entity"),
        ('<!ENTITY % a SYSTEM "http://127.0.0.1:9/x"> %a;', "", "parameter entity"),
        ('%a;<!ENTITY b "x">', label("&b;"), "more than plain entities"),
        ('<!NOTATION n SYSTEM "x"><!ENTITY a SYSTEM "y" NDATA n>', "", "more than plain entities"),
        (
            '<!ATTLIST rdf:Description rdf:about CDATA "http://e.org/x">',
            "<rdf:Description/>",
            "more than plain entities",
        ),
        ("<!ELEMENT rdf:RDF ANY>", "", "more than plain entities"),
        (f'<!ENTITY a "{"x" * 1001}">', "", "1000 characters"),
        ("".join(f'<!ENTITY a{i} "x">' for i in range(1001)), "", "more than 1000 entities"),
        ('<!ENTITY é "x">', label("&é;"), "plain entity"),
        (f'<!ENTITY a "{"x" * 1000}">', label("&a;" * 2_000), "2000000 characters"),
        (f'<!ENTITY a "{"x" * 1000}">', f'<e:A e:b="{"&a;" * 2_000}"/>', "2000000 characters"),
        (f'<!ENTITY a "{"x" * 1000}">', label("&a;" * 1_000_000), "1000000000 characters"),
        (f'<!ENTITY a "{"x" * 1000}">', f'<e:A e:b="{"&a;" * 1_000_000}"/>', "1000000000 characters"),
    ],
)
def test_other_document_types_are_refused(tmp_path: Path, declared: str, body: str, why: str, suffix: str) -> None:
    path = write(tmp_path / f"o{suffix}", declared, body)
    knowledge, started = KnowledgeGraph(), time.process_time()
    with pytest.raises(NosographError, match=why) as caught:
        knowledge.load(path)
    assert caught.value.problems[0].file == str(path)
    assert len(knowledge) == 0
    assert time.process_time() - started < 5  # expanded, the last two would be gigabytes


def test_a_long_namespace_is_not_repeated_in_every_name(tmp_path: Path) -> None:
    path = tmp_path / "o.rdf"
    path.write_text(f'{ROOT}<a xmlns="http://e.org/{"x" * 1_000_000}">{"<b/>" * 500_000}</a></rdf:RDF>')
    started = time.process_time()
    with pytest.raises(NosographError, match="a namespace of more than 1000 characters"):
        KnowledgeGraph().load(path)
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "doctype",
    [
        "<!DOCTYPE rdf:RDF>",
        '<!DOCTYPE rdf:RDF SYSTEM "http://127.0.0.1:9/x.dtd">',
        '<!DOCTYPE rdf:RDF PUBLIC "-//X//Y" "http://127.0.0.1:9/x.dtd" [<!ENTITY a "x">]>',
    ],
)
def test_a_document_type_elsewhere_is_refused_and_the_fix_works(tmp_path: Path, doctype: str) -> None:
    path = tmp_path / "o.owl"
    path.write_text(doctype + ROOT + label("x") + "</rdf:RDF>")
    with pytest.raises(NosographError, match="DTD") as caught:
        KnowledgeGraph().load(path)
    assert caught.value.problems[0].fix.startswith("save it without <!DOCTYPE …>")
    path.write_text(ROOT + label("x") + "</rdf:RDF>")
    knowledge = KnowledgeGraph()
    knowledge.load(path)
    assert knowledge.label("http://e.org/a") == "x"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-7", "cp037", "windows-1252"])
def test_no_encoding_hides_an_entity_from_the_count(tmp_path: Path, encoding: str) -> None:
    """In some encodings "&" is another byte, or two."""
    content = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE r [<!ENTITY a "{"x" * 1000}">]>{ROOT}</rdf:RDF>'
    coded = content.encode(encoding)
    if encoding in ("cp037", "utf-7"):  # the declaration itself has to be readable
        coded = content.partition("?>")[0].encode() + b"?>" + content.partition("?>")[2].encode(encoding)
    path = tmp_path / "o.rdf"
    path.write_bytes(coded)
    with pytest.raises(NosographError, match=r"o\.rdf"):
        KnowledgeGraph().load(path)


def test_an_entity_cannot_close_what_it_stands_in(tmp_path: Path) -> None:
    """A value with quotation marks stays one value after it is expanded."""
    declared = "<!ENTITY q '\" e:c=\"y'><!ENTITY b ']]>--'>"
    path = write(tmp_path / "o.rdf", declared, '<rdf:Description rdf:about="http://e.org/a" e:b="&q;&b;"/>')
    knowledge = KnowledgeGraph()
    knowledge.load(path)
    assert [(str(p), str(o)) for _, p, o in knowledge.graph] == [("http://e.org/b", '" e:c="y]]>--')]


def test_the_first_declaration_counts_and_an_undeclared_one_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "o.rdf", '<!ENTITY a "one"><!ENTITY a "two">', label("&a; &amp; &#x263A;"))
    knowledge = KnowledgeGraph()
    knowledge.load(path)
    assert knowledge.label("http://e.org/a") == "one & ☺"
    with pytest.raises(NosographError, match="undefined entity") as caught:
        KnowledgeGraph().load(write(path, '<!ENTITY a "one">', label("&b;")))
    assert caught.value.problems[0].line == 2


@pytest.mark.parametrize(
    "content",
    [
        corpus.RDF_XML,
        corpus.OWL_XML_WITH_ENTITIES,
        '<!DOCTYPE r [ ]><r a="1&#10;2&#9;3" b=\'"\'>x&#13;\r\ny<![CDATA[<&>]]>\n<b\n  c="d"/>ä😀<!-- & --></r>',
        '<?xml version="1.0" encoding="ISO-8859-1"?><r a="é">ü</r>',
    ],
)
def test_the_document_passed_on_is_the_one_that_was_written(tmp_path: Path, content: str) -> None:
    """By its canonical form (C14N 2.0)."""
    path = tmp_path / "o.xml"
    path.write_bytes(content.encode("iso-8859-1" if "8859" in content else "utf-8"))
    passed = read_markup(path).content
    assert passed is not None
    assert b"<!DOCTYPE" not in passed
    with path.open("rb") as file:
        assert ElementTree.canonicalize(passed.decode()) == ElementTree.canonicalize(from_file=file)


def test_a_file_without_document_type_is_passed_on_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "o.xml"
    path.write_text("<r/>")
    assert read_markup(path).content is None
