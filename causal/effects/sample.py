"""The people of an examination, and whose outcome the record tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..model.model import Effect
from .columns import Column
from .design import Array, Mask
from .estimate import FEWEST, Estimate, naive_difference
from .follow_up import FollowUp
from .g_formula import History

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Sample:
    """The people of an examination: those with a treatment. `outcome`: NaN where the record does not tell it."""

    frame: pd.DataFrame
    treatment: Column | None
    outcome_column: Column | None
    follow: FollowUp | None
    history: History | None

    @classmethod
    def prepare(
        cls,
        frame: pd.DataFrame,
        offered: Sequence[Column],
        follow_up: pd.DataFrame | None,
        history: pd.DataFrame | None,
        *,
        steps: int,
    ) -> Sample:
        roles = {column.role: column for column in offered}
        treatment, outcome = roles.get("treatment"), roles.get("outcome")
        names = [
            column.name for column in (treatment, None if follow_up is not None else outcome) if column is not None
        ]
        present = frame.dropna(subset=names)
        follow = None
        if follow_up is not None and outcome is not None:
            rows = follow_up.loc[present.index]
            present = present.assign(**{outcome.name: rows["outcome"]})
            follow = FollowUp.read(rows)
        aligned = History.align(history, present, steps=steps) if history is not None else None
        return cls(present.reset_index(drop=True), treatment, outcome, follow, aligned)

    @property
    def outcome(self) -> Array:
        if self.outcome_column is None:
            return np.full(len(self.frame), np.nan)
        values: Array = self.frame[self.outcome_column.name].to_numpy(dtype=np.float64)
        return values

    @property
    def known(self) -> Mask:
        return ~np.isnan(self.outcome)

    @property
    def cause(self) -> Array:
        assert self.treatment is not None
        values: Array = self.frame[self.treatment.name].to_numpy(dtype=np.float64)
        return values

    @property
    def people(self) -> History:
        """Their history; one without steps where none was given."""
        return self.history or History(self.frame, {})

    def compare(self, effect: Effect) -> Estimate | None:
        """The plain difference of those whose outcome is known; None with fewer than two of a level."""
        if self.treatment is None or self.outcome_column is None:
            return None
        cause, outcome = self.cause[self.known], self.outcome[self.known]
        if any((cause == level).sum() < 2 for level in effect.contrast):
            return None
        return naive_difference(outcome, cause, effect.contrast)

    def find_shortage(self, effect: Effect) -> str:
        """Which level of the contrast too few people have, in words; empty if enough have both."""
        assert self.treatment is not None
        for level in effect.contrast:
            has = self.cause == level
            what = f"{effect.treatment} = {level_name(self.treatment, level)}"
            if has.sum() < FEWEST:
                return f"not recoverable: positivity: {has.sum()} people of {len(has)} have {what}"
            if (known := int((has & self.known).sum())) < FEWEST:
                return f"not recoverable: positivity: the outcome is known of {known} people of {has.sum()} with {what}"
        return ""


def level_name(column: Column, level: float) -> str:
    """A level as it is written."""
    return f'"{column.levels[int(level)]}"' if column.levels else f"{level:g}"
