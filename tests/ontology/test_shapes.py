"""The shapes accept what documents mean, and say in words what is wrong with a graph."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyshacl import validate
from rdflib import Graph, Literal, URIRef
from rdflib.namespace import RDF, RDFS, XSD

from nosograph.ontology.document import Places, read_document
from nosograph.ontology.mapping import to_graph
from nosograph.ontology.shapes import check_shapes, read_shapes
from nosograph.ontology.vocabulary import NG, new_graph

MODELS = Path(__file__).parents[1] / "models"
SIX = URIRef("https://w3id.org/nosograph/model/six")
AGE = URIRef(f"{SIX}/var/age")
CLAIM = URIRef(f"{SIX}/claim/death/age")
NOWHERE = Places("", {})


def six() -> Graph:
    return to_graph(read_document(MODELS / "six.yaml")[0])


def test_the_shapes_are_shapes() -> None:
    """Against the shapes of shapes (SHACL, appendix C)."""
    conforms, _, text = validate(six(), shacl_graph=read_shapes(), meta_shacl=True)
    assert conforms, text


@pytest.mark.parametrize("path", sorted(MODELS.glob("*.yaml")), ids=lambda path: path.stem)
def test_documents_conform(path: Path) -> None:
    assert check_shapes(to_graph(read_document(path)[0]), NOWHERE) == []


def test_labels_and_comments_are_welcome() -> None:
    graph = six()
    graph.add((AGE, RDFS.label, Literal("Alter", lang="de")))
    graph.add((CLAIM, RDFS.comment, Literal("old people die")))
    assert check_shapes(graph, NOWHERE) == []


@pytest.mark.parametrize(
    ("node", "key", "value", "owner", "problem", "fix"),
    [
        (AGE, "mechanisn", Literal("1"), "age", "unknown property ng:mechanisn", "ng:mechanism"),
        (AGE, "kind", Literal("sttate"), "age", "ng:kind cannot be this", 'ng:kind "static" or "state"'),
        (AGE, "mechanism", Literal("2"), "age", "ng:mechanism stands more than once", "one ng:mechanism"),
        (AGE, "concept", Literal("HP:0002511"), "age", "ng:concept is no IRI", "<https://"),
        (AGE, "title", URIRef("https://example.org"), "age", "ng:title is no text", 'ng:title "…"'),
        (AGE, "recorded", Literal("yes"), "age", "ng:recorded is not as it should be", ""),
        (AGE, "causedBy", SIX, "age", "ng:causedBy leads to what is no ng:Claim", "ng:Claim"),
        (AGE, "synonym", SIX, "age", "ng:synonym leads to what is no ng:Synonym", "ng:Synonym"),
        (AGE, "synonym", Literal("years"), "age", "ng:synonym leads to what is no ng:Synonym", "ng:Synonym"),
        (CLAIM, "evidence", URIRef("https://pubmed.ncbi.nlm.nih.gov/1"), "death", "either cited or assumed",
         "ng:evidence"),
        (CLAIM, "cause", URIRef(f"{SIX}/var/risk"), "death", "ng:cause stands more than once", "one ng:cause"),
        (AGE, "causedBy", CLAIM, None, "ng:causedBy stands more than once", "one ng:causedBy"),
        (URIRef(f"{SIX}/par/benefit"), "value", Literal("3"), "benefit", "ng:value is no number", "ng:value 1.5"),
        (URIRef(f"{SIX}/clock"), "step", Literal("1 day"), "clock", "ng:step stands more than once", "one ng:step"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(
    node: URIRef, key: str, value: Literal | URIRef, owner: str | None, problem: str, fix: str
) -> None:
    graph = six()
    graph.add((node, NG[key], value))
    lines = {"variables.age": 7, "variables.death": 9, "parameters.benefit": 5}
    found = [p for p in check_shapes(graph, Places("six.ttl", lines)) if problem in p.problem]
    assert found
    assert fix in found[0].fix
    assert found[0].file == "six.ttl"
    if owner is not None:
        assert found[0].node == owner
        assert found[0].line == {"age": 7, "death": 9, "benefit": 5}.get(owner, 0)


@pytest.mark.parametrize(
    ("node", "key", "problem"),
    [
        (SIX, "id", "ng:id is missing"),
        (AGE, "kind", "ng:kind is missing"),
        (CLAIM, "cause", "ng:cause is missing"),
        (CLAIM, "source", "either cited or assumed"),
        (URIRef(f"{SIX}/par/benefit"), "value", "ng:value is missing"),
        (URIRef(f"{SIX}/clock"), "unit", "ng:unit is missing"),
        (URIRef(f"{SIX}/effect/0"), "effect", "ng:effect is missing"),
    ],
)
def test_what_is_missing_is_said(node: URIRef, key: str, problem: str) -> None:
    graph = six()
    graph.remove((node, NG[key], None))
    assert any(problem in p.problem for p in check_shapes(graph, NOWHERE))


def test_numbers_may_be_written_as_turtle_does() -> None:
    graph = six()
    node = URIRef(f"{SIX}/par/benefit")
    for datatype in (XSD.integer, XSD.decimal, XSD.double):
        graph.set((node, NG.value, Literal("3", datatype=datatype)))
        assert check_shapes(graph, NOWHERE) == []


def test_names_are_where_they_belong() -> None:
    graph = new_graph()
    graph.add((URIRef("https://example.org/thing"), RDF.type, NG.Variable))
    graph.add((URIRef("https://example.org/thing"), NG.kind, Literal("state")))
    assert [p.problem for p in check_shapes(graph, NOWHERE)] == ["the name is not as it must be"]


def test_iris_are_those_of_the_model() -> None:
    graph = six()
    stray = URIRef("https://w3id.org/nosograph/model/seven/var/age")
    graph.remove((SIX, NG.variable, AGE))
    graph.add((SIX, NG.variable, stray))
    graph.add((stray, RDF.type, NG.Variable))
    graph.add((stray, NG.kind, Literal("static")))
    (problem,) = check_shapes(graph, NOWHERE)
    assert (problem.value, problem.fix) == (str(stray), f"<{AGE}>")
    graph = six()
    graph.set((SIX, NG.id, Literal("seven")))
    assert [p.fix for p in check_shapes(graph, NOWHERE)] == ["<https://w3id.org/nosograph/model/seven>"]
