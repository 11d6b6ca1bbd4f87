"""A discharge summary: how the stay began, its course, its end, and treatment."""

from __future__ import annotations

from ..facts import Fact
from .compose import order_topics, sort_topics, tell
from .courtesy import closings, pick, sign_off, signature
from .headings import head, heading
from .note import Writer
from .teller import Teller

STAY = ("events", "treatment")
MEASURED = ("findings", "scores", "vitals", "laboratory", "imaging", "measures")


def write_discharge(teller: Teller, writer: Writer) -> None:
    topics = sort_topics(teller)
    first, last = split_stay(teller, topics)
    head(teller, writer)
    section(teller, writer, "history", {"history": topics["history"]})
    section(teller, writer, "admission", first)
    section(teller, writer, "course" if teller.plan.hours else "events", {"events": topics["events"]})
    section(teller, writer, "discharge" if first else "objective", last)
    section(teller, writer, "treatment", {"treatment": topics["treatment"]})
    if teller.author.courtesy != "brief":
        sentences = closings(teller)
        writer.gap()
        for sentence in sentences[:1]:
            writer.sentence(sentence)
    writer.gap()
    if pick(teller, "signs", ("yes", "no")) == "yes":
        writer.line(sign_off(teller))
    writer.line(signature(teller))


def split_stay(teller: Teller, topics: dict[str, list[Fact]]) -> tuple[dict[str, list[Fact]], dict[str, list[Fact]]]:
    """What was measured at the beginning and has a later measurement beside it; and the last of everything."""
    last_of: dict[str, float] = {}
    for fact in teller.plan.facts:
        last_of[fact.variable] = max(fact.time, last_of.get(fact.variable, fact.time))
    order = order_topics(teller, (), MEASURED)
    first = {topic: [f for f in topics[topic] if f.time < last_of[f.variable]] for topic in order}
    last = {topic: [f for f in topics[topic] if f.time >= last_of[f.variable]] for topic in order}
    return {topic: facts for topic, facts in first.items() if facts}, last


def section(teller: Teller, writer: Writer, name: str, topics: dict[str, list[Fact]]) -> None:
    terse = teller.author.sections == "list"
    sentences = [phrase for topic, facts in topics.items() for phrase in tell(teller, topic, facts, terse=terse)]
    if not sentences:
        return
    writer.gap()
    writer.line(heading(teller, name))
    for sentence in sentences:
        writer.sentence(sentence, end="" if terse else ".", bullet=(teller.author.bullet or "- ") if terse else "")
