"""Small models for the tests of effects, built from the dataclasses themselves."""

from __future__ import annotations

from typing import Any

from nosograph.causal.language import Expression, parse_mechanism
from nosograph.causal.model.model import Clock, Effect, Kind, Model, Schedule, Variable

RULES = ("start", "mechanism", "missing")


def make_variable(name: str, kind: Kind, **given: Any) -> Variable:
    for key in RULES:
        if isinstance(given.get(key), (str, float, int)):
            given[key] = parse_mechanism(given[key])
    if isinstance(given.get("when"), str):
        given["when"] = parse_mechanism(given["when"])
    return Variable(name=name, iri=f"urn:{name}", kind=kind, **given)


def make_model(*variables: Variable, steps: int = 6, population: Expression | None = None) -> Model:
    return Model(
        id="small",
        iri="urn:small",
        title="",
        version="1",
        disease="",
        clock=Clock(1 / 12, steps / 12, 1.0, ("1 month", f"{steps} months", "year")),
        parameters={},
        variables={variable.name: variable for variable in variables},
        population=population,
    )


EVERY = Schedule(every=1)


def make_trial(indication: str = "Bernoulli(expit(0.8 * score))", *more: Variable) -> tuple[Model, Effect]:
    """Severity is latent, its score is measured, and who is treated goes by `indication`."""
    model = make_model(
        make_variable("age", "static", mechanism="Normal(70, 8)"),
        make_variable("frailty", "static", mechanism="Normal(0, 1)", recorded=False),
        make_variable(
            "severity",
            "state",
            start="Normal(0.02 * age, 1)",
            mechanism="Normal(severity[-1] - 0.1 * drug[-1] + 0.05 * frailty, 0.1)",
        ),
        make_variable("score", "measurement", of="severity", when=EVERY, mechanism="Normal(severity, 0.5)"),
        make_variable("drug", "treatment", start=indication, mechanism="drug[-1]"),
        *more,
    )
    return model, Effect("drug", "score", 6, text="drug -> score @ 6 months")
