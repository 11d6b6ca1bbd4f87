"""Ontologies as people save them: one small ontology in each syntax of Protege, and OBO with five ontologies' habits.

The ontology says that Alzheimer's disease is a dementia, which has the English label "dementia" and a definition with a
quotation mark, an ampersand and a letter outside ASCII.
"""

from __future__ import annotations

BASE = "http://example.org/dementia"
DEFINITION = 'A "decline" of memory & reasoning, as Löwy says.'

RDF_XML = f"""<?xml version="1.0"?>
<!DOCTYPE rdf:RDF [
    <!ENTITY owl "http://www.w3.org/2002/07/owl#" >
    <!ENTITY obo "http://purl.obolibrary.org/obo/" >
    <!ENTITY xsd "http://www.w3.org/2001/XMLSchema#" >
    <!ENTITY xml "http://www.w3.org/XML/1998/namespace" >
    <!ENTITY rdfs "http://www.w3.org/2000/01/rdf-schema#" >
    <!ENTITY rdf "http://www.w3.org/1999/02/22-rdf-syntax-ns#" >
]>
<rdf:RDF xmlns="{BASE}#"
     xml:base="{BASE}"
     xmlns:obo="&obo;"
     xmlns:owl="&owl;"
     xmlns:rdf="&rdf;"
     xmlns:rdfs="&rdfs;">
    <owl:Ontology rdf:about="{BASE}"/>

    <!-- &owl; in a comment is no reference -->
    <owl:Class rdf:about="#Dementia">
        <rdfs:label xml:lang="en">dementia</rdfs:label>
        <obo:IAO_0000115
            rdf:datatype="&xsd;string">A "decline" of memory &amp; reasoning, as Löwy says.</obo:IAO_0000115>
        <rdfs:comment><![CDATA[a < b & c]]></rdfs:comment>
    </owl:Class>
    <owl:Class rdf:about="#Alzheimers">
        <rdf:type rdf:resource="&owl;Class"/>
        <rdfs:subClassOf rdf:resource="{BASE}#Dementia"/>
    </owl:Class>
</rdf:RDF>
"""
TURTLE = f"""@prefix : <{BASE}#> .
@prefix obo: <http://purl.obolibrary.org/obo/> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@base <{BASE}> .

<{BASE}> rdf:type owl:Ontology .

###  {BASE}#Dementia
:Dementia rdf:type owl:Class ;
          obo:IAO_0000115 "A \\"decline\\" of memory & reasoning, as Löwy says."^^xsd:string ;
          rdfs:label "dementia"@en .

:Alzheimers rdf:type owl:Class ;
            rdfs:subClassOf :Dementia .
"""
OWL_XML = f"""<?xml version="1.0"?>
<Ontology xmlns="http://www.w3.org/2002/07/owl#"
     xml:base="{BASE}"
     xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
     xmlns:xml="http://www.w3.org/XML/1998/namespace"
     xmlns:xsd="http://www.w3.org/2001/XMLSchema#"
     xmlns:rdfs="http://www.w3.org/2000/01/rdf-schema#"
     ontologyIRI="{BASE}">
    <Prefix name="" IRI="{BASE}#"/>
    <Prefix name="obo" IRI="http://purl.obolibrary.org/obo/"/>
    <Prefix name="rdfs" IRI="http://www.w3.org/2000/01/rdf-schema#"/>
    <Declaration><Class IRI="#Dementia"/></Declaration>
    <Declaration><Class IRI="#Alzheimers"/></Declaration>
    <Declaration><AnnotationProperty abbreviatedIRI="obo:IAO_0000115"/></Declaration>
    <SubClassOf><Class IRI="#Alzheimers"/><Class IRI="#Dementia"/></SubClassOf>
    <AnnotationAssertion>
        <AnnotationProperty abbreviatedIRI="rdfs:label"/>
        <IRI>#Dementia</IRI>
        <Literal xml:lang="en">dementia</Literal>
    </AnnotationAssertion>
    <AnnotationAssertion>
        <AnnotationProperty abbreviatedIRI="obo:IAO_0000115"/>
        <IRI>#Dementia</IRI>
        <Literal>A "decline" of memory &amp; reasoning, as Löwy says.</Literal>
    </AnnotationAssertion>
</Ontology>
"""
OWL_XML_WITH_ENTITIES = OWL_XML.replace(
    "<Ontology ",
    """<!DOCTYPE Ontology [
    <!ENTITY xsd "http://www.w3.org/2001/XMLSchema#" >
    <!ENTITY obo "http://purl.obolibrary.org/obo/" >
]>
<Ontology """,
).replace('IRI="http://purl.obolibrary.org/obo/"', 'IRI="&obo;"')
FUNCTIONAL = f"""Prefix(:=<{BASE}#>)
Prefix(owl:=<http://www.w3.org/2002/07/owl#>)
Prefix(rdfs:=<http://www.w3.org/2000/01/rdf-schema#>)


Ontology(<{BASE}>

Declaration(Class(:Alzheimers))
Declaration(Class(:Dementia))

# Class: :Dementia (dementia)

AnnotationAssertion(rdfs:label :Dementia "dementia"@en)
SubClassOf(:Alzheimers :Dementia)
)
"""
MANCHESTER = f"""Prefix: : <{BASE}#>
Prefix: owl: <http://www.w3.org/2002/07/owl#>
Prefix: rdfs: <http://www.w3.org/2000/01/rdf-schema#>


Ontology: <{BASE}>


Class: Alzheimers

    SubClassOf:
        Dementia


Class: Dementia

    Annotations:
        rdfs:label "dementia"@en
"""

HPO = """format-version: 1.2
data-version: hp/releases/2025-01-16
subsetdef: hposlim_core "Core clinical terminology"
synonymtypedef: abbreviation "abbreviation"
synonymtypedef: layperson "layperson term"
synonymtypedef: uk_spelling "UK spelling" EXACT
default-namespace: human_phenotype
ontology: hp

[Term]
id: HP:0000726
name: Dementia
alt_id: HP:0000727
def: "A loss of global cognitive ability of sufficient amount to interfere with normal social or occupational \
function. \
Dementia represents a loss of previously present cognitive abilities, generally in adults, and can affect memory, \
thinking, language, judgment, and behavior." [https://orcid.org/0000-0002-0736-9199, PMID:1 "a, \\"b\\" [c]"]
comment: Often progressive. {xref="PMID:29972427", xref="https://orcid.org/0000-0001-5889-4463"}
subset: hposlim_core
synonym: "Dementia, progressive" EXACT []
synonym: "Progressive dementia" EXACT layperson [HPO:skoehler]
synonym: "Dementia of the grey matter" uk_spelling []
synonym: "CI" RELATED abbreviation []
xref: SNOMEDCT_US:52448006
xref: UMLS:C0497327
is_a: HP:0001268 {source="HPO:probinson"} ! Mental deterioration
property_value: http://purl.org/dc/elements/1.1/creator "x" xsd:string
created_by: doelkens
creation_date: 2010-07-05T04:32:13Z
"""
MONDO = """format-version: 1.2
data-version: releases/2025-01-01
synonymtypedef: ABBREVIATION "abbreviation" EXACT
synonymtypedef: http://purl.obolibrary.org/obo/mondo#DUBIOUS "dubious synonym"
ontology: mondo

[Term]
id: MONDO:0004975
name: Alzheimer disease
def: "A progressive, neurodegenerative disease characterized by loss of function and death of nerve cells in several \
areas of the brain leading to loss of cognitive function such as memory and language." [NCIT:C2866] {source="a } b"}
subset: gard_rare {source="GARD:0010254", source="MONDO:GARD"} ! a subset
synonym: "AD" EXACT ABBREVIATION [MONDO:ambiguous, NCIT:C2866] {OMO:0002001="https://w3id.org/information-resource-registry/gard"}
synonym: "Alzheimer dementia" EXACT [] {source="DOID:10652"}
synonym: "Alzheimer's" RELATED http://purl.obolibrary.org/obo/mondo#DUBIOUS []
xref: DOID:10652 {source="MONDO:equivalentTo", source="EFO:0000249"}
xref: ICD9:331.0 {source="DOID:10652"} ! Alzheimer's disease
is_a: MONDO:0001627 {source="DOID:10652", source="EFO:0000249/inferred"} ! dementia
relationship: disease_has_location UBERON:0000955 {source="MONDO:x"} ! brain
property_value: exactMatch DOID:10652
"""
GO = """format-version: 1.2
data-version: releases/2025-02-06
synonymtypedef: systematic_synonym "Systematic synonym" EXACT
ontology: go

[Term]
id: GO:0000015
name: phosphopyruvate hydratase complex
namespace: cellular_component
def: "A multimeric enzyme complex, usually a dimer or an octamer, that catalyzes the conversion of \\
2-phospho-D-glycerate to phosphoenolpyruvate and water." [GOC:jl, ISBN:0198506732 "Oxford \\"Dictionary\\""]
comment: Note that this term was reinstated\\, at last! See {the guide}.
synonym: "enolase complex" EXACT []
synonym: "(2R)-2-phosphoglycerate \\{hydro-lyase\\}" systematic_synonym [EC:4.2.1.11]
xref: EC:4.2.1.11
xref: Wikipedia:Enolase "Enolase, {the} ! enzyme"
is_a: GO:1902494 ! catalytic complex
intersection_of: GO:0032991 ! protein-containing complex
relationship: part_of GO:0005829 ! cytosol
disjoint_from: GO:0000016 {source="x"}
"""
UBERON = """format-version: 1.2
ontology: uberon
remark: with ! in it
! a comment line, which ends in a backslash \\

[Term] ! the brain
id: UBERON:0000955 ! brain
name: brain
def: "The brain is the center of the nervous system.\\nIt has \\ttwo halves." [Wikipedia:Brain, FMA:50801] {source="http://en.wikipedia.org/wiki/Brain"}
synonym: "the brain" EXACT [BIRNLEX:796]
synonym: "encephalon" RELATED OMO:0003011 [BTO:0000142] {date_retrieved="2012-06-20", ontology="VHOG"}
xref: EMAPA:16894 {source="MGI:1"}
is_a: UBERON:0000062 {gci_filler="NCBITaxon:7742", gci_relation="part_of"} ! organ
relationship: part_of UBERON:0001016 {source="FMA", cardinality=1} ! nervous system

[Typedef]
id: part_of
name: part of
xref: BFO:0000050 "part of" {source="RO"}
"""
DOID = """format-version: 1.2
ontology: doid

[Term]
id: DOID:10652
name: Alzheimer's disease
def: "A tauopathy that is characterized by memory lapses, confusion, \\"sundowning\\" and emotional \
instability." [url:http\\://en.wikipedia.org/wiki/Alzheimer%27s_disease, url:https\\://www.ninds.nih.gov/x\\,y]
comment: OMIM mapping confirmed by DO. [SN].
subset: DO_AGR_slim
synonym: "Alzheimers dementia" EXACT []
exact_synonym: "Alzheimer disease" []
narrow_synonym: "AD2" []
xref: MIM:104300
xref: ICD10CM:G30
is_a: DOID:680 ! tauopathy
"""
