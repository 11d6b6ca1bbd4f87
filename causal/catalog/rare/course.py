"""The time course of a disease: age at onset, death, progression. Journeys start at birth, and time is in years.

Ages are those of HPO's definitions (hp.obo, below HP:0003674 "Onset" and HP:0011420 "Age of death"). If a definition
leaves an end open, a life span of 80 years is assumed, as in HPO's definition of penetrance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from ....ontology.annotations import count_diseases
from ....ontology.hpo import Annotation
from ....ontology.knowledge import KnowledgeGraph
from .entries import DraftParameter, DraftVariable, write_number
from .frequencies import Frequency, pool_frequency
from .inheritance import cite

Ages = tuple[float, float]
MONTH = 28 / 365.25  # the first 28 days of life
LIFE = 80.0
SHORTEST, UNKNOWN = 20, 40  # the least horizon in years; the least if the onset is unknown
ALIVE = 1000.0  # an age at death that no journey reaches

ONSETS: dict[str, tuple[str, float, float]] = {  # code -> name, lowest age, highest age
    **dict.fromkeys(("HP:0030674", "HP:0011460", "HP:0011461", "HP:0034197", "HP:0034198"), ("congenital", 0, 0)),
    **dict.fromkeys(("HP:0034199", "HP:0003577"), ("congenital", 0, 0)),  # before birth: present from the start
    "HP:0003623": ("neonatal", 0, MONTH),
    "HP:0003593": ("infantile", MONTH, 1),
    "HP:0011463": ("childhood", 1, 5),
    "HP:0003621": ("juvenile", 5, 15),
    "HP:0410280": ("pediatric", MONTH, 16),
    "HP:0003581": ("adult", 16, LIFE),
    "HP:0011462": ("young_adult", 16, 40),
    "HP:0025708": ("early_young_adult", 16, 19),
    "HP:0025709": ("intermediate_young_adult", 19, 25),
    "HP:0025710": ("late_young_adult", 25, 40),
    "HP:0003596": ("middle_age", 40, 60),
    "HP:0003584": ("late", 60, LIFE),
    "HP:4000040": ("puerperal", 16, 45),  # these three name no ages: assumed
    "HP:6000314": ("perimenopausal", 45, 55),
    "HP:6000315": ("postmenopausal", 50, LIFE),
}
BROAD = {  # a broad term adds nothing if a narrower one is annotated
    "pediatric": ("infantile", "childhood", "juvenile"),
    "adult": ("young_adult", "early_young_adult", "intermediate_young_adult", "late_young_adult", "middle_age", "late"),
    "young_adult": ("early_young_adult", "intermediate_young_adult", "late_young_adult"),
}
MEASURED = ("congenital", "neonatal", "infantile", "childhood", "juvenile", "young_adult", "middle_age", "late")
DEATHS: dict[str, tuple[str, float, float]] = {
    "HP:0003811": ("neonatal_death", 0, MONTH),
    "HP:0001522": ("death_in_infancy", 0, 2),
    "HP:0003819": ("death_in_childhood", 2, 10),
    "HP:0011421": ("death_in_adolescence", 10, 19),
    "HP:0100613": ("death_in_early_adulthood", 16, 40),
    "HP:0033763": ("death_in_adulthood", 16, LIFE),
    "HP:0033764": ("death_in_middle_age", 40, 60),
    "HP:0033765": ("death_in_late_adulthood", 60, LIFE),
}
BEFORE_BIRTH = {"HP:0034241": "prenatal death", "HP:0003826": "stillbirth", "HP:0005268": "miscarriage"}
PACES = {  # progression a year: assumed
    "HP:0003678": (0.5, "Rapidly progressive"),
    "HP:0003677": (0.02, "Slowly progressive"),
    "HP:0003676": (0.1, "Progressive"),
    "HP:0003682": (0.1, "Progressive at a variable rate"),
}
INTERMITTENT = ("HP:0031796", "HP:0025303", "HP:0025304", "HP:0025305", "HP:0033349", "HP:0031914")
PASSING = ("HP:0025153", "HP:0034382")


@dataclass(frozen=True)
class Share:
    """One part of a disease's patients: its level, its ages, and its frequency."""

    level: str
    ages: Ages
    frequency: Frequency


@dataclass(frozen=True)
class DiseaseCourse:
    """When a disease begins, whether and when patients die of it, and its progression. Shares of `onsets` need not sum
    to 1."""

    onsets: tuple[Share, ...]
    deaths: tuple[Share, ...]
    pace: tuple[float, str, tuple[str, ...]] | None
    horizon: int
    comments: tuple[str, ...]
    assumed: tuple[str, ...]


def read_course(
    annotations: Sequence[Annotation], *, knowledge: KnowledgeGraph, term_onsets: Sequence[str] = ()
) -> DiseaseCourse:
    """What the rows of aspect C say together. `term_onsets`, the onsets of single terms, can extend the horizon."""
    rows: dict[str, list[Annotation]] = {}
    for row in annotations:
        if row.aspect == "C" and not row.absent:
            rows.setdefault(row.phenotype, []).append(row)
    comments, assumed = [], []
    onsets = _narrow(_shares(rows, ONSETS))
    deaths = _shares(rows, DEATHS)
    if {"neonatal_death", "death_in_infancy"} <= {death.level for death in deaths}:
        later = {"death_in_infancy": (MONTH, 2.0)}  # the first month has its own share
        deaths = tuple(Share(d.level, later.get(d.level, d.ages), d.frequency) for d in deaths)
    ends = [share.ages[1] for share in (*onsets, *deaths)] + [ONSETS[code][2] for code in term_onsets if code in ONSETS]
    horizon = int(max([SHORTEST if onsets else UNKNOWN, *ends]))
    if not onsets:
        onsets = measure_onsets(knowledge, horizon)
        comments.append("no onset is annotated: it is drawn as often as onsets are annotated over all diseases")
        assumed.append("onset unknown")
    elif len(onsets) > 1 and any(share.frequency.basis == "assumption" for share in onsets):
        comments.append("several onsets are annotated, not all with a number: those without have the mean share")
        onsets = _level(onsets)
        assumed.append("shares of several onsets")
    if any(share.frequency.basis == "assumption" for share in deaths):
        assumed.append("how many die")
    for code, words in BEFORE_BIRTH.items():
        if code in rows:
            comments.append(f"{words} is annotated, and left out: journeys begin at birth")
    known = (ONSETS, DEATHS, BEFORE_BIRTH, PACES)
    for code, own in rows.items():
        if not any(code in table for table in known):
            comments.append(
                f"{knowledge.label(code) or code} ({', '.join(own[0].references)}): said here, changes nothing"
            )
    return DiseaseCourse(onsets, deaths, _pace(rows), horizon, tuple(comments), tuple(assumed))


def _shares(rows: dict[str, list[Annotation]], table: dict[str, tuple[str, float, float]]) -> tuple[Share, ...]:
    """One share for each level, from youngest to oldest; rows of codes with the same ages are pooled."""
    found: dict[tuple[str, float, float], list[Annotation]] = {}
    for code, own in rows.items():
        if code in table:
            found.setdefault(table[code], []).extend(own)
    shares = []
    for (level, low, high), own in sorted(found.items(), key=lambda item: item[0][1:]):
        frequency = pool_frequency(own)
        if frequency.value > 0:
            shares.append(Share(level, (float(low), float(high)), frequency))
    return tuple(shares)


def _narrow(onsets: tuple[Share, ...]) -> tuple[Share, ...]:
    levels = {share.level for share in onsets}
    return tuple(share for share in onsets if levels.isdisjoint(BROAD.get(share.level, ())))


def _level(onsets: tuple[Share, ...]) -> tuple[Share, ...]:
    """Give onsets without a number the mean share of those with one."""
    known = [share.frequency.value for share in onsets if share.frequency.basis != "assumption"]
    mean = sum(known) / len(known) if known else 1 / len(onsets)
    return tuple(
        share
        if share.frequency.basis != "assumption"
        else Share(share.level, share.ages, _assume(mean, share.frequency))
        for share in onsets
    )


def _assume(value: float, frequency: Frequency | None = None) -> Frequency:
    references = frequency.references if frequency else ()
    return Frequency(value, "", (0.0, 1.0), "assumption", None, None, references, ())


def _pace(rows: dict[str, list[Annotation]]) -> tuple[float, str, tuple[str, ...]] | None:
    found = [code for code in PACES if code in rows]
    if {"HP:0003678", "HP:0003677"} <= set(found):
        found = ["HP:0003682"]
    if not found:
        return None
    references = [ref for code in PACES for row in rows.get(code, ()) for ref in row.references]
    return (*PACES[found[0]], cite(references))


@lru_cache(maxsize=2)
def count_onsets(knowledge: KnowledgeGraph) -> dict[str, int]:
    """The number of diseases with each onset, by level, for the levels in MEASURED."""
    codes = {code: level for code, (level, *_) in ONSETS.items()}
    codes |= dict.fromkeys(("HP:0025708", "HP:0025709", "HP:0025710"), "young_adult")
    counts = dict.fromkeys(MEASURED, 0)
    for code, diseases in count_diseases(codes, knowledge=knowledge).items():
        if codes[code] in counts:
            counts[codes[code]] += diseases
    return counts


def measure_onsets(knowledge: KnowledgeGraph, horizon: int) -> tuple[Share, ...]:
    """The onsets of all annotated diseases that end by the horizon, with their shares."""
    ages = {level: (float(low), float(high)) for level, low, high in ONSETS.values()}
    counts = {level: n for level, n in count_onsets(knowledge).items() if n and ages[level][1] <= horizon}
    total = sum(counts.values())
    if not total:  # the graph has no annotations of onset
        return (Share("at_any_age", (0.0, float(horizon)), _assume(1.0)),)
    return tuple(Share(level, ages[level], _assume(n / total)) for level, n in counts.items())


def place_onset(course: DiseaseCourse, *, prefix: str = "") -> tuple[list[DraftParameter], list[DraftVariable]]:
    """Age at onset: uniform within the annotated ages, and before death if the patient dies of the disease. It is not
    recorded: people who never fall ill have no onset."""
    ends = f"{prefix}age_at_death" if course.deaths else ""
    causes: dict[str, tuple[str, ...]] = {ends: ()} if ends else {}
    parameters: list[DraftParameter] = []
    if len(course.onsets) == 1:
        share = course.onsets[0]
        low, high = map(write_number, share.ages)
        title = f"Age at onset: {_words(share.level)} ({_tell_ages(share.ages)}){_tell_source(share.frequency)}"
        variables: list[DraftVariable] = []
    else:
        for share in course.onsets:
            parameters.append(_share_parameter(f"{prefix}onset_{share.level}", share, "Share with onset at"))
        weights = ", ".join(f'"{share.level}": {prefix}onset_{share.level}' for share in course.onsets)
        title = "Age group of the onset"
        group = f"{prefix}onset_group"  # what the age is drawn from; not recorded
        variables = [DraftVariable(group, "static", f"Categorical({weights})", title=title, recorded=False)]
        low = _by_level(f"{prefix}onset_group", course.onsets, 0)
        high = _by_level(f"{prefix}onset_group", course.onsets, 1)
        causes = {f"{prefix}onset_group": ()} | causes
        title = "Age at onset"
    mechanism = low if low == high else f"Uniform({low}, {high})"
    if ends and low != high:
        mechanism = f"clip({mechanism}, 0, {ends})"
    elif ends:
        causes = {}
    onset = DraftVariable(f"{prefix}onset", "static", mechanism, title=title, unit="a", recorded=False, causes=causes)
    variables.append(onset)
    return parameters, variables


def _by_level(variable: str, shares: Sequence[Share], end: int) -> str:
    text = write_number(shares[-1].ages[end])
    for share in reversed(shares[:-1]):
        text = f'where({variable} == "{share.level}", {write_number(share.ages[end])}, {text})'
    return text


def _share_parameter(name: str, share: Share, what: str) -> DraftParameter:
    frequency = share.frequency
    title = f"{what} {_tell_ages(share.ages)}{_tell_source(frequency)}"
    cited = frequency.basis != "assumption"
    return DraftParameter(
        name,
        frequency.value,
        uncertain=frequency.uncertain,
        unit="1",
        title=title,
        citations=cite(frequency.references) if cited else (),
    )


def _words(level: str) -> str:
    return level.replace("_", " ")


def _tell_ages(ages: Ages) -> str:
    if ages == (0.0, 0.0):
        return "birth"
    low, high = ("28 days" if age == MONTH else f"{age:g}" for age in ages)
    return f"{low} to {high}" + ("" if high == "28 days" else " year" if high == "1" else " years")


def _tell_source(frequency: Frequency) -> str:
    if frequency.examined is not None:
        return f": {frequency.affected} of {frequency.examined}"
    return f" ({', '.join(frequency.references)})" if frequency.references else ""


def place_death(course: DiseaseCourse, *, prefix: str = "") -> tuple[list[DraftParameter], list[DraftVariable]]:
    """How the disease ends and at which age; nobody dies of anything else. Empty if no death is annotated."""
    if not course.deaths:
        return [], []
    parameters = [_share_parameter(f"{prefix}{d.level}_share", d, "Share who die at") for d in course.deaths]
    total = " + ".join(parameter.name for parameter in parameters)
    weights = ", ".join(f'"{d.level}": affected * {prefix}{d.level}_share' for d in course.deaths)
    title = "How the disease ends"
    ends = DraftVariable(
        f"{prefix}ending",
        "static",
        f'Categorical({weights}, "survival": max(1 - affected * ({total}), 0))',
        title=title,
        recorded=False,
        causes={"affected": cite(ref for death in course.deaths for ref in death.frequency.references)},
    )
    alive = Share("survival", (ALIVE, ALIVE), _assume(1.0))
    low, high = (_by_level(ends.name, (*course.deaths, alive), end) for end in (0, 1))
    age = DraftVariable(
        f"{prefix}age_at_death",
        "static",
        f"Uniform({low}, {high})",
        title=f"Age at death from the disease ({ALIVE:g}: none within the journey)",
        unit="a",
        recorded=False,
        causes={ends.name: ()},
    )
    return parameters, [ends, age]


def place_progression(course: DiseaseCourse) -> tuple[list[DraftParameter], list[DraftVariable]]:
    """The progression of a disease, from 0 at its onset towards 1. Empty if no progression is annotated."""
    if course.pace is None:
        return [], []
    rate, words, citations = course.pace
    parameter = DraftParameter("progression_rate", rate, unit="/a", title=f"{words}: share of what is left, a year")
    variable = DraftVariable(
        "progression",
        "state",
        "where(affected and t + dt > onset, 1 - exp(-progression_rate * (t + dt - onset)), 0)",
        title="How far the disease has come, from 0 to 1",
        unit="1",
        causes={"affected": citations, "onset": ()},
    )
    return [parameter], [variable]
