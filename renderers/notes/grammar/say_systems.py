"""Many findings, organ system by organ system: what is there first, then what is not, summed up."""

from __future__ import annotations

from collections.abc import Iterable

from ..facts import Fact
from ..systems import SYSTEMS, System
from .author import draw
from .english import is_plural
from .pieces import Phrase, Piece, join, words_of
from .say_findings import STATUSES, say_findings
from .teller import Teller

LEADS = (
    "as to {noun}, ", "as regards {noun}, ", "with regard to {noun}, ", "on {adjective} assessment, ",
    "turning to {noun}, ", "concerning {noun}, ", "as far as {noun} {be} concerned, ",
)  # fmt: skip
PRESENT = (
    "there {isl} {L}", "{she} has {L}", "{she} shows {L}", "findings include {L}", "{L} {wasl} found",
    "{she} was found to have {L}", "{L} {wasl} noted", "{L} {isl} present",
)  # fmt: skip
OTHERWISE = (
    "elsewhere, ",
    "otherwise, ",
    "beyond this, ",
    "in the other systems, ",
    "apart from this, ",
    "for the rest, ",
)
OTHERS = ("Other", "Other systems", "Elsewhere", "Further findings")
FURTHER = (
    "{she} also has {L}", "there {isl} also {L}", "{L} {wasl} found as well", "further findings include {L}",
    "in addition, {she} has {L}", "{L} {wasl} also noted", "{L} {isl} present too",
)  # fmt: skip
ABSENT = (
    "there {isl} [no] {L}", "[no] {L} {wasl} found", "{she} has [no] {L}", "there was [no evidence of] {L}",
    "{she} does [not have] {L}", "there is [no sign of] {L}", "{she} shows [no] {L}", "{she} is [without] {L}",
    "there is [nothing to suggest] {L}", "[no] {L} {wasl} noted",
)  # fmt: skip
LINE = {
    "present": ("{L}",),
    "absent": ("[no] {L}", "[without] {L}", "[no sign of] {L}", "[no evidence of] {L}"),
    "uncertain": ("[possible] {L}", "[query] {L}", "[?]{L}"),
}
CHIEF = (
    "the main {adjective} findings are {L}", "foremost among the {adjective} findings {isl} {L}",
    "the {adjective} findings are chiefly {L}", "the {adjective} findings include above all {L}",
    "the chief {adjective} findings are {L}", "the {adjective} findings are led by {L}",
)  # fmt: skip
ONE = ("the main finding is {L}", "the chief finding is {L}", "the one positive finding is {L}", "of note is {L}")
MOST = {"present": 6, "uncertain": 3, "absent": 12}  # findings in one sentence
FEW = 2  # findings of a system that has no place of its own
FEWEST = 3  # findings that are not split further
CHIEF_SYSTEMS, CHIEF_EACH = 3, 3  # how many of what a summary tells
SPREAD = 9.0  # how far an author's order of systems departs from the usual one


def group_by_system(teller: Teller, facts: Iterable[Fact]) -> dict[str, list[Fact]]:
    """The facts by system, in the author's order of systems; last, under an empty text, what has none, and systems of
    which the whole model has only one or two findings."""
    groups: dict[str, list[Fact]] = {}
    for fact in sorted(facts, key=lambda fact: (teller.choices.chance(fact.variable, "order"), fact.time, fact.key)):
        system = teller.term(fact).system
        groups.setdefault(system if teller.lexicon.systems.get(system, 0) > FEW else "", []).append(fact)
    places = {system: at + SPREAD * draw(teller.author.secret, "system", system) for at, system in enumerate(SYSTEMS)}
    return {
        system: groups[system] for system in sorted(groups, key=lambda system: places.get(system, len(SYSTEMS) * 2))
    }


def name_system(teller: Teller, system: str) -> str:
    """What the author always calls a system; findings of none are called by what remains."""
    options = SYSTEMS[system].headings if system else OTHERS
    return options[int(draw(teller.author.secret, "heading", system) * len(options))]


def say_system(teller: Teller, system: str, facts: list[Fact], *, headed: bool = False) -> list[Phrase]:
    """The sentences of a system; the first names it, unless a heading does."""
    clauses: list[tuple[list[Fact], Phrase]] = []
    seed = list(SYSTEMS).index(system) if system else len(SYSTEMS)
    for number, group in enumerate(split(teller, facts)):
        tables: dict[str, tuple[str, ...]] = {"present": FURTHER if clauses else PRESENT, "absent": ABSENT}
        table = tables.get(group[0].status)
        if table is not None and len(group) == 1:
            table = tuple(template for template in table if "findings" not in template)
        clauses.append((group, say_findings(teller, group, number=seed + number, table=table)))
    sentences: list[Phrase] = []
    for group, clause in clauses:
        joins = sentences and group[0].status != "present" and teller.choices.flip(f"system {system}", "joins", 0.5)
        if joins:
            said = sentences.pop()
            sentences.append((*said, Piece("; "), *clause))
        else:
            sentences.append(clause)
    if not headed:
        words = lead(teller, SYSTEMS[system]) if system else teller.choices.rotate("system lead", 0, OTHERWISE)
        sentences[0] = (Piece(words), *sentences[0])
    return sentences


def lead(teller: Teller, system: System) -> str:
    template = teller.choices.rotate("system lead", list(SYSTEMS).index(system.concept), LEADS)
    be = "are" if is_plural(system.noun) or " and " in system.noun else "is"
    return words_of(teller.fill(template, noun=system.noun, adjective=system.adjective, be=be))


def list_system(teller: Teller, system: str, facts: list[Fact]) -> Phrase:
    """A system in one line: "Eyes: myopia, strabismus; no glaucoma or cataract"."""
    clauses = [
        say_findings(teller, group, number=number, terse=True, table=LINE[group[0].status])
        for number, group in enumerate(split(teller, facts, whole=True), list(SYSTEMS).index(system) if system else 0)
    ]
    return (Piece(f"{name_system(teller, system)}: "), *join(clauses, last="; ", between="; "))


def split(teller: Teller, facts: list[Fact], *, whole: bool = False) -> list[list[Fact]]:
    """Findings by status, speaker and time, the present ones first; unless `whole`, not too many in one sentence.

    Where a sentence ends is up to the finding that it ends with, so that one that changes sides moves no far ones.
    """
    groups: dict[tuple[int, str, float], list[Fact]] = {}
    for fact in facts:
        when = 0.0 if teller.is_now(fact.time) else fact.time
        groups.setdefault((STATUSES.index(fact.status), fact.speaker, when), []).append(fact)
    told = [groups[key] for key in sorted(groups)]
    return told if whole else [part for group in told for part in breathe(teller, group)]


def breathe(teller: Teller, facts: list[Fact]) -> list[list[Fact]]:
    most, share = MOST[facts[0].status], 0.05 if facts[0].status == "absent" else 0.3
    parts: list[list[Fact]] = [[]]
    for at, fact in enumerate(facts):
        parts[-1].append(fact)
        left = len(facts) - at - 1
        ends = len(parts[-1]) >= FEWEST and teller.choices.flip(fact.variable, "ends", share)
        if left and (len(parts[-1]) == most or (ends and left >= FEWEST)):
            parts.append([])
    return parts


def say_chief(teller: Teller, facts: list[Fact]) -> list[Phrase]:
    """The chief findings: some of those that are present in the systems that are most affected."""
    groups = group_by_system(teller, [fact for fact in facts if fact.kind == "finding" and fact.status == "present"])
    for group in groups.values():
        group.sort(key=lambda fact: teller.choices.chance(fact.key, "chief"))
    affected = sorted((system for system in groups if system), key=lambda system: -len(groups[system]))
    chief = [system for system in affected if len(groups[system]) > 1][:CHIEF_SYSTEMS]
    told = [(SYSTEMS[system].adjective + " ", groups[system]) for system in chief]
    told = told or [("", [fact for group in groups.values() for fact in group])]
    clauses = []
    for number, (adjective, group) in enumerate(told):
        table = tuple(template.replace("{adjective} ", adjective) for template in (CHIEF if len(group) > 1 else ONE))
        for chosen in split(teller, group[:CHIEF_EACH], whole=True)[:1]:
            clauses.append(say_findings(teller, chosen, number=number, table=table))
    return clauses
