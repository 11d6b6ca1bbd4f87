"""A progress note: telegraphic, by problems, or in a few sentences."""

from __future__ import annotations

from .boilerplate import heading, signature, write_head
from .context import NoteContext
from .note import NoteBuilder
from .sentences import TOPICS, order_topics, say, sort_topics, tell

PARTS = {
    "subjective": ("history",),
    "objective": ("findings", "scores", "vitals", "laboratory", "imaging", "measures"),
    "assessment": ("events",),
    "plan": ("treatment",),
}


def write_progress(context: NoteContext, note: NoteBuilder) -> None:
    write_head(context, note)
    {"telegraphic": by_parts, "problems": by_topics, "prose": in_prose}[context.author.progress](context, note)
    note.gap()
    note.line(signature(context))


def by_parts(context: NoteContext, note: NoteBuilder) -> None:
    """What was reported, recorded, concluded and given, in a telegram's grammar."""
    topics = sort_topics(context)
    for part, members in PARTS.items():
        sentences = [phrase for topic in members for phrase in tell(context, topic, topics[topic], terse=True, most=4)]
        if sentences:
            note.line(heading(context, part))
            for sentence in sentences:
                note.sentence(sentence)
            note.break_line()


def by_topics(context: NoteContext, note: NoteBuilder) -> None:
    """A list under a heading for each topic."""
    topics = sort_topics(context)
    for topic in order_topics(context, ("history", "events"), tuple(TOPICS[2:])):
        facts = topics[topic]
        if not facts:
            continue
        note.line(heading(context, topic))
        if topic in ("findings", "vitals"):
            phrases = tell(context, topic, facts, terse=True)
        else:
            phrases = [say(context, fact, terse=True) for fact in facts]
        for phrase in phrases:
            note.sentence(phrase, end="", bullet=context.author.bullet or "- ")
        note.gap()


def in_prose(context: NoteContext, note: NoteBuilder) -> None:
    topics = sort_topics(context)
    for topic in order_topics(context, ("history", "events"), tuple(TOPICS[2:])):
        for sentence in tell(context, topic, topics[topic]):
            note.sentence(sentence)
