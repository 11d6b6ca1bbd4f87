"""Organ systems, as clinicians group findings: branches of HPO below HP:0000118. Their words are a locale's."""

from __future__ import annotations

from ...ontology.knowledge import KnowledgeGraph

SYSTEMS = (  # a finding that lies in several is told under the first of them
    "HP:0002664",  # Neoplasm
    "HP:0001197",  # Abnormality of prenatal development or birth
    "HP:0001507",  # Growth abnormality
    "HP:0000478",  # Abnormality of the eye
    "HP:0000598",  # Abnormality of the ear
    "HP:0000707",  # Abnormality of the nervous system
    "HP:0000152",  # Abnormality of head or neck
    "HP:0025031",  # Abnormality of the digestive system
    "HP:0001626",  # Abnormality of the cardiovascular system
    "HP:0002086",  # Abnormality of the respiratory system
    "HP:0000119",  # Abnormality of the genitourinary system
    "HP:0000818",  # Abnormality of the endocrine system
    "HP:0000769",  # Abnormality of the breast
    "HP:0001574",  # Abnormality of the integument
    "HP:0003011",  # Abnormality of the musculature
    "HP:0040064",  # Abnormality of limbs
    "HP:0033127",  # Abnormality of the musculoskeletal system
    "HP:0001871",  # Abnormality of blood and blood-forming tissues
    "HP:0002715",  # Abnormality of the immune system
    "HP:0001939",  # Abnormality of metabolism/homeostasis
    "HP:0001608",  # Abnormality of the voice
    "HP:0025354",  # Abnormal cellular phenotype
    "HP:0025142",  # Constitutional symptom
    "HP:0045027",  # Abnormality of the thoracic cavity
)


def find_system(concepts: tuple[str, ...], knowledge: KnowledgeGraph) -> str:
    """The system of the first of the concepts that lies in one, or an empty text."""
    for concept in concepts:
        above = knowledge.ancestors(concept) | {knowledge.curie(concept)}
        for system in SYSTEMS:
            if system in above:
                return system
    return ""
