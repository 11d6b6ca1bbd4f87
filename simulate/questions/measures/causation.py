"""Probabilities of causation: would it have happened but for the cause?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ....errors import fail
from ..measure import Measure

if TYPE_CHECKING:
    from ..answer import Answer, Interval
    from ..estimates import Mask
    from ..question import Question


def necessity(question: Question) -> Answer:
    """The probability of necessity, PN = P(no Y(second) | naturally at the first level, and Y) (Pearl 1999, Synthese
    121:93): of those who had the cause and the outcome, the share who would not have had it but for the cause. With
    the bounds of Tian and Pearl (2000, Annals of Mathematics and Artificial Intelligence 28:287)."""
    found = _gather(question)
    member = found.exposed & found.happened
    return _answer(question, found, ~found.second[member], "necessity", found.bound_necessity())


def sufficiency(question: Question) -> Answer:
    """The probability of sufficiency, PS = P(Y(first) | naturally at the second level, and no Y) (Pearl 1999; bounds of
    Tian and Pearl 2000): of those who had neither, the share whom the cause would have given the outcome."""
    found = _gather(question)
    member = found.unexposed & ~found.happened
    return _answer(question, found, found.first[member], "sufficiency", found.bound_sufficiency())


def necessity_and_sufficiency(question: Question) -> Answer:
    """The probability of necessity and sufficiency, PNS = P(Y(first), no Y(second)) (Pearl 1999; bounds of Tian and
    Pearl 2000): the share whom the cause makes the difference for, in the outcome's direction."""
    found = _gather(question)
    both = found.first & ~found.second
    return _answer(question, found, both, "necessity and sufficiency", found.bound_both())


@dataclass(frozen=True)
class _Causation:
    """Of each person: the natural level (the first, the second, or another), and the outcome naturally and in both
    worlds: bool, (patients,)."""

    exposed: Mask
    unexposed: Mask
    happened: Mask
    first: Mask
    second: Mask

    @property
    def binary(self) -> bool:
        return bool((self.exposed | self.unexposed).all())

    @property
    def shares(self) -> dict[str, float]:
        """What experiments and observation show of the population, one world at a time."""
        return {
            "y": float(self.happened.mean()),
            "y_first": float(self.first.mean()),
            "y_second": float(self.second.mean()),
            "first_and_y": float((self.exposed & self.happened).mean()),
            "first_and_not_y": float((self.exposed & ~self.happened).mean()),
            "second_and_y": float((self.unexposed & self.happened).mean()),
            "second_and_not_y": float((self.unexposed & ~self.happened).mean()),
        }

    def bound_necessity(self) -> Interval:
        s = self.shares
        low = (s["y"] - s["y_second"]) / s["first_and_y"] if s["first_and_y"] else 0.0
        high = (1 - s["y_second"] - s["second_and_not_y"]) / s["first_and_y"] if s["first_and_y"] else 1.0
        return max(0.0, low), min(1.0, high)

    def bound_sufficiency(self) -> Interval:
        s = self.shares
        low = (s["y_first"] - s["y"]) / s["second_and_not_y"] if s["second_and_not_y"] else 0.0
        high = (s["y_first"] - s["first_and_y"]) / s["second_and_not_y"] if s["second_and_not_y"] else 1.0
        return max(0.0, low), min(1.0, high)

    def bound_both(self) -> Interval:
        s = self.shares
        difference = s["y_first"] - s["y_second"]
        low = max(0.0, difference, s["y"] - s["y_second"], s["y_first"] - s["y"])
        high = min(
            s["y_first"],
            1 - s["y_second"],
            s["first_and_y"] + s["second_and_not_y"],
            difference + s["first_and_not_y"] + s["second_and_y"],
        )
        return low, high


def _gather(question: Question) -> _Causation:
    effect = question.effect
    if effect.strategy == "sustained":
        fix = "the effect of starting (strategy: initiation)"
        raise fail("what was sustained naturally cannot be told from what was started", value=effect.text, fix=fix)
    outcomes, natural = question.gather_natural()
    defined = question.find_defined(*outcomes, natural)
    happened, first, second = outcomes[:, defined] == 1
    natural = natural[defined]
    return _Causation(natural == effect.contrast[0], natural == effect.contrast[1], happened, first, second)


def _answer(question: Question, found: _Causation, shown: Mask, what: str, bounds: Interval) -> Answer:
    """The answer, of the people whom the probability is about: `shown` says of each whether it holds."""
    from ..answer import COUPLING, Answer
    from ..estimates import estimate_share

    if len(shown) < 2:
        raise fail(f"{what} is defined for nobody", value=question.text, fix="more patients: -n 100000")
    share, interval = estimate_share(shown)
    note = COUPLING if found.binary else f"{COUPLING} No bounds: some are naturally at neither level."
    return Answer(
        question=question.text,
        value=share,
        interval=interval,
        method=f"probability of {what}: the share of {len(shown):,} people, in the worlds side by side; the bounds "
        "of Tian and Pearl from the same people, one world at a time",
        note=note,
        details={
            "bounds": bounds if found.binary else None,
            "patients": len(shown),
            "of": len(found.first),
            "risks": {
                "naturally": found.shares["y"],
                question.label(0): found.shares["y_first"],
                question.label(1): found.shares["y_second"],
            },
        },
    )


NECESSITY = Measure(
    "necessity", help="the probability of necessity, with its bounds", answer=necessity, outcome="binary"
)
SUFFICIENCY = Measure(
    "sufficiency", help="the probability of sufficiency, with its bounds", answer=sufficiency, outcome="binary"
)
BOTH = Measure(
    "both",
    help="the probability of necessity and sufficiency, with its bounds",
    answer=necessity_and_sufficiency,
    outcome="binary",
)
