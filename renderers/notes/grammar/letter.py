"""A clinic's letter: headed, in prose, or with its problems and treatment listed first."""

from __future__ import annotations

from ..facts import Fact
from .author import draw_habit
from .boilerplate import closings, heading, opening, pick, salutation, sign_off, signature, transition, write_head
from .context import NoteContext
from .note import NoteBuilder
from .pieces import Piece
from .sentences import order_topics, sort_topics, tell, tell_together, topic_of
from .systems import group_by_system, list_system, name_system, say_chief, say_system

MOST = 8  # facts in a summary
PARAGRAPH = 8  # findings of a system that are a paragraph of their own
REST = ("findings", "scores", "vitals", "laboratory", "imaging", "measures")


def write_letter(context: NoteContext, note: NoteBuilder) -> None:
    topics = sort_topics(context)
    write_head(context, note)
    listed = list_problems(context, note, topics) if context.author.sections == "list" else set()
    note.line(salutation(context))
    note.gap()
    note.sentence(opening(context))
    headed, last = context.author.sections == "headed", ""
    for topic in order_topics(context, ("history", "events"), (*REST, "treatment")):
        told = [
            fact for fact in topics[topic] if fact.key not in listed or context.choices.flip(fact.key, "again", 0.6)
        ]
        by_system = topic == "findings" and context.lexicon.has_systems
        sentences = [] if by_system else tell(context, topic, told)
        if not sentences and not (by_system and told):
            continue
        if headed:
            note.gap()
            note.line(heading(context, topic))
        elif last not in REST or topic not in REST or context.choices.flip(topic, "paragraph", 0.5):
            note.gap()
        last = topic
        if by_system:
            tell_systems(context, note, told, headed=headed)
        for number, sentence in enumerate(sentences):
            note.sentence(sentence if number or headed else transition(context, topic, sentence))
    write_summary(context, note, [fact for facts in topics.values() for fact in facts], headed=headed)
    write_closing(context, note)


def tell_systems(context: NoteContext, note: NoteBuilder, facts: list[Fact], *, headed: bool) -> None:
    """Findings by organ system: a line or a heading each in sections, a paragraph or some sentences each in prose."""
    apart = draw_habit(context.author.secret, "systems") < 0.5
    for number, (system, group) in enumerate(group_by_system(context, facts).items()):
        if headed and apart:
            bullet = context.author.bullet
            note.sentence(list_system(context, system, group), end="" if bullet else ".", bullet=bullet)
            note.break_line()
            continue
        if headed:
            note.line(name_system(context, system))
        elif number and (apart or len(group) > PARAGRAPH):
            note.gap()
        for sentence in say_system(context, system, group, headed=headed):
            note.sentence(sentence)
        if headed:
            note.break_line()


def list_problems(context: NoteContext, note: NoteBuilder, topics: dict[str, list[Fact]]) -> set[str]:
    """Diagnoses and treatment ahead of the letter, a line each; the keys of the facts that are listed."""
    listed: set[str] = set()
    for topic in ("events", "treatment"):
        if not topics[topic]:
            continue
        note.line(heading(context, topic))
        for phrase in tell_together(context, topics[topic], share=0.0, most=1, terse=True):
            note.sentence(phrase, end="", bullet=context.author.bullet or "- ")
        listed |= {fact.key for fact in topics[topic]}
        note.gap()
    return listed


def write_summary(context: NoteContext, note: NoteBuilder, facts: list[Fact], *, headed: bool) -> None:
    """A few of the facts once more, in short: what has changed, what happened, what is given."""
    share = 0.75 + 0.2 * context.author.verbosity
    chosen = [
        fact
        for fact in facts
        if fact.kind != "history" and fact.status != "absent" and context.choices.flip(fact.key, "summary", share)
    ][:MOST]
    if not chosen:
        return
    note.gap()
    if headed:
        note.line(heading(context, "summary"))
    findings = [fact for fact in chosen if topic_of(context, fact) == "findings"]
    rest = [fact for fact in chosen if fact not in findings]
    if context.lexicon.has_systems:
        sentences = say_chief(context, facts)
    else:
        sentences = tell(context, "findings", findings, terse=True)
    sentences += tell_together(context, rest, share=0.6, most=3, terse=True)
    for number, sentence in enumerate(sentences):
        lead = pick(context, "summary", context.documents.summaries) if number == 0 and not headed else ""
        note.sentence((Piece(lead), *sentence) if lead else sentence)


def write_closing(context: NoteContext, note: NoteBuilder) -> None:
    sentences = closings(context)
    if sentences:
        note.gap()
    for sentence in sentences:
        note.sentence(sentence)
    note.gap()
    note.line(sign_off(context))
    note.line(signature(context))
