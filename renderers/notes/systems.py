"""Organ systems, as clinicians group findings: branches of HPO below HP:0000118, and what clinicians call them.

A finding may lie in several branches; it is told under the first of them here. The words are ours, uncited.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...ontology.knowledge import KnowledgeGraph


@dataclass(frozen=True)
class System:
    """An organ system in words: headings of a section, a noun after "as to", and an adjective."""

    concept: str  # a CURIE
    headings: tuple[str, ...]
    noun: str
    adjective: str


SYSTEMS = {
    system.concept: system
    for system in (
        System("HP:0002664", ("Oncological", "Oncology"), "oncology", "oncological"),
        System("HP:0001197", ("Perinatal", "Pregnancy and birth"), "pregnancy and birth", "perinatal"),
        System("HP:0001507", ("Growth", "Growth and build"), "growth and build", "growth"),
        System("HP:0000478", ("Eyes", "Ophthalmological", "Ocular"), "the eyes", "ocular"),
        System("HP:0000598", ("Ears", "Ears and hearing", "Otological"), "the ears", "otological"),
        System("HP:0000707", ("Neurological", "Neurology", "Nervous system"), "the nervous system", "neurological"),
        System("HP:0000152", ("Craniofacial", "Head and face", "Head and neck"), "the head and neck", "craniofacial"),
        System("HP:0025031", ("Gastrointestinal", "Abdomen", "Digestive tract"), "the abdomen", "gastrointestinal"),
        System("HP:0001626", ("Cardiovascular", "Heart and vessels"), "the heart and vessels", "cardiovascular"),
        System("HP:0002086", ("Respiratory", "Airways and lungs"), "the airways and lungs", "respiratory"),
        System("HP:0000119", ("Genitourinary", "Urogenital"), "the urogenital tract", "genitourinary"),
        System("HP:0000818", ("Endocrine", "Endocrinological"), "the endocrine system", "endocrine"),
        System("HP:0000769", ("Breasts", "Breast"), "the breasts", "mammary"),
        System("HP:0001574", ("Skin, hair and nails", "Dermatological", "Skin"), "the skin", "dermatological"),
        System("HP:0003011", ("Muscle", "Muscular", "Muscles"), "the muscles", "muscular"),
        System("HP:0040064", ("Limbs", "Hands, feet and limbs"), "the limbs", "limb"),
        System("HP:0033127", ("Skeletal", "Skeleton and joints"), "the skeleton", "skeletal"),
        System("HP:0001871", ("Haematological", "Blood"), "the blood", "haematological"),
        System("HP:0002715", ("Immunological", "Immune system"), "the immune system", "immunological"),
        System("HP:0001939", ("Metabolic", "Metabolism", "Biochemistry"), "metabolism", "metabolic"),
        System("HP:0001608", ("Voice", "Larynx and voice"), "the voice", "vocal"),
        System("HP:0025354", ("Cellular", "Cells"), "the cells", "cellular"),
        System("HP:0025142", ("General", "Constitutional"), "the general state", "general"),
        System("HP:0045027", ("Chest", "Thorax"), "the chest", "thoracic"),
    )
}


def find_system(concepts: tuple[str, ...], knowledge: KnowledgeGraph) -> str:
    """The system of the first of the concepts that lies in one, or an empty text."""
    for concept in concepts:
        above = knowledge.ancestors(concept) | {knowledge.curie(concept)}
        for system in SYSTEMS:
            if system in above:
                return system
    return ""
