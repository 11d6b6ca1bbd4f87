"""Disease annotations against `phenotype.hpoa` read plainly, row by row."""

import csv
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from nosograph.errors import NosographError
from nosograph.ontology.annotations import find_annotations
from nosograph.ontology.hpo import COLUMNS, locate_hpo, read_annotations
from nosograph.ontology.knowledge import KnowledgeGraph
from nosograph.ontology.prefixes import find_prefix


@pytest.fixture(scope="module")
def knowledge() -> KnowledgeGraph:
    return KnowledgeGraph.open()


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with locate_hpo()[1].open(encoding="utf-8", newline="") as file:
        lines = (line for line in file if not line.startswith("#"))
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def count(knowledge: KnowledgeGraph, where: str) -> int:
    rows: Any = knowledge.sparql(f"SELECT (COUNT(*) AS ?n) {{ {where} }}")
    return int(next(iter(rows))[0])


def test_counts_are_those_of_the_file(knowledge: KnowledgeGraph, rows: list[dict[str, str]]) -> None:
    assert len(rows) > 270_000
    assert count(knowledge, "?a noso:phenotype ?p") == len(rows)
    assert count(knowledge, "?d a noso:Disease") == len({row["database_id"] for row in rows})
    assert count(knowledge, "?a noso:frequency ?f") == sum(row["frequency"] != "" for row in rows)
    assert count(knowledge, "?a noso:affected ?n ; noso:examined ?m") == sum("/" in row["frequency"] for row in rows)
    assert count(knowledge, "?a noso:absent true") == sum(row["qualifier"] == "NOT" for row in rows)
    for column in ("onset", "sex"):
        assert count(knowledge, f"?a noso:{column} ?x") == sum(row[column] != "" for row in rows)
    cited = "?a dcterms:source ?r FILTER(STRSTARTS(STR(?r), STR(PMID:)))"
    references = [reference for row in rows for reference in set(row["reference"].split(";"))]
    pmids = sum(bool(re.fullmatch(r"PMID:[1-9]\d*", reference)) for reference in references)
    assert count(knowledge, cited) == pmids
    misspelt = '?a dcterms:source ?r FILTER(isLiteral(?r) && STRSTARTS(?r, "PMID"))'  # "PMID:20037588P" and one more
    assert count(knowledge, misspelt) == sum(reference.startswith("PMID") for reference in references) - pmids == 2
    patients = "SELECT (SUM(?n) AS ?affected) (SUM(?m) AS ?examined) { ?a noso:affected ?n ; noso:examined ?m }"
    sums: Any = knowledge.sparql(patients)
    affected, examined = next(iter(sums))
    counts = [row["frequency"].split("/") for row in rows if "/" in row["frequency"]]
    assert int(affected) == sum(int(n) for n, _ in counts)
    assert int(examined) == sum(int(m) for _, m in counts)


def test_every_hundredth_disease_reads_as_its_rows(knowledge: KnowledgeGraph, rows: list[dict[str, str]]) -> None:
    of_disease: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        of_disease.setdefault(row["database_id"], []).append(row)
    rich = [d for d, own in of_disease.items() if any(r["modifier"] or r["sex"] or r["qualifier"] for r in own)]
    for disease in [*sorted(of_disease)[::100], *sorted(rich)[::25]]:
        annotations = find_annotations(disease, knowledge=knowledge)
        assert len(annotations) == len(of_disease[disease])
        for annotation, row in zip(annotations, of_disease[disease], strict=True):
            counts = row["frequency"].split("/") if "/" in row["frequency"] else [None, None]
            assert annotation.disease == disease
            assert annotation.phenotype == row["hpo_id"]
            assert annotation.absent == (row["qualifier"] == "NOT")
            assert set(annotation.references) == set(filter(None, row["reference"].split(";")))
            assert (annotation.evidence, annotation.aspect) == (row["evidence"], row["aspect"])
            assert (annotation.onset or "", annotation.sex or "") == (row["onset"], row["sex"])
            assert (annotation.frequency or "") == row["frequency"]
            assert [annotation.affected, annotation.examined] == [n and int(n) for n in counts]
            assert set(annotation.modifiers) == set(filter(None, row["modifier"].split(";")))


def test_names_are_the_most_usual_ones(knowledge: KnowledgeGraph, rows: list[dict[str, str]]) -> None:
    names = Counter(row["disease_name"] for row in rows if row["database_id"] == "OMIM:117550")
    assert len(names) > 1
    assert knowledge.label("OMIM:117550") == names.most_common(1)[0][0]
    assert {s.text for s in knowledge.synonyms("OMIM:117550")} == {name for name, _ in names.most_common()[1:]}


def test_a_disease_without_annotations_has_none(knowledge: KnowledgeGraph) -> None:
    assert find_annotations("OMIM:999999", knowledge=knowledge) == ()


@pytest.mark.parametrize(
    ("row", "line"),
    [
        ("OMIM:1\tonly two columns", 2),
        ("OMIM:nonsense\tx\t\tHP:0000001\tPMID:1\tPCS\t\t\t\t\tP\tme", 2),
        ("OMIM:104300\tx\t\tHP:1\tPMID:1\tPCS\t\t\t\t\tP\tme", 2),
    ],
)
def test_a_broken_row_is_named(tmp_path: Path, row: str, line: int) -> None:
    file = tmp_path / "phenotype.hpoa"
    file.write_text("\t".join(COLUMNS) + "\n" + row + "\n")
    with pytest.raises(NosographError) as caught:
        list(read_annotations(file))
    assert (caught.value.problems[0].file, caught.value.problems[0].line) == (str(file), line)


def test_prefix_examples_are_written_as_their_prefixes_say() -> None:
    from nosograph.ontology.prefixes import PREFIXES, compact, expand

    for prefix in PREFIXES:
        curie = f"{prefix.name}:{prefix.example}"
        assert compact(expand(curie)) == curie
        assert all(find_prefix(alias) is prefix for alias in prefix.aliases)
