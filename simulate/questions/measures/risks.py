"""The difference and the ratio of risks by a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..measure import Measure

if TYPE_CHECKING:
    from ..answer import Answer
    from ..question import Question


def compare_risks(question: Question) -> Answer:
    """The difference of risks by a time, and their ratio: cumulative incidence, in which those who died of something
    else before did not have the event."""
    from ..estimates import compare_shares

    outcomes = question.gather_outcomes(question.worlds())
    answer = question.describe_contrast(outcomes, what="risk difference")
    defined = question.find_defined(*outcomes)
    ratio, interval = compare_shares(outcomes[0][defined], outcomes[1][defined])
    return answer.with_details(risk_ratio=ratio, risk_ratio_interval=interval)


RISK = Measure(
    "risk", help="the difference of risks by the time, and their ratio", answer=compare_risks, outcome="binary"
)
