"""Files and texts that once ended in a traceback, or took too long: each has a message that names the file."""

from __future__ import annotations

import datetime
import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest

from nosograph.causal.abduction.record import read_record
from nosograph.causal.language.parser import parse_expression
from nosograph.causal.model.load import load_model
from nosograph.errors import NosographError
from nosograph.ontology.hpo import read_annotations, read_genes
from nosograph.ontology.knowledge import KnowledgeGraph
from nosograph.renderers.notes.learned.corpus import read_text
from nosograph.renderers.notes.lexicon import build_lexicon
from nosograph.renderers.notes.reading.reader import NoteReader
from nosograph.renderers.notes.standoff import read_jsonl

from ..ontology.test_rf2 import write_release

MODELS = Path(__file__).parents[1] / "models"
DIGITS = "9" * 5_000
VARIABLE = "id: m\nvariables:\n  x: {kind: static, mechanism: 'Normal(0, 1)', %s}\n"


@pytest.mark.parametrize(
    "text", ["v[-", "v[", "(", "where(1,", "ever(", "table(t;", 'Categorical("a":', "1 +", "-" * 99]
)
def test_expressions_that_break_off(text: str) -> None:
    with pytest.raises(NosographError):
        parse_expression(text)


@pytest.mark.parametrize(
    "text",
    [
        VARIABLE % "concept: 'http://a b'",
        VARIABLE % "concept: 'http://[a'",
        VARIABLE % "concept: 'DOI:10.1000/<x>'",
        "id: m\nimports: [\"a\\0b.yaml\"]\n",
        "id: m\nimports: [\"\\uD800\"]\n",
        VARIABLE.replace("Normal(0, 1)", f"{DIGITS}") % "title: a",
        f"id: m\nparameters: {{p: {{value: {DIGITS}, source: assumption}}}}\n",
        "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in pairwise("abcdefghijklmnopqrst")),
        "[" * 5_000,
        "id: m\ntitle: " + "{a: " * 500,
        "+AHs-: 1\n",
    ],
    ids=["blank", "bracket", "DOI", "NUL", "half", "digits", "value", "aliases", "lists", "maps", "UTF-7"],
)  # fmt: skip
def test_documents(text: str, tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(text)
    with pytest.raises(NosographError, match=r"m\.yaml"):
        load_model(path, knowledge=KnowledgeGraph())


def test_a_chain_of_imports_is_bounded(tmp_path: Path) -> None:
    for number in range(400):
        (tmp_path / f"m{number}.yaml").write_text(f"id: m{number}\nimports: [./m{number + 1}.yaml]\n")
    with pytest.raises(NosographError, match="imports in a chain"):
        load_model(tmp_path / "m0.yaml", knowledge=KnowledgeGraph())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("o.obo", "format-version: 1.2\nontology: o\n\n[Term]\nid: A B\nname: x\n"),
        ("o.obo", "format-version: 1.2\nontology: a b\n"),
        ("o.obo", "format-version: 1.2\nontology: o\n\n[Term]\nid: HP:0000001\nis_a: <A>\n"),
        ("o.owl", '<?xml version="1.0" encoding="UTF-7"?>\n<a/>'),
        ("o.owl", '<?xml version="1.0" encoding="nonsense"?>\n<a/>'),
        ("o.jsonld", f'{{"a": {DIGITS}}}'),
        ("o.jsonld", "[" * 100_000),
    ],
)
def test_ontologies(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(NosographError, match=name.replace(".", r"\.")):
        KnowledgeGraph().load(tmp_path / name)


def test_a_line_of_obo_is_read_in_linear_time(tmp_path: Path) -> None:
    """Four times the line takes four times as long, not sixteen; with room for a busy machine."""
    path = tmp_path / "o.obo"
    for begin in ("name: ", 'def: "a" ', 'synonym: "a" EXACT [', "xref: x ", "is_a: ", 'synonymtypedef: x "'):
        for piece in (" ", " {", ' {a="', '"', "\\", " !", ' {a="b",', '" "', " {a=b,", "[", "{" + " " * 1_000):
            taken = []
            for length in (10_000, 40_000):
                line = f"{begin}{(piece * length)[:length]}b"
                header = line if begin.startswith("synonymtypedef") else "ontology: o"
                path.write_text(f"{header}\n\n[Term]\nid: HP:0000001\n{line}\n")
                started = time.process_time()
                with suppress(NosographError):
                    KnowledgeGraph().load(path)
                taken.append(time.process_time() - started)
            assert taken[1] < 9 * taken[0] + 0.5, (begin, piece)


def test_a_release_in_no_language(tmp_path: Path) -> None:
    folder = write_release(tmp_path)
    path = next(folder.rglob("sct2_Description*"))
    path.write_text(path.read_text().replace("\ten\t", "\t!!\t"))
    with pytest.raises(NosographError, match="language"):
        KnowledgeGraph().load(folder)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("r.csv", f"time,variable,value\n0,age,{'1' * 200_000}\n"),
        ("r.json", f'{{"statics": {{"age": {DIGITS}}}}}'),
        ("r.json", '{"record": ' + "[" * 100_000),
    ],
)
def test_records(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    model = load_model(MODELS / "six.yaml", knowledge=KnowledgeGraph())
    with pytest.raises(NosographError, match=name.replace(".", r"\.")):
        read_record(tmp_path / name, model=model)


def test_a_note_is_read_in_linear_time() -> None:
    """Four times the text takes four times as long, not sixteen; with room for a busy machine."""
    knowledge = KnowledgeGraph()
    model = load_model(MODELS / "six.yaml", knowledge=knowledge)
    reader = NoteReader(build_lexicon(model, knowledge=knowledge))
    reader.read("No death.", date=datetime.date(2024, 1, 1))
    for piece in (
        "-",
        "(",
        "1 ",
        "\n1",
        "No death ",
        "http://a.b/",
        "2024-01-01 ",
        f"1{' ' * 1_000}",
        "if death, ",
        "mother death ",
        "Family history:\n",
        "?death ",
        "was not seen ",
        "death and ",
        "a of the ",
    ):
        taken = []
        for length in (5_000, 20_000):
            started = time.process_time()
            reader.read((piece * length)[:length], date=datetime.date(2024, 1, 1))
            taken.append(time.process_time() - started)
        assert taken[1] < 9 * taken[0] + 0.5, piece


def test_texts_that_are_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_bytes(b"caf\xe9")
    (tmp_path / "note.ann").write_bytes(b"")
    (tmp_path / "notes.jsonl").write_bytes(b'{"a": "caf\xe9"}\n')
    (tmp_path / "phenotype.hpoa").write_bytes(b"#caf\xe9\n")
    for read in (
        lambda: read_text(tmp_path / "note.txt"),
        lambda: list(read_jsonl(tmp_path / "notes.jsonl")),
        lambda: list(read_annotations(tmp_path / "phenotype.hpoa")),
        lambda: list(read_genes(tmp_path / "phenotype.hpoa")),
    ):
        with pytest.raises(NosographError, match=r"note\.txt|notes\.jsonl:1|phenotype\.hpoa"):
            read()
