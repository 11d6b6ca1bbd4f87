"""Converts a document to RDF and back: each key has a property, each name an IRI, and each claim its own node."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from rdflib import Graph, Literal, URIRef
from rdflib.namespace import RDF, XSD
from rdflib.term import Node

from ..errors import fail
from .document import CasesEntry, Document, Evidenced
from .prefixes import compact
from .vocabulary import (
    MODEL_BASE,
    NG,
    concept_iri,
    evidence_iri,
    evidence_source,
    local_name,
    model_iri,
    new_graph,
    parameter_iri,
    predicate,
    variable_iri,
)
from .yaml import Written

MODEL_TEXT = ("id", "title", "description", "version", "population")
CLOCK_TEXT = ("step", "horizon", "unit")
PARAMETER_TEXT = ("formula", "unit", "uncertain", "title")
VARIABLE_TEXT = ("kind", "title", "unit", "start", "mechanism", "when", "missing", "occurs", "ends", "competes")
VARIABLE_NAMES = ("of", "extends", "overrides")
NAME_LISTS = {"synonyms": NG.Synonym, "related_synonyms": NG.Synonym, "levels": NG.Category}
EFFECT_TEXT = ("effect", "decision", "strategy", "population", "death", "leaving", "missed", "stopping")


def to_graph(document: Document, *, imported: Mapping[str, URIRef] | None = None) -> Graph:
    """The RDF of a document. `imported` gives the IRI of each imported variable; every other name belongs to the
    document."""
    writer = _GraphWriter(model_iri(document.id), imported or {})
    writer.write(document)
    return writer.graph


class _GraphWriter:
    def __init__(self, model: URIRef, imported: Mapping[str, URIRef]) -> None:
        self.model = model
        self.imported = imported
        self.graph = new_graph()
        self.own: frozenset[str] = frozenset()

    def add(self, node: Node, key: str, value: Any) -> None:
        """Add one statement; nothing if the value is absent or empty."""
        if value is None or value == "":
            return
        if not isinstance(value, Node):
            value = _number(value) if isinstance(value, float) else Literal(value)
        self.graph.add((node, predicate(key), value))

    def add_texts(self, node: Node, entry: Any, keys: Iterable[str]) -> None:
        for key in keys:
            self.add(node, key, getattr(entry, key))

    def add_concept(self, node: Node, key: str, curie: str) -> None:
        if curie:
            self.add(node, key, concept_iri(curie))

    def name(self, name: str) -> URIRef:
        if name in self.imported and name not in self.own:
            return self.imported[name]
        return variable_iri(self.model, name)

    def write(self, document: Document) -> None:
        self.own = frozenset(n for n, v in document.variables.items() if not v.overrides)
        self.graph.add((self.model, RDF.type, NG.DiseaseModel))
        self.add_texts(self.model, document, MODEL_TEXT)
        self.add_concept(self.model, "disease", document.disease)
        for order, text in enumerate(document.imports):
            node = URIRef(f"{self.model}/import/{order}")
            self.item(self.model, "imports", node, NG.Import, order)
            self.add(node, "from", text)
        if document.clock is not None:
            clock = URIRef(f"{self.model}/clock")
            self.add(self.model, "clock", clock)
            self.graph.add((clock, RDF.type, NG.Clock))
            self.add_texts(clock, document.clock, CLOCK_TEXT)
        self.write_parameters(document)
        self.write_variables(document)
        for order, effect in enumerate(document.effects):
            node = URIRef(f"{self.model}/effect/{order}")
            self.item(self.model, "effects", node, NG.Effect, order)
            self.add_texts(node, effect, EFFECT_TEXT)
            self.add(node, "composite", effect.composite)
            for key, level in zip(("level", "reference"), effect.contrast or (), strict=False):
                self.add(node, key, level)

    def item(self, owner: URIRef, key: str, node: URIRef, kind: URIRef, order: int) -> None:
        self.add(owner, key, node)
        self.graph.add((node, RDF.type, kind))
        self.add(node, "order", order)

    def write_parameters(self, document: Document) -> None:
        for order, (name, entry) in enumerate(document.parameters.items()):
            node = parameter_iri(self.model, name)
            self.item(self.model, "parameters", node, NG.Parameter, order)
            self.add(node, "value", entry.value)
            self.add_texts(node, entry, PARAMETER_TEXT)
            self.write_evidence(node, entry)

    def write_variables(self, document: Document) -> None:
        for order, (name, entry) in enumerate(document.variables.items()):
            node = variable_iri(self.model, name)
            self.item(self.model, "variables", node, NG.Variable, order)
            self.add_texts(node, entry, VARIABLE_TEXT)
            for key, kind in NAME_LISTS.items():
                for position, written in enumerate(getattr(entry, key)):
                    name_node = URIRef(f"{self.model}/{key}/{name}/{position}")
                    self.item(node, key, name_node, kind, position)
                    self.add(name_node, "name", written)
            self.add_concept(node, "concept", entry.concept)
            self.add(node, "recorded", entry.recorded)
            self.add(node, "ordered", entry.ordered)
            self.write_cases(node, name, entry.cases)
            for key in VARIABLE_NAMES:
                if getattr(entry, key):
                    self.add(node, key, self.name(getattr(entry, key)))
            for component in entry.any_of:
                self.add(node, "any_of", self.name(component))
            for position, (cause, claim) in enumerate(entry.caused_by.items()):
                claim_node = URIRef(f"{self.model}/claim/{name}/{cause}")
                self.item(node, "caused_by", claim_node, NG.Claim, position)
                self.add(claim_node, "cause", self.name(cause))
                self.write_evidence(claim_node, claim)

    def write_cases(self, node: Node, name: str, entry: CasesEntry | None) -> None:
        if entry is None:
            return
        cases = URIRef(f"{self.model}/cases/{name}")
        self.add(node, "cases", cases)
        self.graph.add((cases, RDF.type, NG.Cases))
        self.add(cases, "reads", ", ".join(entry.of))
        for position, (levels, probabilities) in enumerate(entry.table.items()):
            row = URIRef(f"{cases}/{position}")
            self.item(cases, "table", row, NG.Row, position)
            self.add(row, "name", levels)
            self.add(row, "probabilities", ", ".join(repr(float(p)) for p in probabilities))

    def write_evidence(self, node: URIRef, entry: Evidenced) -> None:
        for source in entry.evidence:
            self.add(node, "evidence", evidence_iri(source))
        self.add_texts(node, entry, ("checked", "says", "source"))


def _number(value: float) -> Literal:
    """An exact xsd:double: the shortest text that reads back as the same number."""
    return Literal(repr(float(value)), datatype=XSD.double, normalize=False)


def _number_of(text: str) -> float | str:
    """The number that a text is, or the text, which validation refuses."""
    try:
        return float(text)
    except ValueError:
        return text


def _plain(value: Node) -> Any:
    """A truth value, a number or text, as YAML would have given it."""
    found = value.toPython() if isinstance(value, Literal) else value
    if isinstance(found, bool):
        return found
    return Written(float(found), str(value)) if isinstance(found, int | float | Decimal) else str(value)


def find_root(graph: Graph) -> URIRef:
    """The only disease model of the graph that no other model in it imports. Raises NosographError if there is none or
    more than one."""
    models = {node for node in graph.subjects(RDF.type, NG.DiseaseModel) if isinstance(node, URIRef)}
    roots = sorted(models - set(graph.objects(None, NG.model)))
    if len(roots) == 1:
        return roots[0]
    if not models:
        raise fail("there is no disease model here", fix=f"<{MODEL_BASE}my-disease> a <{NG.DiseaseModel}>")
    if not roots:
        names = " -> ".join(local_name(node) for node in sorted(models))
        raise fail("the imports go round in a circle", value=names, fix="one of them taken out")
    names = ", ".join(local_name(node) for node in roots)
    raise fail("there is more than one disease model here", value=names, fix="one in a file, importing the others")


def find_imports(graph: Graph, model: Node) -> list[URIRef]:
    """The models that `model` imports, in order, as far as the graph identifies them."""
    nodes = _GraphReader(graph).items(model, "imports")
    return [iri for node in nodes for iri in graph.objects(node, NG.model) if isinstance(iri, URIRef)]


def order_models(graph: Graph) -> list[URIRef]:
    """The models of the graph, each after its imports, the root last. Raises NosographError like `find_root`."""
    order: list[URIRef] = []

    def visit(iri: URIRef, above: tuple[URIRef, ...]) -> None:
        if iri in above:
            circle = [local_name(node) for node in (*above[above.index(iri) :], iri)]
            raise fail("the imports go round in a circle", value=" -> ".join(circle), fix="one of them taken out")
        if iri not in order:
            for imported in find_imports(graph, iri):
                visit(imported, (*above, iri))
            order.append(iri)

    visit(find_root(graph), ())
    return order


def resolve_imports(graph: Graph, model: Node, models: Iterable[URIRef]) -> None:
    """Write into the graph which models the imports of `model` are, in their order."""
    for node, iri in zip(_GraphReader(graph).items(model, "imports"), models, strict=True):
        graph.set((node, NG.model, iri))


def to_data(graph: Graph, model: Node) -> dict[str, Any]:
    """The document of `model` in the graph, as plain data for `validate_document`."""
    return _GraphReader(graph).read(model)


class _GraphReader:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def values(self, node: Node, key: str) -> list[Any]:
        return sorted(self.graph.objects(node, predicate(key)))

    def value(self, node: Node, key: str) -> Any:
        """The only value of a key. Several values (SHACL refuses them) give a list, which validation refuses."""
        plain = [_plain(value) for value in self.values(node, key)]
        return plain[0] if len(plain) == 1 else plain

    def fill(self, entry: dict[str, Any], node: Node, keys: Iterable[str]) -> None:
        for key in keys:
            if (value := self.value(node, key)) != []:
                entry[key] = value

    def items(self, node: Node, key: str) -> list[Node]:
        """The nodes under a key, by `ng:order`, then by name."""

        def position(item: Node) -> tuple[float, str]:
            order = self.value(item, "order")
            return (order if isinstance(order, float) else float("inf"), str(item))

        return sorted(self.graph.objects(node, predicate(key)), key=position)

    def read(self, model: Node) -> dict[str, Any]:
        data: dict[str, Any] = {}
        self.fill(data, model, MODEL_TEXT)
        self.fill_concept(data, model, "disease")
        data["imports"] = [self.value(node, "from") for node in self.items(model, "imports")]
        if clocks := self.values(model, "clock"):
            data["clock"] = {}
            self.fill(data["clock"], clocks[0], CLOCK_TEXT)
        data["parameters"] = {local_name(node): self.parameter(node) for node in self.items(model, "parameters")}
        data["variables"] = {local_name(node): self.variable(node) for node in self.items(model, "variables")}
        data["effects"] = [self.effect(node) for node in self.items(model, "effects")]
        return {key: value for key, value in data.items() if value not in ({}, [])}

    def fill_concept(self, entry: dict[str, Any], node: Node, key: str) -> None:
        if values := self.values(node, key):
            entry[key] = compact(str(values[0]))

    def parameter(self, node: Node) -> dict[str, Any]:
        entry: dict[str, Any] = {}
        self.fill(entry, node, ("value", *PARAMETER_TEXT))
        self.fill_evidence(entry, node)
        return entry

    def variable(self, node: Node) -> dict[str, Any]:
        entry: dict[str, Any] = {}
        self.fill(entry, node, VARIABLE_TEXT)
        for key in NAME_LISTS:
            if found := self.items(node, key):
                entry[key] = [self.value(item, "name") for item in found]
        self.fill_concept(entry, node, "concept")
        self.fill(entry, node, ("recorded", "ordered"))
        if cases := self.values(node, "cases"):
            entry["cases"] = self.cases(cases[0])
        for key in VARIABLE_NAMES:
            if values := self.values(node, key):
                entry[key] = local_name(values[0])
        if components := self.values(node, "any_of"):
            entry["any_of"] = [local_name(component) for component in components]
        if claims := self.items(node, "caused_by"):
            entry["caused_by"] = dict(self.claim(claim) for claim in claims)
        return entry

    def cases(self, node: Node) -> dict[str, Any]:
        rows = [(self.value(row, "name"), self.value(row, "probabilities")) for row in self.items(node, "table")]
        table = {str(levels): [_number_of(part) for part in str(written).split(",")] for levels, written in rows}
        return {"of": str(self.value(node, "reads")).split(", "), "table": table}

    def claim(self, node: Node) -> tuple[str, dict[str, Any]]:
        entry: dict[str, Any] = {}
        self.fill_evidence(entry, node)
        causes = self.values(node, "cause")
        return local_name(causes[0] if causes else node), entry

    def fill_evidence(self, entry: dict[str, Any], node: Node) -> None:
        if sources := [evidence_source(value) for value in self.values(node, "evidence")]:
            entry["evidence"] = sorted(sources)
        self.fill(entry, node, ("checked", "says", "source"))

    def effect(self, node: Node) -> dict[str, Any]:
        entry: dict[str, Any] = {}
        self.fill(entry, node, (*EFFECT_TEXT, "composite"))
        levels = [self.value(node, key) for key in ("level", "reference")]
        if levels != [[], []]:
            entry["contrast"] = levels
        return entry
