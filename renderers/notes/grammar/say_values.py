"""Measured values in words: as they are, and as they have changed since the last one."""

from __future__ import annotations

from ..facts import Fact
from .pieces import Phrase, Piece
from .teller import Teller

# {x} is the term, {n} the value with its unit, {p} the earlier one, {P} the earlier one with its unit
TODAY = (
    "{x} {is} {n}", "{x} {is} {n} today", "today {x} {is} {n}", "{x} {is} measured at {n}", "{x} came to {n}",
    "{x} {is} recorded as {n}", "{x} {is} {n} on this occasion", "{x} stood at {n}", "{x} {is} now {n}",
    "{x} {is} {n} at this visit", "at this visit {x} {is} {n}", "{x} {is} currently {n}",
    "{x} at this assessment {is} {n}", "{x} on the day {is} {n}", "{x} {is} found to be {n}",
)  # fmt: skip
SCORED = (
    "{she} scored {n} on {x}", "{she} scored {n} on {x} today", "{she} obtained {n} on {x}", "{x} gave a score of {n}",
    "{her} score on {x} {is1} {n}", "{she} achieved {n} on {x}", "on {x} {she} scored {n}", "{x} {is} scored at {n}",
)  # fmt: skip
EARLIER = (
    "{x} {was} {n} {when}", "{when} {x} {was} {n}", "{x} {was} measured at {n} {when}", "{x}, last measured {when}, {was} {n}",
    "the most recent {y}, {when}, {was1} {n}", "{x} {was} recorded as {n} {when}", "{x} came to {n} {when}",
    "the last available {y} {was1} {n} ({when})", "{x} stood at {n} {when}", "{x} {was} last recorded {when}, at {n}",
)  # fmt: skip
CHANGES = {
    "up": (
        "{x} {has} risen from {p} to {n} {over}", "{x} {has} increased from {p} to {n} {over}", "{x} {is} {n}, up from {p} {ago}",
        "{x} rose {over} from {p} to {n}", "{x} {is} {n}, having been {P} {ago}", "{x}, {P} {ago}, {has} risen to {n}",
        "compared with {P} {ago}, {x} {has} increased to {n}", "{x} went up to {n} from {p} {ago}",
        "{over}, {x} {has} gone from {p} up to {n}", "{x} {has} climbed to {n}, from {p} {ago}", "{x} {is} higher at {n} ({P} {ago})",
    ),
    "down": (
        "{x} {has} fallen from {p} to {n} {over}", "{x} {has} decreased from {p} to {n} {over}", "{x} {is} {n}, down from {p} {ago}",
        "{x} fell {over} from {p} to {n}", "{x} {is} {n}, having been {P} {ago}", "{x}, {P} {ago}, {has} dropped to {n}",
        "compared with {P} {ago}, {x} {has} gone down to {n}", "{x} dropped to {n} from {p} {ago}",
        "{over}, {x} {has} gone from {p} down to {n}", "{x} {has} declined to {n}, from {p} {ago}", "{x} {is} lower at {n} ({P} {ago})",
    ),
    "same": (
        "{x} {is} unchanged at {n} {over}", "{x} {is} {n}, as {ago}", "{x} {has} stayed at {n} {over}", "{x} remained at {n} {over}",
        "{x} {is} again {n}, as it was {ago}", "{x} {is} stable at {n} {over}", "{over}, {x} {has} not moved from {n}",
        "{x} {has} held at {n} {over}", "at {n}, {x} {is} the same as {ago}",
    ),
}  # fmt: skip
# levels such as "high"
LEVEL_TODAY = (
    "{x} {is} {n}", "{x} {is} {n} at {clock}", "{x} {is} charted as {n}", "{x} {is} recorded as {n}", "{x} {is} {n} at this check",
    "{x} {is} {n} on the {clock} observations", "at {clock} {x} {is} {n}", "{x} {is} noted to be {n}", "{x} currently {n}",
    "{x} read {n} at {clock}", "{x} {is} {n} when checked at {clock}", "{x} {is} {n} on review", "observations show {n} {x0}",
    "{x} {is} {n} at the time of writing", "{x} {is} in the {n} range", "{x} {is} found to be {n}", "the {clock} reading for {x0} {is1} {n}",
)  # fmt: skip
LEVEL_OTHER = (
    "{x} {is} now {n}, having been {p} {ago}", "{x} {has} gone from {p} to {n} {over}", "{x} {is} {n} ({p} {ago})",
    "{x} changed from {p} to {n} {over}", "{x}, {p} {ago}, {is} now {n}", "{x} moved from {p} to {n} {over}",
    "{over}, {x} went from {p} to {n}", "from {p} {ago}, {x} {is} now {n}", "{x} {is} {n}; {ago} it {was} {p}",
    "{x} turned {n} after being {p} {ago}", "compared with {p} {ago}, {x} {is} {n}",
)  # fmt: skip
LEVEL_SAME = (
    "{x} {is} still {n}, as {ago}", "{x} {has} stayed {n} {over}", "{x} remained {n} {over}", "{x} {is} unchanged at {n} {over}",
    "{x} {is} {n}, no different from {ago}", "{x} {has} been {n} {over}", "{x} {is} again {n}, as {ago}",
    "{x} continues {n}, as {ago}", "{over}, {x} {has} not changed from {n}", "{x} {is} {n} and {was} so {ago}",
)  # fmt: skip
# telegraphic
TERSE = ("{x} {n}", "{x} = {n}", "{x}: {n}", "{x} {n} {at}", "{x} {at} {n}")
TERSE_CHANGES = {
    "up": ("{x} {n} ({p} {ago})", "{x} {p} → {n} {over}", "{x} {n}, was {p} {ago}", "{x} up to {n} from {p} {ago}",
           "{x} {n} (prev {p}, {then})", "{x} {n}, up from {p} {ago}", "{x} ↑ {n} (from {p} {ago})"),
    "down": ("{x} {n} ({p} {ago})", "{x} {p} → {n} {over}", "{x} {n}, was {p} {ago}", "{x} down to {n} from {p} {ago}",
             "{x} {n} (prev {p}, {then})", "{x} {n}, down from {p} {ago}", "{x} ↓ {n} (from {p} {ago})"),
    "same": ("{x} {n}, unchanged {over}", "{x} {n} (same {ago})", "{x} unchanged at {n} {over}", "{x} static at {n} {over}",
             "{x} {n}, as {ago}", "{x} {n}, no change {over}"),
    "other": ("{x} {n} ({p} {ago})", "{x} {p} → {n} {over}", "{x} {n}, was {p} {ago}", "{x} now {n}, {p} {ago}",
              "{x} {n} (prev {p}, {then})", "{x} now {n} (from {p} {ago})"),
}  # fmt: skip
BOXED = ("{x} of {n}", "{n} on {x}", "{x} {n}", "{x} ({n})", "{x} at {n}")  # within a sentence of several


def needs_article(teller: Teller, fact: Fact) -> bool:
    return teller.term(fact).role in ("volume", "vital", "measure", "laboratory", "score")


def say_value(teller: Teller, fact: Fact) -> Phrase:
    """A clause about a measured value or level, with its change where there was one before."""
    key, course = fact.key, teller.course(fact)
    role, level = teller.term(fact).role, isinstance(fact.value, str)
    now = teller.is_now(fact.time)
    if course != "new" and (now or level):
        table = LEVEL_SAME if level and course == "same" else LEVEL_OTHER if level else CHANGES[course]
        template = teller.choices.pick(key, "change", table)
    elif now and level:
        template = teller.choices.pick(key, "level", LEVEL_TODAY)
    elif now and role == "score" and teller.choices.flip(key, "scored", 0.5):
        template = teller.choices.pick(key, "scored", SCORED)
    elif now:
        template = teller.choices.pick(key, "today", TODAY)
    else:
        template = teller.choices.pick(key, "earlier", EARLIER)
        if course != "new" and fact.previous_time is not None and teller.choices.flip(key, "tell previous", 0.6):
            template += teller.choices.any(key, "with previous", (" ({P} {ago})", ", from {P} {ago}", " (previously {P})"))
    return fill_value(teller, fact, template)


def say_value_tersely(teller: Teller, fact: Fact) -> Phrase:
    """The same in a telegram's grammar."""
    course = teller.course(fact)
    if course == "new" or fact.previous_time is None:
        template = teller.choices.any(fact.key, "terse", TERSE)
    else:
        template = teller.choices.pick(fact.key, "terse change", TERSE_CHANGES[course])
    if not teller.is_now(fact.time) and "{at}" not in template:
        template += " ({on})" if "(" not in template else ", {on}"
    return fill_value(teller, fact, template, terse=True)


def mention_value(teller: Teller, fact: Fact) -> Phrase:
    """A noun phrase for a list: "MMSE of 24"."""
    return fill_value(teller, fact, teller.choices.any(fact.key, "boxed", BOXED), terse=True)


def fill_value(teller: Teller, fact: Fact, template: str, *, terse: bool = False) -> Phrase:
    term = teller.told(fact, the=not terse)
    bare = teller.told(fact)
    slots: dict[str, Phrase | str] = {"x": term, "y": bare, "x0": bare, "n": teller.value(fact)}
    verbs = teller.verbs(False)
    slots |= {"is1": verbs["is"], "was1": verbs["was"]}
    if "{clock}" in template:
        slots["clock"] = clock(teller, fact)
    if "{when}" in template:
        slots["when"] = teller.moment(fact, fact.time)
    if "{on}" in template or "{at}" in template:
        moment = teller.moment(fact, fact.time)
        slots |= {"on": moment[1:], "at": moment if not teller.is_now(fact.time) or teller.plan.hours else (Piece("today"),)}
    if fact.previous is not None:
        earlier = fact.previous_time if fact.previous_time is not None else fact.time
        slots |= {"p": teller.previous(fact), "P": teller.previous(fact, unit=True)}
        if fact.previous_time is None:
            slots |= {"ago": "previously", "over": "since the last measurement", "then": "earlier"}
        else:
            slots |= {"ago": teller.ago(fact, earlier), "over": teller.over(fact, earlier)}
            slots["then"] = teller.bare_moment(fact, earlier)
    return teller.fill(template, fact, plural=teller.plural(fact), **slots)


def clock(teller: Teller, fact: Fact) -> Phrase:
    """When today: the hour where hours count, else the date."""
    when = teller.plan.date_of(fact.time)
    if teller.plan.hours:
        return (Piece(f"{when:%H:%M}", "time", (fact.key,)),)
    return (Piece("today's visit"),)
