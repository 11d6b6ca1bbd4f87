"""Training a rewriter on a corpus: what is read of it, that the model learns, rewrites and repeats; bad corpora."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from nosograph.commands import app
from nosograph.errors import NosographError
from nosograph.renderers.noise import Noise
from nosograph.renderers.notes.facts import NotePlan
from nosograph.renderers.notes.faults.insert import write_faulty_note
from nosograph.renderers.notes.grammar import Note, write_note
from nosograph.renderers.notes.grammar.numbers import show_number
from nosograph.renderers.notes.learned import train
from nosograph.renderers.notes.learned.checkpoint import open_checkpoint
from nosograph.renderers.notes.learned.corpus import cut_sentences, read_corpus, read_notes
from nosograph.renderers.notes.learned.rewrite import Rewriter
from nosograph.renderers.notes.learned.slots import SLOTS
from nosograph.renderers.notes.reading.reader import NoteReader
from nosograph.renderers.notes.standoff import label_note, write_brat, write_jsonl
from tests.renderers.notes.conftest import Clinic

SLOT = re.compile(r"<[a-z]+\d>")
NoiseOf = Callable[[NotePlan], Noise]


@pytest.fixture(scope="module")
def notes(clinic: Clinic, noise_of: NoiseOf) -> list[Note]:
    plans = [plan for _, plan in clinic.each()]
    return [write_note(plan, lexicon=clinic.practice.lexicon, noise=noise_of(plan)) for plan in plans]


@pytest.fixture(scope="module")
def corpus(notes: list[Note], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    write_jsonl((label_note(note) for note in notes), folder / "part-00000.jsonl")
    return folder


def test_a_pair_has_the_same_slots_on_both_sides(corpus: Path) -> None:
    pairs = read_corpus(corpus)
    assert len(pairs) > 200
    for question, sentence in pairs:
        assert sorted(SLOT.findall(question)) == sorted(SLOT.findall(sentence))
        assert len(set(SLOT.findall(sentence))) == len(SLOT.findall(sentence))
        assert set(SLOT.findall(sentence)) <= set(SLOTS)
        assert not re.search(r"\d", SLOT.sub("", question + sentence))
    assert len({sentence for _, sentence in pairs}) > len(pairs) / 3


def test_text_with_brat_teaches_the_same(notes: list[Note], corpus: Path, tmp_path: Path) -> None:
    """Sentences are found again where full stops and lines end them; JSON Lines come first where there are both."""
    for number, note in enumerate(notes):
        stem = tmp_path / str(number % 3) / f"{number:04d}-{note.plan.document}"
        stem.parent.mkdir(exist_ok=True)
        stem.with_suffix(".txt").write_text(note.text, encoding="utf-8", newline="")
        stem.with_suffix(".ann").write_text(write_brat(label_note(note)), encoding="utf-8", newline="")
    found, known = read_corpus(tmp_path), read_corpus(corpus)
    assert len(set(found) & set(known)) > 0.95 * len(set(known))
    shutil.copy(corpus / "part-00000.jsonl", tmp_path / "0" / "part.jsonl")
    assert read_corpus(tmp_path) == known


def test_sentences_of_a_text() -> None:
    text = "Dear colleague,\n\n- MMSE 23. On lecanemab\n2. No change.\n"
    assert [text[start:end] for start, end in cut_sentences(text, ())] == [
        "Dear colleague,", "MMSE 23.", "On lecanemab", "No change."
    ]  # fmt: skip


def test_faults_are_not_learnt(clinic: Clinic, noise_of: NoiseOf, tmp_path: Path) -> None:
    plans = [plan for _, plan in clinic.each()][:12]
    written = [
        write_faulty_note(plan, rates={"residue": 1.0}, practice=clinic.practice, noise=noise_of(plan))
        for plan in plans
    ]
    write_jsonl((label_note(note, faults) for note, faults in written), tmp_path / "part.jsonl")
    signs = re.compile(r"\[|\{\{|\*\*\*|<<|@")
    assert any(signs.search(note.text) for note, _ in written)
    assert not any(signs.search(sentence) for _, sentence in read_corpus(tmp_path))


def test_the_vocabulary_gives_every_text_back(corpus: Path) -> None:
    pairs = read_corpus(corpus)
    tokenizer = train.build_vocabulary(pairs)
    lengths = []
    for text in {text for pair in pairs for text in pair}:
        ids = tokenizer(text).input_ids
        assert ids[-1] == tokenizer.eos_token_id
        lengths.append(len(ids))
        assert tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False) == text
    assert sorted(lengths)[int(0.99 * len(lengths))] <= train.LONGEST
    for slot in SLOTS:
        assert len(tokenizer(slot, add_special_tokens=False).input_ids) == 1


def test_training_learns_and_repeats(tmp_path: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Out of nothing but noise the loss falls far below that of guessing; twice the same weights, byte by byte; nobody
    else's random state is moved, and what is written opens as a checkpoint with slots."""
    monkeypatch.setattr(train, "BATCH", 16)
    monkeypatch.setattr(train, "WARM_UP", 5)
    before = torch.random.get_rng_state()
    seen: list[int] = []
    first = train.train_rewriter(tmp_path / "one", corpus=corpus, steps=15, seed=5, progress=seen.append)
    second = train.train_rewriter(tmp_path / "two", corpus=corpus, steps=15, seed=5)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert sum(seen) == first.steps == 15
    assert first.pairs == len(read_corpus(corpus))
    assert first.loss == second.loss
    for name in ("model.safetensors", "tokenizer.json", "config.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    monkeypatch.setattr(train, "LAST", 5)
    third = train.train_rewriter(tmp_path / "three", corpus=corpus, steps=15, seed=6)
    words = len(json.loads((tmp_path / "three" / "tokenizer.json").read_text())["model"]["vocab"])
    assert third.loss < 0.8 * torch.tensor(float(words)).log()
    assert (tmp_path / "three" / "model.safetensors").read_bytes() != (
        tmp_path / "one" / "model.safetensors"
    ).read_bytes()
    checkpoint = open_checkpoint(tmp_path / "one")
    assert checkpoint.slots
    assert checkpoint.samples
    assert sum(path.stat().st_size for path in (tmp_path / "one").iterdir()) < 20e6


def test_a_trained_model_says_the_same_facts(
    tmp_path: Path, notes: list[Note], clinic: Clinic, reader: NoteReader, noise_of: NoiseOf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Of a corpus of one kind of sentence a tiny model learns enough to pass the guard; numbers stay as they were, and
    it repeats."""
    kept = [short for note in notes if (short := keep_single(note)).sentences]
    write_jsonl((label_note(note) for note in kept), tmp_path / "part.jsonl")
    small = {"d_model": 64, "d_ff": 128, "num_heads": 2, "num_layers": 1, "num_decoder_layers": 1}
    monkeypatch.setattr(train, "SIZE", {**train.SIZE, **small})
    monkeypatch.setattr(train, "BATCH", 32)
    monkeypatch.setattr(train, "RATE", 5e-3)
    monkeypatch.setattr(train, "WARM_UP", 10)
    train.train_rewriter(tmp_path / "model", corpus=tmp_path, steps=150)
    work = Rewriter(open_checkpoint(tmp_path / "model"), lexicon=clinic.practice.lexicon, reader=reader)
    asked = [(note, (), noise_of(note.plan)) for note in kept[:12]]
    told = work.rewrite(asked)
    assert sum(one.counts.get("rewritten", 0) + one.counts.get("same", 0) for one in told) > 0
    for one, old in zip(told, kept, strict=False):
        assert {(span.fact, span.value, span.status) for span in one.note.spans} == {
            (span.fact, span.value, span.status) for span in old.spans
        }
        for span in one.note.spans:
            if isinstance(span.value, float) and span.kind == "value":
                assert show_number(span.value, span.unit) in one.note.text[span.start : span.end]
    assert [one.note.text for one in work.rewrite(asked)] == [one.note.text for one in told]


def keep_single(note: Note) -> Note:
    """The note with none but its sentences of a single event or treatment."""

    def alone(start: int, end: int) -> bool:
        told = [span for span in note.spans if start <= span.start < end]
        return len(told) == 1 and told[0].kind in ("event", "treatment")

    return replace(note, sentences=tuple(place for place in note.sentences if alone(*place)))


def row_of(corpus: Path) -> dict[str, Any]:
    row: dict[str, Any] = json.loads((corpus / "part-00000.jsonl").read_text(encoding="utf-8").splitlines()[0])
    return row


@pytest.mark.parametrize(
    ("spoil", "problem", "value"),
    [
        (lambda row: row.update(document="poem"), "kind of document", "poem"),
        (lambda row: row["spans"][0].update(kind="guess"), "kind of fact", "guess"),
        (lambda row: row["spans"][0].update(status="maybe"), "status", "maybe"),
        (lambda row: row["spans"][0]["parts"][0].update(what="noun"), "part of a mention", "noun"),
        (lambda row: row["spans"][0].update(end=10**6), "place of the text", "1000000"),
        (lambda row: row["spans"][0].update(start="first"), "place of the text", "first"),
        (lambda row: row.update(sentences=[[5, 5]]), "place of the text", "5, 5"),
        (lambda row: row.update(text=None), "no text", "None"),
        (lambda row: row.pop("spans"), "no note", ""),
    ],
)
def test_a_wrong_line_is_named(
    spoil: Callable[[dict[str, Any]], object], problem: str, value: str, corpus: Path, tmp_path: Path
) -> None:
    good, bad = row_of(corpus), row_of(corpus)
    spoil(bad)
    path = tmp_path / "mine.jsonl"
    path.write_text(f"{json.dumps(good)}\n{json.dumps(bad)}\n", encoding="utf-8")
    with pytest.raises(NosographError, match=problem) as caught:
        read_corpus(tmp_path)
    found = caught.value.problems[0]
    assert (found.file, found.line) == (str(path), 2)
    assert value in found.value
    assert found.fix


def test_a_wrong_folder_or_text_is_named(tmp_path: Path, notes: list[Note]) -> None:
    with pytest.raises(NosographError, match="no such folder"):
        read_corpus(tmp_path / "nothing")
    with pytest.raises(NosographError, match="holds no notes"):
        read_corpus(tmp_path)
    text, annotations = tmp_path / "a-letter.txt", tmp_path / "a-letter.ann"
    text.write_text("She scored 27 on the MMSE.")
    with pytest.raises(NosographError, match="no annotations"):
        read_corpus(tmp_path)
    annotations.write_text("")
    with pytest.raises(NosographError, match="no sentence of the corpus"):
        read_corpus(tmp_path)
    annotations.write_text("T1\tValue 0 3\tHe\n")
    with pytest.raises(NosographError, match="the text has") as caught:
        list(read_notes(tmp_path))
    assert (caught.value.problems[0].file, caught.value.problems[0].line) == (str(annotations), 1)
    text.write_bytes(b"\xff\xfe")
    with pytest.raises(NosographError, match="UTF-8"):
        read_corpus(tmp_path)
    text.unlink()
    other = notes[0]
    (tmp_path / "a.txt").write_text(other.text, newline="")
    (tmp_path / "a.ann").write_text(write_brat(label_note(other)), newline="")
    with pytest.raises(NosographError, match="kind of document") as caught:
        read_corpus(tmp_path)
    assert "NAME-letter.txt" in caught.value.problems[0].fix


def test_bad_arguments_are_named(tmp_path: Path, corpus: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "note.txt").write_text("mine")
    with pytest.raises(NosographError, match="not empty"):
        train.train_rewriter(tmp_path / "full", corpus=corpus)
    with pytest.raises(NosographError, match="at least one step"):
        train.train_rewriter(tmp_path / "new", corpus=corpus, steps=0)
    arguments = ["render", "train", "--modality", "images", "--corpus", str(corpus), "--out", str(tmp_path / "new")]
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, NosographError)
    assert not (tmp_path / "new").exists()


def test_the_command_trains(tmp_path: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, object] = {}

    def pretend(out: Path, **options: object) -> train.Training:
        asked.update(options, out=out)
        return train.Training(out, 7, 448, 1000, 1.5)

    monkeypatch.setattr(train, "train_rewriter", pretend)
    arguments = ["render", "train", "--corpus", str(corpus), "--out", str(tmp_path / "new"), "--steps", "7"]
    result = CliRunner().invoke(app, [*arguments, "--seed", "3", "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["loss"] == 1.5
    assert (asked["out"], asked["steps"], asked["seed"]) == (tmp_path / "new", 7, 3)
    assert asked["corpus"] == corpus
