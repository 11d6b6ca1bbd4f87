"""`ask` as a notebook has it: an answer that can draw its twins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from .causal.model import Effect, Model
from .errors import fail
from .simulate.answer import Answer
from .simulate.ask import PATIENTS
from .simulate.ask import ask as find_answer


@dataclass(frozen=True)
class DrawnAnswer(Answer):
    """An answer with a picture, where it is about one person."""

    def plot(self, path: str | Path | None = None) -> Any:
        """Her timelines in both worlds; written to `path` (.png or .svg) if there is one. Raises NosographError for an
        answer about a population, which has none."""
        from .renderers.twins import draw_twins

        if self.timelines is None:
            raise fail("an answer about a population has no timelines", value=self.question, fix="--patient 42")
        return draw_twins(self.timelines, path)


def ask(
    model: Model,
    effect: str | Effect | None = None,
    *,
    patient: int | None = None,
    record: str | Path | None = None,
    do: str | Sequence[str] = (),
    given: str | None = None,
    measure: str = "ate",
    mediator: str | None = None,
    contrast: Sequence[float | str] | None = None,
    outcome: str | None = None,
    patients: int = PATIENTS,
    seed: int = 0,
) -> DrawnAnswer:
    found = find_answer(
        model, effect, patient=patient, record=record, do=do, given=given, measure=measure, mediator=mediator,
        contrast=contrast, outcome=outcome, patients=patients, seed=seed,
    )  # fmt: skip
    return DrawnAnswer(**{field.name: getattr(found, field.name) for field in fields(Answer)})


def read_levels(text: str | None) -> tuple[float | str, ...] | None:
    """The levels of a contrast as the command line has them, "2, 0": numbers, or names of levels."""

    def read(level: str) -> float | str:
        try:
            return float(level)
        except ValueError:
            return level.strip().strip('"')

    return None if text is None else tuple(read(level) for level in text.split(","))


ask.__doc__ = find_answer.__doc__
