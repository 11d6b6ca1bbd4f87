"""RDF files in every syntax, against each other and rdflib's own parsers; and what must be refused."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import rdflib
from rdflib.compare import isomorphic

from nosograph.errors import NosographError
from nosograph.ontology.knowledge import KnowledgeGraph
from nosograph.ontology.rdf import detect_format

TURTLE = """@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix e: <http://e.org/> .
e:a a e:Thing ; rdfs:label "amyloid"@en , "Amyloïd"@fr ; rdfs:subClassOf e:b , [ e:part e:c ] ; e:value 1.5 .
e:b rdfs:label "protein" ; skos:exactMatch <http://snomed.info/id/88878007> .
"""
XML = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:e="http://e.org/">'
BOMB = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))


@pytest.mark.parametrize(
    ("format", "name"),
    [
        ("turtle", "x.ttl"),
        ("nt", "x.nt"),
        ("xml", "x.rdf"),
        ("xml", "x.xml"),
        ("pretty-xml", "x.owl"),
        ("json-ld", "x.jsonld"),
        ("json-ld", "x.json"),
        ("nt", "x.nq"),
        ("turtle", "x.trig"),
        ("turtle", "x"),
        ("turtle", "x.owl"),
        ("nt", "x.owl"),
        ("xml", "x"),
    ],
)
def test_every_syntax_gives_the_same_graph(tmp_path: Path, format: str, name: str) -> None:
    expected = rdflib.Graph().parse(data=TURTLE, format="turtle")
    file = tmp_path / name
    expected.serialize(destination=str(file), format=format, encoding="utf-8")
    knowledge = KnowledgeGraph()
    knowledge.load(file)
    found = rdflib.Graph()  # a copy by N-Triples, so that texts have no explicit datatype
    found.parse(data=knowledge.graph.serialize(format="nt"), format="nt")
    assert isomorphic(_plain(found), _plain(expected))
    assert knowledge.label("http://e.org/a") == "amyloid"
    assert knowledge.parents("http://e.org/a") == ("http://e.org/b",)
    assert knowledge.cross_references("http://e.org/b", "SNOMED") == ("SNOMEDCT:88878007",)


def _plain(graph: rdflib.Graph) -> rdflib.Graph:
    """As RDF 1.1 has it, a text without a language has the datatype string, written or not; owl:Ontology aside."""
    plain = rdflib.Graph()
    for s, p, o in graph:
        if isinstance(o, rdflib.Literal) and o.datatype == rdflib.XSD.string:
            o = rdflib.Literal(str(o))
        if o != rdflib.OWL.Ontology:
            plain.add((s, p, o))
    return plain


def test_named_graphs_are_merged(tmp_path: Path) -> None:
    file = tmp_path / "x.nq"
    file.write_text('<http://e.org/a> <http://www.w3.org/2000/01/rdf-schema#label> "amyloid" <http://e.org/graph> .')
    knowledge = KnowledgeGraph()
    knowledge.load(file)
    assert knowledge.label("http://e.org/a") == "amyloid"


def test_blank_nodes_of_two_files_stay_apart(tmp_path: Path) -> None:
    knowledge = KnowledgeGraph()
    for name in ("one.nt", "two.nt"):
        (tmp_path / name).write_text(f'_:b <http://e.org/name> "{name}" .')
        knowledge.load(tmp_path / name)
    assert len({str(s) for s in knowledge.graph.subjects()}) == 2


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    """A server that remembers what was asked of it: nothing, if all is well."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, format: str, *arguments: object) -> None:
            """Says nothing."""

    listening = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{listening.server_port}", asked
    listening.shutdown()
    listening.server_close()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.jsonld", '{"@context": "URL/context.jsonld", "@id": "http://e.org/a", "name": "x"}'),
        ("x.jsonld", '{"@context": {"@version": 1.1, "@import": "URL/c"}, "@id": "http://e.org/a"}'),
        ("x.jsonld", '{"@context": "context.jsonld", "@id": "http://e.org/a", "name": "x"}'),
        ("x.rdf", '<!DOCTYPE r SYSTEM "URL/x.dtd">' + XML + "</rdf:RDF>"),
        ("x.rdf", '<!DOCTYPE r [<!ENTITY x SYSTEM "URL/x">]>' + XML + '<e:A e:b="1"><e:c>&x;</e:c></e:A></rdf:RDF>'),
        ("x.owl", '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + XML + "</rdf:RDF>"),
        ("x.owl", '<!DOCTYPE r [<!ENTITY % x SYSTEM "URL/x"> %x;]>' + XML + "</rdf:RDF>"),
        ("x.xml", f'<!DOCTYPE r [<!ENTITY l0 "lol">{BOMB}]>' + XML + "<e:A><e:c>&l9;</e:c></e:A></rdf:RDF>"),
        ("x.owx", f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY l0 "lol">{BOMB}]><Ontology>&l9;</Ontology>'),
        ("x", '<?xml version="1.0"?><!DOCTYPE r>' + XML + "</rdf:RDF>"),
    ],
)
def test_what_would_reach_out_or_grow_is_refused(
    tmp_path: Path, server: tuple[str, list[str]], name: str, text: str
) -> None:
    url, asked = server
    file = tmp_path / name
    file.write_text(text.replace("URL", url))
    knowledge = KnowledgeGraph()
    with pytest.raises(NosographError, match=r"never fetched|DTD") as caught:
        knowledge.load(file)
    assert caught.value.problems[0].file == str(file)
    assert len(knowledge) == 0
    assert asked == []


def test_utf_16_does_not_hide_entities(tmp_path: Path) -> None:
    file = tmp_path / "x.rdf"
    file.write_bytes(('<?xml version="1.0" encoding="utf-16"?><!DOCTYPE r>' + XML + "</rdf:RDF>").encode("utf-16"))
    with pytest.raises(NosographError, match="DTD"):
        KnowledgeGraph().load(file)


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("x.ttl", "@prefix e: <http://e.org/> .\ne:a e:b e:c\ne:d e:e .", 3),
        ("x.ttl", "@prefix e: <http://e.org/> .\ne:a f:b e:c .", 2),
        ("x.nt", "<http://e.org/a> <http://e.org/b> .\n", 1),
        ("x.rdf", XML + "\n<e:A>\n</e:B></rdf:RDF>", 3),
        ("x.rdf", "", 0),
        ("x.jsonld", '{"@id":\n "http://e.org/a",\n oops}', 3),
        ("x.owl", XML + "\n<e:A>", 2),
    ],
)
def test_syntax_errors_name_file_and_line(tmp_path: Path, name: str, text: str, line: int) -> None:
    file = tmp_path / name
    file.write_text(text)
    knowledge = KnowledgeGraph()
    if not text:
        knowledge.load(file)  # an empty file is an empty graph
        return
    with pytest.raises(NosographError) as caught:
        knowledge.load(file)
    assert (caught.value.problems[0].file, caught.value.problems[0].line) == (str(file), line)
    assert len(knowledge) == 0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.jsonld", '{"a":' * 200_000 + "1" + "}" * 200_000),
        ("x.jsonld", "[" * 1_000_000),
        ("x.rdf", XML + "<e:A><e:b>" * 100_000 + "</e:b></e:A>" * 100_000 + "</rdf:RDF>"),
    ],
)
def test_nesting_without_end_is_refused(tmp_path: Path, name: str, text: str) -> None:
    file = tmp_path / name
    file.write_text(text)
    with pytest.raises(NosographError, match="too deeply"):
        KnowledgeGraph().load(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NosographError, match="no such file"):
        KnowledgeGraph().load(tmp_path / "missing.ttl")


def test_binary_rubbish_is_refused(tmp_path: Path) -> None:
    for name in ("x.ttl", "x.rdf", "x.jsonld", "x.obo", "x.owl", "x"):
        file = tmp_path / name
        file.write_bytes(bytes(range(256)) * 4)
        with pytest.raises(NosographError):
            KnowledgeGraph().load(file)


def test_what_a_file_holds_is_told_by_suffix_then_by_content(tmp_path: Path) -> None:
    for name, text, kind in [
        ("a.obo", "", "obo"),
        ("a.txt", "format-version: 1.2\n", "obo"),
        ("a.owl", "<?xml version='1.0'?><x/>", "owl"),
        ("a.owl", "<http://e.org/a> <http://e.org/b> <http://e.org/c> .", "rdf"),
        ("a.rdf", XML + "</rdf:RDF>", "xml"),
        ("a", "<urn:x> <urn:y> <urn:z> .", "rdf"),
        ("a.xml", '<?xml version="1.0"?><Ontology xmlns="http://www.w3.org/2002/07/owl#"/>', "owl"),
    ]:
        file = tmp_path / name
        file.write_text(text)
        assert detect_format(file) == kind
