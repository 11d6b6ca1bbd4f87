"""An imaging report: technique, comparison, findings and impression, of volumes that were measured."""

from __future__ import annotations

from ..facts import Fact
from .boilerplate import date_piece, heading, pick, pick_each, signature, write_head
from .context import NoteContext
from .note import NoteBuilder
from .pieces import Phrase, Piece
from .sentences import sort_topics, tell, tell_together


def write_imaging(context: NoteContext, note: NoteBuilder) -> None:
    topics = sort_topics(context)
    told = list(context.plan.facts)
    write_head(context, note)
    note.line(heading(context, "technique"))
    words = "".join(pick_each(context, "technique", context.documents.imaging.technique))
    note.sentence(context.fill(words, date=date_piece(context)))
    compared = [fact for fact in told if fact.previous_time is not None]
    if compared:
        note.gap()
        note.line(heading(context, "comparison"))
        note.sentence(compare_studies(context, compared))
    note.gap()
    note.line(heading(context, "radiology"))
    bullets = context.author.sections == "list"
    for sentence in tell(context, "findings", topics["findings"]):
        note.sentence(sentence, bullet=context.author.bullet or "- " if bullets else "")
    rest = [fact for topic, facts in topics.items() if topic != "findings" for fact in facts]
    rest.sort(key=lambda fact: (context.choices.chance(fact.variable, "findings order"), fact.key))
    for sentence in tell_together(context, rest, share=0.5, most=1 if bullets else 3, terse=False):
        note.sentence(sentence, bullet=context.author.bullet or "- " if bullets else "")
    write_impression(context, note, told)
    note.gap()
    note.line(signature(context))


def compare_studies(context: NoteContext, facts: list[Fact]) -> Phrase:
    """The earlier study: the last one that any of the values comes from."""
    last = max(facts, key=lambda fact: (fact.previous_time or 0.0, fact.key))
    when = context.bare_moment(last, last.previous_time or 0.0)
    same = [fact for fact in facts if fact.previous_time == last.previous_time]
    words = tuple(Piece(piece.text, "date") for piece in when)
    return context.fill(pick(context, "comparison", context.documents.imaging.comparison), *same, d=words)


def write_impression(context: NoteContext, note: NoteBuilder, facts: list[Fact]) -> None:
    """The findings in short."""
    note.gap()
    note.line(heading(context, "impression"))
    chosen = sorted(facts, key=lambda fact: (context.choices.chance(fact.variable, "impression order"), fact.key))
    for number, phrase in enumerate(tell_together(context, chosen, share=0.4, most=3, terse=True), 1):
        if context.author.sections == "list":
            note.sentence(phrase, bullet=f"{number}. ")
        else:
            note.sentence(phrase)
