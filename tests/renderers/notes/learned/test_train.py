"""Training a rewriter: its pairs, its vocabulary, that it learns, and that the same arguments give the same weights."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from nosograph.commands import app
from nosograph.errors import NosographError
from nosograph.ontology.knowledge import KnowledgeGraph
from nosograph.renderers.noise import Noise
from nosograph.renderers.notes.facts import NotePlan
from nosograph.renderers.notes.learned import pairs as corpus
from nosograph.renderers.notes.learned import train
from nosograph.renderers.notes.learned.checkpoint import SHIPPED, open_checkpoint
from nosograph.renderers.notes.learned.pairs import Pair, make_pairs
from nosograph.renderers.notes.learned.slots import CONTROLS, SLOTS, space_slots
from tests.renderers.notes.conftest import Clinic

SLOT = re.compile(r"<[a-z]+\d>")


@pytest.fixture(scope="module")
def pairs(clinic: Clinic, noise_of: Callable[[NotePlan], Noise]) -> list[Pair]:
    plans = [plan for _, plan in clinic.each()]
    return [pair for plan in plans for pair in make_pairs(plan, lexicon=clinic.practice.lexicon, noise=noise_of(plan))]


def test_a_pair_tells_the_same_facts_in_other_words(pairs: list[Pair]) -> None:
    assert len(pairs) > 200
    for source, target in pairs:
        assert sorted(SLOT.findall(source)) == sorted(SLOT.findall(target))
        assert len(set(SLOT.findall(target))) == len(SLOT.findall(target))
        assert set(SLOT.findall(source)) <= set(SLOTS)
        subject, style, words = source.split(" ", 2)
        assert {subject, style} <= set(CONTROLS)
        assert words != target
        assert not re.search(r"\d", SLOT.sub("", target))
    assert len({target for _, target in pairs}) > len(pairs) / 3


def test_the_vocabulary_gives_every_text_back(pairs: list[Pair]) -> None:
    """Up to the space before a slot, which `space_slots` puts back."""
    tokenizer = train.build_vocabulary(pairs)
    lengths = []
    for _, target in pairs:
        ids = tokenizer(target).input_ids
        assert ids[-1] == tokenizer.eos_token_id
        lengths.append(len(ids))
        assert space_slots(tokenizer.decode(ids, skip_special_tokens=True)) == target
    assert max(lengths) <= train.LONGEST
    for slot in SLOTS:
        assert len(tokenizer(slot, add_special_tokens=False).input_ids) == 1


def test_training_learns_and_repeats(tmp_path: Path, pairs: list[Pair], monkeypatch: pytest.MonkeyPatch) -> None:
    """Out of nothing but noise the loss falls far below that of guessing; twice the same weights, byte by byte; nobody
    else's random state is moved, and what is written opens as a checkpoint with slots."""
    monkeypatch.setattr(train, "stream_pairs", lambda patients, seed: iter(pairs * 2))
    monkeypatch.setattr(train, "BATCH", 16)
    monkeypatch.setattr(train, "WARM_UP", 5)
    before = torch.random.get_rng_state()
    seen: list[int] = []
    first = train.train_rewriter(tmp_path / "one", steps=15, seed=5, progress=seen.append)
    second = train.train_rewriter(tmp_path / "two", steps=15, seed=5)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert sum(seen) == first.steps == 15
    assert first.pairs == 15 * train.BATCH
    assert first.loss == second.loss
    for name in ("model.safetensors", "tokenizer.json", "config.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    monkeypatch.setattr(train, "LAST", 5)
    third = train.train_rewriter(tmp_path / "three", steps=15, seed=6)
    words = len(json.loads((tmp_path / "three" / "tokenizer.json").read_text())["model"]["vocab"])
    assert third.loss < 0.8 * torch.tensor(float(words)).log()
    assert (tmp_path / "three" / "model.safetensors").read_bytes() != (
        tmp_path / "one" / "model.safetensors"
    ).read_bytes()
    checkpoint = open_checkpoint(tmp_path / "one")
    assert checkpoint.slots
    assert checkpoint.samples
    assert sum(path.stat().st_size for path in (tmp_path / "one").iterdir()) < 20e6


def test_pairs_go_on_with_other_authors(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stream is the same for the same seed, and its second pass is not its first."""
    monkeypatch.setattr(corpus, "CATALOG", {})
    monkeypatch.setattr(corpus, "DISEASES", ("OMIM:154700",))
    plans = list(corpus.find_plans(8, seed=3, knowledge=KnowledgeGraph.open()))
    assert plans
    monkeypatch.setattr(train, "find_plans", lambda patients, seed, knowledge: iter(plans))
    once = sum(
        len(list(make_pairs(plan, lexicon=lexicon, noise=Noise(3, "corpus", plan.patient, plan.step))))
        for lexicon, plan in plans
    )
    some = list(islice(train.stream_pairs(8, seed=3), 3 * once))
    assert some == list(islice(train.stream_pairs(8, seed=3), 3 * once))
    assert len(set(some)) > 1.3 * len(set(some[:once]))


def test_bad_arguments_are_named(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "note.txt").write_text("mine")
    with pytest.raises(NosographError, match="not empty"):
        train.train_rewriter(tmp_path / "full")
    with pytest.raises(NosographError, match="at least one step"):
        train.train_rewriter(tmp_path / "new", steps=0)
    result = CliRunner().invoke(app, ["render", "train", "--modality", "images", "--out", str(tmp_path / "new")])
    assert isinstance(result.exception, NosographError)
    assert not (tmp_path / "new").exists()


def test_the_command_trains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, object] = {}

    def pretend(out: Path, **options: object) -> train.Training:
        asked.update(options, out=out)
        return train.Training(out, 7, 7 * train.BATCH, 1000, 1.5)

    monkeypatch.setattr(train, "train_rewriter", pretend)
    arguments = ["render", "train", "--out", str(tmp_path / "new"), "--steps", "7", "--seed", "3", "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["loss"] == 1.5
    assert (asked["out"], asked["steps"], asked["seed"]) == (tmp_path / "new", 7, 3)


def test_the_card_is_there_and_the_package_ships_it() -> None:
    card = (SHIPPED / "README.md").read_text()
    for said in ("apache-2.0", "render train", "clinical use"):
        assert said in card.lower()
    project = tomllib.loads((Path(__file__).parents[4] / "pyproject.toml").read_text())
    assert "checkpoint/*" in project["tool"]["setuptools"]["package-data"]["nosograph.renderers.notes"]
    assert not [path.name for path in SHIPPED.iterdir() if path.suffix in (".bin", ".pt", ".pkl", ".ckpt")]
