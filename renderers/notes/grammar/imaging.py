"""An imaging report: technique, comparison, findings and impression, of volumes that were measured."""

from __future__ import annotations

from ..facts import Fact
from .compose import sort_topics, tell, tell_together
from .courtesy import date_piece, pick, signature
from .headings import head, heading
from .note import Writer
from .pieces import Phrase, Piece
from .teller import Teller

TECHNIQUE = (
    ("quantitative report", "volumetric report", "report of measured volumes", "volumetry", "quantitative reading",
    "reading by volumes"),
    (" of the study of {date}", " of the examination of {date}", ", study dated {date}", " (images of {date})",
    ", images acquired on {date}"),
    ("", "; values as measured", "; figures as they were measured", "; the figures are the measured ones",
    ", given as measured", ", without further interpretation"),
)  # fmt: skip


def write_imaging(teller: Teller, writer: Writer) -> None:
    topics = sort_topics(teller)
    told = list(teller.plan.facts)
    head(teller, writer)
    writer.line(heading(teller, "technique"))
    words = "".join(pick(teller, f"technique {number}", options) for number, options in enumerate(TECHNIQUE))
    writer.sentence(teller.fill(words, date=date_piece(teller)))
    compared = [fact for fact in told if fact.previous_time is not None]
    if compared:
        writer.gap()
        writer.line(heading(teller, "comparison"))
        writer.sentence(compare(teller, compared))
    writer.gap()
    writer.line(heading(teller, "radiology"))
    bullets = teller.author.sections == "list"
    for sentence in tell(teller, "findings", topics["findings"]):
        writer.sentence(sentence, bullet=teller.author.bullet or "- " if bullets else "")
    rest = [fact for topic, facts in topics.items() if topic != "findings" for fact in facts]
    rest.sort(key=lambda fact: (teller.choices.chance(fact.variable, "findings order"), fact.key))
    for sentence in tell_together(teller, rest, share=0.5, most=1 if bullets else 3, terse=False):
        writer.sentence(sentence, bullet=teller.author.bullet or "- " if bullets else "")
    impress(teller, writer, told)
    writer.gap()
    writer.line(signature(teller))


def compare(teller: Teller, facts: list[Fact]) -> Phrase:
    """The earlier study: the last one that any of the values comes from."""
    last = max(facts, key=lambda fact: (fact.previous_time or 0.0, fact.key))
    when = teller.bare_moment(last, last.previous_time or 0.0)
    options = (
        "study of {d}",
        "previous study of {d}",
        "the examination of {d}",
        "images of {d}",
        "prior study dated {d}",
    )
    same = [fact for fact in facts if fact.previous_time == last.previous_time]
    words = tuple(Piece(piece.text, "date") for piece in when)
    return teller.fill(pick(teller, "comparison", options), *same, d=words)


def impress(teller: Teller, writer: Writer, facts: list[Fact]) -> None:
    """The findings in short."""
    writer.gap()
    writer.line(heading(teller, "impression"))
    chosen = sorted(facts, key=lambda fact: (teller.choices.chance(fact.variable, "impression order"), fact.key))
    for number, phrase in enumerate(tell_together(teller, chosen, share=0.4, most=3, terse=True), 1):
        if teller.author.sections == "list":
            writer.sentence(phrase, bullet=f"{number}. ")
        else:
            writer.sentence(phrase)
