"""Direct and indirect effects: the mediator held at a value, or taking the course that it has in the other world."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..measure import Measure

if TYPE_CHECKING:
    from torch import Tensor

    from ....causal.model.world import World
    from ....causal.program.journeys import Journeys
    from ..answer import Answer
    from ..estimates import Numbers
    from ..question import Question


def natural_direct(question: Question) -> Answer:
    """The natural direct effect E[Y(first, M(second)) - Y(second)] (Pearl 2001, "Direct and indirect effects", UAI;
    Robins and Greenland 1992, Epidemiology 3:143, "pure direct effect"): the treatment changed while the mediator
    keeps, at every step, the course that it takes in the other world.

    The rest of the total effect on the same people, Y(first) - Y(first, M(second)), is the total indirect effect: the
    two sum person by person. Undefined for those whose journey ends in the mediator's world before the mediator has
    said all that the mixed world needs; their share is reported.
    """
    first, second = question.worlds()
    return _decompose(question, first, second, direct=True)


def natural_indirect(question: Question) -> Answer:
    """The natural indirect effect E[Y(second, M(first)) - Y(second)] (Pearl 2001; Robins and Greenland 1992, "pure
    indirect effect"): the treatment stays as it is, and the mediator takes, at every step, the course that it takes
    when the treatment is changed.

    The rest of the total effect, Y(first) - Y(second, M(first)), is the total direct effect. Undefined as in
    `natural_direct`.
    """
    first, second = question.worlds()
    return _decompose(question, second, first, direct=False)


def controlled_direct(question: Question) -> Answer:
    """The controlled direct effect E[Y(first, m) - Y(second, m)] (Robins and Greenland 1992; Pearl 2001): the mediator
    set to one value for everybody at every step, in both worlds."""
    from ....causal.model.world import World

    assert question.level is not None
    held = [World(world.name, (*world.interventions, question.level)) for world in question.worlds()]
    what = f"controlled direct effect, with {question.level.text}"
    return question.describe_contrast(question.gather_outcomes(held), what=what)


def _decompose(question: Question, own: World, other: World, *, direct: bool) -> Answer:
    """The mixed world has the treatment of `own` and the mediator's course of `other`."""
    import numpy as np

    from ....causal.model.world import World, take_from
    from ..estimates import estimate_mean

    mediator = question.mediator
    taken = take_from(other.name, mediator, model=question.model)
    worlds = (*question.worlds(), World("mixed", (*own.interventions, taken)))
    source = [world.name for world in worlds].index(other.name)

    def read(journeys: Journeys) -> dict[str, Tensor]:
        ended = journeys.ended.expand(3, -1)
        lacking = (ended[source] <= question.effect.at) & (ended[source] < ended[2])
        return {"y": question.read_outcome(journeys), "lacking": lacking}

    found = question.gather(worlds, read, keep=[mediator])
    lacking = found["lacking"]
    outcomes: Numbers = np.where(lacking, np.nan, found["y"])
    mixed, whole = outcomes[2], ~np.isnan(outcomes).any(0)
    kind = "natural direct effect" if direct else "natural indirect effect"
    pair = np.stack([np.where(whole, mixed, np.nan), outcomes[1]])
    what = f"{kind} through {mediator}" if not direct else f"{kind} not through {mediator}"
    answer = question.describe_contrast(pair, what=what, note=_explain(mediator, float(lacking.mean())))
    total = estimate_mean(outcomes[0][whole] - outcomes[1][whole])
    rest = estimate_mean(outcomes[0][whole] - mixed[whole])
    means = {
        question.label(0): float(outcomes[0][whole].mean()),
        question.label(1): float(outcomes[1][whole].mean()),
        f"{question.label(0 if direct else 1)}, {mediator} as with {question.label(1 if direct else 0)}": float(
            mixed[whole].mean()
        ),
    }
    return answer.with_details(
        means=means,
        total_effect=total.value,
        total_effect_interval=total.interval,
        **{
            "total_indirect_effect" if direct else "total_direct_effect": rest.value,
            "total_indirect_interval" if direct else "total_direct_interval": rest.interval,
        },
        share_of_total=answer.value / total.value if total.value and isinstance(answer.value, float) else None,
        undefined_by_mediator=float(lacking.mean()),
    )


def _explain(mediator: str, lacking: float) -> str:
    from ..answer import COUPLING

    ended = (
        f" For {lacking:.2%} it is undefined, since {mediator} ended in its world with the journey there."
        if lacking
        else ""
    )
    return f"{COUPLING}{ended}"


NDE = Measure("nde", help="the natural direct effect", answer=natural_direct, mediator="variable")
NIE = Measure("nie", help="the natural indirect effect", answer=natural_indirect, mediator="variable")
CDE = Measure("cde", help="the controlled direct effect", answer=controlled_direct, mediator="value", levels=True)
