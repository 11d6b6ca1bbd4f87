"""A discharge summary: how the stay began, its course, its end, and treatment."""

from __future__ import annotations

from ..facts import Fact
from .boilerplate import closings, heading, pick, sign_off, signature, write_head
from .context import NoteContext
from .note import NoteBuilder
from .sentences import order_topics, sort_topics, tell

STAY = ("events", "treatment")
MEASURED = ("findings", "scores", "vitals", "laboratory", "imaging", "measures")


def write_discharge(context: NoteContext, note: NoteBuilder) -> None:
    topics = sort_topics(context)
    first, last = split_stay(context, topics)
    write_head(context, note)
    write_section(context, note, "history", {"history": topics["history"]})
    write_section(context, note, "admission", first)
    write_section(context, note, "course" if context.plan.hours else "events", {"events": topics["events"]})
    write_section(context, note, "discharge" if first else "objective", last)
    write_section(context, note, "treatment", {"treatment": topics["treatment"]})
    if context.author.courtesy != "brief":
        sentences = closings(context)
        note.gap()
        for sentence in sentences[:1]:
            note.sentence(sentence)
    note.gap()
    if pick(context, "signs", ("yes", "no")) == "yes":
        note.line(sign_off(context))
    note.line(signature(context))


def split_stay(
    context: NoteContext, topics: dict[str, list[Fact]]
) -> tuple[dict[str, list[Fact]], dict[str, list[Fact]]]:
    """What was measured at the beginning and has a later measurement beside it; and the last of everything."""
    last_of: dict[str, float] = {}
    for fact in context.plan.facts:
        last_of[fact.variable] = max(fact.time, last_of.get(fact.variable, fact.time))
    order = order_topics(context, (), MEASURED)
    first = {topic: [f for f in topics[topic] if f.time < last_of[f.variable]] for topic in order}
    last = {topic: [f for f in topics[topic] if f.time >= last_of[f.variable]] for topic in order}
    return {topic: facts for topic, facts in first.items() if facts}, last


def write_section(context: NoteContext, note: NoteBuilder, name: str, topics: dict[str, list[Fact]]) -> None:
    terse = context.author.sections == "list"
    sentences = [phrase for topic, facts in topics.items() for phrase in tell(context, topic, facts, terse=terse)]
    if not sentences:
        return
    note.gap()
    note.line(heading(context, name))
    for sentence in sentences:
        note.sentence(sentence, end="" if terse else ".", bullet=(context.author.bullet or "- ") if terse else "")
