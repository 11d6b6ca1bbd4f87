"""Events and treatments in words: when they happened, began and ended, and that they did not."""

from __future__ import annotations

from ..facts import Fact
from .pieces import Phrase, Piece
from .teller import Teller

DIAGNOSED = (
    "{she} was diagnosed with {x} {when}", "{x} {was} diagnosed {when}", "a diagnosis of {x} {was} made {when}",
    "the diagnosis of {x} dates from {then}", "{when} {she} was diagnosed with {x}", "{x}, diagnosed {when}, is on record",
    "{she} has had a diagnosis of {x} since {then}", "{she} carries a diagnosis of {x}, made {when}",
    "{she} has been known to have {x} since {then}", "the diagnosis of {x} {was} established {when}",
)  # fmt: skip
HAPPENED = (
    "{X} {was} recorded {when}", "{X} occurred {when}", "{when} {she} had {X}", "{she} had {X} {when}", "{X} {was} noted {when}",
    "there was {X} {when}", "{when} {X} {was} documented", "{she} developed {X} {when}", "{X} {was} identified {when}",
)  # fmt: skip
DIED = ("{she} died {when}", "{she} passed away {when}", "death was recorded {when}", "{when} {she} died")
LEFT = ("{x} {was} recorded {when}", "{x} took place {when}", "{when} {x} {was} recorded", "{x} {are} dated {then}")
NEVER = (
    "[no diagnosis of] {x} {has} been made", "{she} has [not] been diagnosed with {x}", "{x} {has} [not] been diagnosed",
    "there is [no] diagnosis of {x} on record", "{she} does [not] carry a diagnosis of {x}",
    "[no diagnosis of] {x} {are} recorded up to {now}", "{x} had [not] been diagnosed by {now}",
)  # fmt: skip
NOT_HAPPENED = (
    "there has been [no] {x}", "[no] {x} {has} been recorded", "{x} {has} [not] occurred", "{x} {has} [not] been seen",
    "{she} has had [no] {x}", "to date there is [no] {x}", "[no] {x} {has} been documented by {now}", "{x} {has} [not] been recorded to date",
)  # fmt: skip
MAYBE = (
    "{x} {are} [suspected]", "{she} [may] have {x}", "{x} [cannot be excluded]", "there is a [possible] diagnosis of {x}",
    "{x} {are} [being considered]", "the possibility of {x} [remains open]",
)  # fmt: skip
TERSE_EVENT = ("{x} ({then})", "{x} dx {then}", "{x} since {then}", "{x}, {then}", "{then}: {x}", "dx {x} {when}")
TERSE_HAPPENED = ("{x} ({then})", "{x}, {then}", "{then}: {x}", "{x} {when}")
TERSE_NEVER = ("[no] {x}", "[no] {x} to date", "{x}: [none]", "[nil] {x}", "[not] diagnosed: {x}", "[no] {x} as of {now}")
TERSE_MAYBE = ("[?]{x}", "[possible] {x}", "[query] {x}", "{x} [suspected]")

ON = (
    "{she} has been taking {x} since {since}", "{she} has been on {x} since {since}", "{x}, started {when}, continues",
    "{she} continues on {x}, started {when}", "treatment with {x} {has} continued since {since}", "{x} {was} started {when} and is ongoing",
    "{she} remains on {x} (since {since})", "{she} has received {x} since {since}", "{x} {has} been given since {since} and goes on",
)  # fmt: skip
STARTED = (
    "{x} {was} started {when}", "{she} was started on {x} {when}", "{when} {x} {was} commenced", "treatment with {x} began {when}",
    "{x} {was} begun {when}", "{x} {was} introduced {when}", "{she} began {x} {when}", "{x} {are} new as of {since}",
)  # fmt: skip
STOPPED = (
    "{x} {was} stopped {when}", "{x} {was} [discontinued] {when}", "{when} {x} {was} [withdrawn]", "treatment with {x} [ended] {when}",
    "{she} came [off] {x} {when}", "{she} has been [off] {x} since {since}", "{x} {was} [ceased] {when}", "{she} is [no longer on] {x}, stopped {when}",
)  # fmt: skip
NOT_ON = (
    "{she} is [not on] {x}", "{she} does [not] take {x}", "{she} is [not] taking {x}", "{x} {has} [not] been given", "{x} {has} [not] been prescribed",
    "{she} has [not] been started on {x}", "{she} has [not] received {x}", "{she} is [not] treated with {x}", "{x} {are} [not] part of {her} treatment",
    "{x} {are} [not] being given", "there is [no] treatment with {x}", "{she} remains [off] {x}", "{she} is [without] {x}", "{x} {was} [not] in use",
)  # fmt: skip
CLAUSE_END = ("", "", " at present", " on {now}", " as of {now}", " as of {now}", " at this point", " on the day of this note")
TERSE_ON = ("{x} since {since}", "on {x} (since {since})", "{x} continues, from {since}", "cont. {x} ({since})", "{x} ongoing (start {since})")
TERSE_STARTED = ("{x} started {when}", "started {x} {when}", "{x} commenced {when}", "new: {x} ({since})", "begun {x} {when}")
TERSE_STOPPED = ("{x} [stopped] {when}", "[off] {x} since {since}", "{x} [discontinued] {when}", "{x} [d/c] {since}", "{x} [ceased] {when}")
TERSE_NOT_ON = ("[not on] {x}", "[no] {x}", "[nil] {x}", "{x}: [not given]", "[without] {x}", "[off] {x}", "{x} [not given]")


def say_event(teller: Teller, fact: Fact, *, terse: bool = False) -> Phrase:
    """A clause about an event: that it happened and when, that it has not, or that it may have."""
    role = teller.term(fact).role
    diagnosis = role == "diagnosis"
    if fact.status == "uncertain":
        table = TERSE_MAYBE if terse else MAYBE
    elif fact.status == "absent":
        table = TERSE_NEVER if terse else NEVER if diagnosis else NOT_HAPPENED
        table = table[:4] if terse and not diagnosis else table
    elif role == "end" and teller.told(fact)[0].text.lower().startswith("death") and not terse:
        return died(teller, fact)
    elif role in ("end", "departure"):
        table = TERSE_HAPPENED if terse else LEFT
    elif terse:
        table = TERSE_EVENT if diagnosis else TERSE_HAPPENED
    else:
        table = DIAGNOSED if diagnosis else HAPPENED
    template = teller.choices.pick(fact.key, "event terse" if terse else "event", table)
    return fill_course(teller, fact, template)


def died(teller: Teller, fact: Fact) -> Phrase:
    """Death has its own verbs; the words that tell it are the term."""
    template = teller.choices.pick(fact.key, "event", DIED)
    verb = "died" if "died" in template else "passed away" if "passed" in template else "death"
    return fill_course(teller, fact, template.replace(verb, "{verb}"), verb=(Piece(verb, "term", (fact.key,)),))


def say_treatment(teller: Teller, fact: Fact, *, terse: bool = False) -> Phrase:
    """A clause about a treatment: given since, started, stopped or not given."""
    given = fact.status == "present"
    if given and fact.previous is None:
        name, table = "on", TERSE_ON if terse else ON
    elif given:
        name, table = "started", TERSE_STARTED if terse else STARTED
        if not teller.is_now(fact.time) and teller.choices.flip(fact.key, "still", 0.5):
            name, table = "on", TERSE_ON if terse else ON
    elif fact.previous:
        name, table = "stopped", TERSE_STOPPED if terse else STOPPED
    else:
        name, table = "not on", TERSE_NOT_ON if terse else NOT_ON
    template = teller.choices.pick(fact.key, f"{name} {terse}", table)
    if name == "not on" and not terse:
        template += teller.choices.any(fact.key, "as of", CLAUSE_END)
    return fill_course(teller, fact, template)


def fill_course(teller: Teller, fact: Fact, template: str, **more: Phrase | str) -> Phrase:
    term = teller.told(fact)
    if isinstance(fact.value, float) and fact.kind == "treatment" and fact.value not in (0.0, 1.0):
        term = (*term, Piece(" "), *teller.value(fact))
    moment = teller.moment(fact, fact.time)
    now = teller.moment(fact, teller.plan.time, part="now")
    slots: dict[str, Phrase | str] = {"x": term, "when": moment, "then": moment[1:], "since": moment[1:]}
    slots["now"] = tuple(piece._replace(part="time" if piece.part else "") for piece in now[1:])
    if "{X}" in template:
        slots["X"] = teller.told(fact, counted=True)
    phrase = teller.fill(template, fact, plural=teller.plural(fact), **slots, **more)
    return phrase


