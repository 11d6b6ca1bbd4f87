"""Measured values in words: as they are, and as they have changed since the last one."""

from __future__ import annotations

from ..facts import Fact
from .pieces import Phrase, Piece, Slot
from .teller import Teller

# {x} is the term, {n} the value with its unit, {p} the earlier one, {P} the earlier one with its unit
TODAY = (
    "{x} {is} {n}", "{x} {is} {n} today", "today {x} {is} {n}", "{x} {is} measured at {n}", "{x} came to {n}",
    "{x} {is} recorded as {n}", "{x} {is} {n} on this occasion", "{x} stood at {n}", "{x} {is} now {n}",
    "{x} {is} {n} at this visit", "at this visit {x} {is} {n}", "{x} {are} currently {n}",
    "{x} at this assessment {is} {n}", "{x} on the day {is} {n}", "{x} {is} found to be {n}",
)  # fmt: skip
SCORED = (
    "{she} scored {n} on {x}", "{she} scored {n} on {x} today", "{she} obtained {n} on {x}", "{x} gave a score of {n}",
    "{her} score on {x} {is1} {n}", "{she} achieved {n} on {x}", "on {x} {she} scored {n}", "{x} {is} scored at {n}",
)  # fmt: skip
EARLIER = (
    "{x} {was} {n} {when}", "{when} {x} {was} {n}", "{x} {was} measured at {n} {when}",
    "{x}, last measured {when}, {was} {n}",
    "the most recent {y}, {when}, {was1} {n}", "{x} {was} recorded as {n} {when}", "{x} came to {n} {when}",
    "the last available {y} {was1} {n} ({when})", "{x} stood at {n} {when}", "{x} {was} last recorded {when}, at {n}",
)  # fmt: skip
CHANGES = {
    "up": (
        "{x} {has} risen from {p} to {n} {over}", "{x} {has} increased from {p} to {n} {over}",
        "{x} {is} {n}, up from {p} {ago}",
        "{x} rose {within} from {p} to {n}", "{x} {is} {n}, having been {P} {ago}",
        "{x}, {P} {ago}, {has} risen to {n}",
        "compared with {P} {ago}, {x} {has} increased to {n}", "{x} went up to {n} from {p} {ago}",
        "{over}, {x} {has} gone from {p} up to {n}", "{x} {has} climbed to {n}, from {p} {ago}",
        "{x} {is} higher at {n} ({P} {ago})",
    ),
    "down": (
        "{x} {has} fallen from {p} to {n} {over}", "{x} {has} decreased from {p} to {n} {over}",
        "{x} {is} {n}, down from {p} {ago}",
        "{x} fell {within} from {p} to {n}", "{x} {is} {n}, having been {P} {ago}",
        "{x}, {P} {ago}, {has} dropped to {n}",
        "compared with {P} {ago}, {x} {has} gone down to {n}", "{x} dropped to {n} from {p} {ago}",
        "{over}, {x} {has} gone from {p} down to {n}", "{x} {has} declined to {n}, from {p} {ago}",
        "{x} {is} lower at {n} ({P} {ago})",
    ),
    "same": (
        "{x} {is} unchanged at {n} {lasting}", "{x} {is} {n}, as {ago}", "{x} {has} stayed at {n} {lasting}",
        "{x} {has} remained at {n} {lasting}",
        "{x} {is} again {n}, as it was {ago}", "{x} {is} stable at {n} {lasting}",
        "{lasting}, {x} {has} not moved from {n}",
        "{x} {has} held at {n} {lasting}", "at {n}, {x} {is} the same as {ago}",
    ),
}  # fmt: skip
WITH_PREVIOUS = (", from {P} {ago}", ", after {P} {ago}", " ({P} {ago})", " (previously {P})")
# levels such as "high"
LEVEL_TODAY = (
    "{x} {is} {n}", "{x} {is} {n} at {clock}", "{x} {is} charted as {n}", "{x} {is} recorded as {n}",
    "{x} {is} {n} at this check",
    "{x} {is} {n} on the {clock} observations", "at {clock} {x} {is} {n}", "{x} {is} noted to be {n}",
    "{x} currently {n}",
    "{x} read {n} at {clock}", "{x} {is} {n} when checked at {clock}", "{x} {is} {n} on review",
    "observations show {n} {x0}",
    "{x} {is} {n} at the time of writing", "{x} {is} in the {n} range", "{x} {is} found to be {n}",
    "the {clock} reading for {x0} {is1} {n}",
)  # fmt: skip
LEVEL_OTHER = (
    "{x} {has} become {n} after being {p} {ago}", "{x} {has} shifted from {p} to {n} {over}",
    "{x} {is} {n} rather than {p} as {ago}",
    "{p} {ago}, {x} {is} {n} now", "{x} went from {p} to {n} {within}", "{x} {is} {n}, a change from {p} {ago}",
    "{x} {is} now {n}, having been {p} {ago}", "{x} {has} gone from {p} to {n} {over}", "{x} {is} {n} ({p} {ago})",
    "{x} changed from {p} to {n} {within}", "{x}, {p} {ago}, {is} now {n}", "{x} moved from {p} to {n} {within}",
    "{within}, {x} went from {p} to {n}", "from {p} {ago}, {x} {is} now {n}", "{x} {is} {n}; {ago} it {was} {p}",
    "{x} turned {n} after being {p} {ago}", "compared with {p} {ago}, {x} {is} {n}",
)  # fmt: skip
LEVEL_SAME = (
    "{x} {is} {n}, unchanged {lasting}", "{x} {has} not changed from {n} {lasting}",
    "{x} {has} kept to {n} {lasting}",
    "{x} {has} held at {n} {lasting}", "{x} {is} steady at {n} {lasting}", "as {ago}, {x} {is} {n}",
    "{lasting}, {x} {has} stayed {n}",
    "{x} {is} still {n}, as {ago}", "{x} {has} stayed {n} {lasting}", "{x} {has} remained {n} {lasting}",
    "{x} {is} unchanged at {n} {lasting}",
    "{x} {is} {n}, no different from {ago}", "{x} {has} been {n} {lasting}", "{x} {is} again {n}, as {ago}",
    "{x} continues {n}, as {ago}", "{lasting}, {x} {has} not changed from {n}", "{x} {is} {n} and {was} so {ago}",
)  # fmt: skip
# telegraphic
TERSE = ("{x} {n}", "{x} = {n}", "{x}: {n}", "{x} {n} {at}", "{x} {at} {n}")
TERSE_EARLIER = ("{x} {n} ({on})", "{x} {n} {at}", "{x} {at} {n}", "{x}: {n} ({on})", "{x} {n}, {on}")
TERSE_EARLIER_CHANGE = (
    "{x} {n} {at} ({p} {ago})", "{x} {n} {at}, was {p} {ago}", "{x} {p} → {n} ({then} → {on})",
    "{x} {at} {n} (prev {p}, {then})",
    "{x} {n} ({on}), {p} {ago}", "{x} {at} {n}, after {p} {ago}",
)  # fmt: skip
TERSE_CHANGES = {
    "up": ("{x} {n} ({p} {ago})", "{x} {p} → {n} {over}", "{x} {n}, was {p} {ago}", "{x} up to {n} from {p} {ago}",
           "{x} {n} (prev {p}, {then})", "{x} {n}, up from {p} {ago}", "{x} ↑ {n} (from {p} {ago})"),
    "down": ("{x} {n} ({p} {ago})", "{x} {p} → {n} {over}", "{x} {n}, was {p} {ago}", "{x} down to {n} from {p} {ago}",
             "{x} {n} (prev {p}, {then})", "{x} {n}, down from {p} {ago}", "{x} ↓ {n} (from {p} {ago})"),
    "same": ("{x} {n}, unchanged {lasting}", "{x} {n} (same {ago})", "{x} unchanged at {n} {lasting}",
    "{x} static at {n} {lasting}",
             "{x} {n}, as {ago}", "{x} {n}, no change {lasting}"),
    "other": ("{x} {n} ({p} {ago})", "{x} {p} → {n} {over}", "{x} {n}, was {p} {ago}", "{x} now {n}, {p} {ago}",
              "{x} {n} (prev {p}, {then})", "{x} now {n} (from {p} {ago})"),
}  # fmt: skip
TERSE_EARLIER_SAME = (
    "{x} {n} {at}, unchanged {lasting}", "{x} {n} ({on}), as {ago}", "{x} {at} {n}, same as {ago}",
    "{x} {n} {at} (no change {lasting})",
    "{x} {at} unchanged at {n} {lasting}",
)  # fmt: skip
# another value of the same earlier day, told in the same sentence
SAME_TIME = (
    "{x} {was} {n}",
    "{x} {was} measured at {n}",
    "{x} came to {n}",
    "{x} stood at {n}",
    "{x} {was} recorded as {n}",
    "{x} {was} {n}",
)
LEVEL_SAME_TIME = (
    "{x} stood at {n}",
    "{x} {was} seen to be {n}",
    "{x} {was} found to be {n}",
    "{x} {was} entered as {n}",
    "{x} read {n}",
    "the chart has {x0} as {n}",
    "{x} {was} {n}",
    "{x} {was} recorded as {n}",
    "{x} {was} charted as {n}",
    "{x} {was} noted to be {n}",
)
LEVEL_EARLIER = (
    "{when} {x} {was} charted as {n}", "{x}, taken {when}, {was} {n}", "{x} {was} seen to be {n} {when}",
    "{when} {x} read {n}",
    "{x} {was} entered as {n} {when}", "{x} {was} {n} when taken {when}",
    "{x} stood at {n} {when}", "{when} the chart has {x0} as {n}",
    "{x} {was} {n} {when}", "{when} {x} {was} {n}", "{x} {was} recorded as {n} {when}",
    "{x} {was} charted as {n} {when}", "{x} read {n} {when}",
    "{x} {was} noted to be {n} {when}", "{x}, last checked {when}, {was} {n}", "{x} {was} found to be {n} {when}",
)  # fmt: skip
# of volumes, in a radiologist's words
SEEN = (
    "{x} {are} {n}", "{x} measure{s} {n}", "{x} amount{s} to {n}", "{x} come{s} to {n}", "{x} {are} measured at {n}",
    "measurement gives {n} for {x}",
    "{n} is measured for {x}", "{x} {was} measured at {n}", "{x} {was} {n} by volumetry", "volumetry puts {x} at {n}",
    "{x} {are} put at {n}",
)  # fmt: skip


def say_value(teller: Teller, fact: Fact, *, after: Fact | None = None) -> Phrase:
    """A clause about a measured value or level, with its change where there was one before.

    `after` is what the same sentence has just told: what is of the same earlier time has its date already.
    """
    key, course = fact.key, teller.course(fact)
    role, level = teller.term(fact).role, isinstance(fact.value, str)
    now = teller.is_now(fact.time)
    if course != "new" and fact.previous_time is not None and (now or (level and not is_first(teller, fact))):
        table = LEVEL_SAME if level and course == "same" else LEVEL_OTHER if level else CHANGES[course]
        template = teller.choices.pick(key, "change", table)
    elif now and level:
        template = teller.choices.pick(key, "level", LEVEL_TODAY)
    elif now and role == "score" and teller.choices.flip(key, "scored", 0.5):
        template = teller.choices.pick(key, "scored", SCORED)
    elif now and fact.speaker == "radiologist":
        template = teller.choices.pick(key, "seen", SEEN)
    elif now:
        template = teller.choices.pick(key, "today", TODAY)
    else:
        tables = (LEVEL_SAME_TIME, LEVEL_EARLIER) if level else (SAME_TIME, EARLIER)
        told = after is not None and after.time == fact.time
        template = teller.choices.pick(key, "earlier", tables[0] if told else tables[1])
        if course != "new" and fact.previous_time is not None and teller.choices.flip(key, "tell previous", 0.6):
            options = WITH_PREVIOUS[:2] if template.endswith(")") else WITH_PREVIOUS
            template += teller.choices.any(key, "with previous", options)
    return fill_value(teller, fact, template)


def is_first(teller: Teller, fact: Fact) -> bool:
    """Whether a later value of the same variable is told too, so that this one only says how things began."""
    return any(other.variable == fact.variable and other.time > fact.time for other in teller.plan.facts)


def say_value_tersely(teller: Teller, fact: Fact) -> Phrase:
    """The same in a telegram's grammar, in which every value has its own date."""
    course, now = teller.course(fact), teller.is_now(fact.time)
    changed = course != "new" and fact.previous_time is not None
    if changed and now:
        template = teller.choices.pick(fact.key, "terse change", TERSE_CHANGES[course])
    elif changed:
        table = TERSE_EARLIER_SAME if course == "same" else TERSE_EARLIER_CHANGE
        template = teller.choices.pick(fact.key, "terse earlier change", table)
    elif now:
        template = teller.choices.any(fact.key, "terse", TERSE)
    else:
        template = teller.choices.any(fact.key, "terse earlier", TERSE_EARLIER)
    return fill_value(teller, fact, template, terse=True)


def fill_value(teller: Teller, fact: Fact, template: str, *, terse: bool = False) -> Phrase:
    def term() -> Phrase:
        return teller.told(fact, the=not terse)

    def at() -> Phrase:
        return moment() if not teller.is_now(fact.time) or teller.plan.hours else (Piece("today"),)

    def moment() -> Phrase:
        return teller.moment(fact, fact.time)

    verbs = teller.verbs(False)
    slots: dict[str, Slot] = {
        "x": term, "x0": lambda: teller.told(fact), "y": lambda: teller.told(fact), "n": lambda: teller.value(fact),
        "is1": verbs["is"], "was1": verbs["was"], "clock": lambda: clock(teller, fact),
        "when": moment, "at": at, "on": lambda: moment()[1:],
        "p": lambda: teller.previous(fact), "P": lambda: teller.previous(fact, unit=True),
    }  # fmt: skip
    earlier = fact.previous_time
    if earlier is not None:
        slots |= {
            "ago": lambda: teller.ago(fact, earlier),
            "then": lambda: teller.bare_moment(fact, earlier),
            "over": lambda: teller.over(fact, earlier),
            "lasting": lambda: teller.over(fact, earlier, lasting=True),
            "within": lambda: teller.over(fact, earlier, perfect=False),
        }
    return teller.fill(template, fact, plural=teller.plural(fact), more=slots)


def clock(teller: Teller, fact: Fact) -> Phrase:
    """When today: the hour where hours count, else the date."""
    when = teller.plan.date_of(fact.time)
    if teller.plan.hours:
        return (Piece(f"{when:%H:%M}", "time", (fact.key,)),)
    return (Piece("today's visit"),)
