"""Events and treatments in words: when they happened, began and ended, and that they did not."""

from __future__ import annotations

from ..facts import Fact
from .context import NoteContext
from .pieces import Phrase, Piece, Slot


def say_event(context: NoteContext, fact: Fact, *, terse: bool = False) -> Phrase:
    """A clause about an event: that it happened and when, that it has not, or that it may have."""
    role = context.term(fact).role
    slot = "event terse" if terse else "event"
    if fact.speaker == "radiologist":
        return say_seen(context, fact, terse=terse)
    if fact.status == "present" and role in ("end", "departure"):
        return say_end(context, fact, terse=terse)
    words, diagnosis = context.phrases.events, role == "diagnosis"
    if fact.status == "uncertain":
        table = words.terse_maybe if terse else words.maybe
    elif fact.status == "absent" and diagnosis:
        table = words.terse_never if terse else words.never
    elif fact.status == "absent":
        table = words.terse_not_happened if terse else words.not_happened
    elif diagnosis:
        table = words.terse_diagnosed if terse else words.diagnosed
    else:
        table = words.terse_happened if terse else words.happened
    return fill_course(context, fact, context.choices.pick(fact.key, slot, table))


def say_seen(context: NoteContext, fact: Fact, *, terse: bool) -> Phrase:
    """What a radiologist sees, or does not."""
    words = context.phrases.events
    tables = words.terse_seen if terse else words.seen
    template = context.choices.pick(fact.key, f"seen {terse}", getattr(tables, fact.status))
    dated = fact.status == "present" and not context.is_now(fact.time)
    return fill_course(context, fact, template + (words.seen_before if dated else ""))


def say_end(context: NoteContext, fact: Fact, *, terse: bool) -> Phrase:
    """How the journey or its record ended. Death, discharge and leaving have their own verbs, which are the term."""
    words, name = context.phrases.events, context.term(fact).label.lower()
    table: tuple[tuple[str, ...], ...] = ()
    if context.term(fact).role == "departure":
        table = words.departed
    elif name.startswith(context.labels.death):
        table = words.died
    elif name.startswith(context.labels.discharge):
        table = words.went_home
    if not table:
        plain = words.terse_happened if terse else words.left
        return fill_course(context, fact, context.choices.pick(fact.key, f"end {terse}", plain))
    template, verb = context.choices.any(fact.key, "end", table)
    if terse:
        template = words.terse_end
    return fill_course(context, fact, template, verb=(Piece(verb, "term", (fact.key,)),))


def say_treatment(context: NoteContext, fact: Fact, *, terse: bool = False) -> Phrase:
    """A clause about a treatment: given since, started, stopped or not given."""
    words, given = context.phrases.treatments, fact.status == "present"
    if given and fact.previous is None and not context.is_now(fact.time):
        name = "on"
    elif given:
        still = not context.is_now(fact.time) and context.choices.flip(fact.key, "still", 0.5)
        name = "on" if still else "started"
    else:
        name = "stopped" if fact.previous else "not on"
    table: tuple[str, ...] = getattr(words, ("terse_" if terse else "") + name.replace(" ", "_"))
    if words.procedure.search(context.term(fact).label):
        table = tuple(phrase for phrase in table if not words.taken.search(phrase))
    template = context.choices.pick(fact.key, f"{name} {terse}", table)
    if name == "not on":
        ends = words.terse_end_hours if context.plan.hours else words.terse_end
        template += context.choices.any(fact.key, "as of", ends if terse else words.clause_end)
    return fill_course(context, fact, template)


def fill_course(context: NoteContext, fact: Fact, template: str, **more: Slot) -> Phrase:
    def dose() -> Phrase:
        plain = fact.kind != "treatment" or fact.value in (None, 0.0, 1.0)
        return () if plain else (Piece(" "), *context.value(fact))

    def bare() -> Phrase:
        return context.moment(fact, fact.time)[1:]

    slots: dict[str, Slot] = {
        "x": lambda: (*context.told(fact), *dose()),
        "X": lambda: (*context.told(fact, counted=True), *dose()),
        "when": lambda: context.moment(fact, fact.time),
        "then": bare,
        "since": bare,
        "now": lambda: context.today(fact),
    }
    return context.fill(template, fact, plural=context.plural(fact), more=slots | more)
