"""What stays: age, sex, genes, schooling and the like, told once in the words that each kind of thing asks for."""

from __future__ import annotations

from ..facts import Fact
from .context import NoteContext
from .pieces import Phrase, Piece


def say_history(context: NoteContext, fact: Fact, *, terse: bool = False) -> Phrase:
    """A clause about a static; a sentence needs `subject` in it to be one."""
    term, words = context.term(fact), context.phrases.history
    name = fact.label or term.label
    table: tuple[str, ...]
    if term.binary:
        had = (words.terse_had, words.terse_had_not) if terse else (words.had, words.had_not)
        table = had[0] if fact.status == "present" else had[1]
        return context.fill(context.choices.pick(fact.key, "had", table), fact, x=context.told(fact))
    number = isinstance(fact.value, (int, float))
    if number and (years := context.labels.years.fullmatch(name)):
        return say_years(context, fact, years[1], terse)
    if number and (count := context.labels.count.fullmatch(name)):
        return say_count(context, fact, count[1], terse)
    if terse:
        table = words.terse
    else:
        table = words.onset if name.startswith(context.labels.onset) else words.number if number else words.level
    template = context.choices.pick(fact.key, f"history {terse}", table)
    told = context.told(fact, the=words.definite in template and not terse)
    return context.fill(template, fact, x=told, x0=context.told(fact), n=context.value(fact))


def say_years(context: NoteContext, fact: Fact, what: str, terse: bool) -> Phrase:
    words = context.phrases.history
    unit = words.year if float(fact.value or 0) == 1 else words.years
    number = (Piece(context.shown(fact.value, ""), "value", (fact.key,)),)
    term = (Piece(what, "term", (fact.key,)),)
    unit_words = (Piece(unit, "term", (fact.key,)),)
    template = context.choices.any(fact.key, "years", words.terse_years_of if terse else words.years_of)
    return context.fill(template, fact, n=number, y=term, u=unit_words)


def say_count(context: NoteContext, fact: Fact, what: str, terse: bool) -> Phrase:
    words, value = context.phrases.history, float(fact.value or 0)
    noun = singular(what, words.singular) if value == 1 else what
    number = (Piece(context.shown(fact.value, ""), "value", (fact.key,)),)
    if value:
        table = words.terse_count_of if terse else words.count_of
    else:
        table = words.terse_none_of if terse else words.none_of
    template = context.choices.pick(fact.key, "count", table)
    return context.fill(template, fact, n=number, c=(Piece(noun, "term", (fact.key,)),), plural=value != 1)


def singular(words: str, endings: tuple[tuple[str, str], ...]) -> str:
    """The singular of regular plurals: "alleles" as "allele". `endings`: of plurals, and of their singulars."""
    for plural, one in endings:
        if words.endswith(plural):
            return words.removesuffix(plural) + one
    return words


def say_age(context: NoteContext, fact: Fact, *, terse: bool = False) -> Phrase:
    """The recorded age, which is that at entry, with the time when it was so."""
    words, now = context.phrases.history, context.is_now(fact.time)
    number = (Piece(context.shown(fact.value, ""), "value", (fact.key,)),)
    table = (words.terse_age_now if terse else words.age_now) if now else (words.terse_age if terse else words.age)
    template = context.choices.pick(fact.key, "age", table)
    then: Phrase | str = "" if now else context.moment(fact, fact.time)
    return context.fill(template, fact, n=number, then=then)
