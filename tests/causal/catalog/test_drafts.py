"""Drafts from ontologies: sound documents whose graph is the one that the ontology's axioms mean."""

from pathlib import Path

import networkx as nx
import pytest
import yaml

from nosograph.causal.catalog.drafts import Draft, draft_model
from nosograph.causal.catalog.drafts.graph import MOST
from nosograph.causal.catalog.drafts.kinds import guess_kinds
from nosograph.causal.model.check import check_model
from nosograph.causal.model.convert import convert
from nosograph.causal.model.diff import diff_models
from nosograph.causal.model.load import load_model
from nosograph.errors import NosographError
from nosograph.ontology.knowledge import KnowledgeGraph
from nosograph.ontology.relations import RELATIONS, Relation
from nosograph.simulate.cohort import simulate

PREFIXES = """
@prefix obo: <http://purl.obolibrary.org/obo/> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix sct: <http://snomed.info/id/> . @prefix owl: <http://www.w3.org/2002/07/owl#> . @prefix : <http://e.org/> .
@prefix hgnc: <http://identifiers.org/hgnc/> . @prefix oio: <http://www.geneontology.org/formats/oboInOwl#> .
"""
# A disease with a gene, a process that the gene regulates and that protects, a phenotype, a complication, and a site
DISEASE = """
obo:MONDO_0000011 rdfs:label "a disease" ; obo:RO_0004003 hgnc:1 ; obo:RO_0002200 obo:HP_0000726 ;
    obo:RO_0004026 obo:UBERON_0000955 .
hgnc:1 rdfs:label "GENE" ; obo:RO_0002211 obo:GO_0000001 .
obo:GO_0000001 rdfs:label "a process" ; obo:RO_0002305 obo:MONDO_0000011 .
obo:MONDO_0000012 rdfs:label "a complication" ; obo:RO_0002404 obo:MONDO_0000011 .
obo:UBERON_0000955 rdfs:label "brain" . obo:HP_0000726 rdfs:label "Dementia" .
[] a owl:Axiom ; owl:annotatedSource obo:MONDO_0000011 ; owl:annotatedProperty obo:RO_0004003 ;
    owl:annotatedTarget hgnc:1 ; oio:source "PMID:12345" .
"""


def load(folder: Path, text: str) -> KnowledgeGraph:
    (folder / "own.ttl").write_text(PREFIXES + text)
    knowledge = KnowledgeGraph()
    knowledge.load(folder / "own.ttl")
    return knowledge


def write(draft: Draft, folder: Path) -> str:
    path = folder / "draft.yaml"
    path.write_text(draft.text, encoding="utf-8")
    return str(path)


def draw_edges(draft: Draft) -> set[tuple[str, str]]:
    variables = yaml.safe_load(draft.text)["variables"]
    return {(cause, name) for name, entry in variables.items() for cause in entry.get("caused_by", {})}


def find(draft: Draft, kind: str) -> list[str]:
    return [finding.text for finding in draft.findings if finding.kind == kind]


def test_a_disease_with_all_around_it(tmp_path: Path) -> None:
    draft = draft_model("MONDO:0000011", knowledge=load(tmp_path, DISEASE))
    path = write(draft, tmp_path)
    report = check_model(path)
    assert not (*report.errors, *report.warnings)
    assert (report.counts["variables"], report.counts["claims"]) == (draft.variables, draft.claims) == (5, 5)
    assert report.counts["curated"] == 5
    assert draw_edges(draft) == {
        ("gene", "a_process"),
        ("gene", "a_disease"),
        ("a_process", "a_disease"),
        ("a_disease", "dementia"),
        ("a_disease", "a_complication"),
    }
    assert draft.kinds == {
        "gene": "static", "a_process": "state", "a_disease": "event", "dementia": "event", "a_complication": "event",
    }  # fmt: skip
    document = yaml.safe_load(draft.text)
    assert document["disease"] == "MONDO:0000011"
    assert document["variables"]["dementia"]["concept"] == "HP:0000726"
    assert document["variables"]["a_disease"]["caused_by"]["gene"] == {
        "evidence": ["axiom:MONDO:0000011 RO:0004003 HGNC:1", "PMID:12345"],
        "checked": "curated",
    }
    assert all(parameter["source"] == "assumption" for parameter in document["parameters"].values())
    assert document["parameters"]["a_process_on_a_disease"]["value"] < 0  # a negative effect
    assert document["parameters"]["gene_on_a_disease"]["value"] > 0
    assert "# disease has location: UBERON:0000955 (brain)" in draft.text
    assert find(draft, "missing")


def test_a_draft_runs_and_its_signs_are_those_of_the_axioms(tmp_path: Path) -> None:
    model = load_model(write(draft_model("MONDO:0000011", knowledge=load(tmp_path, DISEASE)), tmp_path))
    worlds = {
        "raised": "gene = 1; a_process = 0",
        "lowered": "gene = 0; a_process = 2",
        "none": "gene = 0; a_process = 0",
    }
    truth = simulate(model, patients=2000, seed=3, worlds=worlds).truth["a_disease"]
    shares = {world: float((truth.sel(world=world) > 0).any("time").mean()) for world in worlds}
    # within ten years at 0.01 a year, doubled by the gene, quartered by two of the process: 1 - exp(-0.1 * ratio)
    assert shares["none"] == pytest.approx(0.0952, abs=4 * 0.0066)
    assert shares["raised"] == pytest.approx(0.1813, abs=4 * 0.0087)
    assert shares["lowered"] == pytest.approx(0.0247, abs=4 * 0.0035)


def test_every_format_says_the_same(tmp_path: Path) -> None:
    path = write(draft_model("MONDO:0000011", knowledge=load(tmp_path, DISEASE)), tmp_path)
    for suffix in (".ttl", ".jsonld"):
        other = tmp_path / f"draft{suffix}"
        convert(path, other)
        assert not diff_models(load_model(path), load_model(str(other)))


def test_the_same_bytes_every_time(tmp_path: Path) -> None:
    knowledge = load(tmp_path, DISEASE)
    again = load(tmp_path, "\n".join(reversed(DISEASE.split("\n\n"))))
    assert draft_model("MONDO:0000011", knowledge=knowledge) == draft_model("mondo:0000011", knowledge=again)


def test_depth_bounds_the_axioms_each_way(tmp_path: Path) -> None:
    """Up from the start and down from it, but not down again from what is above."""
    chain = " ".join(f":n{i} obo:RO_0003303 :n{i + 1} ." for i in range(8)) + " :n3 obo:RO_0003303 :sibling ."
    knowledge = load(tmp_path, chain)
    for depth, names in ((1, "345"), (2, "23456"), (20, "012345678")):
        draft = draft_model("http://e.org/n4", knowledge=knowledge, depth=depth)
        found = {entry["concept"] for entry in yaml.safe_load(draft.text)["variables"].values()}
        assert found == {f"http://e.org/n{name}" for name in names}
    for wrong in (0, 21):
        with pytest.raises(NosographError, match="depth"):
            draft_model("http://e.org/n4", knowledge=knowledge, depth=wrong)


def test_cycles_lose_the_edge_that_closes_them(tmp_path: Path) -> None:
    text = ":a obo:RO_0003303 :b . :b obo:RO_0003303 :c . :c obo:RO_0003303 :a, :c . :a rdfs:label 'A' ."
    draft = draft_model("http://e.org/a", knowledge=load(tmp_path, text))
    variables = yaml.safe_load(draft.text)["variables"]
    edges = {(variables[cause]["concept"][-1], variables[effect]["concept"][-1]) for cause, effect in draw_edges(draft)}
    assert edges == {("a", "b"), ("c", "a")}  # nearest the start, in the order of names
    assert len(find(draft, "cycle")) == 2
    assert find(draft, "cycle")[0].endswith("http://e.org/b -> http://e.org/c -> http://e.org/a (A) -> http://e.org/b")
    assert find(draft, "cycle")[1] == "http://e.org/c is stated as its own cause"
    assert check_model(write(draft, tmp_path)).ok


def test_random_graphs_keep_what_closes_no_cycle(tmp_path: Path) -> None:
    """Against networkx: the draft is acyclic, and each edge left out would close a cycle."""
    for seed in range(5):
        graph = nx.gnp_random_graph(9, 0.25, seed=seed, directed=True)
        text = " ".join(f":n{cause} obo:RO_0003303 :n{effect} ." for cause, effect in graph.edges)
        start = max(graph.nodes, key=graph.degree)
        draft = draft_model(f"http://e.org/n{start}", knowledge=load(tmp_path, text), depth=20)
        concepts = {name: entry["concept"] for name, entry in yaml.safe_load(draft.text)["variables"].items()}
        kept = nx.DiGraph([(int(concepts[c][14:]), int(concepts[e][14:])) for c, e in draw_edges(draft)])
        around = {start} | nx.ancestors(graph, start) | nx.descendants(graph, start)
        assert set(kept.nodes) == around
        assert nx.is_directed_acyclic_graph(kept)
        for cause, effect in set(graph.subgraph(around).edges) - set(kept.edges):
            assert nx.has_path(kept, effect, cause)
        assert len(find(draft, "cycle")) == len(graph.subgraph(around).edges) - len(kept.edges)


def test_after_is_a_sequence_and_so_an_assumption(tmp_path: Path) -> None:
    text = """sct:123948009 rdfs:label "Post-viral disorder (disorder)" ; sct:255234002 sct:34014006 .
        sct:34014006 rdfs:label "Viral disease (disorder)" ."""
    draft = draft_model("SNOMEDCT:123948009", knowledge=load(tmp_path, text))
    document = yaml.safe_load(draft.text)
    assert document["variables"]["post_viral_disorder"]["caused_by"] == {"viral_disease": {"source": "assumption"}}
    assert document["variables"]["viral_disease"]["title"] == "Viral disease"
    (said,) = find(draft, "not causal")
    assert "'after'" in said


def test_one_claim_has_all_its_axioms(tmp_path: Path) -> None:
    """A causal axiom outweighs one that is not; both signs are a contradiction that is said."""
    knowledge = load(tmp_path, ":a sct:255234002 :b ; sct:42752001 :b . :c obo:RO_0002305 :d ; obo:RO_0003303 :d .")
    draft = draft_model("http://e.org/a", knowledge=knowledge)
    ((claim,),) = ([*entry["caused_by"].values()] for entry in _effects(draft))
    assert claim == {"evidence": "axiom:http://e.org/a SNOMEDCT:42752001 http://e.org/b", "checked": "curated"}
    assert not find(draft, "not causal")
    both = draft_model("http://e.org/c", knowledge=knowledge)
    assert len(find(both, "contradiction")) == 1
    assert len(next(iter(_effects(both)[0]["caused_by"].values()))["evidence"]) == 2


def _effects(draft: Draft) -> list[dict]:
    return [entry for entry in yaml.safe_load(draft.text)["variables"].values() if "caused_by" in entry]


def test_what_has_changing_causes_is_not_static() -> None:
    graph = nx.DiGraph([("GO:1", "HGNC:1"), ("HGNC:1", "HGNC:2"), ("HGNC:3", "GO:1")])
    kinds = {concept: kind for concept, (kind, _) in guess_kinds(dict.fromkeys(graph, ""), graph).items()}
    assert kinds == {"GO:1": "state", "HGNC:1": "state", "HGNC:2": "state", "HGNC:3": "static"}


def test_statics_may_cause_statics(tmp_path: Path) -> None:
    knowledge = load(tmp_path, "hgnc:1 rdfs:label 'G' ; obo:RO_0003303 hgnc:2 .")
    draft = draft_model("HGNC:1", knowledge=knowledge)
    assert set(draft.kinds.values()) == {"static"}
    assert not check_model(write(draft, tmp_path)).warnings
    simulate(load_model(write(draft, tmp_path)), patients=10)


def test_what_check_would_refuse_is_left_out_and_said(tmp_path: Path) -> None:
    """A phenotype that HPO does not know, and one that is obsolete in it (merged into HP:0000726)."""
    text = """obo:MONDO_0000011 obo:RO_0002200 obo:HP_9999999, obo:HP_0000726, :gone .
        :gone owl:deprecated true ; rdfs:label "gone" ."""
    draft = draft_model("MONDO:0000011", knowledge=load(tmp_path, text))
    assert draft.variables == 2
    said = find(draft, "unusable")
    assert len(said) == 2
    assert any("HP:9999999" in text and "no such concept" in text for text in said)
    assert any("gone" in text and "obsolete" in text for text in said)
    assert check_model(write(draft, tmp_path)).ok


def test_far_concepts_are_counted_not_drawn(tmp_path: Path) -> None:
    text = " ".join(f":a obo:RO_0003303 :e{i:04} ." for i in range(MOST + 5))
    draft = draft_model("http://e.org/a", knowledge=load(tmp_path, text))
    assert draft.variables == MOST
    assert len(find(draft, "too far")) == 6


def test_names_that_would_break_the_document(tmp_path: Path) -> None:
    """Labels of strangers: YAML's marks, line breaks of every kind, the same name twice, and names like parameters."""
    labels = [
        "a: {b}",
        "x\\u2028# y\\n  z: 1",
        "quote \" and ' both",
        "same",
        "same",
        "same_rate",
        "",
        "null",
        "日本",
        "ever",
    ]
    text = " ".join(f':s obo:RO_0003303 :long{"g" * 70}{i} . :long{"g" * 70}{i} rdfs:label "{label}" .'
                    for i, label in enumerate(label.replace('"', '\\"') for label in labels))  # fmt: skip
    draft = draft_model("http://e.org/s", knowledge=load(tmp_path, text))
    assert draft.variables == len(labels) + 1
    report = check_model(write(draft, tmp_path))
    assert report.ok, report.errors
    assert report.counts["variables"] == len(labels) + 1
    assert "\u2028" not in draft.text


def test_without_a_causal_axiom_the_way_out_is_told(tmp_path: Path) -> None:
    knowledge = KnowledgeGraph.open()
    with pytest.raises(NosographError, match="model from-hpo OMIM:154700"):
        draft_model("OMIM:154700", knowledge=knowledge)
    with pytest.raises(NosographError, match="--ontology FILE"):
        draft_model("HP:0001250", knowledge=knowledge)
    with pytest.raises(NosographError, match="no such concept"):
        draft_model("HP:9999999", knowledge=knowledge)
    only_site = load(tmp_path, "sct:26929004 sct:363698007 sct:12738006 .")
    with pytest.raises(NosographError, match="no causal axiom"):
        draft_model("SNOMEDCT:26929004", knowledge=only_site)


def test_own_relations(tmp_path: Path) -> None:
    knowledge = load(tmp_path, ":a :leads :b ; obo:RO_0003303 :c .")
    own = {**RELATIONS, "http://e.org/leads": Relation("http://e.org/leads", "leads to", "effect")}
    assert draft_model("http://e.org/a", knowledge=knowledge, relations=own).variables == 3
    assert draft_model("http://e.org/a", knowledge=knowledge).variables == 2
