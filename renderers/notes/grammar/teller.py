"""The words of one author about one patient at one time: terms, numbers, times and pronouns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from ...noise import Noise
from ..facts import Fact, NotePlan
from ..lexicon import Lexicon, Term
from .author import Author, draw, find_author
from .choose import Choices
from .english import HOURS, head_of, is_counted, is_plural, show_date, show_month, show_number, show_span
from .pieces import ARTICLE, Phrase, Piece, Slot, fill

RELATIONS = {
    "female": ("husband", "daughter", "son", "sister", "brother", "niece", "partner"),
    "male": ("wife", "daughter", "son", "sister", "brother", "niece", "partner"),
}
PROPER = {
    "european": "European",
    "african": "African",
    "asian": "Asian",
    "american": "American",
    "hispanic": "Hispanic",
}
PROPER |= {"east": "East", "south": "South", "oceanian": "Oceanian"}
DEFINITE = frozenset(
    [
        "rate",
        "pressure",
        "volume",
        "level",
        "count",
        "score",
        "index",
        "number",
        "test",
        "exam",
        "examination",
        "scale",
        "questionnaire",
        "inventory",
        "ratio",
        "sum",
    ]
)
VERBS = {
    (past, plural): {
        "is": ("were" if plural else "was") if past else ("are" if plural else "is"),
        "are": "are" if plural else "is",
        "was": "were" if plural else "was",
        "has": "have" if plural else "has",
        "s": "" if plural else "s",
    }
    for past in (True, False)
    for plural in (True, False)
}
NEAR = 1e-6


@dataclass(frozen=True)
class Teller:
    """What every sentence of a note needs to know."""

    plan: NotePlan
    lexicon: Lexicon
    noise: Noise
    author: Author
    choices: Choices
    names: dict[str, str] = field(default_factory=dict)  # of facts, as they were called

    # --- whom it is about ---

    @property
    def she(self) -> str:
        return {"female": "she", "male": "he"}.get(self.plan.subject.sex, "the patient")

    @property
    def her(self) -> str:
        return {"female": "her", "male": "his"}.get(self.plan.subject.sex, "the patient's")

    @property
    def him(self) -> str:
        return {"female": "her", "male": "him"}.get(self.plan.subject.sex, "the patient")

    @property
    def informant(self) -> str:
        """Who speaks for the patient: the same at every visit and in every world."""
        relations = RELATIONS.get(self.plan.subject.sex, ("daughter", "son", "sister", "brother", "partner"))
        return relations[int(draw(repr(self.noise.of_patient().uniform("informant")[0])) * len(relations))]

    def subject(self, key: str) -> Phrase:
        """The patient as a sentence's subject, as this author would say."""
        if self.author.subject == "pronoun" and not self.choices.flip(key, "subject", 0.2):
            words = self.she
        else:
            words = "the patient" if self.choices.flip(key, "patient", 0.7) else f"this {self.plan.subject.noun}"
        return (Piece(words, "subject"),)

    # --- terms ---

    def term(self, fact: Fact) -> Term:
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
            full = in_number(full)
        if self.choices.flip(fact.key, "synonym", 0.4):
            return self.choices.any(fact.key, "name", full)
        return full[0]

    def told(self, fact: Fact, *, counted: bool = False, the: bool = False) -> Phrase:
        """The term, marked; with `a` or `an` where it is counted, or with `the` where a definite noun needs one."""
        name, term = self.name(fact), self.term(fact)
        piece = Piece(name, "term", (fact.key,))
        short = name in term.abbreviations and " " not in name and term.role in ("treatment", "finding")
        label = term.label if short else name
        if counted and is_counted(label):
            return (ARTICLE, Piece(" "), piece)
        if the and needs_the(name):
            return (Piece("the "), piece)
        return (piece,)

    def plural(self, fact: Fact) -> bool:
        name, term = self.name(fact), self.term(fact)
        return is_plural(name) or (name in term.abbreviations and is_plural(term.label))

    def verbs(self, plural: bool) -> Mapping[str, str]:
        """Verbs that agree: `{is}` in the author's tense for today, the rest as they stand."""
        return VERBS[self.author.tense == "past", plural]

    # --- values ---

    def unit(self, fact: Fact) -> str:
        """The unit as this author always writes it, with the space before it; nothing for bare numbers."""
        written = self.term(fact).written_units or ("",)
        unit = written[int(draw(self.author.secret, "unit", fact.unit) * len(written))]
        return "" if not unit else unit if unit[0] in "/%" else f" {unit}"

    def shown(self, value: float | str | None, unit: str) -> str:
        if isinstance(value, str):
            return say_level(value)
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
        return abs(time - self.plan.time) <= NEAR + 1e-9 * abs(time)

    def hours_between(self, earlier: float, later: float) -> float:
        return abs(later - earlier) / self.plan.year * HOURS["year"]

    def moment(self, fact: Fact, time: float) -> Phrase:
        """A time as a complement: "on 12 March 2026", "in March 2026", "at 14:05"."""
        when = self.plan.date_of(time)
        if self.plan.hours:
            text = f"at {when:%H:%M}"
            if when.date() != self.plan.date:
                text += f" on {show_date(when.date(), self.author.dates)}"
        elif self.choices.flip(fact.key, "month", 0.3):
            text = f"in {show_month(when.date(), self.author.dates)}"
        else:
            text = f"on {show_date(when.date(), self.author.dates)}"
        preposition, _, rest = text.partition(" ")
        return (Piece(preposition + " "), Piece(rest, "time", (fact.key,)))

    def today(self, fact: Fact) -> Phrase:
        """The note's own time, after "as of" or in brackets."""
        when = self.plan.date_of(self.plan.time)
        text = f"{when:%H:%M}" if self.plan.hours else show_date(when.date(), self.author.dates)
        return (Piece(text, "time", (fact.key,)),)

    def bare_moment(self, fact: Fact, time: float) -> Phrase:
        """The same without its preposition, after "since" or in brackets."""
        return self.moment(fact, time)[1:]

    def span(self, fact: Fact, earlier: float, later: float, *, short: bool = False) -> Phrase:
        words = show_span(self.hours_between(earlier, later), words=self.author.number_words and not short, short=short)
        return (Piece(words, "time", (fact.key,)),)

    def ago(self, fact: Fact, time: float) -> Phrase:
        """A time before the fact's: "six months ago" of what holds today, else "six months earlier"; or its date."""
        later = fact.time
        if self.choices.flip(fact.key, "date of previous", 0.4) or self.hours_between(time, later) < 1 / 60:
            return self.moment(fact, time)
        word = " ago" if self.is_now(later) and self.author.tense == "present" else " earlier"
        if self.choices.flip(fact.key, "before", 0.25):
            word = " before"
        return (*self.span(fact, time, later), Piece(word))

    def over(self, fact: Fact, time: float, *, lasting: bool = False, perfect: bool = True) -> Phrase:
        """The stretch from an earlier time to the fact's: "over six months", after a perfect "since March 2025"."""
        options = ("over", "over", "for", "since") if lasting else ("over", "over", "in", "within", "since")
        word = self.choices.any(fact.key, "over", options)
        if word == "since" and perfect:
            return (Piece("since "), *self.bare_moment(fact, time))
        return (Piece(f"{word} " if word != "since" else "over "), *self.span(fact, time, fact.time))

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


@lru_cache(maxsize=65536)
def in_number(names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of a term's names that are singular, or plural, as its first one is."""
    return tuple(name for name in names if is_plural(name) == is_plural(names[0]))


def needs_the(name: str) -> bool:
    """Whether a measured quantity takes the definite article: "the volume of …", "the heart rate"."""
    return head_of(name) in DEFINITE or name.startswith(("volume of", "number of", "level of"))


def say_level(level: str) -> str:
    """A level of a variable in words: "very high", "East Asian"."""
    return " ".join(PROPER.get(word, word) for word in level.replace("_", " ").split())


def start_telling(plan: NotePlan, *, lexicon: Lexicon, noise: Noise) -> Teller:
    author = find_author(noise, plan.author)
    return Teller(
        plan, lexicon, noise, author, Choices(noise, author, f"{plan.document} by {plan.author}", lexicon.terms)
    )
