"""A clinic's letter: headed, in prose, or with its problems and treatment listed first."""

from __future__ import annotations

from ..facts import Fact
from .author import draw
from .compose import order_topics, sort_topics, tell, tell_together, topic_of
from .courtesy import SUMMARIES, closings, opening, pick, salutation, sign_off, signature, transition
from .headings import head, heading
from .note import Writer
from .pieces import Piece
from .say_systems import group_by_system, list_system, name_system, say_chief, say_system
from .teller import Teller

MOST = 8  # facts in a summary
PARAGRAPH = 8  # findings of a system that are a paragraph of their own
REST = ("findings", "scores", "vitals", "laboratory", "imaging", "measures")


def write_letter(teller: Teller, writer: Writer) -> None:
    topics = sort_topics(teller)
    head(teller, writer)
    listed = list_problems(teller, writer, topics) if teller.author.sections == "list" else set()
    writer.line(salutation(teller))
    writer.gap()
    writer.sentence(opening(teller))
    headed, last = teller.author.sections == "headed", ""
    for topic in order_topics(teller, ("history", "events"), (*REST, "treatment")):
        told = [fact for fact in topics[topic] if fact.key not in listed or teller.choices.flip(fact.key, "again", 0.6)]
        by_system = topic == "findings" and teller.lexicon.has_systems
        sentences = [] if by_system else tell(teller, topic, told)
        if not sentences and not (by_system and told):
            continue
        if headed:
            writer.gap()
            writer.line(heading(teller, topic))
        elif last not in REST or topic not in REST or teller.choices.flip(topic, "paragraph", 0.5):
            writer.gap()
        last = topic
        if by_system:
            tell_systems(teller, writer, told, headed=headed)
        for number, sentence in enumerate(sentences):
            writer.sentence(sentence if number or headed else transition(teller, topic, sentence))
    summarise(teller, writer, [fact for facts in topics.values() for fact in facts], headed=headed)
    close(teller, writer)


def tell_systems(teller: Teller, writer: Writer, facts: list[Fact], *, headed: bool) -> None:
    """Findings by organ system: a line or a heading each in sections, a paragraph or some sentences each in prose."""
    apart = draw(teller.author.secret, "systems") < 0.5
    for number, (system, group) in enumerate(group_by_system(teller, facts).items()):
        if headed and apart:
            bullet = teller.author.bullet
            writer.sentence(list_system(teller, system, group), end="" if bullet else ".", bullet=bullet)
            writer.break_line()
            continue
        if headed:
            writer.line(name_system(teller, system))
        elif number and (apart or len(group) > PARAGRAPH):
            writer.gap()
        for sentence in say_system(teller, system, group, headed=headed):
            writer.sentence(sentence)
        if headed:
            writer.break_line()


def list_problems(teller: Teller, writer: Writer, topics: dict[str, list[Fact]]) -> set[str]:
    """Diagnoses and treatment ahead of the letter, a line each; the keys of the facts that are listed."""
    listed: set[str] = set()
    for topic in ("events", "treatment"):
        if not topics[topic]:
            continue
        writer.line(heading(teller, topic))
        for phrase in tell_together(teller, topics[topic], share=0.0, most=1, terse=True):
            writer.sentence(phrase, end="", bullet=teller.author.bullet or "- ")
        listed |= {fact.key for fact in topics[topic]}
        writer.gap()
    return listed


def summarise(teller: Teller, writer: Writer, facts: list[Fact], *, headed: bool) -> None:
    """A few of the facts once more, in short: what has changed, what happened, what is given."""
    share = 0.75 + 0.2 * teller.author.verbosity
    chosen = [
        fact
        for fact in facts
        if fact.kind != "history" and fact.status != "absent" and teller.choices.flip(fact.key, "summary", share)
    ][:MOST]
    if not chosen:
        return
    writer.gap()
    if headed:
        writer.line(heading(teller, "summary"))
    findings = [fact for fact in chosen if topic_of(teller, fact) == "findings"]
    rest = [fact for fact in chosen if fact not in findings]
    if teller.lexicon.has_systems:
        sentences = say_chief(teller, facts)
    else:
        sentences = tell(teller, "findings", findings, terse=True)
    sentences += tell_together(teller, rest, share=0.6, most=3, terse=True)
    for number, sentence in enumerate(sentences):
        lead = pick(teller, "summary", SUMMARIES) if number == 0 and not headed else ""
        writer.sentence((Piece(lead), *sentence) if lead else sentence)


def close(teller: Teller, writer: Writer) -> None:
    sentences = closings(teller)
    if sentences:
        writer.gap()
    for sentence in sentences:
        writer.sentence(sentence)
    writer.gap()
    writer.line(sign_off(teller))
    writer.line(signature(teller))
