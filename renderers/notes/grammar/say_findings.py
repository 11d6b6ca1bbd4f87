"""Findings in words: several that share status and speaker are told together, with one frame for all."""

from __future__ import annotations

import re

from ..facts import Fact
from .pieces import Phrase, fill, join
from .teller import Teller

# {L} is the list of terms; words in brackets deny or doubt; {by} is who speaks
PRESENT = (
    "there {isl} {L}", "{she} has {L}", "{L} {wasl} noted", "{L} {wasl} present", "{L} {isl} recorded",
    "{L} {wasl} found",
    "{she} shows {L}", "findings include {L}", "{L} {isl} evident", "{she} presents with {L}",
    "the record lists {L}", "{L} {wasl} documented", "{she} is affected by {L}", "examination shows {L}",
)  # fmt: skip
PATIENT_PRESENT = (
    "{she} reports {L}", "{she} describes {L}", "{she} complains of {L}", "{she} mentions {L}",
    "{she} tells {me} of {L}",
    "{she} acknowledges {L}", "by {her} own account there {isl} {L}",
)  # fmt: skip
INFORMANT_PRESENT = (
    "{her} {kin} reports {L}", "{her} {kin} describes {L}", "{her} {kin} has noticed {L}",
    "according to {her} {kin} there {isl} {L}",
    "{L} {isl} reported by {her} {kin}", "{her} {kin} tells {me} of {L}",
)  # fmt: skip
SCAN_PRESENT = (
    "there {isl} {L}", "{L} {isl} seen", "{L} {isl} demonstrated", "the images show {L}", "appearances show {L}",
    "{L} {isl} noted", "{L} {isl} present",
)  # fmt: skip
ABSENT = (
    "there {isl} [no] {L}", "there was [no evidence of] {L}", "[no] {L} {wasl} found", "{she} has [no] {L}",
    "{she} is [without] {L}",
    "there is [no sign of] {L}", "[no] {L} {wasl} noted", "{L} {wasl} [absent]", "{she} does [not have] {L}",
    "there is [nothing to suggest] {L}",
    "there is [no] record of {L}", "{she} is [free of] {L}", "there is [neither sign nor record of] {L}",
    "{L} {wasl} [not present]", "{L} {wasl} looked for and [not found]",
)  # fmt: skip
PATIENT_ABSENT = (
    "{she} [denies] {L}", "{she} reports [no] {L}", "{she} has noticed [no] {L}", "{she} does [not report] {L}",
    "{she} describes [no] {L}",
    "on asking, {she} [denies] {L}", "{she} mentions [no] {L}",
)  # fmt: skip
INFORMANT_ABSENT = (
    "{her} {kin} reports [no] {L}", "{her} {kin} has seen [no] {L}", "{her} {kin} [denies] any {L}",
    "according to {her} {kin} there is [no] {L}",
    "{her} {kin} describes [no] {L}", "{her} {kin} has [not noticed] {L}",
)  # fmt: skip
SCAN_ABSENT = (
    "[no] {L} {isl} seen", "there is [no evidence of] {L}", "[no] {L} {isl} demonstrated", "the images show [no] {L}",
    "{L} {isl} [not seen]",
    "there {isl} [no] {L}", "[no] {L} {isl} identified",
)  # fmt: skip
UNCERTAIN = (
    "{L} [cannot be excluded]", "there is [possible] {L}", "{she} [may] have {L}", "[possible] {L} {wasl} noted",
    "{L} {isl} [suspected]",
    "there is a [suspicion of] {L}", "there is [questionable] {L}", "{L} {isl} [not certain]",
    "{L} {wasl} [equivocal]", "whether there is {L} [remains unclear]",
    "{L} [could not be ruled out]", "{she} [probably] has {L}", "the findings [raise the possibility of] {L}",
)  # fmt: skip
FRAMES = {
    ("present", "patient"): PATIENT_PRESENT, ("present", "informant"): INFORMANT_PRESENT, ("present",
    "radiologist"): SCAN_PRESENT,
    ("absent", "patient"): PATIENT_ABSENT, ("absent", "informant"): INFORMANT_ABSENT, ("absent",
    "radiologist"): SCAN_ABSENT,
    ("present", ""): PRESENT, ("absent", ""): ABSENT, ("uncertain", ""): UNCERTAIN,
}  # fmt: skip
TERSE = {
    "present": ("{L}", "+ve: {L}", "has {L}", "noted: {L}", "positive for {L}", "present: {L}", "{L} present"),
    "absent": (
        "[no] {L}",
        "[nil] {L}",
        "[neg for] {L}",
        "[negative for] {L}",
        "[absent]: {L}",
        "[without] {L}",
        "{L} [absent]",
    ),
    "uncertain": ("[?]{L}", "[possible] {L}", "[query] {L}", "{L} [not excluded]", "[suspected] {L}", "[?] {L}"),
}
DATED = (" ({d})", " (recorded {d})", " (as of {d})", " (dated {d})")
DATED_MANY = (" (all recorded {d})", " (all as of {d})", " (all dated {d})")
COUNTED = re.compile(r"\[(not have|without|free of)\] \{L\}")  # denials after which a thing takes an article
STATUSES = ("present", "uncertain", "absent")
MOST = 5  # terms in one list


def group_findings(teller: Teller, facts: list[Fact], *, size: float = 4.5) -> list[tuple[int, list[Fact]]]:
    """Findings that are told in one breath, each group with a number of its own.

    Each finding goes by a draw of its own to one of a fixed number of groups, so that one that changes sides takes none
    of the others with it.
    """
    count = max(round(len(facts) / size), 1)
    groups: dict[tuple[str, str, float, int], list[Fact]] = {}
    for fact in sorted(facts, key=lambda fact: teller.choices.chance(fact.key, "order")):
        place = int(teller.choices.chance(fact.key, "group") * count)
        if fact.status == "uncertain" or teller.choices.flip(fact.key, "alone", 0.08):
            place = count + teller.choices.rank(fact.key)
        when = 0.0 if teller.is_now(fact.time) else fact.time
        groups.setdefault((fact.status, fact.speaker, when, place), []).append(fact)
    ordered = sorted(groups.items(), key=lambda item: STATUSES.index(item[0][0]))
    return [
        (key[3] + at + round(7 * key[2]), facts[at : at + MOST])
        for key, facts in ordered
        for at in range(0, len(facts), MOST)
    ]


def say_findings(
    teller: Teller, facts: list[Fact], *, number: int = 0, terse: bool = False, table: tuple[str, ...] | None = None
) -> Phrase:
    """One clause for findings of the same status, speaker and time; groups of other numbers get other frames.

    `table` stands in for the usual frames where nobody else than the clinician speaks.
    """
    first, status = facts[0], facts[0].status
    own = table is not None and (first.speaker == "clinician" or terse)
    frames = TERSE[status] if terse else FRAMES.get((status, first.speaker), FRAMES[status, ""])
    template = teller.choices.rotate(
        f"findings {status} {first.speaker} {terse}", number, table if table is not None and own else frames
    )
    counted = not terse and ("] {L}" not in template or COUNTED.search(template) is not None)
    joined = list_findings(teller, facts, status=status, counted=counted)
    plural = teller.plural(first) if status == "absent" and len(facts) == 1 else len(facts) > 1 or teller.plural(first)
    if status == "absent" and len(facts) > 1:
        plural = teller.plural(facts[-1])
    if template.startswith("there {isl}"):
        plural = teller.plural(first)
    verbs = teller.verbs(plural)
    me = {"I": "me", "we": "us"}.get(teller.author.person, "the team")
    tense = {"isl": verbs["are"], "wasl": verbs["was"], "kin": teller.informant, "me": me}
    return teller.fill(template, *facts, L=joined, more=tense)


def list_findings(teller: Teller, facts: list[Fact], *, status: str, counted: bool) -> Phrase:
    """The terms as a list, each with its date where that is not today."""
    items = [teller.told(fact, counted=counted) for fact in facts]
    first = facts[0]
    listed = join(items, last=" or " if status == "absent" else " and ")
    if teller.is_now(first.time) or first.kind != "finding":
        return listed
    moment = teller.bare_moment(first, first.time)
    table = DATED_MANY if len(facts) > 2 else DATED[:2] if len(facts) > 1 else DATED
    since = teller.choices.any(first.key, "since", table)
    keys = tuple(fact.key for fact in facts)
    when = tuple(piece._replace(facts=keys) if piece.part else piece for piece in moment)
    return (*listed, *fill(since, d=when))
