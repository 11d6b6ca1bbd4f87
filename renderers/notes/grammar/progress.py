"""A progress note: telegraphic, by problems, or in a few sentences."""

from __future__ import annotations

from .compose import TOPICS, order_topics, say, sort_topics, tell
from .courtesy import signature
from .headings import head, heading
from .note import Writer
from .teller import Teller

PARTS = {
    "subjective": ("history",),
    "objective": ("findings", "scores", "vitals", "laboratory", "imaging", "measures"),
    "assessment": ("events",),
    "plan": ("treatment",),
}


def write_progress(teller: Teller, writer: Writer) -> None:
    head(teller, writer)
    {"telegraphic": by_parts, "problems": by_topics, "prose": in_prose}[teller.author.progress](teller, writer)
    writer.gap()
    writer.line(signature(teller))


def by_parts(teller: Teller, writer: Writer) -> None:
    """What was reported, recorded, concluded and given, in a telegram's grammar."""
    topics = sort_topics(teller)
    for part, members in PARTS.items():
        sentences = [phrase for topic in members for phrase in tell(teller, topic, topics[topic], terse=True, most=4)]
        if sentences:
            writer.line(heading(teller, part))
            for sentence in sentences:
                writer.sentence(sentence)
            writer.break_line()


def by_topics(teller: Teller, writer: Writer) -> None:
    """A list under a heading for each topic."""
    topics = sort_topics(teller)
    for topic in order_topics(teller, ("history", "events"), tuple(TOPICS[2:])):
        facts = topics[topic]
        if not facts:
            continue
        writer.line(heading(teller, topic))
        if topic in ("findings", "vitals"):
            phrases = tell(teller, topic, facts, terse=True)
        else:
            phrases = [say(teller, fact, terse=True) for fact in facts]
        for phrase in phrases:
            writer.sentence(phrase, end="", bullet=teller.author.bullet or "- ")
        writer.gap()


def in_prose(teller: Teller, writer: Writer) -> None:
    topics = sort_topics(teller)
    for topic in order_topics(teller, ("history", "events"), tuple(TOPICS[2:])):
        for sentence in tell(teller, topic, topics[topic]):
            writer.sentence(sentence)
