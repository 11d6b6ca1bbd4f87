"""What the examiner is given of an effect: its identification, and the record of the people whom it is about."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from ...causal.effects.columns import columns
from ...causal.effects.design import Mask
from ...causal.effects.examine import Examination, examine, identify
from ...causal.effects.identify import Identification
from ...causal.effects.regimes import is_regime
from ...causal.language import reads
from ...causal.model.model import Effect, Model
from ...causal.model.strategies import counts_missed, list_losses
from ..cohort import Tables
from ..entrants import find_meeting
from .follow_up import build_follow_up
from .frames import build_frame, build_history, condition_columns

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Given:
    """The frame, the follow-up and the history of an effect (see `examine`), which have the same people; `follow_up`
    is None where the outcome is never recorded, `history` where it is not needed."""

    model: Model
    effect: Effect
    identification: Identification
    frame: pd.DataFrame
    follow_up: pd.DataFrame | None
    history: pd.DataFrame | None

    def keep(self, rows: Mask) -> Given:
        """The same of some of the people: a mask over the rows of the frame."""
        frame = self.frame.loc[rows]
        return replace(self, frame=frame, follow_up=None if self.follow_up is None else self.follow_up.loc[frame.index])

    def examine(
        self, *, truth: float | None = None, truth_error: float = 0.0, seed: int, number_of_effects: int
    ) -> Examination:
        """What DoWhy and ours make of it: see `causal.effects.examine.examine`."""
        return examine(
            self.model,
            self.effect,
            self.frame,
            identification=self.identification,
            follow_up=self.follow_up,
            history=self.history,
            truth=truth,
            truth_error=truth_error,
            seed=seed,
            number_of_effects=number_of_effects,
        )


def prepare(model: Model, effect: Effect, record: Tables, *, world: str) -> Given:
    """Of a record's people in one world: those who are alive and on the record at the decision, and who meet the
    effect's population by what was recorded at entry."""
    offered, identification = columns(model, effect), identify(model, effect)
    frame = build_frame(record, [*offered, *identification.mediators], world=world)
    follow_up = None
    if any(column.role == "outcome" for column in offered):
        follow_up = build_follow_up(record, effect, world=world)
        frame = frame.loc[follow_up.index]
    history = build_history(record, until=effect.at, world=world) if _needs_history(model, effect) else None
    given = Given(model, effect, identification, frame, follow_up, history)
    if effect.population is not None:
        names = sorted({read.name for read in reads(effect.population)} & set(model.variables))
        entry = build_frame(record, condition_columns(model, names), world=world).loc[frame.index]
        now = {name: torch.tensor(entry[name].to_numpy(), dtype=torch.float32)[None] for name in names}
        seen = {name: ~torch.isnan(value) for name, value in now.items()}
        kept = find_meeting([effect.population], model=model, now=now, seen=seen, count=len(frame))
        given = given.keep(kept.numpy())
    return given


def _needs_history(model: Model, effect: Effect) -> bool:
    """Whether the examination may look at what happened since the decision."""
    return is_regime(model, effect) or bool(list_losses(effect, model)) or counts_missed(effect, model)
