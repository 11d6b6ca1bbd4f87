"""Drafts a document from the causal axioms around a concept: every number in it is a placeholder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import networkx as nx

from ....errors import check_whole, fail
from ....ontology.annotations import is_annotated
from ....ontology.axioms import Axiom, find_references
from ....ontology.knowledge import KnowledgeGraph
from ....ontology.prefixes import compact
from ....ontology.relations import RELATIONS, Relation
from ..rare.entries import DraftParameter, DraftSection, DraftVariable, write_comment, write_scalar, write_sections
from ..rare.hierarchy import Finding
from ..rare.names import VariableNames, to_identifier
from .graph import CausalGraph, describe, gather_graph, to_printable
from .kinds import TAG, Kind, guess_kinds, is_disease

FINDINGS = ("cycle", "contradiction", "not causal", "unusable", "too far", "guessed", "missing")
DEPTH = 2
DEEPEST = 20
LOG_RATIO = 0.693147  # log 2
_SUFFIXES = ("", "_rate", "_share", "_noise")
_SHOWN = 5


@dataclass(frozen=True)
class Draft:
    """A drafted document: its YAML `text`, its size, the kind guessed of each variable, and what the author has to
    decide or to fill in (`findings`, of the kinds `FINDINGS`)."""

    concept: str
    name: str
    text: str
    variables: int
    claims: int
    kinds: Mapping[str, Kind]
    findings: tuple[Finding, ...]


def draft_model(
    concept: str,
    *,
    knowledge: KnowledgeGraph,
    depth: int = DEPTH,
    inherited: bool = False,
    relations: Mapping[str, Relation] = RELATIONS,
) -> Draft:
    """A model's skeleton from the causal axioms around a concept (a CURIE or IRI): over `depth` axioms upstream and as
    many downstream. With `inherited`, the axioms of the concepts above count too.

    Raises NosographError for a concept that is unknown or obsolete, and if no causal axiom is about it.
    """
    check_whole(depth, "the depth", least=1, most=DEEPEST, fix=f"{DEPTH}")
    start = str(knowledge.require(concept))
    graph = gather_graph(start, relations, knowledge=knowledge, depth=depth, inherited=inherited)
    if not graph.edges:
        raise _refuse_empty(start, graph, knowledge)
    return _Writer(graph, knowledge).write(start)


def _refuse_empty(start: str, graph: CausalGraph, knowledge: KnowledgeGraph) -> Exception:
    curie = compact(start)
    fix = "the ontology that has some, with --ontology FILE; what it inherits, with --reason; or --relations FILE"
    if is_annotated(curie, knowledge=knowledge):
        fix = f"nosograph model from-hpo {curie} -o model.yaml (from HPO's annotations of this disease)"
    elif any(graph.left_out.values()):
        fix = next(text for texts in graph.left_out.values() for text in texts)
        return fail("no causal axiom about this concept can be used", value=describe(start, knowledge), fix=fix)
    return fail("no causal axiom about this concept is loaded", value=describe(start, knowledge), fix=fix)


class _Writer:
    """Names, kinds, mechanisms and comments of a draft's variables."""

    def __init__(self, graph: CausalGraph, knowledge: KnowledgeGraph) -> None:
        self.graph, self.knowledge = graph, knowledge
        self.labels = {compact(iri): to_printable(knowledge.label(iri) or "") for iri in graph.concepts}
        edges: nx.DiGraph[str] = nx.DiGraph()
        edges.add_nodes_from(self.labels)
        edges.add_edges_from((compact(cause), compact(effect)) for cause, effect in graph.edges)
        self.kinds = guess_kinds(self.labels, edges)
        self.order = list(nx.lexicographical_topological_sort(edges))
        chosen = VariableNames(suffixes=_SUFFIXES)
        self.titles = {curie: _to_title(curie, label) for curie, label in self.labels.items()}
        self.names = {curie: chosen.choose(self.titles[curie], otherwise=curie) for curie in self.order}
        self.taken = {name + suffix for name in self.names.values() for suffix in _SUFFIXES}
        self.findings: list[Finding] = []

    def write(self, start: str) -> Draft:
        curie = compact(start)
        name = self.titles[curie]
        sections = [self.place(concept) for concept in self.order]
        for kind, texts in self.graph.left_out.items():
            self.findings += [Finding(kind, "", text) for text in texts]
        variables = [variable for section in sections for variable in section.variables]
        parameters = sum(len(section.parameters) for section in sections)
        claims = sum(len(variable.causes) for variable in variables)
        kinds = {variable.name: cast(Kind, variable.kind) for variable in variables}
        self.findings += _find_missing(kinds, parameters)
        self.findings.sort(key=lambda finding: FINDINGS.index(finding.kind))
        head = [
            f"id: {to_identifier(name)}",
            f"title: {write_scalar(f'{name}, drafted from {self.tell_sources()}')}",
            *([f"disease: {write_scalar(curie)}"] if is_disease(curie, self.labels[curie]) else []),
            "clock: {step: 1 month, horizon: 10 years, unit: year}",
        ]
        told = [line for comment in self.introduce(curie) for line in (write_comment(comment) if comment else ["#"])]
        text = "\n".join([*told, "", *head, "", write_sections(sections)])
        return Draft(curie, name, text, len(variables), claims, kinds, tuple(self.findings))

    def introduce(self, curie: str) -> list[str]:
        lines = [
            f"{describe(curie, self.knowledge)}: a draft from the causal axioms of {self.tell_sources()}.",
            "It is a skeleton. Each claim is an axiom that the ontology's curators wrote (checked: curated); nobody"
            " here read their sources. No ontology holds numbers: each one here is a placeholder.",
            "",
            "What is missing, and what to decide:",
        ]
        counts = Counter(finding.kind for finding in self.findings)
        shown: Counter[str] = Counter()
        for finding in self.findings:
            shown[finding.kind] += 1
            if shown[finding.kind] <= _SHOWN or finding.kind in ("cycle", "missing"):
                lines.append(f"- {finding.kind}: {finding.text}")
            elif shown[finding.kind] == counts[finding.kind]:
                lines.append(f"- {finding.kind}: {counts[finding.kind] - _SHOWN} more")
        return lines

    def tell_sources(self) -> str:
        """The ontologies of the axioms, each with its version if it tells one."""
        axioms = (axiom for found in self.graph.edges.values() for axiom in found)
        subjects = {compact(axiom.stated_of or axiom.subject) for axiom in axioms}
        prefixes = {subject.partition(":")[0] if "://" not in subject else "other RDF" for subject in subjects}
        versions = {prefix: self.knowledge.release(prefix) or "" for prefix in sorted(prefixes)}
        return to_printable(", ".join(f"{prefix} {version}".strip() for prefix, version in versions.items()))

    def place(self, curie: str) -> DraftSection:
        """The section of one concept: its parameters, its variable, and in comments what is known and guessed."""
        iri = str(self.knowledge.resolve(curie))
        name, (kind, why) = self.names[curie], self.kinds[curie]
        causes: dict[str, tuple[str, ...]] = {}
        comments, parameters, terms = [f"kind {kind}, a guess: {why}"], [], []
        for (cause, effect), axioms in self.graph.edges.items():
            if effect != iri:
                continue
            other = self.names[compact(cause)]
            causes[other] = self.cite(axioms)
            comments += self.comment_on(axioms, compact(cause))
            parameter = self.name_effect(other, name)
            sign = -1 if all(axiom.relation.lowers for axiom in axioms) else 1
            parameters.append(_measure_effect(parameter, kind, sign, self.titles[compact(cause)], self.titles[curie]))
            terms.append(f"{parameter} * {_read(other, self.kinds[compact(cause)][0])}")
        for axiom in self.graph.descriptions[iri]:
            comments.append(f"{axiom.relation.label}: {describe(axiom.object, self.knowledge)}")
        own, variable = _start(name, kind, self.titles[curie], curie, terms, causes)
        heading = describe(curie, self.knowledge)
        return DraftSection(heading, tuple(comments), (*own, *parameters), (variable,))

    def cite(self, axioms: Sequence[Axiom]) -> tuple[str, ...]:
        """The causal axioms with the papers that the ontology gives for them; nothing if none is causal."""
        causal = [axiom for axiom in axioms if axiom.relation.causal]
        papers = {paper for axiom in causal for paper in find_references(axiom, knowledge=self.knowledge)}
        return (*dict.fromkeys(axiom.cite() for axiom in causal), *sorted(papers))

    def comment_on(self, axioms: Sequence[Axiom], cause: str) -> list[str]:
        """The axioms in words, and findings about those that an author has to look at."""
        comments = []
        for axiom in axioms:
            subject, label = self.tell(axiom.stated_of or axiom.subject), to_printable(axiom.relation.label)
            inherited = ", inherited" if axiom.stated_of else ""
            comments.append(f"caused by {cause}: {subject} '{label}' {self.tell(axiom.object)}{inherited}")
        if not any(axiom.relation.causal for axiom in axioms):
            comments[-1] += "; the relation does not say that it is causal, so the claim is an assumption"
            self.findings.append(Finding("not causal", compact(axioms[0].effect), comments[-1].partition(": ")[2]))
        if len({axiom.relation.lowers for axiom in axioms}) > 1:
            comments.append("some of these raise it and others lower it; taken as raising")
            text = f"{cause} both raises and lowers {self.tell(axioms[0].effect)}"
            self.findings.append(Finding("contradiction", compact(axioms[0].effect), text))
        return comments

    def tell(self, iri: str) -> str:
        return describe(iri, self.knowledge)

    def name_effect(self, cause: str, effect: str) -> str:
        """A name for the parameter of an edge that nothing else has."""
        name = f"{cause}_on_{effect}"
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return name


def _to_title(curie: str, label: str) -> str:
    return (TAG.sub("", label) if curie.startswith("SNOMEDCT:") else label) or curie


def _read(name: str, kind: Kind) -> str:
    """How an effect reads a cause: its past, so that it comes first."""
    return {"static": name, "event": f"ever({name})", "state": f"{name}[-1]"}[kind]


def _measure_effect(name: str, kind: Kind, sign: int, cause: str, effect: str) -> DraftParameter:
    what = {"event": "Log hazard ratio", "static": "Log odds ratio", "state": "Standard deviations a year"}[kind]
    unit = "1/a" if kind == "state" else "1"
    return DraftParameter(name, sign * LOG_RATIO, unit=unit, title=f"{what} of {effect} by {cause}: a placeholder")


def _start(
    name: str, kind: Kind, title: str, concept: str, terms: Sequence[str], causes: Mapping[str, tuple[str, ...]]
) -> tuple[tuple[DraftParameter, ...], DraftVariable]:
    """A variable with a starter mechanism, and the parameters of its own."""
    total, start = " + ".join(terms), ""
    alone = " without its causes" if terms else ""
    if kind == "event":
        own = DraftParameter(f"{name}_rate", 0.01, unit="1/a", title=f"Rate of {title}{alone}: a placeholder")
        mechanism = f"Hazard({own.name}{f' * exp({total})' if total else ''})"
    elif kind == "static":
        own = DraftParameter(f"{name}_share", 0.1, unit="1", title=f"Share with {title}{alone}: a placeholder")
        mechanism = f"Bernoulli(expit(logit({own.name}) + {total}))" if total else f"Bernoulli({own.name})"
    else:
        own = DraftParameter(f"{name}_noise", 0.1, title=f"Random change of {title} within a year: a placeholder")
        start, drift = "Normal(0, 1)", f" + dt * ({total})" if total else ""
        mechanism = f"Normal({name}[-1]{drift}, {own.name} * sqrt(dt))"
    return (own,), DraftVariable(name, kind, mechanism, title=title, concept=concept, start=start, causes=causes)


def _find_missing(kinds: Mapping[str, Kind], parameters: int) -> Iterable[Finding]:
    counts = Counter(kinds.values())
    guessed = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
    yield Finding("guessed", "", f"the kinds of all variables ({guessed}): above each one stands why")
    yield Finding("missing", "", f"numbers: {parameters} placeholders, each with source: assumption")
    if counts["state"]:
        yield Finding("missing", "", "units and scales: states are in standard deviations, and are never recorded")
    yield Finding("missing", "", "measurements (what a clinic sees, when, with which error) and treatments")
    yield Finding("missing", "", "who enters (population), age, sex and death: imports: [demographics] has some")
    yield Finding("missing", "", "causes that no ontology states, confounders among them; and effects to verify")
