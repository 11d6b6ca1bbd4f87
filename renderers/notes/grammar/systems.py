"""Many findings, organ system by organ system: what is there first, then what is not, summed up."""

from __future__ import annotations

from collections.abc import Iterable

from ..facts import Fact
from ..systems import SYSTEMS
from .author import draw_habit
from .context import NoteContext
from .findings import STATUSES, say_findings
from .inflection import is_plural
from .pieces import Phrase, Piece, join_phrases, words_of

MOST = {"present": 6, "uncertain": 3, "absent": 12}  # findings in one sentence
FEW = 2  # findings of a system that has no place of its own
FEWEST = 3  # findings that are not split further
CHIEF_SYSTEMS, CHIEF_EACH = 3, 3  # how many of what a summary tells
SPREAD = 9.0  # how far an author's order of systems departs from the usual one


def group_by_system(context: NoteContext, facts: Iterable[Fact]) -> dict[str, list[Fact]]:
    """The facts by system, in the author's order of systems; last, under an empty text, what has none, and systems of
    which the whole model has only one or two findings."""
    groups: dict[str, list[Fact]] = {}
    for fact in sorted(facts, key=lambda fact: (context.choices.chance(fact.variable, "order"), fact.time, fact.key)):
        system = context.term(fact).system
        groups.setdefault(system if context.lexicon.systems.get(system, 0) > FEW else "", []).append(fact)
    places = {
        system: at + SPREAD * draw_habit(context.author.secret, "system", system) for at, system in enumerate(SYSTEMS)
    }
    return {
        system: groups[system] for system in sorted(groups, key=lambda system: places.get(system, len(SYSTEMS) * 2))
    }


def name_system(context: NoteContext, system: str) -> str:
    """What the author always calls a system; findings of none are called by what remains."""
    words = context.phrases.systems
    options = words.names[system].headings if system else words.others
    return options[int(draw_habit(context.author.secret, "heading", system) * len(options))]


def say_system(context: NoteContext, system: str, facts: list[Fact], *, headed: bool = False) -> list[Phrase]:
    """The sentences of a system; the first names it, unless a heading does."""
    clauses: list[tuple[list[Fact], Phrase]] = []
    words, seed = context.phrases.systems, find_place(system)
    for number, group in enumerate(split_findings(context, facts)):
        tables: dict[str, tuple[str, ...]] = {
            "present": words.further if clauses else words.present,
            "absent": words.absent,
        }
        table = tables.get(group[0].status)
        if table is not None and len(group) == 1:
            table = tuple(template for template in table if words.several not in template)
        clauses.append((group, say_findings(context, group, number=seed + number, table=table)))
    sentences: list[Phrase] = []
    for group, clause in clauses:
        joins = sentences and group[0].status != "present" and context.choices.flip(f"system {system}", "joins", 0.5)
        if joins:
            said = sentences.pop()
            sentences.append((*said, Piece("; "), *clause))
        else:
            sentences.append(clause)
    if not headed:
        lead = name_lead(context, system) if system else context.choices.rotate("system lead", 0, words.otherwise)
        sentences[0] = (Piece(lead), *sentences[0])
    return sentences


def name_lead(context: NoteContext, system: str) -> str:
    """The words that lead over to a system."""
    words = context.phrases.systems
    name = words.names[system]
    template = context.choices.rotate("system lead", find_place(system), words.leads)
    plural = is_plural(name.noun, context.locale) or context.language.joins.and_last in name.noun
    verbs = context.verbs(plural)
    return words_of(context.fill(template, noun=name.noun, adjective=name.adjective, be=verbs["are"]))


def find_place(system: str) -> int:
    """The place of a system among all; last, of none."""
    return SYSTEMS.index(system) if system else len(SYSTEMS)


def list_system(context: NoteContext, system: str, facts: list[Fact]) -> Phrase:
    """A system in one line: "Eyes: myopia, strabismus; no glaucoma or cataract"."""
    lines = context.phrases.systems.line
    first = find_place(system) if system else 0
    clauses = [
        say_findings(context, group, number=number, terse=True, table=getattr(lines, group[0].status))
        for number, group in enumerate(split_findings(context, facts, whole=True), first)
    ]
    heavy = context.language.joins.heavy
    return (Piece(f"{name_system(context, system)}: "), *join_phrases(clauses, last=heavy, between=heavy))


def split_findings(context: NoteContext, facts: list[Fact], *, whole: bool = False) -> list[list[Fact]]:
    """Findings by status, speaker and time, the present ones first; unless `whole`, not too many in one sentence.

    Where a sentence ends is up to the finding that it ends with, so that one that changes sides moves no far ones.
    """
    groups: dict[tuple[int, str, float], list[Fact]] = {}
    for fact in facts:
        when = 0.0 if context.is_now(fact.time) else fact.time
        groups.setdefault((STATUSES.index(fact.status), fact.speaker, when), []).append(fact)
    told = [groups[key] for key in sorted(groups)]
    return told if whole else [part for group in told for part in cut_list(context, group)]


def cut_list(context: NoteContext, facts: list[Fact]) -> list[list[Fact]]:
    most, share = MOST[facts[0].status], 0.05 if facts[0].status == "absent" else 0.3
    parts: list[list[Fact]] = [[]]
    for at, fact in enumerate(facts):
        parts[-1].append(fact)
        left = len(facts) - at - 1
        ends = len(parts[-1]) >= FEWEST and context.choices.flip(fact.variable, "ends", share)
        if left and (len(parts[-1]) == most or (ends and left >= FEWEST)):
            parts.append([])
    return parts


def say_chief(context: NoteContext, facts: list[Fact]) -> list[Phrase]:
    """The chief findings: some of those that are present in the systems that are most affected."""
    groups = group_by_system(context, [fact for fact in facts if fact.kind == "finding" and fact.status == "present"])
    for group in groups.values():
        group.sort(key=lambda fact: context.choices.chance(fact.key, "chief"))
    affected = sorted((system for system in groups if system), key=lambda system: -len(groups[system]))
    chief = [system for system in affected if len(groups[system]) > 1][:CHIEF_SYSTEMS]
    words = context.phrases.systems
    told = [(words.names[system].adjective + " ", groups[system]) for system in chief]
    told = told or [("", [fact for group in groups.values() for fact in group])]
    clauses = []
    for number, (adjective, group) in enumerate(told):
        table = tuple(
            template.replace("{adjective} ", adjective) for template in (words.chief if len(group) > 1 else words.one)
        )
        for chosen in split_findings(context, group[:CHIEF_EACH], whole=True)[:1]:
            clauses.append(say_findings(context, chosen, number=number, table=table))
    return clauses
