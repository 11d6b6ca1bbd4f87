"""Findings in words: several that share status and speaker are told together, with one frame for all."""

from __future__ import annotations

from ..facts import Fact, Status
from .context import NoteContext
from .pieces import Phrase, fill, join_phrases

STATUSES = ("present", "uncertain", "absent")
MOST = 5  # terms in one list


def group_findings(context: NoteContext, facts: list[Fact], *, size: float = 4.5) -> list[tuple[int, list[Fact]]]:
    """Findings that are told in one breath, each group with a number of its own.

    Each finding goes by a draw of its own to one of a fixed number of groups, so that one that changes sides takes none
    of the others with it.
    """
    count = max(round(len(facts) / size), 1)
    groups: dict[tuple[str, str, float, int], list[Fact]] = {}
    for fact in sorted(facts, key=lambda fact: context.choices.chance(fact.key, "order")):
        place = int(context.choices.chance(fact.key, "group") * count)
        if fact.status == "uncertain" or context.choices.flip(fact.key, "alone", 0.08):
            place = count + context.choices.rank(fact.key)
        when = 0.0 if context.is_now(fact.time) else fact.time
        groups.setdefault((fact.status, fact.speaker, when, place), []).append(fact)
    ordered = sorted(groups.items(), key=lambda item: STATUSES.index(item[0][0]))
    return [
        (key[3] + at + round(7 * key[2]), facts[at : at + MOST])
        for key, facts in ordered
        for at in range(0, len(facts), MOST)
    ]


def say_findings(
    context: NoteContext,
    facts: list[Fact],
    *,
    number: int = 0,
    terse: bool = False,
    table: tuple[str, ...] | None = None,
) -> Phrase:
    """One clause for findings of the same status, speaker and time; groups of other numbers get other frames.

    `table` stands in for the usual frames where nobody else than the clinician speaks.
    """
    first, status, words = facts[0], facts[0].status, context.phrases.findings
    frames = table if table is not None and (first.speaker == "clinician" or terse) else None
    template = context.choices.rotate(
        f"findings {status} {first.speaker} {terse}", number, frames or find_frames(context, first, terse=terse)
    )
    counted = not terse and ("] {L}" not in template or words.counted_after.search(template) is not None)
    joined = list_findings(context, facts, status=status, counted=counted)
    plural = (
        context.plural(first) if status == "absent" and len(facts) == 1 else len(facts) > 1 or context.plural(first)
    )
    if status == "absent" and len(facts) > 1:
        plural = context.plural(facts[-1])
    if template.startswith(words.agrees_with_first):
        plural = context.plural(first)
    verbs = context.verbs(plural)
    more = {"isl": verbs["are"], "wasl": verbs["was"], "kin": context.informant, "me": context.writer.me}
    return context.fill(template, *facts, L=joined, more=more)


def find_frames(context: NoteContext, fact: Fact, *, terse: bool) -> tuple[str, ...]:
    """The usual frames for findings of this status and speaker."""
    words, status = context.phrases.findings, fact.status
    spoken = {"patient": words.by_patient, "informant": words.by_informant, "radiologist": words.by_radiologist}
    frames: tuple[str, ...]
    if terse:
        frames = getattr(words.terse, status)
    elif status == "uncertain":
        frames = words.uncertain
    else:
        frames = getattr(spoken.get(fact.speaker, words), status)
    return frames


def list_findings(context: NoteContext, facts: list[Fact], *, status: Status, counted: bool) -> Phrase:
    """The terms as a list, each with its date where that is not today."""
    items = [context.told(fact, counted=counted) for fact in facts]
    first = facts[0]
    joins, words = context.language.joins, context.phrases.findings
    listed = join_phrases(items, last=joins.or_last if status == "absent" else joins.and_last, between=joins.list)
    if context.is_now(first.time) or first.kind != "finding":
        return listed
    moment = context.bare_moment(first, first.time)
    table = words.dated_many if len(facts) > 2 else words.dated_two if len(facts) > 1 else words.dated_one
    since = context.choices.any(first.key, "since", table)
    keys = tuple(fact.key for fact in facts)
    when = tuple(piece._replace(facts=keys) if piece.part else piece for piece in moment)
    return (*listed, *fill(since, d=when))
