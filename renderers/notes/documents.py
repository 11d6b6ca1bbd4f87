"""Which documents a journey leaves behind, and when: by the concepts that are recorded, not by disease."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...causal.language import reads
from ...causal.language.syntax import Binary, Expression, Name, Number, Past, Unary
from ...causal.model.clock import time_of
from ...causal.model.model import Model
from ...ontology.knowledge import KnowledgeGraph
from ..binding import begins_at_birth, converts, falls_under
from ..journey import Journey
from ..noise import WEEK
from .facts import Document
from .lexicon import Lexicon
from .words.locale import load_words
from .words.usage import UsageWords

MENTAL_FUNCTION = "HP:0011446"  # Abnormality of mental function
NERVOUS_MORPHOLOGY = "HP:0012639"  # Abnormal nervous system morphology
LETTER_EVERY = 0.999  # years: letters are a year apart, but for what is new
ROUNDS_EVERY = 0.5 / 365.25  # years: on a ward, twice a day
NARROW = 0.1  # of a bound: how near to it a value makes a diagnosis uncertain


@dataclass(frozen=True)
class Criterion:
    """What a diagnosis is concluded from: recorded values within bounds, and events that must not have been."""

    bounds: tuple[tuple[str, str, float], ...]  # measurement, comparison, bound
    excludes: tuple[str, ...]


@dataclass(frozen=True)
class ClinicalPractice:
    """The care that a model's record comes from, found by concept, unit and clock."""

    model: Model
    lexicon: Lexicon
    hospital: bool  # the clock counts in less than a week: a stay, not visits
    memory: bool  # scores of mental function are recorded
    brain: bool  # all volumes that are measured are the nervous system's
    lesions: frozenset[str]  # events that are seen in images of it
    criteria: Mapping[str, Criterion]  # by diagnosis
    common: frozenset[str]  # yes-or-no statics that decide who enters: all have the same, and no note tells it
    birth: bool  # whether time 0 is birth
    onsets: Mapping[str, frozenset[str]]  # of journeys from birth: ages to come, and statics that foretell them


@dataclass(frozen=True)
class Due:
    """A document and its time. `closing`: it is written in the very instant that ends the record."""

    step: int
    time: float
    document: Document
    since: int  # the step of the last clinical document before it, or -1: what came later is new
    closing: bool = False


def describe_practice(model: Model, *, lexicon: Lexicon, knowledge: KnowledgeGraph) -> ClinicalPractice:
    def under(name: str, concept: str) -> bool:
        return falls_under(model.variables[name], (concept,), model=model, knowledge=knowledge)

    volumes = [term.variable for term in lexicon.of_role("volume")]
    diagnoses = [term.variable for term in lexicon.of_role("diagnosis")]
    return ClinicalPractice(
        model=model,
        lexicon=lexicon,
        hospital=model.clock.unit < WEEK,
        memory=any(under(term.variable, MENTAL_FUNCTION) for term in lexicon.of_role("score")),
        brain=bool(volumes) and all(under(name, NERVOUS_MORPHOLOGY) for name in volumes),
        lesions=frozenset(t.variable for t in lexicon.of_role("occurrence") if under(t.variable, NERVOUS_MORPHOLOGY)),
        criteria={name: found for name in diagnoses if (found := find_criterion(name, model)) is not None},
        common=frozenset(
            read.name
            for read in (reads(model.population) if model.population is not None else ())
            if read.name in lexicon.terms and lexicon[read.name].binary
        ),
        birth=begins_at_birth(model) and not lexicon.of_role("age"),
        onsets=find_onset_ages(model, lexicon) if begins_at_birth(model) else {},
    )


def find_onset_ages(model: Model, lexicon: Lexicon) -> dict[str, frozenset[str]]:
    """Recorded ages at onset, of journeys from birth: nobody knows such an age before it has come, nor what it alone is
    drawn from; both are by its name."""
    onset = load_words(UsageWords, lexicon.locale).labels.onset
    ages = [t for t in lexicon.of_role("history") if converts(t.unit, "a") and t.label.startswith(onset)]
    found = {}
    for term in ages:
        claims = model.variables[term.variable].claims
        alone = {claim.cause for claim in claims if _children(claim.cause, model) == {term.variable}}
        found[term.variable] = frozenset({term.variable, *alone})
    return found


def _children(cause: str, model: Model) -> set[str]:
    return {claim.effect for claim in model.claims if claim.cause == cause}


def find_criterion(event: str, model: Model) -> Criterion | None:
    """The bounds of a diagnosis whose mechanism is comparisons of recorded measurements with numbers, all of which must
    hold, and events that must not have been; None for any other mechanism."""
    mechanism = model.variables[event].mechanism
    bounds: list[tuple[str, str, float]] = []
    excludes: list[str] = []
    for part in _conjuncts(mechanism) if mechanism is not None else ():
        match part:
            case Unary("not", Past("ever", name)):
                excludes.append(name)
            case Binary("<" | "<=" | ">" | ">=" as sign, left, right):
                bound = _bound(left, sign, right, model) or _bound(right, sign.translate(MIRROR), left, model)
                if bound is None:
                    return None
                bounds.append(bound)
            case _:
                return None
    return Criterion(tuple(bounds), tuple(excludes)) if bounds else None


MIRROR = str.maketrans("<>", "><")


def _conjuncts(expression: Expression) -> list[Expression]:
    if isinstance(expression, Binary) and expression.operator == "and":
        return [*_conjuncts(expression.left), *_conjuncts(expression.right)]
    return [expression]


def _bound(left: Expression, sign: str, right: Expression, model: Model) -> tuple[str, str, float] | None:
    if not isinstance(left, Name) or left.name not in model.variables:
        return None
    variable = model.variables[left.name]
    if variable.kind != "measurement" or not variable.recorded or variable.levels:
        return None
    if isinstance(right, Number):
        return left.name, sign, right.value
    if isinstance(right, Name) and right.name in model.parameters:
        return left.name, sign, model.parameters[right.name].value
    return None


def plan_documents(journey: Journey, practice: ClinicalPractice) -> list[Due]:
    """All documents of a journey, in the order of time; none after its record's end."""
    plan = _plan_stay if practice.hospital else _plan_visits
    return [due for due in plan(journey, practice) if due.closing or journey.covers(due.time)]


def _measured(journey: Journey, practice: ClinicalPractice) -> tuple[set[int], set[int], set[int], set[int]]:
    """The steps with measurements other than volumes, with scores, with volumes, and with a treatment changed."""
    roles = {term.variable: term.role for term in practice.lexicon.terms.values()}
    steps: dict[str, set[int]] = {"clinic": set(), "score": set(), "volume": set(), "treatment": set()}
    for row in journey.rows:
        role = roles.get(row.variable)
        kind = role if role in ("volume", "treatment") else "clinic"
        steps[kind].add(row.step)
        if role == "score":
            steps["score"].add(row.step)
    return steps["clinic"], steps["score"], steps["volume"], steps["treatment"]


def _plan_visits(journey: Journey, practice: ClinicalPractice) -> list[Due]:
    """A clinic's documents: a letter of the first visit, then once a year and when there is a new diagnosis; a note of
    every other visit; a report of each imaging; a discharge summary after what brings people to hospital; a telephone
    note of treatments changed between visits, and of leaving the clinic."""
    clock, roles = practice.model.clock, {t.variable: t.role for t in practice.lexicon.terms.values()}
    clinic, scores, volumes, treatments = _measured(journey, practice)
    if 0 in treatments or all(v.kind != "measurement" for v in practice.model.variables.values()):
        clinic.add(0)
    scored = bool(practice.lexicon.of_role("score"))
    diagnosed = {e.step for e in journey.events if roles.get(e.event) == "diagnosis"}
    admitted = {e.step for e in journey.events if roles.get(e.event) == "occurrence"}
    found: list[Due] = []
    visit = letter = -1
    for step in sorted(clinic | volumes | treatments | admitted):
        time = time_of(step, clock=clock)
        documents: list[Document] = ["discharge"] if step in admitted else []
        if step in clinic:
            due = letter < 0 or (step - letter) * clock.step >= LETTER_EVERY
            news = any(visit < other <= step for other in diagnosed)
            written = (due or news) and (not scored or step in scores or letter < 0)
            documents.append("letter" if written else "progress")
        elif step in treatments:
            documents.append("telephone")
        if step in volumes:
            documents.append("imaging")
        found += [Due(step, time, document, visit) for document in documents]
        visit = step if documents != ["imaging"] else visit
        letter = step if "letter" in documents else letter
    closing = next((e for e in journey.events if e.time == journey.end and roles.get(e.event) == "departure"), None)
    if closing is not None and closing.event == journey.ended_by:
        found.append(Due(closing.step, closing.time, "telephone", visit, closing=True))
    return found


def _plan_stay(journey: Journey, practice: ClinicalPractice) -> list[Due]:
    """A hospital stay's: a note on admission and at each round, reports of imaging, a summary in the instant of its
    recorded end, whatever that is; none where the run stops before the stay does."""
    clock = practice.model.clock
    clinic, _, volumes, treatments = _measured(journey, practice)
    every = max(1, round(ROUNDS_EVERY / clock.step))
    rounds = {step for step in clinic | treatments if step % every == 0} | {0}
    found: list[Due] = []
    last = -1
    for step in sorted(rounds | volumes):
        time = time_of(step, clock=clock)
        found += [Due(step, time, "progress", last)] if step in rounds else []
        found += [Due(step, time, "imaging", last)] if step in volumes else []
        last = step if step in rounds else last
    closing = next((e for e in journey.events if e.time == journey.end and e.event == journey.ended_by), None)
    if closing is not None:
        found.append(Due(closing.step, closing.time, "discharge", -1, closing=True))
    return found
