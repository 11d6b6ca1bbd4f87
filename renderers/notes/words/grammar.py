"""The keys of `language.yaml`, `documents.yaml` and `phrases.yaml`: the words that the grammar writes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from .locale import Pattern, Table, Words, WordSection

SLOT = re.compile(r"\{(\w+)\}|<(\w+)>")
USUAL = "a she her him is are was has s"  # slots that every clause has


def only(slots: str) -> Callable[[tuple[str, ...]], tuple[str, ...]]:
    """Checks that templates have no other slots than these."""
    known = set(slots.split())

    def check(templates: tuple[str, ...]) -> tuple[str, ...]:
        for template in templates:
            for slot in (one or other for one, other in SLOT.findall(template)):
                if slot not in known:
                    raise ValueError(
                        f"{template!r} has a slot {{{slot}}}, where there are only {', '.join(sorted(known))}"
                    )
        return templates

    return check


Lines = Annotated[Table, AfterValidator(only("a who date setting we us my are saw d caller"))]
History = Annotated[Table, AfterValidator(only(f"{USUAL} x x0 n u y c then"))]
Value = Annotated[
    Table, AfterValidator(only(f"{USUAL} x x0 y n p P is1 was1 clock when at on ago then over lasting within"))
]
Course = Annotated[Table, AfterValidator(only(f"{USUAL} x X when then since now"))]
Findings = Annotated[Table, AfterValidator(only(f"{USUAL} L isl wasl kin me d noun adjective be"))]
Ending = Annotated[tuple[str, ...], Field(min_length=2, max_length=2), AfterValidator(only("she verb when then"))]


# language.yaml


class BySex(WordSection):
    """What follows the patient's sex; `other` where it is neither of these, or not on record."""

    female: str
    male: str
    other: str

    def of(self, sex: str) -> str:
        return self.female if sex == "female" else self.male if sex == "male" else self.other


class RelativesBySex(WordSection):
    female: Table
    male: Table
    other: Table

    def of(self, sex: str) -> tuple[str, ...]:
        return self.female if sex == "female" else self.male if sex == "male" else self.other


class ArticleWords(WordSection):
    definite: str
    before_consonant: str
    before_vowel: str
    vowels: str
    vowel_letters: str
    vowel_number: Pattern
    sounds_vowel: Pattern
    sounds_consonant: Pattern


class NounWords(WordSection):
    head_ends: Pattern
    counted: frozenset[str]
    uncounted: Pattern
    plural: frozenset[str]
    plural_ending: str
    not_plural: Pattern
    definite: frozenset[str]
    definite_starts: tuple[str, ...]
    capitals: Mapping[str, str]


class Verbs(WordSection):
    past_singular: Mapping[str, str]
    past_plural: Mapping[str, str]
    present_singular: Mapping[str, str]
    present_plural: Mapping[str, str]


class PersonWords(WordSection):
    adult: BySex
    child: BySex
    aged: str
    newborn: str
    infant: str
    she: BySex
    her: BySex
    him: BySex
    patient: str
    this: str
    relatives: RelativesBySex


class WriterWords(WordSection):
    """How an author speaks of himself or herself."""

    we: str
    us: str
    my: str
    are: str
    saw: str
    me: str


class DateStyle(WordSection):
    date: str
    month: str


class DateWords(WordSection):
    months: Annotated[tuple[str, ...], Field(min_length=12, max_length=12)]
    short_months: Annotated[tuple[str, ...], Field(min_length=12, max_length=12)]
    days: Annotated[tuple[str, ...], Field(min_length=31, max_length=31)]
    styles: Annotated[Mapping[str, DateStyle], Field(min_length=1)]
    at_hour: str
    at_hour_of_day: str
    in_month: str
    on_day: str


class UnitOfTime(WordSection):
    one: str
    many: str


class UnitsOfTime(WordSection):
    year: UnitOfTime
    month: UnitOfTime
    week: UnitOfTime
    day: UnitOfTime
    hour: UnitOfTime
    minute: UnitOfTime
    second: UnitOfTime


class SpanWords(WordSection):
    units: UnitsOfTime
    ago: str
    earlier: str
    before: str
    over: Table
    lasting: Table
    since: str
    instead_of_since: str


class Joins(WordSection):
    list: str
    and_last: str
    or_last: str
    clauses: Table
    terse_clauses: Table
    contrast: str
    heavy: str


class LanguageWords(Words):
    file: ClassVar[str] = "language.yaml"

    articles: ArticleWords
    nouns: NounWords
    verbs: Verbs
    person: PersonWords
    writer: Mapping[str, WriterWords]
    numbers: Table
    dates: DateWords
    spans: SpanWords
    joins: Joins


# documents.yaml


class Settings(WordSection):
    memory: str
    clinic: str
    ward: str
    radiology: str


class Titles(WordSection):
    memory_letter: str
    clinic_letter: str
    admission: str
    progress: str
    brain: str
    imaging: str
    discharge: str
    telephone: str


class Thanks(WordSection):
    leads: Lines
    lead: str
    rest: tuple[Lines, ...]


class Signatures(WordSection):
    ranks: Table
    places: Lines
    signed: Table


class ImagingWords(WordSection):
    technique: tuple[Lines, ...]
    comparison: Lines


class TelephoneWords(WordSection):
    calls: tuple[Lines, ...]
    relative: str
    patient: str


def check_openings(openings: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
    for name, templates in openings.items():
        if all("{we}" in template for template in templates):
            raise ValueError(f"{name} needs one without {{we}}, for authors who never speak of themselves")
    return openings


class DocumentWords(Words):
    file: ClassVar[str] = "documents.yaml"

    settings: Settings
    titles: Titles
    headings: Mapping[str, Table]
    subjects: Lines
    dates: Lines
    salutations: Mapping[str, Table]
    sign_offs: Mapping[str, Table]
    openings: Annotated[Mapping[str, Lines], AfterValidator(check_openings)]
    purposes: Lines
    transitions: Mapping[str, Table]
    summaries: Table
    closings: tuple[Lines, ...]
    thanks: Thanks
    copies: tuple[Lines, ...]
    signatures: Signatures
    imaging: ImagingWords
    telephone: TelephoneWords
    placeholders: Table


# phrases.yaml


class HistoryPhrases(WordSection):
    level: History
    number: History
    onset: History
    years_of: History
    terse_years_of: History
    year: str
    years: str
    count_of: History
    none_of: History
    terse_count_of: History
    terse_none_of: History
    age: History
    terse_age: History
    age_now: History
    terse_age_now: History
    had: History
    had_not: History
    terse_had: History
    terse_had_not: History
    terse: History
    definite: str
    singular: tuple[tuple[str, str], ...]


class Changes(WordSection):
    up: Value
    down: Value
    same: Value


class TerseChanges(Changes):
    other: Value


class ValuePhrases(WordSection):
    today: Value
    scored: Value
    earlier: Value
    changes: Changes
    with_previous: Value
    level_today: Value
    level_other: Value
    level_same: Value
    terse: Value
    terse_earlier: Value
    terse_earlier_change: Value
    terse_changes: TerseChanges
    terse_earlier_same: Value
    same_time: Value
    level_same_time: Value
    level_earlier: Value
    seen: Value
    today_at: str
    visit: str


class CoursesByStatus(WordSection):
    present: Course
    absent: Course
    uncertain: Course


class EventPhrases(WordSection):
    diagnosed: Course
    happened: Course
    never: Course
    not_happened: Course
    maybe: Course
    terse_diagnosed: Course
    terse_happened: Course
    terse_never: Course
    terse_not_happened: Course
    terse_maybe: Course
    died: tuple[Ending, ...]
    departed: tuple[Ending, ...]
    went_home: tuple[Ending, ...]
    terse_end: str
    left: Course
    seen: CoursesByStatus
    terse_seen: CoursesByStatus
    seen_before: str


class TreatmentPhrases(WordSection):
    on: Course
    started: Course
    stopped: Course
    not_on: Course
    clause_end: Course
    terse_on: Course
    terse_started: Course
    terse_stopped: Course
    terse_not_on: Course
    terse_end: Course
    terse_end_hours: Course
    procedure: Pattern
    taken: Pattern


class Spoken(WordSection):
    present: Findings
    absent: Findings


class FindingsByStatus(Spoken):
    uncertain: Findings


class FindingPhrases(FindingsByStatus):
    by_patient: Spoken
    by_informant: Spoken
    by_radiologist: Spoken
    terse: FindingsByStatus
    dated_one: Findings
    dated_two: Findings
    dated_many: Findings
    counted_after: Pattern
    agrees_with_first: str


class SystemWords(WordSection):
    """An organ system in words: headings of a section, a noun after "as to", and an adjective."""

    headings: Table
    noun: str
    adjective: str


class SystemPhrases(WordSection):
    leads: Findings
    otherwise: Table
    others: Table
    present: Findings
    further: Findings
    absent: Findings
    line: FindingsByStatus
    chief: Findings
    one: Findings
    several: str
    names: Mapping[str, SystemWords]


class PhraseWords(Words):
    file: ClassVar[str] = "phrases.yaml"

    history: HistoryPhrases
    values: ValuePhrases
    events: EventPhrases
    treatments: TreatmentPhrases
    findings: FindingPhrases
    systems: SystemPhrases
