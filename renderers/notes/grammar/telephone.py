"""A note of a telephone call: with whom, when, and what was said."""

from __future__ import annotations

from .compose import TOPICS, identify, sort_topics, tell
from .courtesy import date_piece, pick, pronouns, signature
from .headings import head
from .note import Writer
from .teller import Teller

CALLS = (
    ("telephone call", "call", "phone call", "conversation by telephone", "telephone contact",
    "telephone conversation"),
    (" on {date}", ", {date}", " of {date}", " ({date})"),
    (" with {caller}", " between {caller} and the {setting}", ", {caller} on the line", "; spoke to {caller}",
    "; {caller} on the telephone"),
    ("", ", about this {who}", " concerning this {who}", " regarding this {who}"),
)  # fmt: skip


def write_telephone(teller: Teller, writer: Writer) -> None:
    topics = sort_topics(teller)
    head(teller, writer)
    speakers = {fact.speaker for fact in teller.plan.facts}
    caller = f"{teller.her} {teller.informant}" if "informant" in speakers else "the patient"
    parts = [pick(teller, f"call {number}", options) for number, options in enumerate(CALLS)]
    if caller == "the patient":
        parts[3] = ""
    words = pronouns(teller) | {"caller": caller}
    writer.sentence(teller.fill("".join(parts), who=identify(teller), date=date_piece(teller), more=words))
    terse = teller.author.progress == "telegraphic"
    for topic in TOPICS:
        for sentence in tell(teller, topic, topics[topic], terse=terse):
            writer.sentence(sentence)
    writer.gap()
    writer.line(signature(teller))
