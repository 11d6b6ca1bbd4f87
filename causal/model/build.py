"""From the graph to the model: merge its documents, parse their expressions, and check what they mean."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from rdflib import Graph, URIRef

from ...errors import fail, nearest
from ...ontology.document import (
    ClockEntry,
    Document,
    EffectEntry,
    Evidenced,
    ParameterEntry,
    Places,
    VariableEntry,
    validate_document,
)
from ...ontology.mapping import order_models, to_data
from ...ontology.shapes import check_targets
from ...ontology.vocabulary import local_name, parameter_iri, variable_iri
from ..families import FAMILIES
from ..language import Expression, parse_expression, parse_formula, parse_mechanism
from ..language.syntax import RESERVED, Binary, Draw
from .cases import build_cases
from .clock import parse_clock, parse_schedule
from .domains import check_domains
from .duration import is_whole, parse_duration
from .effects import check_examinable, parse_effect
from .findings import Findings, Place
from .formula import check_formulas, check_values, resolve_formulas
from .model import KEY_COLUMNS, Claim, Clock, Effect, Evidence, Model, Parameter, Schedule, Variable
from .quantities import check_quantities
from .refinement import find_obstacle
from .rules import check_claims, check_entry, check_model_rules
from .strategies import warn_of_leaving

EQUATIONS = frozenset({"start", "mechanism", "cases", "when", "missing"})
DEFAULT_CLOCK = ClockEntry(step="1 year", horizon="1 year", unit="year")


def examine_graph(graph: Graph, *, places: Mapping[str, Places] | None = None) -> tuple[Model | None, Findings]:
    """Compile, and collect errors and warnings instead of raising them. The model is None if an error prevents it."""
    findings = Findings()
    documents: dict[URIRef, Document] = {}
    with findings.catch(""):
        for iri in order_models(graph):
            known = (places or {}).get(local_name(iri)) or Places("", {})
            findings.places = {**findings.places, **_shorten(known)}
            documents[iri] = validate_document(to_data(graph, iri), known)
    for problem in check_targets(graph):
        findings.error(problem.node, problem.problem, fix=problem.fix, value=problem.value)
    if findings.errors:
        return None, findings
    return _Builder(documents, findings).build(), findings


def _shorten(places: Places) -> dict[str, Place]:
    """Lines by node: `variables.amyloid.mechanism` becomes `amyloid.mechanism`. Names come last, so they win."""
    found: dict[str, Place] = {}
    for path, line in sorted(places.lines.items(), key=lambda item: item[0].startswith(("variables.", "parameters."))):
        head, _, rest = path.partition(".")
        found[rest if head in ("variables", "parameters") and rest else path] = (places.file, line)
    return found


def _gather_evidence(entry: Evidenced) -> tuple[Evidence, ...]:
    if entry.evidence:
        return tuple(Evidence(source, entry.checked, entry.says) for source in sorted(set(entry.evidence)))
    return (Evidence("assumption"),) if entry.source else ()


@dataclass
class _Builder:
    documents: Mapping[URIRef, Document]
    findings: Findings
    owners: dict[str, URIRef] = field(default_factory=dict)  # the document that declares each name
    authors: dict[str, URIRef] = field(default_factory=dict)  # the document whose equations a variable has
    entries: dict[str, VariableEntry] = field(default_factory=dict)
    parameters: dict[str, Parameter] = field(default_factory=dict)
    extensions: list[tuple[str, VariableEntry, URIRef]] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)  # places whose expression does not parse
    parts: list[tuple[str, URIRef, Variable]] = field(default_factory=list)  # what each document says of variables
    timeless: bool = False  # the clock is invalid, so times cannot be checked

    def build(self) -> Model:
        for iri, document in self.documents.items():
            self.merge(iri, document)
        self.resolve_parameters()
        iri, document = list(self.documents.items())[-1]
        clock = self.read_clock(document)
        self.check_units_of_time(document)
        variables = {name: self.build_variable(name, name, entry, clock) for name, entry in self.entries.items()}
        model = Model(
            id=document.id,
            iri=str(iri),
            title=document.title,
            version=document.version,
            disease=document.disease,
            clock=clock,
            parameters=self.parameters,
            variables=variables,
            population=self.parse("population", document.population),
            description=document.description,
            places=self.findings.places,
        )
        for name, variable in variables.items():
            check_claims(variable, name, model, self.findings, self.broken)
        self.parts = [(name, self.authors[name], variable) for name, variable in variables.items()]
        model = replace(model, variables=self.extend(model))
        self.check_steps(model, iri)
        if not self.timeless:
            effects = (self.read_effect(f"effects.{i}", e, model) for i, e in enumerate(document.effects))
            model = replace(model, effects=tuple(effect for effect in effects if effect is not None))
            warn_of_leaving(model, self.findings)
        own = frozenset(name for name, owner in self.owners.items() if owner == iri)
        check_model_rules(model, self.findings, own=own, broken=self.broken)
        if not self.findings.errors:
            check_domains(model, self.findings, own=own)
            check_quantities(model, self.findings)
        return model

    def merge(self, iri: URIRef, document: Document) -> None:
        for name, parameter in document.parameters.items():
            if self.declare(name, iri):
                self.parameters[name] = self.build_parameter(name, parameter, iri)
        for name, entry in document.variables.items():
            target = entry.extends or entry.overrides
            if not target:
                if self.declare(name, iri):
                    self.entries[name] = entry
                    self.authors[name] = iri
            elif target not in self.entries or self.owners[target] == iri:
                imported = [n for n, owner in self.owners.items() if owner != iri and n in self.entries]
                near = nearest(target, imported)
                key = "extends" if entry.extends else "overrides"
                self.findings.error(
                    f"{name}.{key}",
                    f"no import declares a variable '{target}'",
                    fix=f"{key}: {near}" if near else f"one of: {', '.join(imported)}" if imported else "an import",
                    value=target,
                )
            elif entry.extends:
                self.extensions.append((name, entry, iri))
            elif name != target:
                self.findings.error(
                    f"{name}.overrides", "an override must have the name of its target", fix=f"{target}:", value=name
                )
            else:
                self.entries[name] = _override(self.entries[name], entry)
                if EQUATIONS & entry.model_fields_set:
                    self.authors[name] = iri

    def resolve_parameters(self) -> None:
        """Compute the values of the parameters that have a formula."""
        if check_formulas(self.parameters, self.entries, self.findings):
            self.parameters = resolve_formulas(self.parameters)
            for problem in check_values(self.parameters):
                self.findings.error(problem.node, problem.problem, fix=problem.fix, value=problem.value)

    def check_units_of_time(self, root: Document) -> None:
        """An import states rates and times in its clock's unit, which must match the importing document's."""
        for document in self.documents.values():
            if document.clock is None or root.clock is None or document.clock.unit == root.clock.unit:
                continue
            self.findings.error(
                "clock",
                f"'{document.id}' counts time in {document.clock.unit}s, but this document in {root.clock.unit}s",
                fix=f"unit: {document.clock.unit}",
                value=root.clock.unit,
            )

    def check_steps(self, model: Model, root: URIRef) -> None:
        """What an import says of a variable was written for its own clock's steps, and must hold for the model's."""
        if self.timeless:
            return
        for place, iri, variable in self.parts:
            theirs = self.documents[iri].clock
            if iri == root or theirs is None or place in self.broken:
                continue
            ratio = parse_duration(theirs.step) / model.clock.step
            if is_whole(ratio) and round(ratio) == 1:
                continue
            whole = ratio > 1 and is_whole(ratio)
            if obstacle := find_obstacle(variable, model.variables, whole=whole):
                self.findings.error(
                    "clock.step",
                    f"'{place}' of '{local_name(iri)}' is written for steps of {theirs.step}: {obstacle}",
                    fix=f"step: {theirs.step}, or {place}: {{overrides: {place}, …}}",
                    value=model.clock.text[0],
                )

    def declare(self, name: str, iri: URIRef) -> bool:
        """Register the name for the document; whether it was free."""
        if name in RESERVED or name in FAMILIES:
            self.findings.error(name, f"'{name}' is a reserved word", fix=f"{name}_: …", value=name)
            return False
        if name in KEY_COLUMNS:
            self.findings.error(name, f"'{name}' is the name of a table column", fix=f"{name}_: …", value=name)
            return False
        owner = self.owners.setdefault(name, iri)
        if owner == iri and not (name in self.entries or name in self.parameters):
            return True
        if owner == iri:
            self.findings.error(name, "a parameter and a variable have the same name", fix="rename one of them")
        elif name in self.entries and owner in self.ancestors(iri):
            self.findings.error(
                name,
                f"'{name}' is already declared by the import '{local_name(owner)}'",
                fix=f"{name}: {{overrides: {name}, …}} to replace its mechanism, or rename this one",
            )
        else:
            first, second = local_name(owner), local_name(iri)
            self.findings.error(
                name, f"'{name}' is declared by both '{first}' and '{second}'", fix="rename it in one of the two"
            )
        return False

    def ancestors(self, iri: URIRef) -> set[URIRef]:
        """The documents merged before this one if it is the root; empty for imports."""
        order = list(self.documents)
        return set(order[: order.index(iri)]) if iri == order[-1] else set()

    def read_clock(self, document: Document) -> Clock:
        default = parse_clock(DEFAULT_CLOCK.step, DEFAULT_CLOCK.horizon, DEFAULT_CLOCK.unit)
        if document.clock is None:
            if any(entry.kind != "static" for entry in self.entries.values()):
                self.findings.error(
                    "clock",
                    "the model changes over time but has no clock",
                    fix="clock: {step: 1 month, horizon: 10 years, unit: year}",
                )
                self.timeless = True
            return default
        with self.findings.catch("clock"):
            clock = parse_clock(document.clock.step, document.clock.horizon, document.clock.unit)
            if clock.shortened:
                self.findings.warn(
                    "clock.horizon",
                    f"the horizon is no whole number of steps of {clock.text[0]}: it ends with step {clock.steps}, at "
                    f"{clock.end}",
                    fix=f"horizon: {clock.end}",
                    value=clock.text[1],
                )
            return clock
        self.timeless = True
        return default

    def build_parameter(self, name: str, entry: ParameterEntry, iri: URIRef) -> Parameter:
        uncertain = None
        with self.findings.catch(f"{name}.uncertain"):
            if entry.uncertain:
                tree = parse_mechanism(entry.uncertain)
                if not isinstance(tree, Draw):
                    raise fail("uncertain must be a distribution", fix="Normal(3.6, 0.35)", value=entry.uncertain)
                if FAMILIES[tree.family].has_levels or tree.family == "Hazard":
                    raise fail("a parameter must be a number", fix="Normal(3.6, 0.35)", value=entry.uncertain)
                uncertain = tree
        formula = None
        with self.findings.catch(f"{name}.formula"):
            formula = parse_formula(entry.formula) if entry.formula else None
        return Parameter(
            name=name,
            iri=str(parameter_iri(iri, name)),
            value=math.nan if entry.value is None else entry.value,
            unit=entry.unit,
            uncertain=uncertain,
            title=entry.title,
            evidence=_gather_evidence(entry),
            formula=formula,
        )

    def parse(self, path: str, text: str) -> Expression | None:
        """An expression without a distribution; None if there is none or it is invalid."""
        with self.findings.catch(path):
            return parse_expression(text) if text else None
        return None

    def parse_key(self, path: str, text: str) -> Expression | None:
        with self.findings.catch(path):
            return parse_mechanism(text) if text else None
        self.broken.add(path.rpartition(".")[0])
        return None

    def parse_mechanism(self, place: str, entry: VariableEntry) -> Expression | None:
        """The mechanism, written as an expression or as a table of cases."""
        if entry.cases is None:
            return self.parse_key(f"{place}.mechanism", entry.mechanism)
        with self.findings.catch(f"{place}.cases"):
            return build_cases(entry.cases, entry.levels)
        self.broken.add(place)
        return None

    def parse_when(self, path: str, text: str, clock: Clock) -> Schedule | Expression | None:
        if self.timeless:
            return None
        with self.findings.catch(path):
            schedule = parse_schedule(text, clock=clock) if text else None
            return schedule if schedule is not None else self.parse_key(path, text)
        self.broken.add(path.rpartition(".")[0])
        return None

    def build_variable(self, name: str, place: str, entry: VariableEntry, clock: Clock) -> Variable:
        kind = entry.kind or "event"
        return Variable(
            name=name,
            iri=str(variable_iri(self.owners[name], name)),
            kind=kind,
            title=entry.title,
            synonyms=entry.synonyms,
            related_synonyms=entry.related_synonyms,
            concept=entry.concept,
            unit=entry.unit,
            start=self.parse_key(f"{place}.start", entry.start),
            mechanism=self.parse_mechanism(place, entry),
            of=entry.of,
            when=self.parse_when(f"{place}.when", entry.when, clock),
            missing=self.parse_key(f"{place}.missing", entry.missing),
            occurs=entry.occurs or "once",
            ends=entry.ends or "nothing",
            competes=entry.competes,
            any_of=entry.any_of,
            recorded=kind != "state" if entry.recorded is None else entry.recorded,
            claims=_build_claims(name, entry),
            declared_levels=entry.levels,
            ordered=bool(entry.ordered),
        )

    def extend(self, model: Model) -> dict[str, Variable]:
        """The variables, each extended event with the sum of its rates and the union of its claims. Rates add up: the
        first of several independent hazards strikes at the sum of their rates."""
        variables = dict(model.variables)
        for place, entry, iri in self.extensions:
            event = variables[entry.extends]
            added = self.build_variable(event.name, place, entry, model.clock)
            self.parts.append((place, iri, added))
            check_claims(added, place, model, self.findings, self.broken)
            if place in self.broken:
                continue
            ours, theirs = event.mechanism, added.mechanism
            if not (isinstance(ours, Draw) and isinstance(theirs, Draw) and ours.family == theirs.family == "Hazard"):
                self.findings.error(
                    f"{place}.mechanism",
                    f"an extension must be a Hazard, and so must the event '{event.name}'",
                    fix="mechanism: Hazard(0.01)",
                    value=entry.mechanism,
                )
                continue
            rate = Binary("+", ours.parameters[0], theirs.parameters[0])
            claims = _unite_claims((*event.claims, *added.claims))
            variables[event.name] = replace(event, mechanism=Draw("Hazard", (rate,)), claims=claims)
        return variables

    def read_effect(self, path: str, entry: EffectEntry, model: Model) -> Effect | None:
        with self.findings.catch(path):
            effect = parse_effect(entry, model)
            check_examinable(effect, model)
            if effect.population is not None:
                check_entry(f"{path}.population", effect.population, model, self.findings)
            return effect
        return None


def _override(old: VariableEntry, new: VariableEntry) -> VariableEntry:
    """The imported variable with the override's keys replaced. A new equation also replaces the claims."""
    changed = {key: getattr(new, key) for key in new.model_fields_set - {"overrides"}}
    if EQUATIONS & changed.keys():
        changed.setdefault("caused_by", {})
    if "mechanism" in changed:
        changed["cases"] = None
    elif "cases" in changed:
        changed["mechanism"] = ""
    return old.model_copy(update=changed)


def _build_claims(name: str, entry: VariableEntry) -> tuple[Claim, ...]:
    structural = dict.fromkeys([entry.of, *entry.any_of] if entry.of else entry.any_of)
    claims = [Claim(cause, name, structural=True) for cause in structural if cause not in entry.caused_by]
    claims += [
        Claim(cause, name, _gather_evidence(claim), structural=cause in structural)
        for cause, claim in entry.caused_by.items()
    ]
    return tuple(claims)


def _unite_claims(claims: Iterable[Claim]) -> tuple[Claim, ...]:
    """One claim per cause, with all the evidence; an assumption is dropped if there is a citation."""
    united: dict[str, Claim] = {}
    for claim in claims:
        known = united.get(claim.cause)
        evidence = dict.fromkeys((*(known.evidence if known else ()), *claim.evidence))
        cited = tuple(item for item in evidence if not item.assumed)
        united[claim.cause] = replace(claim, evidence=cited or tuple(evidence))
    return tuple(united.values())
