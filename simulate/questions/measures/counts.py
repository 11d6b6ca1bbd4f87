"""How often an event happened: its mean count, the curve of that, and its rate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..measure import Measure

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from ....causal.program.journeys import Journeys
    from ..answer import Answer
    from ..question import Question


def compare_counts(question: Question) -> Answer:
    """The difference of the mean numbers of events from the decision to the time, and their ratio. Death ends the
    counting: those who died have the number that they had."""
    from ..estimates import compare_shares

    found = _gather(question)
    answer = question.describe_contrast(found["count"], what="difference in the mean number of events", note=DEATH)
    ratio, interval = compare_shares(*found["count"])
    return answer.with_details(count_ratio=ratio, count_ratio_interval=interval, left_out=_find_left_out(found))


def compare_curves(question: Question) -> Answer:
    """The mean cumulative functions of the two worlds: the mean number of events since the decision by the end of each
    step, and their difference at the time. Those who died count with what they had (Ghosh and Lin 2000, Biometrics
    56:554); nobody is censored, so the mean over people is that estimate."""
    from ..times import count_by_step

    found = _gather(question)
    people = found["count"].shape[1]
    curves: dict[str, list[float]] = {}
    for world in (0, 1):
        steps, counts = count_by_step(question, found["date"][(found["world"] == world) & found["of_followed"]])
        curves[question.label(world)] = [count / people for count in counts]
    answer = question.describe_contrast(found["count"], what="difference of mean cumulative functions", note=DEATH)
    curves, unit = {"time": steps, **curves}, question.model.clock.text[2]
    return answer.with_details(curves=curves, time_unit=unit, left_out=_find_left_out(found))


def compare_rates(question: Question) -> Answer:
    """The difference of the rates of an event, its number over the time at risk, both from the decision to the time,
    and their ratio. At risk is who is alive and, where the event happens only once, has not had it."""
    from ..answer import Answer
    from ..estimates import Z95, compare_products, estimate_mean, gain_of_pairing

    found = _gather(question)
    count, time = found["count"], found["time"]
    rates = count.mean(1) / time.mean(1)
    parts = (count - rates[:, None] * time) / time.mean(1)[:, None]
    value, error = float(rates[0] - rates[1]), estimate_mean(parts[0] - parts[1]).error
    ratio, interval = compare_products([count[0], time[1]], [count[1], time[0]])
    unit = question.model.clock.text[2]
    return Answer(
        question=question.text,
        value=value,
        interval=(value - Z95 * error, value + Z95 * error),
        method=f"rate difference: events a {unit} at risk, over {count.shape[1]:,} people, each in both worlds with "
        "the same noise",
        note="Who is at risk, and how long, may itself be an effect of the treatment.",
        details={
            "rates": {question.label(world): float(rates[world]) for world in (0, 1)},
            "rate_ratio": ratio,
            "rate_ratio_interval": interval,
            "mean_times_at_risk": {question.label(world): float(time[world].mean()) for world in (0, 1)},
            "time_unit": unit,
            "standard_error": error,
            "patients": count.shape[1],
            "left_out": _find_left_out(found),
            "variance_gain": gain_of_pairing(parts[0], parts[1], float((parts[0] - parts[1]).var(ddof=1))),
        },
    )


DEATH = "Who died earlier counts with the events until then."


def _gather(question: Question) -> dict[str, NDArray[Any]]:
    """Of the people followed: how often they had the event, and their time at risk, each (2, people); and the date of
    each event in each world, and whether it is of one of them, (events,). `followed`: who they are, (patients,)."""
    from ....causal.program.journeys import count_occurrences, first_dates
    from ..times import check_people, check_strategy, find_followed, find_period

    check_strategy(question)
    event = question.model.variables[question.effect.outcome]
    period = find_period(question)

    def read(journeys: Journeys) -> dict[str, Tensor]:
        followed = find_followed(question, journeys)
        if event.occurs == "once":
            followed = followed & (first_dates(journeys, event.name) > period.after).all(0)
        count = count_occurrences(journeys, event.name, after=period.after, by=period.by)
        stop = journeys.ended_at.expand(count.shape)
        if event.occurs == "once":
            stop = stop.minimum(first_dates(journeys, event.name))
        each = journeys.occurrences[event.name]
        return {
            "count": count,
            "time": (stop.clamp(max=period.end) - period.start).clamp(min=0),
            "followed": followed,
            "world": each.world,
            "date": each.date,
            "of_followed": followed[each.patient] & (each.date > period.after),
        }

    found = question.gather(question.worlds(), read, keep=[event.name])
    followed = found["followed"]
    check_people(question, followed)
    return {**found, "count": found["count"][:, followed], "time": found["time"][:, followed]}


def _find_left_out(found: dict[str, NDArray[Any]]) -> float:
    return float(1 - found["followed"].mean())


COUNT = Measure(
    "count",
    help="the difference of the mean numbers of events, and their ratio",
    answer=compare_counts,
    outcome="event",
)
MCF = Measure(
    "mcf",
    help="the mean number of events by each step in both worlds (mean cumulative function), and its difference",
    answer=compare_curves,
    outcome="event",
)
RATE = Measure(
    "rate",
    help="the difference of events over time at risk, and the rate ratio",
    answer=compare_rates,
    outcome="event",
)
