"""Where two models differ in meaning: comments, order, titles and number formats do not count."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from .cases import find_table
from .model import Claim, Clock, Effect, Evidence, Model, Parameter, Schedule, Variable

Facts = dict[str, str]
T = TypeVar("T")


@dataclass(frozen=True)
class Difference:
    """One aspect of one node. `before` and `after` are written as in a document; empty if absent."""

    node: str
    aspect: str
    before: str
    after: str

    def __str__(self) -> str:
        if self.aspect == "exists":
            return f"{self.node}: {'only in the second' if self.after else 'only in the first'}"
        return f"{self.node}.{self.aspect}: {self.before or '(none)'} -> {self.after or '(none)'}"


def diff_models(a: Model, b: Model) -> tuple[Difference, ...]:
    """The differences in meaning between two models; empty if they mean the same."""
    found = [*_compare("model", _describe_model(a), _describe_model(b))]
    found += _compare_all(a.parameters, b.parameters, _describe_parameter)
    found += _compare_all(a.variables, b.variables, _describe_variable)
    found += _compare_all(_describe_effects(a), _describe_effects(b), dict)
    return tuple(found)


def _describe_effects(model: Model) -> dict[str, Facts]:
    """Effects by treatment, outcome and time; duplicates are numbered."""
    named: dict[str, Facts] = {}
    for effect in model.effects:
        months = effect.by * model.clock.step * 12
        name = f"{effect.treatment} -> {effect.outcome} @ {months:.6g} months"
        count = sum(known.partition(" (")[0] == name for known in named)
        facts = _describe_effect(effect) | {"contrast": model.write_contrast(effect)}
        named[f"{name} ({count + 1})" if count else name] = facts
    return named


def _compare_all(a: Mapping[str, T], b: Mapping[str, T], describe: Callable[[T], Facts]) -> Iterator[Difference]:
    for name in dict.fromkeys([*a, *b]):
        if name in a and name in b:
            yield from _compare(name, describe(a[name]), describe(b[name]))
        else:
            yield Difference(name, "exists", "yes" if name in a else "", "yes" if name in b else "")


def _compare(node: str, a: Facts, b: Facts) -> Iterator[Difference]:
    for aspect in dict.fromkeys([*a, *b]):
        before, after = a.get(aspect, ""), b.get(aspect, "")
        if before != after:
            yield Difference(node, aspect, before, after)


def _describe_model(model: Model) -> Facts:
    return {
        "disease": model.disease,
        "clock": _describe_clock(model.clock),
        "population": str(model.population or ""),
    }


def _describe_clock(clock: Clock) -> str:
    return f"{clock.steps} steps of {clock.step:.12g} years, counted in {clock.unit:.12g} years"


def _describe_parameter(parameter: Parameter) -> Facts:
    return {
        "value": repr(parameter.value) if parameter.formula is None else "",
        "formula": str(parameter.formula or ""),
        "unit": parameter.unit,
        "uncertain": str(parameter.uncertain or ""),
        "evidence": _describe_evidence(parameter.evidence),
    }


def _describe_variable(variable: Variable) -> Facts:
    facts = {
        "kind": variable.kind,
        "synonyms": "; ".join(variable.synonyms),
        "related_synonyms": "; ".join(variable.related_synonyms),
        "concept": variable.concept,
        "unit": variable.unit,
        "of": variable.of,
        "occurs": variable.occurs,
        "ends": variable.ends,
        "competes": variable.competes,
        "any_of": ", ".join(variable.any_of),
        "recorded": str(variable.recorded).lower(),
        "levels": ", ".join(variable.declared_levels),
        "ordered": "true" if variable.ordered else "",
    }
    for key, expression in variable.expressions.items():
        table = find_table(expression)
        if table is None:
            facts[key] = str(expression)
            continue
        facts[f"{key}.of"] = ", ".join(table.of)
        for levels, probabilities in table.rows:
            facts[f"{key}[{', '.join(levels)}]"] = ", ".join(f"{p:.9g}" for p in probabilities)
    if isinstance(variable.when, Schedule):
        steps = variable.when
        facts["when"] = f"at {steps.at}" if steps.at else f"every {steps.every} steps from step {steps.first}"
    return facts | {f"caused_by.{claim.cause}": _describe_claim(claim) for claim in variable.claims}


def _describe_claim(claim: Claim) -> str:
    return _describe_evidence(claim.evidence) or "measured"


def _describe_evidence(evidence: tuple[Evidence, ...]) -> str:
    texts = []
    for item in sorted(evidence, key=lambda item: item.source):
        texts.append(" ".join(filter(None, (item.source, f"({item.checked})" if item.checked else "", item.says))))
    return "; ".join(texts)


def _describe_effect(effect: Effect) -> Facts:
    return {
        "decision": str(effect.decision),
        "strategy": effect.strategy,
        "population": str(effect.population or ""),
        "death": effect.death,
        "leaving": effect.leaving,
        "missed": effect.missed,
        "stopping": effect.stopping,
        "composite": "" if effect.composite is None else f"{effect.composite:g}",
    }
