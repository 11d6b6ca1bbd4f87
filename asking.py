"""`ask` as a notebook has it: an answer that can draw its twins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from .causal.model.model import Effect, Model
from .errors import fail
from .simulate.questions.answer import Answer
from .simulate.questions.ask import PATIENTS
from .simulate.questions.ask import ask as find_answer

if TYPE_CHECKING:
    from .causal.explain.picture import Drawing


@dataclass(frozen=True)
class DrawnAnswer(Answer):
    """An answer with a picture, where it is about one person."""

    def plot(self, path: str | Path | None = None) -> Drawing | Path:
        """Her timelines in both worlds, which show themselves in a notebook; or written to `path` (.png, .svg or .pdf).
        Raises NosographError for an answer about a population, which has none."""
        from .causal.explain.picture import Drawing
        from .simulate.questions.picture import draw_twins, figure_twins

        if self.timelines is None:
            raise fail("an answer about a population has no timelines", value=self.question, fix="--patient 42")
        return Drawing(figure_twins(self.timelines)) if path is None else draw_twins(self.timelines, path)


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
    outcome: str | None = None,
    patients: int = PATIENTS,
    seed: int = 0,
) -> DrawnAnswer:
    found = find_answer(
        model, effect, patient=patient, record=record, do=do, given=given, measure=measure, mediator=mediator,
        outcome=outcome, patients=patients, seed=seed,
    )  # fmt: skip
    return DrawnAnswer(**{field.name: getattr(found, field.name) for field in fields(Answer)})


ask.__doc__ = find_answer.__doc__
