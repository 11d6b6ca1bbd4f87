"""The compiled disease model: variables, parameters, causal claims, clock and declared effects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from ..families import FAMILIES
from ..language import Expression, Read, reads
from ..language.syntax import Draw, find_draw

if TYPE_CHECKING:
    import networkx as nx
    from rdflib import Graph


Kind = Literal["static", "state", "event", "treatment", "measurement"]
Checked = Literal["text", "abstract", "curated", "recalled"]
Death = Literal["while alive", "hypothetical", "survivors", "composite"]
Leaving = Literal["hypothetical", "treatment policy", "last recorded"]
Missed = Literal["hypothetical", "last recorded"]
Stopping = Literal["treatment policy", "while on treatment"]  # a hypothetical one is a sustained strategy

KEY_COLUMNS = frozenset({"patient", "world", "time"})  # of the tables that a run writes; not allowed as names


@dataclass(frozen=True)
class Evidence:
    """Where a claim or a number comes from: a PMID or DOI as a CURIE, or "assumption"."""

    source: str
    checked: Checked | None = None
    says: str = ""

    @property
    def assumed(self) -> bool:
        return self.source == "assumption"


@dataclass(frozen=True)
class Claim:
    """One causal claim: cause -> effect, with its evidence. `structural`: a measurement's `of` or a composite's
    `any_of`, without need of it."""

    cause: str
    effect: str
    evidence: tuple[Evidence, ...] = ()
    structural: bool = False


@dataclass(frozen=True)
class Parameter:
    """A number with its unit. With a `formula`, its value is computed from other parameters and may be infinite."""

    name: str
    iri: str
    value: float
    unit: str = ""
    uncertain: Draw | None = None
    title: str = ""
    evidence: tuple[Evidence, ...] = ()
    formula: Expression | None = None


@dataclass(frozen=True)
class Clock:
    """Steps of `step`, until `horizon`, a whole number of them; `t` and `dt` are in `unit`. All three are in years: 1
    month is 1/12."""

    step: float
    horizon: float
    unit: float
    text: tuple[str, str, str]  # step, horizon and unit as written
    shortened: str = ""  # the time of the last step, as text, where the horizon as written is no whole number of steps

    @property
    def end(self) -> str:
        """The time of the last step, as text."""
        return self.shortened or self.text[1]

    @property
    def steps(self) -> int:
        """The number of steps after step 0."""
        return round(self.horizon / self.step)

    @property
    def dt(self) -> float:
        """One step, in the clock's unit."""
        return self.step / self.unit


@dataclass(frozen=True)
class Schedule:
    """When a measurement is taken: every `every` steps from step `first` on, or at the steps `at`."""

    every: int = 0
    first: int = 0
    at: tuple[int, ...] = ()
    text: str = ""

    def includes(self, step: int) -> bool:
        return step in self.at or (self.every > 0 and step >= self.first and (step - self.first) % self.every == 0)


@dataclass(frozen=True)
class Variable:
    name: str
    iri: str
    kind: Kind
    title: str = ""
    synonyms: tuple[str, ...] = ()  # other names and abbreviations, the usual ones first
    related_synonyms: tuple[str, ...] = ()  # broader, narrower or looser names: recognised, never written
    concept: str = ""  # a CURIE, or empty
    unit: str = ""  # UCUM, or empty
    start: Expression | None = None
    mechanism: Expression | None = None
    of: str = ""  # what a measurement measures
    when: Schedule | Expression | None = None  # of a measurement
    missing: Expression | None = None  # of a measurement
    occurs: Literal["once", "repeatedly"] = "once"  # of an event
    ends: Literal["journey", "record", "nothing"] = "nothing"  # of an event
    competes: str = ""  # of an event: its group
    any_of: tuple[str, ...] = ()  # of a composite event: its components
    recorded: bool = True
    claims: tuple[Claim, ...] = ()
    declared_levels: tuple[str, ...] = ()  # where no distribution names them
    ordered: bool = False  # the levels, as declared

    @cached_property
    def expressions(self) -> dict[str, Expression]:
        """The variable's expressions, by their key in the document."""
        found = {"start": self.start, "mechanism": self.mechanism, "when": self.when, "missing": self.missing}
        return {key: value for key, value in found.items() if isinstance(value, Expression)}

    @cached_property
    def reads(self) -> frozenset[Read]:
        """All that the variable's expressions read."""
        return reads(*self.expressions.values())

    @property
    def is_hazard(self) -> bool:
        """Whether it is an event with an instant within its step."""
        return isinstance(self.mechanism, Draw) and self.mechanism.family == "Hazard"

    @cached_property
    def levels(self) -> tuple[str, ...]:
        """The levels of a categorical variable; empty for others."""
        return self.declared_levels or next((draw.levels for draw in self._draws if draw.levels), ())

    @cached_property
    def has_order(self) -> bool:
        """Whether the levels are in order: declared so, or by the nature of the distribution."""
        return self.ordered or any(FAMILIES[draw.family].ordered for draw in self._draws)

    @property
    def _draws(self) -> list[Draw]:
        found = [find_draw(expression) for expression in (self.start, self.mechanism) if expression is not None]
        return [draw for draw in found if draw is not None]

    def write_value(self, value: float) -> str:
        """A value as it is written in an expression: `"III"` for the index of a level, `24.5` for a number."""
        return f'"{self.levels[int(value)]}"' if self.levels else f"{value:.9g}"


@dataclass(frozen=True)
class Effect:
    """A declared effect (the estimand of ICH E9(R1)): the contrast of `outcome` by step `at` when `treatment`, at step
    `decision`, is `contrast[0]` against `contrast[1]`.

    `strategy`: "initiation" (afterwards the model decides) or "sustained" (kept until the end).
    `death`, `leaving` (the record), `missed` (visits) and `stopping` (the treatment): what each does to the outcome;
    `strategies.py` says what the names mean. `composite` is the value for the dead.
    """

    treatment: str
    outcome: str
    at: int
    contrast: tuple[float, float] = (1.0, 0.0)
    decision: int = 0
    strategy: Literal["initiation", "sustained"] = "initiation"
    population: Expression | None = None
    death: Death = "while alive"
    leaving: Leaving = "hypothetical"
    missed: Missed = "hypothetical"
    stopping: Stopping = "treatment policy"
    composite: float | None = None
    text: str = ""
    instant: float | None = (
        None  # when an event is counted by, in steps, if that is within step `at` and not at its end
    )

    @property
    def by(self) -> float:
        """The time of the outcome, in steps: what happens later doesn't count."""
        return self.at if self.instant is None else self.instant


@dataclass(frozen=True)
class Model:
    """A disease model. `variables` and `parameters` are keyed by name, in document order."""

    id: str
    iri: str
    title: str
    version: str
    disease: str
    clock: Clock
    parameters: Mapping[str, Parameter]
    variables: Mapping[str, Variable]
    effects: tuple[Effect, ...] = ()
    population: Expression | None = None
    description: str = ""
    places: Mapping[str, tuple[str, int]] = field(default_factory=dict, compare=False)  # node -> file, line
    rdf: Graph | None = field(default=None, compare=False, repr=False)  # the graph it was compiled from

    @property
    def claims(self) -> tuple[Claim, ...]:
        return tuple(claim for variable in self.variables.values() for claim in variable.claims)

    def write_contrast(self, effect: Effect) -> str:
        """The two values that an effect compares, as written: `"b" against "a"`, `1 against 0`."""
        return " against ".join(map(self.variables[effect.treatment].write_value, effect.contrast))

    @property
    def graph(self) -> nx.DiGraph[str]:
        """The causal graph: variables as nodes (`kind`, `recorded`), claims as edges (`lag`: the least, in steps)."""
        import networkx as nx

        graph: nx.DiGraph[str] = nx.DiGraph()
        for variable in self.variables.values():
            graph.add_node(variable.name, kind=variable.kind, recorded=variable.recorded and variable.kind != "state")
        for variable in self.variables.values():
            for cause in {claim.cause for claim in variable.claims}:
                lags = [read.steps_back for read in variable.reads if read.name == cause]
                graph.add_edge(cause, variable.name, lag=min(lags, default=0))
        return graph

    def to_turtle(self) -> str:
        """The graph the model was compiled from, including imports; empty for a model built by hand."""
        from ...ontology.files import write_graph

        return write_graph(self.rdf, ".ttl") if self.rdf is not None else ""
