"""A note of a telephone call: with whom, when, and what was said."""

from __future__ import annotations

from .boilerplate import date_piece, pick_each, signature, slots, write_head
from .context import NoteContext
from .note import NoteBuilder
from .sentences import TOPICS, name_patient, sort_topics, tell


def write_telephone(context: NoteContext, note: NoteBuilder) -> None:
    topics = sort_topics(context)
    write_head(context, note)
    words = context.documents.telephone
    called = any(fact.speaker == "informant" for fact in context.plan.facts)
    caller = words.relative.format(her=context.her, kin=context.informant) if called else words.patient
    parts = pick_each(context, "call", words.calls)
    template = "".join(parts if called else parts[:-1])
    more = slots(context) | {"caller": caller}
    note.sentence(context.fill(template, who=name_patient(context), date=date_piece(context), more=more))
    terse = context.author.progress == "telegraphic"
    for topic in TOPICS:
        for sentence in tell(context, topic, topics[topic], terse=terse):
            note.sentence(sentence)
    note.gap()
    note.line(signature(context))
