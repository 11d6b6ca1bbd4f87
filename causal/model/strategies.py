"""What death, leaving the record, missed visits and stopping the treatment do to an outcome: the strategies for
intercurrent events of ICH E9(R1).

| strategy | of | the outcome is |
|---|---|---|
| `hypothetical` | death, leaving, missed, stopping | had it not happened; of a missed visit, its value all the same |
| `treatment policy` | leaving, stopping | the outcome itself, whether or not it happened |
| `while alive`, `while on treatment` | death, stopping | what there was before: a state's last step, a measurement's \
last due value, the event by then |
| `composite` | death | a given value for the dead |
| `survivors` | death | that of the people who are alive in both worlds (the principal stratum) |
| `last recorded` | leaving, missed | the last value on the record, which is no outcome of a patient |

A sustained strategy of treatment is the hypothetical one for stopping.
"""

from __future__ import annotations

from dataclasses import replace

from ..language import reads
from .duration import describe_time
from .findings import Findings
from .model import Effect, Model, Schedule, Variable


def list_prevented(effect: Effect, model: Model) -> list[Variable]:
    """The events that the effect's worlds set to 0 from the decision on."""
    kinds = (["record"] if effect.leaving == "hypothetical" else []) + (
        ["journey"] if effect.death == "hypothetical" else []
    )
    return [variable for variable in model.variables.values() if variable.ends in kinds]


def list_losses(effect: Effect, model: Model) -> list[Variable]:
    """The events after which the record no longer tells the outcome that the effect is about: what its worlds prevent,
    and leaving wherever the outcome is the one after it."""
    lost = [v for v in model.variables.values() if v.ends == "record" and effect.leaving == "treatment policy"]
    return [*list_prevented(effect, model), *lost]


def keep_record_open(model: Model, effect: Effect) -> Model:
    """The model in which nothing ends the record, or the journey, that the effect's outcome goes on after."""
    open_ = {variable.name: replace(variable, ends="nothing") for variable in list_losses(effect, model)}
    return replace(model, variables={**model.variables, **open_})


def list_readers(model: Model, event: str) -> list[str]:
    """The variables whose values, and not only whether they are recorded, depend on an event."""
    return [
        variable.name
        for variable in model.variables.values()
        if variable.name != event
        and (event in variable.any_of or event in {read.name for read in reads(variable.start, variable.mechanism)})
    ]


def find_last_due(effect: Effect, model: Model) -> int | None:
    """The last step by `at` in which a measurement is due by its schedule; None for other outcomes, and where the
    schedule is a condition, or begins later."""
    outcome = model.variables[effect.outcome]
    if outcome.kind != "measurement" or not isinstance(outcome.when, Schedule):
        return None
    return next((step for step in range(effect.at, -1, -1) if outcome.when.includes(step)), None)


def counts_missed(effect: Effect, model: Model) -> bool:
    """Whether a missed visit counts with the value that it would have had, rather than the last one before it."""
    return effect.missed == "hypothetical" and effect.leaving != "last recorded"


def describe_strategies(effect: Effect, model: Model) -> str:
    """The strategies of an effect in a line, those that can matter in the model: "death: while alive; leaving the
    record: hypothetical (nobody leaves)"."""
    outcome, treatment = model.variables[effect.outcome], model.variables.get(effect.treatment)
    endings = {variable.ends for variable in model.variables.values()}
    parts = []
    if "journey" in endings:
        value = f" ({effect.composite:g} for the dead)" if effect.composite is not None else ""
        words = {"hypothetical": " (nobody dies)", "survivors": " (alive in both worlds)"}
        parts.append(f"death: {effect.death}{words.get(effect.death, value)}")
    if "record" in endings:
        words = {"hypothetical": " (nobody leaves)"}
        parts.append(f"leaving the record: {effect.leaving}{words.get(effect.leaving, '')}")
    if outcome.kind == "measurement":
        words = {"hypothetical": " (the value that it would have had)"}
        parts.append(f"missed visits: {effect.missed}{words.get(effect.missed, '')}")
    if treatment is not None and treatment.kind != "static":
        sustained = effect.strategy == "sustained"
        parts.append(f"stopping: {'hypothetical (nobody stops)' if sustained else effect.stopping}")
    due = find_last_due(effect, model)
    if due is not None and due < effect.at:
        time = describe_time(due, model.clock)
        parts.append(f"{outcome.name} is not due at the time asked: its last due time by then, {time}, is used")
    return "; ".join(parts)


def warn_of_leaving(model: Model, findings: Findings) -> None:
    """Warn where the cause of a declared effect makes people leave the record, and where leaving does more than end
    the record, since a world in which nobody leaves lacks that, too."""
    import networkx as nx

    leaving = [variable.name for variable in model.variables.values() if variable.ends == "record"]
    for event in leaving:
        for reader in list_readers(model, event):
            findings.warn(
                reader,
                f"'{reader}' depends on '{event}', which ends the record: where nobody leaves, that is gone as well",
                fix=f"two variables: one that acts on {reader}, and {event}, which only ends the record",
            )
    causes = {effect.treatment: None for effect in model.effects if effect.leaving != "last recorded"}
    for cause in causes:
        after = nx.descendants(model.graph, cause)
        for event in leaving:
            if event in after:
                findings.warn(
                    f"effects.{[effect.treatment for effect in model.effects].index(cause)}",
                    f"'{cause}' reaches '{event}', which ends the record: those who are left differ between its levels",
                    fix="verify weights for leaving, and shows the complete cases beside",
                )
