"""Words in their forms: articles, plurals and capitals, by the tables of a language."""

from __future__ import annotations

import re
from functools import lru_cache

from ..words.grammar import ArticleWords, LanguageWords, NounWords
from ..words.locale import load_words


def _articles(locale: str) -> ArticleWords:
    return load_words(LanguageWords, locale).articles


def _nouns(locale: str) -> NounWords:
    return load_words(LanguageWords, locale).nouns


@lru_cache(maxsize=65536)
def article(phrase: str, locale: str = "en") -> str:
    """`a` or `an`, by the sound that `phrase` begins with."""
    words = _articles(locale)
    return words.before_vowel if _sounds_vowel(phrase.lstrip("\"'([ "), words) else words.before_consonant


def _sounds_vowel(phrase: str, words: ArticleWords) -> bool:
    if not phrase:
        return False
    if number := re.match(r"\d+", phrase):
        return words.vowel_number.fullmatch(number[0]) is not None
    first = re.split(r"[\s,;.]", phrase, maxsplit=1)[0]
    if first[:1].isupper() and (len(first) == 1 or not first[1:].islower()) and first.split("-")[0].isupper():
        return first[0] in words.vowel_letters  # read letter by letter: "an MRI", "a CT"
    if words.sounds_vowel.match(phrase):
        return True
    return not words.sounds_consonant.match(phrase) and phrase[0].lower() in words.vowels


@lru_cache(maxsize=65536)
def head_of(term: str, locale: str = "en") -> str:
    """The noun that a term is about: "cyst" of "Cyst of the ductus choledochus"."""
    words = _nouns(locale).head_ends.split(term, maxsplit=1)[0].split()
    return words[-1].lower() if words else ""


@lru_cache(maxsize=65536)
def is_plural(term: str, locale: str = "en") -> bool:
    """Whether verbs agree with `term` in the plural; long endings in -sis, -us, -ss and the like are singular."""
    head, nouns = head_of(term, locale), _nouns(locale)
    regular = len(head) > 3 and head.endswith(nouns.plural_ending) and not nouns.not_plural.search(head)
    return head in nouns.plural or regular


@lru_cache(maxsize=65536)
def is_counted(term: str, locale: str = "en") -> bool:
    """Whether the singular `term` takes an article: "a seizure", but "hypotonia"."""
    nouns = _nouns(locale)
    counted = head_of(term, locale) in nouns.counted and not nouns.uncounted.search(term)
    return counted and not is_plural(term, locale)


def needs_the(name: str, locale: str = "en") -> bool:
    """Whether a measured quantity takes the definite article: "the volume of …", "the heart rate"."""
    nouns = _nouns(locale)
    return head_of(name, locale) in nouns.definite or name.startswith(nouns.definite_starts)


@lru_cache(maxsize=65536)
def in_number(names: tuple[str, ...], locale: str) -> tuple[str, ...]:
    """Those of a term's names that are singular, or plural, as its first one is."""
    return tuple(name for name in names if is_plural(name, locale) == is_plural(names[0], locale))


def say_level(level: str, locale: str) -> str:
    """A level of a variable in words: "very high", "East Asian"."""
    capitals = _nouns(locale).capitals
    return " ".join(capitals.get(word, word) for word in level.replace("_", " ").split())


def capitalise(text: str) -> str:
    """The first letter as a capital, save in symbols such as p-tau217 or pH."""
    if not text or (text[1:2] and (text[1].isupper() or text[1] in "-=:" or text[1].isdigit())):
        return text
    upper = text[0].upper()
    return upper + text[1:] if len(upper) == 1 else text  # ß has no single capital
