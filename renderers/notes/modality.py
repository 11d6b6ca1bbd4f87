"""Notes as the registry holds them: their options, and where renderer, chapter and training are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..modality import Modality, Option, Trainer, hash_folder

if TYPE_CHECKING:
    from ...simulate.cohort import Run
    from ..pages.html import Markup
    from ..protocol import Factory


def load_renderer() -> Factory:
    from .renderer import NotesRenderer

    return NotesRenderer


def load_chapter() -> Callable[[Run], Markup | None]:
    from .chapter import tell_chapter

    return tell_chapter


def load_trainer() -> Trainer:
    from dataclasses import asdict

    from .learned.train import STEPS, train_rewriter

    def train(out: Path, *, corpus: Path, steps: int, seed: int, progress: Callable[[int], None]) -> Mapping[str, Any]:
        made = train_rewriter(out, corpus=corpus, steps=steps, seed=seed, progress=progress)
        return {**asdict(made), "folder": str(made.folder)}

    return Trainer(STEPS, train)


def parse_faults(texts: list[str]) -> dict[str, float]:
    from .faults.insert import parse_faults

    return parse_faults(texts)


def check_faults(rates: Mapping[str, float]) -> dict[str, float]:
    from .faults.insert import check_rates

    return check_rates(rates)


def find_checkpoint(named: str | Path | None) -> Path | None:
    """The folder of a checkpoint, if one is asked for. Raises NosographError where there is none."""
    from .learned.files import check_checkpoint

    if named is None:
        return None
    check_checkpoint(Path(named))
    return Path(named).absolute()


def hash_checkpoint(folder: Path | None) -> str | None:
    return None if folder is None else hash_folder(folder)


NOTES = Modality(
    name="notes",
    title="Notes",
    renderer=load_renderer,
    chapter=load_chapter,
    trainer=load_trainer,
    options=(
        Option(
            name="locale", flag="--locale", metavar="LANGUAGE", default="en", to_measure=True,
            help="The language of the notes: en, which is the only one yet.",
        ),
        Option(
            name="checkpoint", flag="--model", metavar="DIR",
            check=find_checkpoint, describe=hash_checkpoint,
            help="A language model that rewords the notes: the folder of its checkpoint.",
        ),
        Option(
            name="faults", flag="--fault", metavar="KIND=SHARE", repeatable=True, default={},
            parse=parse_faults, check=check_faults, describe=dict,
            help="Errors put in on purpose, and their share: negation=0.02. Repeatable. Kinds: contradiction, side, "
            "stale, negation, residue.",
        ),
    ),
)  # fmt: skip
