"""The average effect, and that on the treated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....errors import fail
from ..measure import Measure

if TYPE_CHECKING:
    from ..answer import Answer
    from ..question import Question


def average(question: Question) -> Answer:
    """The average effect E[Y(first) - Y(second)] (Rubin 1974, Journal of Educational Psychology 66:688), among those
    who meet the question's condition: a conditional average effect where it has one."""
    return question.describe_contrast(question.gather_outcomes(question.worlds()), what="average effect")


def on_the_treated(question: Question) -> Answer:
    """E[Y(first) - Y(second) | the treatment was naturally at its first level, at the decision] (Heckman and Robb
    1985, Journal of Econometrics 30:239). Raises NosographError where nobody naturally has it."""
    outcomes, natural = question.gather_natural()
    treated = natural == question.effect.contrast[0]
    if treated.sum() < 2:
        raise fail(f"nobody naturally has {question.label(0)}", value=question.text, fix="more patients: -n 100000")
    answer = question.describe_contrast(outcomes[1:, treated], what=f"effect on those with {question.label(0)}")
    return answer.with_details(treated=float(treated.mean()))


ATE = Measure("ate", help="the average effect; with --given, a conditional one", answer=average, levels=True)
ATT = Measure(
    "att", help="the average effect on those who naturally have the first level", answer=on_the_treated, levels=True
)
