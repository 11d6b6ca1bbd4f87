"""CURIEs: the known prefixes, the form of their identifiers, and the IRIs that they stand for.

IRIs are those that the ontologies themselves publish, otherwise those of https://bioregistry.io. The
check digits are the published ones: Verhoeff's for SNOMED CT (Release File Specification, section 6), Luhn's mod 10
for LOINC (LOINC Users' Guide, "check digit").
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import pyoxigraph as ox

from ..errors import fail, nearest

OBO = "http://purl.obolibrary.org/obo/"
OIO = "http://www.geneontology.org/formats/oboInOwl#"
NOSOGRAPH = "https://w3id.org/nosograph/vocabulary/"

# What SPARQL queries may use without declaring it, besides every prefix of CURIEs.
VOCABULARIES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "vann": "http://purl.org/vocab/vann/",
    "obo": OBO,
    "oboInOwl": OIO,
    "noso": NOSOGRAPH,
}


@dataclass(frozen=True)
class Prefix:
    """A CURIE prefix. `pattern` is a regular expression for the whole local identifier, `example` one that fits it."""

    name: str
    title: str
    iri: str
    pattern: str
    example: str
    aliases: tuple[str, ...] = ()
    check_digit: Callable[[str], bool] | None = None

    def accepts(self, local: str) -> bool:
        """Whether `local` is a possible identifier of this prefix, including its check digit."""
        if not re.fullmatch(self.pattern, local, re.ASCII):
            return False
        return self.check_digit is None or self.check_digit(local)


# Verhoeff's tables: multiplication in the dihedral group of order ten, and the powers of its permutation.
_DIHEDRAL = [[(i + j) % 5 if j < 5 else 5 + (i + j) % 5 for j in range(10)] for i in range(5)]
_DIHEDRAL += [[5 + (i - j) % 5 if j < 5 else (i - j) % 5 for j in range(10)] for i in range(5, 10)]
_PERMUTATION = [list(range(10)), [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]]
for _ in range(6):
    _PERMUTATION.append([_PERMUTATION[-1][digit] for digit in _PERMUTATION[1]])


def check_verhoeff(digits: str) -> bool:
    """Whether the last of `digits` is their Verhoeff check digit (J. Verhoeff, Error Detecting Decimal Codes, 1969)."""
    check = 0
    for position, digit in enumerate(reversed(digits)):
        check = _DIHEDRAL[check][_PERMUTATION[position % 8][int(digit)]]
    return check == 0


def check_loinc(code: str) -> bool:
    """Whether a LOINC code ends in the mod-10 (Luhn) check digit of the digits before the hyphen.

    Answers, parts and groups (LA, LP, LG) are numbered by another scheme and pass unchecked.
    """
    if code.startswith("L"):
        return True
    digits, check = code.split("-")
    doubled = [int(d) * (2 if i % 2 == 0 else 1) for i, d in enumerate(reversed(digits))]
    return (sum(d // 10 + d % 10 for d in doubled) + int(check)) % 10 == 0


def _obo(name: str, title: str, example: str, pattern: str = r"\d{7}", *aliases: str) -> Prefix:
    return Prefix(name, title, f"{OBO}{name}_", pattern, example, aliases)


_BIOPORTAL = "http://purl.bioontology.org/ontology/"
PREFIXES: tuple[Prefix, ...] = (
    _obo("HP", "Human Phenotype Ontology", "0001250", r"\d{7}", "HPO"),
    _obo("MONDO", "Mondo Disease Ontology", "0004975"),
    _obo("DOID", "Disease Ontology", "10652", r"\d{1,7}"),
    _obo("UBERON", "Uber-anatomy ontology", "0000955"),
    _obo("CL", "Cell Ontology", "0000540"),
    _obo("GO", "Gene Ontology", "0008150"),
    _obo("CHEBI", "Chemical Entities of Biological Interest", "15377", r"\d{1,7}"),
    _obo("NCIT", "NCI Thesaurus", "C2985", r"C\d{1,7}", "NCI"),
    _obo("UO", "Units of measurement ontology", "0000036"),
    _obo("PATO", "Phenotype And Trait Ontology", "0000001"),
    _obo("MP", "Mammalian Phenotype Ontology", "0001262"),
    _obo("MPATH", "Mouse pathology ontology", "458", r"\d{1,7}"),
    _obo("MAXO", "Medical Action Ontology", "0000001"),
    _obo("ECO", "Evidence and Conclusion Ontology", "0000305"),
    _obo("OBI", "Ontology for Biomedical Investigations", "0000070"),
    _obo("RO", "Relation Ontology", "0000052"),
    _obo("BFO", "Basic Formal Ontology", "0000050"),
    _obo("IAO", "Information Artifact Ontology", "0000115"),
    _obo("PR", "Protein Ontology", "P05067", r"\S+"),
    _obo("NCBITaxon", "NCBI Taxonomy", "9606", r"\d+"),
    _obo("HANCESTRO", "Human Ancestry Ontology", "0005", r"\d{4,7}"),
    Prefix("EFO", "Experimental Factor Ontology", "http://www.ebi.ac.uk/efo/EFO_", r"\d{7}", "0000249"),
    Prefix(
        "SNOMEDCT",
        "SNOMED CT",
        "http://snomed.info/id/",
        r"[1-9]\d{5,17}",
        "26929004",
        ("SCTID", "SCT", "SNOMED", "SNOMEDCT_US", "SNOMED_CT"),
        check_verhoeff,
    ),
    Prefix("LOINC", "LOINC", "https://loinc.org/", r"(L[AGP])?\d{1,8}-\d", "718-7", ("LNC",), check_loinc),
    Prefix("RXNORM", "RxNorm", f"{_BIOPORTAL}RXNORM/", r"\d{1,8}", "161", ("RXCUI",)),
    Prefix("ATC", "ATC classification", f"{_BIOPORTAL}ATC/", r"[A-Z](\d\d([A-Z]([A-Z](\d\d)?)?)?)?", "N06DA02"),
    Prefix("ICD10", "ICD-10", f"{_BIOPORTAL}ICD10/", r"[A-Z]\d\d(\.\d{1,2})?", "G30.1", ("ICD-10",)),
    Prefix("ICD10CM", "ICD-10-CM", f"{_BIOPORTAL}ICD10CM/", r"[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?", "G30.1"),
    Prefix("ICD9", "ICD-9", f"{_BIOPORTAL}ICD9CM/", r"[EV]?\d{2,3}(\.\d{1,2})?", "331.0", ("ICD-9", "ICD9CM")),
    Prefix("UMLS", "UMLS Metathesaurus", "http://linkedlifedata.com/resource/umls/id/", r"C\d{7}", "C0002395"),
    Prefix("MESH", "Medical Subject Headings", "http://id.nlm.nih.gov/mesh/", r"[A-Z]\d{6,9}", "D000544", ("MSH",)),
    Prefix("MEDDRA", "MedDRA", "http://identifiers.org/meddra/", r"\d{8}", "10012267"),
    Prefix("HGNC", "HGNC gene names", "http://identifiers.org/hgnc/", r"\d{1,6}", "613"),
    Prefix("NCBIGene", "NCBI Gene", "http://identifiers.org/ncbigene/", r"\d+", "348"),
    Prefix("ENSEMBL", "Ensembl", "http://identifiers.org/ensembl/", r"ENS[A-Z]*\d{11}(\.\d+)?", "ENSG00000130203"),
    Prefix("UniProtKB", "UniProt", "http://purl.uniprot.org/uniprot/", r"[A-Z0-9]{6,10}", "P05067", ("UniProt",)),
    Prefix("dbSNP", "dbSNP", "http://identifiers.org/dbsnp/", r"rs\d+", "rs429358"),
    Prefix("OMIM", "OMIM", "https://omim.org/entry/", r"\d{6}", "104300", ("MIM",)),
    Prefix("ORPHA", "Orphanet", "http://www.orpha.net/ORDO/Orphanet_", r"\d{1,7}", "1020", ("Orphanet", "ORDO")),
    Prefix("DECIPHER", "DECIPHER", "https://www.deciphergenomics.org/syndrome/", r"\d{1,4}", "16"),
    Prefix("PMID", "PubMed", "https://pubmed.ncbi.nlm.nih.gov/", r"[1-9]\d{0,8}", "36449413", ("PubMed",)),
    Prefix("PMC", "PubMed Central", "https://www.ncbi.nlm.nih.gov/pmc/articles/", r"PMC\d+", "PMC2031887", ("PMCID",)),
    Prefix("DOI", "digital object identifier", "https://doi.org/", r"10\.\d{4,9}/\S+", "10.1056/NEJMoa2212948"),
    Prefix("NCT", "ClinicalTrials.gov", "https://clinicaltrials.gov/study/", r"NCT\d{8}", "NCT03887455"),
    Prefix("ISBN", "book", "urn:isbn:", r"[\d-]{9,16}[\dXx]", "0-683-30128-4"),
)

_BY_NAME = {name.lower(): prefix for prefix in PREFIXES for name in (prefix.name, *prefix.aliases)}
_BY_IRI = sorted(((prefix.iri, prefix) for prefix in PREFIXES), key=lambda pair: -len(pair[0]))
NAMESPACES = VOCABULARIES | {prefix.name: prefix.iri for prefix in PREFIXES}


def find_prefix(name: str) -> Prefix | None:
    """The prefix with this name or alias, in any case, or None."""
    return _BY_NAME.get(name.lower())


def is_iri(text: str) -> bool:
    """Whether `text` is an absolute IRI rather than a CURIE."""
    return "://" in text or text.lower().startswith("urn:")


def expand(curie: str, *, node: str = "", file: str = "", line: int = 0) -> str:
    """The IRI that a CURIE stands for. `node`, `file` and `line` are for the error: where the CURIE was written.

    Raises NosographError if it is not a CURIE, its prefix is unknown, or its identifier does not fit the prefix.
    """

    def wrong(problem: str, fix: str) -> Exception:
        return fail(problem, fix=fix, value=curie, node=node, file=file, line=line)

    name, colon, local = curie.strip().partition(":")
    if not colon or not local:
        raise wrong("this is not a CURIE (prefix, colon, identifier)", "for example HP:0001250")
    prefix = find_prefix(name)
    if prefix is None:
        near = nearest(name.lower(), _BY_NAME)
        known = ", ".join(sorted(p.name for p in PREFIXES))
        raise wrong(
            f"unknown prefix '{name}'", f"{_BY_NAME[near].name}:{local}" if near else f"one of these prefixes: {known}"
        )
    if not prefix.accepts(local):
        if prefix.check_digit and re.fullmatch(prefix.pattern, local, re.ASCII):
            raise wrong(f"the check digit of this {prefix.title} identifier is wrong", "copy the identifier again")
        padded = local.zfill(len(prefix.example)) if local.isdigit() else local
        fix = padded if prefix.accepts(padded) else prefix.example
        raise wrong(f"this is not how {prefix.title} writes its identifiers", f"for example {prefix.name}:{fix}")
    if not _is_well_formed(prefix.iri + local):
        raise wrong("it holds characters that no IRI may hold", f"for example {prefix.name}:{prefix.example}")
    return prefix.iri + local


def to_iri(concept: str, *, node: str = "", file: str = "", line: int = 0) -> str:
    """The IRI of a CURIE, as `expand`; an IRI stays as it is. Raises NosographError for what is neither."""
    if not is_iri(concept):
        return expand(concept, node=node, file=file, line=line)
    if not _is_well_formed(concept):
        fix = "for example http://purl.obolibrary.org/obo/HP_0001250, or HP:0001250"
        raise fail("this is not an IRI", fix=fix, value=concept, node=node, file=file, line=line)
    return concept


def _is_well_formed(iri: str) -> bool:
    try:
        ox.NamedNode(iri)  # as RFC 3987 has it
    except ValueError:
        return False
    return True


@cache
def compact(iri: str) -> str:
    """The CURIE of an IRI, or the IRI itself if no known prefix fits."""
    for start, prefix in _BY_IRI:
        if iri.startswith(start):
            local = iri[len(start) :]
            return f"{prefix.name}:{local}" if prefix.accepts(local) else iri
    return iri
