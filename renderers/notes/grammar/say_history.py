"""What stays: age, sex, genes, schooling and the like, told once in the words that each kind of thing asks for."""

from __future__ import annotations

import re

from ..facts import Fact
from .pieces import Phrase, Piece
from .teller import Teller

LEVEL = (
    "{x} is {n}",
    "{x} is recorded as {n}",
    "the recorded {x} is {n}",
    "the record gives {x} as {n}",
    "{x} is given as {n}",
)
NUMBER = (
    "{x} is {n}",
    "{x} is recorded as {n}",
    "{she} has {a} {x0} of {n}",
    "{x} was {n}",
    "{x} comes to {n}",
    "{x} was found to be {n}",
)
ONSET = (
    "{her} {x} was {n}",
    "the recorded {x} is {n}",
    "{x} was {n}",
    "the record gives an {x} of {n}",
    "the {x} was {n}",
)
YEARS_OF = (
    "{she} had {n} {u} of {y}",
    "{y}: {n} {u}",
    "{she} completed {n} {u} of {y}",
    "{n} {u} of {y}",
    "{she} has {n} {u} of {y} behind {him}",
)
COUNT_OF = (
    "{she} carries {n} {c}",
    "{she} has {n} {c}",
    "genotyping shows {n} {c}",
    "testing found {n} {c}",
    "{n} {c} {are} on record",
    "{she} is a carrier of {n} {c}",
)
NONE_OF = ("the number of {c} is {n}", "the count of {c} is {n}", "{c}: {n}")
AGE = (
    "{she} was aged {n} {then}",
    "{she} was {n} years old {then}",
    "{her} age was {n} {then}",
    "{she} was {n} {then}",
    "age {n} {then}",
)
AGE_NOW = ("{she} is {n} years old", "{she} is aged {n}", "{her} age is {n}", "age {n}")
HAD = (
    "{she} has a history of {x}",
    "there is a history of {x}",
    "{x} is known",
    "{x} is part of the history",
    "{she} is known to have {x}",
)
HAD_NOT = (
    "{she} has [no] history of {x}",
    "there is [no] history of {x}",
    "{x} is [not] known",
    "[no] {x} in the history",
    "{she} is [not] known to have {x}",
)
TERSE_HAD = ("h/o {x}", "known {x}", "hx of {x}")
TERSE_HAD_NOT = ("[no] h/o {x}", "[no] known {x}", "[no] hx of {x}")
TERSE = ("{x}: {n}", "{x} {n}", "{x} = {n}")


def say_history(teller: Teller, fact: Fact, *, terse: bool = False) -> Phrase:
    """A clause about a static; a sentence needs `subject` in it to be one."""
    term = teller.term(fact)
    name = fact.label or term.label
    table: tuple[str, ...]
    if term.binary:
        table = (TERSE_HAD if terse else HAD) if fact.status == "present" else TERSE_HAD_NOT if terse else HAD_NOT
        return teller.fill(teller.choices.pick(fact.key, "had", table), fact, x=teller.told(fact))
    years = re.fullmatch(r"years of (.+)", name, re.IGNORECASE)
    count = re.fullmatch(r"number of (.+)", name, re.IGNORECASE)
    number = isinstance(fact.value, (int, float))
    if years and number:
        return say_years(teller, fact, years.group(1), terse)
    if count and number:
        return say_count(teller, fact, count.group(1), terse)
    table = TERSE if terse else ONSET if name.startswith("age at ") else NUMBER if number else LEVEL
    template = teller.choices.pick(fact.key, f"history {terse}", table)
    told = teller.told(fact, the="is" in template and not terse)
    return teller.fill(template, fact, x=told, x0=teller.told(fact), n=teller.value(fact))


def say_years(teller: Teller, fact: Fact, what: str, terse: bool) -> Phrase:
    value = float(fact.value or 0)
    unit = "year" if value == 1 else "years"
    number = (Piece(teller.shown(fact.value, ""), "value", (fact.key,)),)
    term = (Piece(what, "term", (fact.key,)),)
    unit_words = (Piece(unit, "term", (fact.key,)),)
    table = YEARS_OF[1::2] if terse else YEARS_OF[0::2]
    template = teller.choices.any(fact.key, "years", table)
    return teller.fill(template, fact, n=number, y=term, u=unit_words)


def say_count(teller: Teller, fact: Fact, what: str, terse: bool) -> Phrase:
    value = float(fact.value or 0)
    noun = singular(what) if value == 1 else what
    number = (Piece(teller.shown(fact.value, ""), "value", (fact.key,)),)
    table = (NONE_OF[2:3] if terse else NONE_OF[:2]) if value == 0 else COUNT_OF
    template = "{n} {c}" if terse and value else teller.choices.pick(fact.key, "count", table)
    return teller.fill(template, fact, n=number, c=(Piece(noun, "term", (fact.key,)),), plural=value != 1)


def singular(words: str) -> str:
    """The singular of regular plurals: "alleles" as "allele"."""
    if words.endswith("ies"):
        return words[:-3] + "y"
    return words[:-1] if words.endswith("s") and not words.endswith("ss") else words


def say_age(teller: Teller, fact: Fact, *, terse: bool = False) -> Phrase:
    """The recorded age, which is that at entry, with the time when it was so."""
    number = (Piece(teller.shown(fact.value, ""), "value", (fact.key,)),)
    now = teller.is_now(fact.time)
    table = AGE_NOW[3:] if terse and now else AGE[4:] if terse else AGE_NOW[:3] if now else AGE[:4]
    template = teller.choices.pick(fact.key, "age", table)
    then: Phrase | str = "" if now else teller.moment(fact, fact.time)
    return teller.fill(template, fact, n=number, then=then)
