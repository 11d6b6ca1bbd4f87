"""Facts told wrongly on purpose: a plan with what the record does not say in the place of what it does say."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from ....causal.language.syntax import Call, Expression, find_draw
from ....causal.model.formula import evaluate_formula
from ....causal.model.model import Model
from ...noise import Noise
from ..documents import ClinicalPractice
from ..facts import Fact, NotePlan
from ..grammar.numbers import show_number
from ..lexicon import Lexicon, LexiconTerm
from ..words.locale import load_words
from ..words.usage import UsageWords

ERRORS, SHARE = 4.0, 0.25  # how far a contradicting value is from the record: in errors of measurement, and of itself
UNKNOWN_ERROR = 0.1  # of a value, where the model does not say how well it is measured
NEAR = 1e-9


@dataclass(frozen=True)
class PlannedFault:
    """A fault that is planned and has no words yet."""

    kind: str
    fact: str
    variable: str
    told: float | str | None
    truth: float | str | None
    problem: str


def plan_faults(
    plan: NotePlan, *, rates: Mapping[str, float], practice: ClinicalPractice, noise: Noise
) -> tuple[NotePlan, tuple[PlannedFault, ...]]:
    """The plan with wrong facts in the place of right ones, and which they are. Keys of facts stay, and with them the
    words of everything else."""
    chance = draw_by_name(plan, noise)
    facts, planned = [], []
    for fact in plan.facts:
        fault = None
        for kind, alter in ALTERATIONS.items():
            if chance(kind, fact.key) < rates.get(kind, 0.0):
                altered = alter(_Candidate(fact, plan, practice, chance))
                if altered is not None:
                    fact, fault = altered
                    break
        facts.append(fact)
        planned += [fault] if fault is not None else []
    return replace(plan, facts=tuple(facts)), tuple(planned)


def find_opportunities(plan: NotePlan, *, kind: str, practice: ClinicalPractice, noise: Noise) -> list[str]:
    """The keys of the facts that a fault of this kind may befall; not for residue, which befalls lines."""
    chance = draw_by_name(plan, noise)
    cases = (_Candidate(fact, plan, practice, chance) for fact in plan.facts)
    return [case.fact.key for case in cases if ALTERATIONS[kind](case) is not None]


Chance = Callable[[str, str], float]


def draw_by_name(plan: NotePlan, noise: Noise) -> Chance:
    """Uniforms in [0, 1) that depend on the document and on what they are asked for, and on no world."""
    secret = repr(noise.uniform(f"faults of {plan.document}")[0]).encode()

    def chance(purpose: str, key: str) -> float:
        digest = hashlib.blake2b(f"{purpose}\x1f{key}".encode(), digest_size=8, key=secret).digest()
        return int.from_bytes(digest, "little") / 2**64

    return chance


@dataclass(frozen=True)
class _Candidate:
    """A fact that may be told wrongly."""

    fact: Fact
    plan: NotePlan
    practice: ClinicalPractice
    chance: Chance

    @property
    def term(self) -> LexiconTerm:
        return self.practice.lexicon[self.fact.variable]

    @property
    def measured(self) -> bool:
        """A value or a level, and not merely whether something is there."""
        fact = self.fact
        return fact.kind == "value" or (fact.kind == "finding" and isinstance(fact.value, str))

    @property
    def changed(self) -> bool:
        """Taken now, and different in words from what was before it."""
        fact = self.fact
        if not self.measured or fact.previous is None or abs(fact.time - self.plan.time) > NEAR:
            return False
        return show_value(fact.value, fact.unit) != show_value(fact.previous, fact.unit)

    def fault(self, kind: str, told: float | str | None, truth: float | str | None, problem: str) -> PlannedFault:
        return PlannedFault(kind, self.fact.key, self.fact.variable, told, truth, problem)


Altered = tuple[Fact, PlannedFault] | None


def _contradict(case: _Candidate) -> Altered:
    fact = case.fact
    if not case.measured:
        return None
    if isinstance(fact.value, str):
        others = [level for level in case.term.levels if level not in (fact.value, fact.previous)]
        if not others:
            return None
        value: float | str = others[int(case.chance("level", fact.key) * len(others))]
    elif fact.value is None:
        return None
    else:
        found = _miss(case, fact.value, case.practice.model)
        if found is None:
            return None
        value = found
    problem = f"the record has {show_value(fact.value, fact.unit)}, the text {show_value(value, fact.unit)}"
    return replace(fact, value=value), case.fault("contradiction", value, fact.value, problem)


def _miss(case: _Candidate, value: float, model: Model) -> float | None:
    """A value that no error of measurement explains, within the limits of the model; None where there is none."""
    low, high, error = describe_measurement(case.fact.variable, value, model)
    size = max(ERRORS * error * (1 + case.chance("how far", case.fact.key)), SHARE * abs(value))
    signs = (1, -1) if case.chance("which way", case.fact.key) < 0.5 else (-1, 1)
    for sign in signs:
        wrong = float(show_number(value + sign * size, case.fact.unit))
        if value.is_integer():
            wrong = float(value + sign * math.ceil(size))
        if low <= wrong <= high and show_value(wrong, case.fact.unit) not in _shown(case.fact):
            return wrong
    return None


def _shown(fact: Fact) -> tuple[str, str]:
    return show_value(fact.value, fact.unit), show_value(fact.previous, fact.unit)


def describe_measurement(variable: str, value: float, model: Model) -> tuple[float, float, float]:
    """The least and the greatest value of a measurement, and the standard deviation of its error at `value`.

    The limits are those of the mechanism's `clip`, and zero for what is not negative; the error is the scale of its
    distribution, where the state that it measures stands at `value`, and a tenth of the value where there is no scale.
    """
    mechanism = model.variables[variable].mechanism
    low, high = (0.0 if value >= 0 else -math.inf), math.inf
    error = UNKNOWN_ERROR * abs(value)
    if mechanism is None:
        return low, high, error
    known = {name: parameter.value for name, parameter in model.parameters.items()}
    known[model.variables[variable].of] = value

    def work_out(expression: Expression) -> float | None:
        try:
            return evaluate_formula(expression, known)
        except KeyError:  # it reads something else
            return None

    if isinstance(mechanism, Call) and mechanism.function == "clip":
        bounds = [work_out(argument) for argument in mechanism.arguments[1:]]
        low, high = (given if given is not None else old for given, old in zip(bounds, (low, high), strict=True))
    draw = find_draw(mechanism)
    if draw is not None and draw.family in ("Normal", "Logistic", "StudentT", "LogNormal"):
        scale = work_out(draw.parameters[-1])
        if scale is not None:
            error = scale * abs(value) if draw.family == "LogNormal" else scale
    return low, high, error


def _mistake_side(case: _Candidate) -> Altered:
    fact, locale = case.fact, case.practice.lexicon.locale
    if isinstance(fact.value, str) and (other := mirror(fact.value, locale)) in case.term.levels:
        return replace(fact, value=other), case.fault("side", other, fact.value, f"it is {fact.value}, not {other}")
    label = mirror(fact.label, locale)
    if fact.kind == "value" and label is not None:
        told = find_mirrored(fact.variable, case.practice.lexicon)
        if told is not None:
            wrong = replace(fact, variable=told.variable, concept=told.concept, label=told.label)
            return wrong, case.fault("side", told.label, fact.label, f"said of {told.label}, measured of {fact.label}")
        if case.term.names == (case.term.label,):
            problem = f"said of {label}, measured of {fact.label}"
            return replace(fact, label=label), case.fault("side", label, fact.label, problem)
    if not case.changed or fact.kind != "value":
        return None
    now, before = _shown(fact)
    wrong = replace(fact, value=fact.previous, previous=fact.value)
    return wrong, case.fault("side", fact.previous, fact.value, f"from {before} to {now}, told the other way round")


def mirror(text: str, locale: str) -> str | None:
    """The same of the other side; None where no side is named."""
    pattern, sides = _name_sides(locale)
    other = pattern.sub(lambda found: sides[found[0]], text)
    return other if other != text else None


@lru_cache(maxsize=16)
def _name_sides(locale: str) -> tuple[re.Pattern[str], dict[str, str]]:
    """A pattern for the words of a side, and for each of them that of the other one."""
    sides = load_words(UsageWords, locale).sides
    other = {**sides, **{right: left for left, right in sides.items()}}
    other |= {one.capitalize(): two.capitalize() for one, two in other.items()}
    return re.compile(rf"\b({'|'.join(other)})\b"), other


def find_mirrored(variable: str, lexicon: Lexicon) -> LexiconTerm | None:
    """The term of the same thing on the other side."""
    label = mirror(lexicon[variable].label, lexicon.locale)
    return next((term for term in lexicon.terms.values() if term.label == label), None)


def _copy_forward(case: _Candidate) -> Altered:
    fact = case.fact
    if not case.changed:
        return None
    now, before = _shown(fact)
    wrong = replace(fact, value=fact.previous, previous=None)  # its date stays: a report may name the earlier study
    return wrong, case.fault("stale", fact.previous, fact.value, f"{before} was the value before, now it is {now}")


def _negate(case: _Candidate) -> Altered:
    fact, there = case.fact, case.fact.status == "absent"
    if fact.status == "uncertain" or case.measured:
        return None
    if fact.kind == "finding":
        wrong = replace(fact, status="present" if there else "absent", value=float(there))
    elif fact.kind == "event" and case.term.role not in ("end", "departure"):
        wrong = replace(fact, status="present" if there else "absent", value=float(there), time=case.plan.time)
    elif fact.kind == "treatment":
        dose = fact.previous or (1.0 if fact.unit in ("", "1") else None)
        if there and not dose:
            return None
        value = dose if there else 0.0
        wrong = replace(fact, status="present" if there else "absent", value=value, previous=None, previous_time=None)
    else:
        return None
    problem = f"{fact.label}: {fact.status} on the record, {wrong.status} in the text"
    return wrong, case.fault("negation", wrong.status, fact.status, problem)


ALTERATIONS: dict[str, Callable[[_Candidate], Altered]] = {
    "contradiction": _contradict,
    "side": _mistake_side,
    "stale": _copy_forward,
    "negation": _negate,
}


def show_value(value: float | str | None, unit: str) -> str:
    """A value as notes write it."""
    return value if isinstance(value, str) else "" if value is None else show_number(value, unit)
