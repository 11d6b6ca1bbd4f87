"""Scores as trials summarise them: who responds, and the change from baseline."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ....errors import fail
from ..measure import Measure

if TYPE_CHECKING:
    from torch import Tensor

    from ....causal.program.journeys import Journeys
    from ..answer import Answer
    from ..estimates import Numbers
    from ..question import Question

COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "==": operator.eq,
    "!=": operator.ne,
}
RESPONSE = re.compile(
    r"""(?P<change>change\s*)?(?P<compare>>=|<=|==|!=|>|<)\s*(?:"(?P<level>[^"]*)"|(?P<number>[-+]?[\d.]+(e[-+]?\d+)?))"""
)


@dataclass(frozen=True)
class Response:
    """What makes a responder: the outcome, or its `change` since the decision, compared with a `threshold`, which for
    an outcome with levels is the place of one."""

    change: bool
    compare: str
    threshold: float


def compare_responders(question: Question) -> Answer:
    """The difference of the shares of responders, and their ratio: of those whose outcome, or its change since the
    decision, meets the criterion that is written after the measure's name."""
    import numpy as np

    from ..estimates import compare_shares

    response = _read_response(question)
    baseline, outcome = _gather(question)
    scores = outcome - baseline if response.change else outcome
    respond = COMPARISONS[response.compare](scores, response.threshold)
    respond = np.where(np.isnan(scores), np.nan, respond.astype(float))
    ratio, interval = compare_shares(*respond[:, question.find_defined(*respond)])
    answer = question.describe_means(respond, what=f"difference of the shares of responders ({question.argument})")
    return answer.with_details(share_ratio=ratio, share_ratio_interval=interval)


def compare_changes(question: Question) -> Answer:
    """The difference of the mean changes from baseline: of the outcome at the time less the same outcome at the
    decision, in each world."""
    import numpy as np

    baseline, outcome = _gather(question)
    change = outcome - baseline
    defined = question.find_defined(*change)
    before = baseline[:, defined]
    note = (
        "The outcome differs between the worlds already at the decision, and its change misses that part of the effect."
        if not np.array_equal(before[0], before[1])
        else ""
    )
    answer = question.describe_contrast(change, what="difference of the mean changes from baseline", note=note)
    return answer.with_details(baseline={question.label(k): float(before[k].mean()) for k in (0, 1)})


def _gather(question: Question) -> tuple[Numbers, Numbers]:
    """The outcome at the decision and at its time, each (2, patients), NaN where it is undefined."""
    before = replace(question, effect=replace(question.effect, at=question.effect.decision, instant=None))

    def read(journeys: Journeys) -> dict[str, Tensor]:
        return {"before": before.read_outcome(journeys), "after": question.read_outcome(journeys)}

    found = question.gather(question.worlds(), read, keep=[question.effect.outcome])
    return found["before"], found["after"]


def _read_response(question: Question) -> Response:
    """Raises NosographError for what is no criterion of this outcome."""
    outcome = question.model.variables[question.effect.outcome]
    text = question.argument
    fix = f'--measure {RESPONDER.usage}, or "responder change <= -5"'
    if outcome.levels:
        fix = f"""--measure 'responder {">=" if outcome.has_order else "=="} "{outcome.levels[-1]}"'"""
    found = RESPONSE.fullmatch(text)
    if found is None:
        raise fail("a responder is told by a comparison of the outcome, or of its change", value=text, fix=fix)
    if (found["level"] is not None) != bool(outcome.levels):
        kind = "levels, which have names" if outcome.levels else "numbers, and no levels"
        raise fail(f"{outcome.name} has {kind}", value=text, fix=fix)
    if not outcome.levels:
        return Response(bool(found["change"]), found["compare"], float(found["number"]))
    if found["level"] not in outcome.levels:
        raise fail(f"{outcome.name} has no level {found['level']!r}", value=text, fix=fix)
    if found["change"] or (found["compare"] not in ("==", "!=") and not outcome.has_order):
        what = "levels have no difference" if found["change"] else f"the levels of {outcome.name} are in no order"
        raise fail(what, value=text, fix=fix)
    return Response(False, found["compare"], float(outcome.levels.index(found["level"])))


RESPONDER = Measure(
    "responder",
    help="the difference of the shares whose outcome, or its change since the decision (change <= -5), is so",
    answer=compare_responders,
    levels=True,
    argument=">= 5",
)
CHANGE = Measure(
    "change", help="the difference of the mean changes of the outcome since the decision", answer=compare_changes
)
