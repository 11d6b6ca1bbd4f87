"""What every sentence of a note needs to know: its plan, its author, and the words of its locale."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from ...noise import Noise
from ..facts import Fact, NotePlan
from ..lexicon import Lexicon, LexiconTerm
from ..words.grammar import DocumentWords, LanguageWords, PhraseWords, WriterWords
from ..words.locale import load_words
from ..words.usage import LabelWords, UsageWords
from .author import Author, draw_habit, find_author
from .choices import Choices
from .inflection import in_number, is_counted, is_plural, needs_the, say_level
from .numbers import HOURS, show_date, show_month, show_number, show_span
from .pieces import ARTICLE, Phrase, Piece, Slot, fill


@dataclass(frozen=True)
class NoteContext:
    """One author, about one patient, at one time: terms, numbers, times and pronouns."""

    plan: NotePlan
    lexicon: Lexicon
    noise: Noise
    author: Author
    choices: Choices
    language: LanguageWords
    documents: DocumentWords
    phrases: PhraseWords
    labels: LabelWords
    names: dict[str, str] = field(default_factory=dict)  # of facts, as they were called

    @property
    def locale(self) -> str:
        return self.lexicon.locale

    # --- whom it is about, and who writes ---

    @property
    def she(self) -> str:
        return self.language.person.she.of(self.plan.subject.sex)

    @property
    def her(self) -> str:
        return self.language.person.her.of(self.plan.subject.sex)

    @property
    def him(self) -> str:
        return self.language.person.him.of(self.plan.subject.sex)

    @property
    def noun(self) -> str:
        """The patient as a noun: "woman", "boy"."""
        person, subject = self.language.person, self.plan.subject
        return (person.child if subject.child else person.adult).of(subject.sex)

    @property
    def informant(self) -> str:
        """Who speaks for the patient: the same at every visit and in every world."""
        relatives = self.language.person.relatives.of(self.plan.subject.sex)
        return relatives[int(draw_habit(repr(self.noise.of_patient().uniform("informant")[0])) * len(relatives))]

    @property
    def writer(self) -> WriterWords:
        """How the author speaks of himself or herself."""
        return self.language.writer[self.author.person]

    @property
    def setting(self) -> str:
        """Where the note is written."""
        return self.plan.setting or self.documents.settings.clinic

    def subject(self, key: str) -> Phrase:
        """The patient as a sentence's subject, as this author would say."""
        person = self.language.person
        if self.author.subject == "pronoun" and not self.choices.flip(key, "subject", 0.2):
            words = self.she
        elif self.choices.flip(key, "patient", 0.7):
            words = person.patient
        else:
            words = person.this.format(noun=self.noun)
        return (Piece(words, "subject"),)

    # --- terms ---

    def term(self, fact: Fact) -> LexiconTerm:
        return self.lexicon[fact.variable]

    def name(self, fact: Fact) -> str:
        """A name of what the fact is about; the author abbreviates as often as is the author's habit."""
        if fact.key not in self.names:
            self.names[fact.key] = self._choose_name(fact)
        return self.names[fact.key]

    def _choose_name(self, fact: Fact) -> str:
        term = self.term(fact)
        if term.abbreviations and self.choices.flip(fact.key, "abbreviate", self.author.abbreviates):
            return self.choices.any(fact.key, "abbreviation", term.abbreviations)
        names = (fact.label or term.label, *term.synonyms)
        if term.british and self.author.spelling == "british":
            names = term.british
        full = tuple(name for name in names if "," not in name) or names
        if term.role == "finding":
            full = in_number(full, self.locale)
        if self.choices.flip(fact.key, "synonym", 0.4):
            return self.choices.any(fact.key, "name", full)
        return full[0]

    def told(self, fact: Fact, *, counted: bool = False, the: bool = False) -> Phrase:
        """The term, marked; with `a` or `an` where it is counted, or with `the` where a definite noun needs one."""
        name, term = self.name(fact), self.term(fact)
        piece = Piece(name, "term", (fact.key,))
        short = name in term.abbreviations and " " not in name and term.role in ("treatment", "finding")
        label = term.label if short else name
        if counted and is_counted(label, self.locale):
            return (ARTICLE, Piece(" "), piece)
        if the and needs_the(name, self.locale):
            return (Piece(self.language.articles.definite + " "), piece)
        return (piece,)

    def plural(self, fact: Fact) -> bool:
        name, term = self.name(fact), self.term(fact)
        return is_plural(name, self.locale) or (name in term.abbreviations and is_plural(term.label, self.locale))

    def verbs(self, plural: bool) -> Mapping[str, str]:
        """Verbs that agree: `{is}` in the author's tense for today, the rest as they stand."""
        verbs = self.language.verbs
        if self.author.tense == "past":
            return verbs.past_plural if plural else verbs.past_singular
        return verbs.present_plural if plural else verbs.present_singular

    # --- values ---

    def unit(self, fact: Fact) -> str:
        """The unit as this author always writes it, with the space before it; nothing for bare numbers."""
        written = self.term(fact).written_units or ("",)
        unit = written[int(draw_habit(self.author.secret, "unit", fact.unit) * len(written))]
        return "" if not unit else unit if unit[0] in "/%" else f" {unit}"

    def shown(self, value: float | str | None, unit: str) -> str:
        if isinstance(value, str):
            return say_level(value, self.locale)
        return show_number(float(value or 0), unit)

    def value(self, fact: Fact) -> Phrase:
        unit = "" if isinstance(fact.value, str) else self.unit(fact)
        return (Piece(self.shown(fact.value, fact.unit) + unit, "value", (fact.key,)),)

    def previous(self, fact: Fact, *, unit: bool = False) -> Phrase:
        words = self.shown(fact.previous, fact.unit)
        if unit and not isinstance(fact.previous, str):
            words += self.unit(fact)
        return (Piece(words, "previous", (fact.key,)),)

    def course(self, fact: Fact) -> str:
        """What became of the value since the last one: "new", "same", "up", "down", or "other" for levels."""
        if fact.previous is None or fact.value is None:
            return "new"
        now, before = self.shown(fact.value, fact.unit), self.shown(fact.previous, fact.unit)
        if now == before:
            return "same"
        if isinstance(fact.value, str) or isinstance(fact.previous, str):
            return "other"
        return "up" if fact.value > fact.previous else "down"

    # --- times ---

    def is_now(self, time: float) -> bool:
        return math.isclose(time, self.plan.time, rel_tol=1e-9)

    def hours_between(self, earlier: float, later: float) -> float:
        return abs(later - earlier) / self.plan.year * HOURS["year"]

    def date(self, time: float) -> str:
        return show_date(self.plan.date_of(time).date(), self.author.dates, self.locale)

    def moment(self, fact: Fact, time: float) -> Phrase:
        """A time as a complement: "on 12 March 2026", "in March 2026", "at 14:05"."""
        words, when = self.language.dates, self.plan.date_of(time)
        if self.plan.hours:
            template = words.at_hour if when.date() == self.plan.date else words.at_hour_of_day
            text = template.format(time=f"{when:%H:%M}", date=self.date(time))
        elif self.choices.flip(fact.key, "month", 0.3):
            text = words.in_month.format(month=show_month(when.date(), self.author.dates, self.locale))
        else:
            text = words.on_day.format(date=self.date(time))
        preposition, _, rest = text.partition(" ")
        return (Piece(preposition + " "), Piece(rest, "time", (fact.key,)))

    def today(self, fact: Fact) -> Phrase:
        """The note's own time, after "as of" or in brackets."""
        text = f"{self.plan.date_of(self.plan.time):%H:%M}" if self.plan.hours else self.date(self.plan.time)
        return (Piece(text, "time", (fact.key,)),)

    def bare_moment(self, fact: Fact, time: float) -> Phrase:
        """The same without its preposition, after "since" or in brackets."""
        return self.moment(fact, time)[1:]

    def span(self, fact: Fact, earlier: float, later: float) -> Phrase:
        hours = self.hours_between(earlier, later)
        words = show_span(hours, words=self.author.number_words, locale=self.locale)
        return (Piece(words, "time", (fact.key,)),)

    def ago(self, fact: Fact, time: float) -> Phrase:
        """A time before the fact's: "six months ago" of what holds today, else "six months earlier"; or its date."""
        words, later = self.language.spans, fact.time
        if self.choices.flip(fact.key, "date of previous", 0.4) or self.hours_between(time, later) < 1 / 60:
            return self.moment(fact, time)
        word = words.ago if self.is_now(later) and self.author.tense == "present" else words.earlier
        if self.choices.flip(fact.key, "before", 0.25):
            word = words.before
        return (*self.span(fact, time, later), Piece(word))

    def over(self, fact: Fact, time: float, *, lasting: bool = False, perfect: bool = True) -> Phrase:
        """The stretch from an earlier time to the fact's: "over six months", after a perfect "since March 2025"."""
        words = self.language.spans
        word = self.choices.any(fact.key, "over", words.lasting if lasting else words.over)
        if word == words.since and perfect:
            return (Piece(f"{word} "), *self.bare_moment(fact, time))
        word = words.instead_of_since if word == words.since else word
        return (Piece(f"{word} "), *self.span(fact, time, fact.time))

    def fill(
        self,
        template: str,
        *facts: Fact,
        plural: bool = False,
        more: Mapping[str, Slot] | None = None,
        **slots: Phrase | str,
    ) -> Phrase:
        """A template with the usual slots beside the given ones."""
        key = facts[0].key if facts else "note"
        usual: dict[str, Slot] = {"she": lambda: self.subject(key), "her": self.her, "him": self.him}
        usual |= self.verbs(plural)
        usual |= slots
        usual |= more or {}
        return fill(template, tuple(fact.key for fact in facts), **usual)


def build_context(plan: NotePlan, *, lexicon: Lexicon, noise: Noise) -> NoteContext:
    """The context of a note in the words of the lexicon's locale."""
    locale = lexicon.locale
    author = find_author(noise, plan.author, locale)
    return NoteContext(
        plan=plan,
        lexicon=lexicon,
        noise=noise,
        author=author,
        choices=Choices(noise, author, f"{plan.document} by {plan.author}", lexicon.terms),
        language=load_words(LanguageWords, locale),
        documents=load_words(DocumentWords, locale),
        phrases=load_words(PhraseWords, locale),
        labels=load_words(UsageWords, locale).labels,
    )
