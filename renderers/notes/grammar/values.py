"""Measured values in words: as they are, and as they have changed since the last one."""

from __future__ import annotations

from ..facts import Fact
from .context import NoteContext
from .pieces import Phrase, Piece, Slot


def say_value(context: NoteContext, fact: Fact, *, after: Fact | None = None) -> Phrase:
    """A clause about a measured value or level, with its change where there was one before.

    `after` is what the same sentence has just told: what is of the same earlier time has its date already.
    """
    key, course, words = fact.key, context.course(fact), context.phrases.values
    role, level = context.term(fact).role, isinstance(fact.value, str)
    now = context.is_now(fact.time)
    changed = course != "new" and fact.previous_time is not None
    if changed and (now or (level and not is_first(context, fact))):
        changes = words.changes
        if level:
            table = words.level_same if course == "same" else words.level_other
        else:
            table = changes.same if course == "same" else changes.up if course == "up" else changes.down
        template = context.choices.pick(key, "change", table)
    elif now and level:
        template = context.choices.pick(key, "level", words.level_today)
    elif now and role == "score" and context.choices.flip(key, "scored", 0.5):
        template = context.choices.pick(key, "scored", words.scored)
    elif now and fact.speaker == "radiologist":
        template = context.choices.pick(key, "seen", words.seen)
    elif now:
        template = context.choices.pick(key, "today", words.today)
    else:
        if after is not None and after.time == fact.time:
            table = words.level_same_time if level else words.same_time
        else:
            table = words.level_earlier if level else words.earlier
        template = context.choices.pick(key, "earlier", table)
        if changed and context.choices.flip(key, "tell previous", 0.6):
            options = words.with_previous
            if template.endswith(")"):
                options = tuple(option for option in options if not option.endswith(")"))
            template += context.choices.any(key, "with previous", options)
    return fill_value(context, fact, template)


def is_first(context: NoteContext, fact: Fact) -> bool:
    """Whether a later value of the same variable is told too, so that this one only says how things began."""
    return any(other.variable == fact.variable and other.time > fact.time for other in context.plan.facts)


def say_value_tersely(context: NoteContext, fact: Fact) -> Phrase:
    """The same in a telegram's grammar, in which every value has its own date."""
    course, now, words = context.course(fact), context.is_now(fact.time), context.phrases.values
    if course != "new" and fact.previous_time is not None:
        if now:
            table: tuple[str, ...] = getattr(words.terse_changes, course)
            template = context.choices.pick(fact.key, "terse change", table)
        else:
            table = words.terse_earlier_same if course == "same" else words.terse_earlier_change
            template = context.choices.pick(fact.key, "terse earlier change", table)
    elif now:
        template = context.choices.any(fact.key, "terse", words.terse)
    else:
        template = context.choices.any(fact.key, "terse earlier", words.terse_earlier)
    return fill_value(context, fact, template, terse=True)


def fill_value(context: NoteContext, fact: Fact, template: str, *, terse: bool = False) -> Phrase:
    def term() -> Phrase:
        return context.told(fact, the=not terse)

    def at() -> Phrase:
        return (
            moment()
            if not context.is_now(fact.time) or context.plan.hours
            else (Piece(context.phrases.values.today_at),)
        )

    def moment() -> Phrase:
        return context.moment(fact, fact.time)

    verbs = context.verbs(False)
    slots: dict[str, Slot] = {
        "x": term, "x0": lambda: context.told(fact), "y": lambda: context.told(fact), "n": lambda: context.value(fact),
        "is1": verbs["is"], "was1": verbs["was"], "clock": lambda: hour_or_visit(context, fact),
        "when": moment, "at": at, "on": lambda: moment()[1:],
        "p": lambda: context.previous(fact), "P": lambda: context.previous(fact, unit=True),
    }  # fmt: skip
    earlier = fact.previous_time
    if earlier is not None:
        slots |= {
            "ago": lambda: context.ago(fact, earlier),
            "then": lambda: context.bare_moment(fact, earlier),
            "over": lambda: context.over(fact, earlier),
            "lasting": lambda: context.over(fact, earlier, lasting=True),
            "within": lambda: context.over(fact, earlier, perfect=False),
        }
    return context.fill(template, fact, plural=context.plural(fact), more=slots)


def hour_or_visit(context: NoteContext, fact: Fact) -> Phrase:
    """When today: the hour where hours count, else the date."""
    when = context.plan.date_of(fact.time)
    if context.plan.hours:
        return (Piece(f"{when:%H:%M}", "time", (fact.key,)),)
    return (Piece(context.phrases.values.visit),)
