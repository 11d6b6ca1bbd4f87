"""The keys of `assertion.yaml`, `names.yaml` and `reading.yaml`: words of the reader alone, not of the grammar.

What is put together from several of them is put together here, once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import ClassVar

from .locale import Fragment, Pattern, Table, Words, WordSection, expand

# assertion.yaml


class Cues(WordSection):
    """Words before a name and words after it; `next` and `last` stand right before and right after it."""

    before: tuple[str, ...]
    after: tuple[str, ...]
    next: tuple[str, ...] = ()
    last: tuple[str, ...] = ()


class SectionWords(WordSection):
    headings: Mapping[str, Pattern]
    inline: Pattern
    any_heading: Pattern
    bare_heading: Pattern


class PeopleWords(WordSection):
    """Patterns of who else a text speaks of, and of where it comes back to the patient."""

    others: Pattern
    informs: Pattern
    beside: Pattern
    owns: Pattern
    holds: Pattern
    back: Pattern
    goes_on: Pattern
    family_after: Pattern
    family: Pattern


class CircumstanceWords(WordSection):
    """Patterns of conditions, and of what only comes with something."""

    if_: Pattern
    calls: Pattern
    orders: Pattern
    provoked: Pattern
    fronted: Pattern
    provoked_end: Pattern
    both: Pattern
    not_provoked: Pattern
    ends: Pattern


class ClauseWords(WordSection):
    abbreviations: Pattern
    predicates: Pattern
    joints: Pattern
    contrasts: tuple[str, ...]
    opens: Pattern
    listed: Pattern
    listed_until: str
    treatment_lead: Pattern
    subjects: Pattern
    lists: Pattern
    goes_on: Pattern


class AssertionWords(Words):
    file: ClassVar[str] = "assertion.yaml"

    ends: Table
    neither: Table
    denied: Cues
    doubted: Cues
    hypothetical: Cues
    historical: Cues
    earlier: Cues
    sections: SectionWords
    people: PeopleWords
    circumstances: CircumstanceWords
    settled: Pattern
    passing: Pattern
    clauses: ClauseWords


# names.yaml


class AlsoCalled(WordSection):
    pattern: Pattern
    names: Table


class Sign(WordSection):
    pattern: Pattern
    levels: Mapping[str, Table]


class MatchWords(WordSection):
    """How words are compared."""

    spellings: tuple[tuple[Pattern, str], ...]
    endings: tuple[tuple[Pattern, str], ...]
    same_words: Mapping[str, str]
    skipped: Table
    contractions: Mapping[str, str]
    contracted: Mapping[str, str]


class DerivedNames(WordSection):
    """How names are made from names."""

    of: Table
    copulas: Table
    predicates: Table
    heads: Table
    measured: Table
    unsaid: Table
    forms: tuple[tuple[Pattern, tuple[str, ...]], ...]
    swapped: tuple[tuple[str, str], ...]


class Stems(WordSection):
    pattern: Pattern
    stems: Pattern


class Charted(WordSection):
    pattern: Pattern
    unit: str
    range: tuple[float, float]


class ChartedGaps(WordSection):
    """Between a vital sign's name and its number, and between that and the next one."""

    first: Pattern
    later: Pattern


class NameWords(Words):
    file: ClassVar[str] = "names.yaml"

    matching: MatchWords
    derived: DerivedNames
    usual: Mapping[str, Table]
    also: tuple[AlsoCalled, ...]
    stems: tuple[Stems, ...]
    charted: tuple[Charted, ...]
    charted_gaps: ChartedGaps
    respelt: tuple[tuple[str, str], ...]
    leading: Pattern
    other_measures: Pattern
    levels: Mapping[str, Table]
    signs: tuple[Sign, ...]
    things: tuple[str, ...]
    over: tuple[AlsoCalled, ...]
    not_names: Table


# reading.yaml


class NumberWords(WordSection):
    ones: Table
    tens: Table
    zero: tuple[str, ...]
    below_hundred: Fragment
    number: Fragment
    hundred: str
    skipped: tuple[str, ...]
    half: str
    halves: str
    point: str
    no_value: tuple[str, ...]

    @cached_property
    def worth(self) -> dict[str, int]:
        """What each word is worth."""
        ones = {word: number for number, word in enumerate(self.ones)} | dict.fromkeys(self.zero, 0)
        return ones | {word: 10 * number for number, word in enumerate(self.tens, 2)}

    @cached_property
    def pattern(self) -> str:
        """For a number in words."""
        fragments = {"small": "|".join(sorted(self.worth, key=len, reverse=True)), "ten": "|".join(self.tens)}
        fragments["below_hundred"] = expand(self.below_hundred, fragments)
        return expand(self.number, fragments)


class ValueWords(WordSection):
    units: Mapping[str, Mapping[str, float]]
    foreign: tuple[str, ...]
    minus: Fragment
    whole: Pattern
    change_before: Pattern
    change_after: Pattern
    limit_before: Pattern
    list_number: Pattern
    decade: Pattern
    side_before: Pattern


class AssignmentWords(WordSection):
    forward: Pattern
    forward_preposition: Pattern
    units_of_names: Pattern
    at: Pattern
    comma: Pattern
    comma_at_end: Pattern
    ahead_of_comma: Pattern
    breaks: Pattern
    compared: Pattern
    clause_ends: tuple[str, ...]
    as_then: Pattern
    unmoved: Pattern
    past_lead: Pattern
    past_trail: Pattern
    leads_on: Pattern
    to: Pattern
    follows_on: Pattern
    time_pair: Pattern
    join_after: Pattern
    parts_time: Pattern
    parts_names: Pattern
    no_part: str
    openers: str


class CourseWords(WordSection):
    started: Fragment
    stopped: Fragment
    weak: tuple[str, ...]
    before_names: tuple[str, ...]
    before_name: Pattern
    never_denied: tuple[str, ...]
    not_: Pattern
    ahead: Pattern
    planned: Pattern
    denied: Pattern
    joined: Pattern
    singular: Pattern
    cut: Pattern
    orders: Table
    stops_ahead: Table
    of_another: Pattern
    once: Pattern
    goes_on: Pattern

    @cached_property
    def cue(self) -> re.Pattern[str]:
        """Any word that says that a treatment is given (group `started`) or not (group `stopped`)."""
        return re.compile(
            rf"(?<![\w-])(?:(?P<stopped>{self.stopped})|(?P<started>{self.started}))(?![\w-])", re.IGNORECASE
        )


class SinceWords(WordSection):
    word: str
    before: Pattern


class TimeWords(WordSection):
    months: Mapping[int, Table]
    units: Mapping[str, Table]
    fragments: Mapping[str, Fragment]
    patterns: Mapping[str, Fragment]
    starters: tuple[str, ...]
    since: SinceWords
    anchored: Pattern
    day_after: Pattern
    last: Mapping[str, str]
    counts: tuple[tuple[Pattern, float], ...]
    half: Fragment
    vague: Pattern

    @cached_property
    def month_of(self) -> dict[str, int]:
        return {name: number for number, names in self.months.items() for name in names}

    @cached_property
    def unit_of(self) -> dict[str, str]:
        return {word: unit for unit, words in self.units.items() for word in words}


class CopyWords(WordSection):
    count: int
    patterns: tuple[Fragment, ...]


class PersonPatterns(WordSection):
    age: Fragment
    age_then: Pattern
    others: Pattern
    sex: Pattern
    female_letter: str
    gene: Pattern
    fragments: Mapping[str, Fragment]
    copies: tuple[CopyWords, ...]

    @cached_property
    def counted(self) -> tuple[tuple[int, re.Pattern[str]], ...]:
        """How many copies of an allele a pattern says, in the order in which they are tried."""
        known = expand_all(self.fragments, {})
        return tuple(
            (copy.count, re.compile("|".join(expand(one, known) for one in copy.patterns), re.IGNORECASE))
            for copy in self.copies
        )


class IntervalWords(WordSection):
    interval: Pattern
    led: Pattern
    spell: Pattern


class ReadingWords(Words):
    file: ClassVar[str] = "reading.yaml"

    tokenizer: str
    numbers: NumberWords
    values: ValueWords
    assignment: AssignmentWords
    courses: CourseWords
    times: TimeWords
    person: PersonPatterns
    intervals: IntervalWords

    @cached_property
    def number(self) -> re.Pattern[str]:
        """A number, in figures (groups `sign` and `digits`) or in `words`."""
        digits = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+"
        return re.compile(
            rf"(?<![\w.,/])(?P<sign>[-−–](?=[\d.])|{self.values.minus})?(?P<digits>{digits})(?![.,]?\d)"
            rf"|\b(?P<words>{self.numbers.pattern})\b",
            re.IGNORECASE,
        )

    @cached_property
    def age(self) -> re.Pattern[str]:
        return re.compile(expand(self.person.age, {"number": self.numbers.pattern}))

    @cached_property
    def time_fragments(self) -> dict[str, str]:
        months = sorted(self.times.month_of, key=len, reverse=True)
        known = {"month": f"(?:{'|'.join(months)})", "number": self.numbers.pattern}
        return expand_all(self.times.fragments, known)

    @cached_property
    def time(self) -> re.Pattern[str]:
        """Any time: the outer groups are the names of the patterns with a stroke after them."""
        patterns = (
            f"(?P<{name}_>{expand(pattern, self.time_fragments)})" for name, pattern in self.times.patterns.items()
        )
        return re.compile("|".join(patterns), re.IGNORECASE)

    @cached_property
    def span(self) -> re.Pattern[str]:
        """One piece of a span: how many of which unit, and a half."""
        known, half = self.time_fragments, self.times.half
        return re.compile(
            rf"(?P<count>{known['count']})?(?P<half>{half})?[\s-]*(?P<unit>{known['unit']})\b\.?(?P<more>{half})?",
            re.IGNORECASE,
        )

    @cached_property
    def starters(self) -> frozenset[str]:
        """The words that a time may begin with."""
        numbers = re.findall(r"[a-z]+", self.numbers.pattern)
        return frozenset((*self.times.month_of, *numbers, *self.times.starters))

    @cached_property
    def numeric_date(self) -> re.Pattern[str]:
        return re.compile(rf"(?<![\d/.])(\d\d?)[/.-](\d\d?)[/.-]({self.time_fragments['year']}|\d\d)(?![\d/])")


def expand_all(fragments: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """Fragments with those in them that stand before them, or are `known`."""
    found = dict(known)
    for name, fragment in fragments.items():
        found[name] = expand(fragment, found)
    return found
