"""Events and treatments in words: when they happened, began and ended, and that they did not."""

from __future__ import annotations

import re
from functools import lru_cache

from ..facts import Fact
from .pieces import Phrase, Piece, Slot
from .teller import Teller

DIAGNOSED = (
    "{she} was diagnosed with {x} {when}", "{x} {was} diagnosed {when}", "a diagnosis of {x} {was} made {when}",
    "the diagnosis of {x} dates from {then}", "{when} {she} was diagnosed with {x}",
    "{x}, diagnosed {when}, is on record",
    "{she} has had a diagnosis of {x} since {then}", "{she} carries a diagnosis of {x}, made {when}",
    "{she} has been known to have {x} since {then}", "the diagnosis of {x} {was} established {when}",
)  # fmt: skip
HAPPENED = (
    "{X} {was} recorded {when}", "{X} occurred {when}", "{when} {she} had {X}", "{she} had {X} {when}",
    "{X} {was} noted {when}",
    "there was {X} {when}", "{when} {X} {was} documented", "{she} developed {X} {when}", "{X} {was} identified {when}",
)  # fmt: skip
DIED = (
    ("{she} {verb} {when}", "died"), ("{she} {verb} {when}", "passed away"), ("{verb} was recorded {when}", "death"),
    ("{when} {she} {verb}", "died"),
    ("the stay ended with {verb} {when}", "death"), ("{she} {verb}; the time recorded is {then}", "died"),
)  # fmt: skip
DEPARTED = (
    ("{she} {verb} {when}", "left the clinic"), ("{when} {she} {verb}", "left the clinic"), ("{she} {verb} {when}",
    "withdrew from follow-up"),
    ("{she} was {verb} {when}", "lost to follow-up"), ("{when} {she} was {verb}", "lost to follow-up"),
    ("{she} {verb} {when}", "left follow-up"),
    ("{when} {she} {verb}", "withdrew from follow-up"), ("{she} {verb} {when}", "stopped attending the clinic"),
)  # fmt: skip
WENT_HOME = (
    ("{she} was {verb} {when}", "discharged"), ("{verb} took place {when}", "discharge"), ("{when} {she} was {verb}",
    "discharged"),
    ("{verb} was recorded {when}", "discharge"), ("{when} {she} was {verb} from the ward", "discharged"),
    ("the stay ended with {verb} {when}", "discharge"),
)  # fmt: skip
LEFT = ("{x} {was} recorded {when}", "{x} took place {when}", "{when} {x} {was} recorded", "{x} {are} dated {then}")
NEVER = (
    "[no diagnosis of] {x} {has} been made", "{she} has [not] been diagnosed with {x}",
    "{x} {has} [not] been diagnosed",
    "there is [no] diagnosis of {x} on record", "{she} does [not] carry a diagnosis of {x}",
    "[no diagnosis of] {x} {are} recorded up to {now}", "{x} had [not] been diagnosed by {now}",
)  # fmt: skip
NOT_HAPPENED = (
    "there has been [no] {x}", "[no] {x} {has} been recorded", "{X} {has} [not] occurred", "{X} {has} [not] been seen",
    "{she} has had [no] {x}", "to date there is [no] {x}", "[no] {x} {has} been documented by {now}",
    "{X} {has} [not] been recorded to date",
)  # fmt: skip
MAYBE = (
    "{x} {are} [suspected]", "{she} [may] have {x}", "{x} [cannot be excluded]",
    "there is a [possible] diagnosis of {x}",
    "{x} {are} [being considered]", "the possibility of {x} [remains open]",
)  # fmt: skip
TERSE_EVENT = ("{x} ({then})", "{x} dx {then}", "{x} since {then}", "{x}, {then}", "{then}: {x}", "dx {x} {when}")
TERSE_HAPPENED = ("{x} ({then})", "{x}, {then}", "{then}: {x}", "{x} {when}")
TERSE_NEVER = (
    "[no] {x}",
    "[no] {x} to date",
    "{x}: [none]",
    "[not] diagnosed: {x}",
    "[no] dx of {x}",
    "[no] {x} as of {now}",
)
TERSE_MAYBE = ("[?]{x}", "[possible] {x}", "[query] {x}", "{x} [suspected]")

TERSE_NONE = (
    "[no] {x}",
    "[no] {x} to date",
    "{x}: [none]",
    "[no] {x} so far",
    "[no] {x} on record",
    "[no] {x} as of {now}",
)
SEEN = {
    "present": ("there {are} {X}", "{X} {are} seen", "{X} {are} demonstrated", "the images show {X}",
    "appearances show {X}", "{X} {are} noted", "{X} {are} present"),
    "absent": (
        "[no] {x} {are} seen", "there is [no evidence of] {x}", "[no] {x} {are} demonstrated",
        "the images show [no] {x}", "[no] {x} {are} identified",
        "there is [no sign of] {x}", "[no] {x} {was} found", "the study of {now} shows [no] {x}",
        "[no evidence of] {x} on the images",
        "on the images of {now} there {are} [no] {x}", "[no] {x} can be seen", "{x} {are} [not seen]",
    ),
    "uncertain": ("{x} [cannot be excluded]", "there {are} [possible] {x}",
    "appearances [raise the possibility of] {x}", "[possible] {x} {are} seen"),
}  # fmt: skip
TERSE_SEEN = {
    "present": ("{x}", "{x} seen", "{x} present", "{x} demonstrated"),
    "absent": (
        "[no] {x}",
        "[no evidence of] {x}",
        "[negative for] {x}",
        "[no] {x} seen",
        "{x} [not seen]",
        "[no sign of] {x}",
        "{x}: [none]",
    ),
    "uncertain": ("[?]{x}", "[possible] {x}", "{x} [not excluded]", "[query] {x}"),
}
ON = (
    "{she} has been taking {X} since {since}", "{she} has been on {X} since {since}",
    "{X}, started {when}, continue{s}",
    "{she} continues on {X}, started {when}", "treatment with {X} has continued since {since}",
    "{X} {was} started {when} and {are} ongoing",
    "{she} remains on {X} (since {since})", "{she} has received {X} since {since}",
    "{X} {has} been given since {since} and continue{s}",
)  # fmt: skip
STARTED = (
    "{X} {was} started {when}", "{she} was started on {X} {when}", "{when} {X} {was} commenced",
    "treatment with {X} began {when}",
    "{X} {was} begun {when}", "{X} {was} introduced {when}", "{she} began {X} {when}", "{X} {are} new as of {since}",
)  # fmt: skip
STOPPED = (
    "{X} came to [an end] {when}", "{when} {she} came [off] {X}", "{X} [ended] {when}", "{when} {X} {was} [stopped]",
    "{X} {was} stopped {when}", "{X} {was} [discontinued] {when}", "{when} {X} {was} [withdrawn]",
    "treatment with {X} [ended] {when}",
    "{she} came [off] {X} {when}", "{she} has been [off] {X} since {since}", "{X} {was} [ceased] {when}",
    "{she} is [no longer on] {X}, which {was} stopped {when}",
)  # fmt: skip
NOT_ON = (
    "{she} has been managed [without] {X}", "{she} is managed [without] {X}", "{X} {has} [not] been used",
    "{she} is [not on] {X}", "{she} does [not] take {X}", "{she} is [not] taking {X}", "{X} {has} [not] been given",
    "{X} {has} [not] been prescribed",
    "{she} has [not] been started on {X}", "{she} has [not] received {X}", "{she} is [not] treated with {X}",
    "{X} {are} [not] part of {her} treatment",
    "{X} {are} [not] being given", "there is [no] treatment with {X}", "{she} remains [off] {X}",
    "{she} is [without] {X}", "{X} {are} [not] in use",
)  # fmt: skip
CLAUSE_END = (
    "",
    "",
    " at present",
    " as of {now}",
    " as of {now}",
    " as of {now}",
    " at this point",
    " for the time being",
)
# treatments that nobody takes or prescribes
PROCEDURE = re.compile(
    r"(ventilation|dialysis|surgery|therapy|stimulation|transplantation|feeding|exercise|ectomy|plasty)$"
)
TERSE_END = ("", "", " as of {now}", " ({now})")
TERSE_END_HOURS = ("", " at {now}", " as of {now}", " ({now})", " at {now}", ", {now}")
TERSE_ON = (
    "{x} since {since}",
    "on {x} (since {since})",
    "{x} continue{s}, from {since}",
    "cont. {x} (from {since})",
    "{x} ongoing (start {since})",
)
TERSE_STARTED = (
    "{x} started {when}",
    "started {x} {when}",
    "{x} commenced {when}",
    "new: {x} ({since})",
    "begun {x} {when}",
)
TERSE_STOPPED = (
    "{x} [stopped] {when}",
    "[off] {x} since {since}",
    "{x} [discontinued] {when}",
    "{x} [d/c] {since}",
    "{x} [ceased] {when}",
)
TERSE_NOT_ON = (
    "[not on] {x}",
    "[no] {x}",
    "[nil] {x}",
    "{x}: [not given]",
    "[without] {x}",
    "[off] {x}",
    "{x} [not given]",
)


def say_event(teller: Teller, fact: Fact, *, terse: bool = False) -> Phrase:
    """A clause about an event: that it happened and when, that it has not, or that it may have."""
    role = teller.term(fact).role
    slot = "event terse" if terse else "event"
    if fact.speaker == "radiologist":
        return say_seen(teller, fact, terse=terse)
    if fact.status == "present" and role in ("end", "departure"):
        return say_end(teller, fact, terse=terse)
    diagnosis = role == "diagnosis"
    table: tuple[str, ...]
    if fact.status == "uncertain":
        table = TERSE_MAYBE if terse else MAYBE
    elif fact.status == "absent":
        table = TERSE_NEVER if terse and diagnosis else TERSE_NONE if terse else NEVER if diagnosis else NOT_HAPPENED
    elif terse:
        table = TERSE_EVENT if diagnosis else TERSE_HAPPENED
    else:
        table = DIAGNOSED if diagnosis else HAPPENED
    return fill_course(teller, fact, teller.choices.pick(fact.key, slot, table))


def say_seen(teller: Teller, fact: Fact, *, terse: bool) -> Phrase:
    """What a radiologist sees, or does not."""
    tables = TERSE_SEEN if terse else SEEN
    template = teller.choices.pick(fact.key, f"seen {terse}", tables[fact.status])
    dated = fact.status == "present" and not teller.is_now(fact.time)
    return fill_course(teller, fact, template + (" (recorded {when})" if dated else ""))


def say_end(teller: Teller, fact: Fact, *, terse: bool) -> Phrase:
    """How the journey or its record ended. Death, discharge and leaving have their own verbs, which are the term."""
    name = teller.term(fact).label.lower()
    table: tuple[tuple[str, str], ...] | None
    table = DIED if name.startswith("death") else WENT_HOME if name.startswith("discharge") else None
    if teller.term(fact).role == "departure":
        table = DEPARTED
    if table is None:
        return fill_course(
            teller, fact, teller.choices.pick(fact.key, f"end {terse}", TERSE_HAPPENED if terse else LEFT)
        )
    template, verb = teller.choices.any(fact.key, "end", table)
    if terse:
        template = "{verb} {when}"
    return fill_course(teller, fact, template, verb=(Piece(verb, "term", (fact.key,)),))


@lru_cache(maxsize=64)
def drop_taking(table: tuple[str, ...]) -> tuple[str, ...]:
    """The phrases that fit what is done and not taken."""
    return tuple(phrase for phrase in table if not re.search("tak|prescribed|introduced", phrase))


def say_treatment(teller: Teller, fact: Fact, *, terse: bool = False) -> Phrase:
    """A clause about a treatment: given since, started, stopped or not given."""
    given = fact.status == "present"
    table: tuple[str, ...]
    if given and fact.previous is None and not teller.is_now(fact.time):
        name, table = "on", TERSE_ON if terse else ON
    elif given:
        name, table = "started", TERSE_STARTED if terse else STARTED
        if not teller.is_now(fact.time) and teller.choices.flip(fact.key, "still", 0.5):
            name, table = "on", TERSE_ON if terse else ON
    elif fact.previous:
        name, table = "stopped", TERSE_STOPPED if terse else STOPPED
    else:
        name, table = "not on", TERSE_NOT_ON if terse else NOT_ON
    if PROCEDURE.search(teller.term(fact).label):
        table = drop_taking(table)
    template = teller.choices.pick(fact.key, f"{name} {terse}", table)
    if name == "not on":
        template += teller.choices.any(
            fact.key, "as of", (TERSE_END_HOURS if teller.plan.hours else TERSE_END) if terse else CLAUSE_END
        )
    return fill_course(teller, fact, template)


def fill_course(teller: Teller, fact: Fact, template: str, **more: Slot) -> Phrase:
    def dose() -> Phrase:
        plain = fact.kind != "treatment" or not isinstance(fact.value, float) or fact.value in (0.0, 1.0)
        return () if plain else (Piece(" "), *teller.value(fact))

    def bare() -> Phrase:
        return teller.moment(fact, fact.time)[1:]

    slots: dict[str, Slot] = {
        "x": lambda: (*teller.told(fact), *dose()),
        "X": lambda: (*teller.told(fact, counted=True), *dose()),
        "when": lambda: teller.moment(fact, fact.time),
        "then": bare,
        "since": bare,
        "now": lambda: teller.today(fact),
    }
    return teller.fill(template, fact, plural=teller.plural(fact), more=slots | more)
