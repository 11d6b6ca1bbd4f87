"""OWL in RDF/XML and OWL/XML, with and without the reasoner, on an ontology whose inferences are known by hand."""

import shutil
from pathlib import Path

import owlready2
import pytest

from nosograph.errors import NosographError
from nosograph.ontology.knowledge import KnowledgeGraph

needs_java = pytest.mark.skipif(shutil.which("java") is None, reason="HermiT needs Java")

# A dementia is defined as a disease with a cognitive symptom; Alzheimer's has amnesia, which is one. So it is a
# dementia, though nobody says so.
RDF_XML = """<?xml version="1.0"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:rdfs="http://www.w3.org/2000/01/rdf-schema#"
         xmlns:owl="http://www.w3.org/2002/07/owl#" xml:base="http://e.org/o">
  <owl:Ontology rdf:about="http://e.org/o"><owl:imports rdf:resource="http://127.0.0.1:9/other.owl"/></owl:Ontology>
  <owl:Class rdf:about="#Symptom"/>
  <owl:Class rdf:about="#Cognitive"><rdfs:subClassOf rdf:resource="#Symptom"/></owl:Class>
  <owl:Class rdf:about="#Amnesia"><rdfs:subClassOf rdf:resource="#Cognitive"/></owl:Class>
  <owl:Class rdf:about="#Disease"/>
  <owl:ObjectProperty rdf:about="#has"/>
  <owl:Class rdf:about="#Dementia">
    <rdfs:label xml:lang="en">dementia</rdfs:label>
    <owl:equivalentClass><owl:Class><owl:intersectionOf rdf:parseType="Collection">
      <owl:Class rdf:about="#Disease"/>
      <owl:Restriction><owl:onProperty rdf:resource="#has"/><owl:someValuesFrom rdf:resource="#Cognitive"/>
      </owl:Restriction>
    </owl:intersectionOf></owl:Class></owl:equivalentClass>
  </owl:Class>
  <owl:Class rdf:about="#Alzheimers">
    <rdfs:subClassOf rdf:resource="#Disease"/>
    <rdfs:subClassOf>
      <owl:Restriction><owl:onProperty rdf:resource="#has"/><owl:someValuesFrom rdf:resource="#Amnesia"/>
      </owl:Restriction>
    </rdfs:subClassOf>
  </owl:Class>
  EXTRA
</rdf:RDF>
"""
OWL_XML = """<?xml version="1.0"?>
<Ontology xmlns="http://www.w3.org/2002/07/owl#" xml:base="http://e.org/o" ontologyIRI="http://e.org/o"
          xmlns:rdfs="http://www.w3.org/2000/01/rdf-schema#">
  <Prefix name="rdfs" IRI="http://www.w3.org/2000/01/rdf-schema#"/>
  <Import>http://127.0.0.1:9/other.owl</Import>
  <Declaration><Class IRI="#Dementia"/></Declaration>
  <Declaration><Class IRI="#Alzheimers"/></Declaration>
  <SubClassOf><Class IRI="#Alzheimers"/><Class IRI="#Dementia"/></SubClassOf>
  <AnnotationAssertion><AnnotationProperty abbreviatedIRI="rdfs:label"/><IRI>#Dementia</IRI>
    <Literal xml:lang="en">dementia</Literal></AnnotationAssertion>
</Ontology>
"""


def load(folder: Path, text: str, *, reason: bool = False) -> KnowledgeGraph:
    file = folder / "ontology.owl"
    file.write_text(text)
    knowledge = KnowledgeGraph()
    knowledge.load(file, reason=reason)
    return knowledge


def test_rdf_xml_says_what_is_stated(tmp_path: Path) -> None:
    knowledge = load(tmp_path, RDF_XML.replace("EXTRA", ""))
    assert knowledge.label("http://e.org/o#Dementia") == "dementia"
    assert knowledge.ancestors("http://e.org/o#Amnesia") == {"http://e.org/o#Cognitive", "http://e.org/o#Symptom"}
    assert knowledge.parents("http://e.org/o#Alzheimers") == ("http://e.org/o#Disease",)


def test_owl_xml_is_read(tmp_path: Path) -> None:
    knowledge = load(tmp_path, OWL_XML)
    assert knowledge.label("http://e.org/o#Dementia") == "dementia"
    assert knowledge.is_a("http://e.org/o#Alzheimers", "http://e.org/o#Dementia")


@needs_java
def test_the_reasoner_finds_what_nobody_states(tmp_path: Path) -> None:
    knowledge = load(tmp_path, RDF_XML.replace("EXTRA", ""), reason=True)
    assert knowledge.is_a("http://e.org/o#Alzheimers", "http://e.org/o#Dementia")
    assert not knowledge.is_a("http://e.org/o#Dementia", "http://e.org/o#Alzheimers")


@needs_java
def test_an_inconsistent_ontology_is_refused(tmp_path: Path) -> None:
    extra = (
        '<owl:Class rdf:about="#Never"><owl:disjointWith rdf:resource="#Never"/></owl:Class>'
        '<owl:NamedIndividual rdf:about="#one"><rdf:type rdf:resource="#Never"/></owl:NamedIndividual>'
    )
    with pytest.raises(NosographError, match="inconsistent"):
        load(tmp_path, RDF_XML.replace("EXTRA", extra), reason=True)


def test_without_java_the_error_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owlready2, "JAVA_EXE", "no-such-java")
    with pytest.raises(NosographError, match="needs Java"):
        load(tmp_path, RDF_XML.replace("EXTRA", ""), reason=True)


def test_an_obo_foundry_ontology_closes_its_prefix(tmp_path: Path) -> None:
    text = RDF_XML.replace("EXTRA", '<owl:Class rdf:about="http://purl.obolibrary.org/obo/MONDO_0004975"/>')
    text = text.replace('owl:Ontology rdf:about="http://e.org/o"', 'owl:Ontology rdf:about="http://x.org/mondo.owl"')
    knowledge = load(tmp_path, text)
    assert knowledge.known("MONDO:0004975") is True
    assert knowledge.known("MONDO:0000001") is False


def test_what_is_not_owl_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NosographError, match=r"ontology\.owl"):
        load(tmp_path, "<?xml version='1.0'?><html>no ontology</html>")
