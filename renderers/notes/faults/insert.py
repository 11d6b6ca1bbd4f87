"""Faults put into notes on purpose, for red-teaming: each at its own rate, and labelled with what is wrong and where.

What a fault may befall, and so what a rate is a share of:

- contradiction: each measured value or level. It is told as another one: at least four standard deviations of the
  model's measurement error and a quarter of the value away from the record.
- side: each value of a left or right structure and each level that says left or right, told of the other side; and
  each value taken at the note's time that differs, as written, from the one before it: told the other way round,
  so that what fell has risen.
- stale: each value or level taken at the note's time that differs, as written, from the one before it: the earlier one
  is told as today's, as when a note is copied forward.
- negation: each finding that is there or not, each diagnosis or complication that is on record or not, and each
  treatment that is given or not, told as the contrary.
- residue: each line of the text. What a template left behind stands after it, or, where it tells no fact, the line
  stands twice.

A fact has one fault at most: the first, in the order above. The draws are keyed by what is told and not by the world,
so twins share the faults of facts that they share.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ....errors import fail, nearest
from ...noise import Noise
from ..documents import ClinicalPractice
from ..facts import NotePlan
from ..grammar import write_note
from ..grammar.note import Note, Span
from ..words.grammar import DocumentWords
from ..words.locale import load_words
from .plan import PlannedFault, draw_by_name, plan_faults

KINDS = ("contradiction", "side", "stale", "negation", "residue")


@dataclass(frozen=True)
class Fault:
    """What is wrong at text[start:end] (code points): what is `told`, and what the `truth` would have been: the
    record's value, status or side; of residue, nothing."""

    kind: str
    start: int
    end: int
    fact: str  # the key of the fact that is told wrongly; empty for residue
    variable: str
    told: float | str | None
    truth: float | str | None
    problem: str  # in words


def parse_faults(texts: Iterable[str]) -> dict[str, float]:
    """Rates by kind from "negation=0.02". Raises NosographError for anything else, and for a kind said twice."""
    rates: dict[str, float] = {}
    for text in texts:
        kind, _, share = text.partition("=")
        kind = kind.strip()
        try:
            rate = float(share)
        except ValueError:
            fix = f"{nearest(kind, KINDS) or KINDS[3]}=0.02"
            raise fail("a fault is a kind and its rate", value=text, fix=fix) from None
        if kind in rates:
            raise fail("a kind of fault is asked for twice", value=text, fix=f"one of them: {kind}={rates[kind]:g}")
        rates[kind] = rate
    return check_rates(rates)


def check_rates(rates: Mapping[str, float]) -> dict[str, float]:
    """The rates, if each is of a kind that there is and in [0, 1]; else NosographError."""
    for kind, rate in rates.items():
        if kind not in KINDS:
            near = nearest(kind, KINDS)
            raise fail("there is no such fault", value=kind, fix=f"{near}={rate:g}" if near else ", ".join(KINDS))
        if not 0 <= rate <= 1:  # nor is NaN
            raise fail("a rate is a share from 0 to 1", node=kind, value=rate, fix=f"{kind}=0.02")
    return dict(rates)


def write_faulty_note(
    plan: NotePlan, *, rates: Mapping[str, float], practice: ClinicalPractice, noise: Noise
) -> tuple[Note, tuple[Fault, ...]]:
    """The note of a plan with faults in it, and what they are. The note's plan is what it tells, faults and all.

    Without a fault it is the very note that `write_note` writes. With some, every other fact has the same name and
    value; but sentences beside may be put together otherwise, and a summary may have room for other facts.
    """
    told, planned = plan_faults(plan, rates=rates, practice=practice, noise=noise)
    note = write_note(told, lexicon=practice.lexicon, noise=noise)
    placed = [_place(fault, span) for fault in planned for span in note.spans if span.fact == fault.fact]
    return leave_residue(note, placed, rate=rates.get("residue", 0.0), noise=noise)


def _place(planned: PlannedFault, span: Span) -> Fault:
    """A fault at all the words of a mention: cue and earlier value too."""
    start = min([span.start, *(part.start for part in span.parts)])
    end = max([span.end, *(part.end for part in span.parts)])
    return Fault(planned.kind, start, end, planned.fact, planned.variable, planned.told, planned.truth, planned.problem)


def leave_residue(
    note: Note, faults: Iterable[Fault] = (), *, rate: float, noise: Noise
) -> tuple[Note, tuple[Fault, ...]]:
    """The note with what a template left behind, and all its faults by place: those given, moved along, and the new."""
    chance = draw_by_name(note.plan, noise)
    placeholders = load_words(DocumentWords, note.plan.locale).placeholders
    places = sorted(start for start, _ in (*note.sentences, *((span.start, span.end) for span in note.spans)))
    added: list[tuple[int, str, str]] = []  # where, the space before it, what
    seen: Counter[str] = Counter()
    at = 0
    for line in note.text.split("\n"):
        end = at + len(line)
        seen[line] += 1
        key = f"{line}\x1f{seen[line]}"
        if line.strip() and chance("residue", key) < rate:
            plain = not any(at <= start < end for start in places)
            left = placeholders[int(chance("which residue", key) * len(placeholders))]
            added.append((end, "\n", line.strip()) if plain else (end, " ", left))
        at = end + 1
    moved = _Insertion([(place, len(gap) + len(words)) for place, gap, words in added])
    pieces, last, residues = [], 0, []
    for place, gap, words in added:
        pieces += [note.text[last:place], gap, words]
        last = place
        start = moved.end(place) + len(gap)
        problem = "a line stands twice" if gap == "\n" else "a template's placeholder was left in"
        residues.append(Fault("residue", start, start + len(words), "", "", words, "", problem))
    pieces.append(note.text[last:])
    old = [replace(fault, start=moved.start(fault.start), end=moved.end(fault.end)) for fault in faults]
    return moved.move(note, "".join(pieces)), tuple(
        sorted([*old, *residues], key=lambda fault: (fault.start, fault.end))
    )


@dataclass(frozen=True)
class _Insertion:
    """How offsets move where words were put in: (place, length), by place."""

    added: list[tuple[int, int]]

    def start(self, offset: int) -> int:
        return offset + sum(length for place, length in self.added if place <= offset)

    def end(self, offset: int) -> int:
        return offset + sum(length for place, length in self.added if place < offset)

    def move(self, note: Note, text: str) -> Note:
        if not self.added:
            return note

        def both(pairs: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
            return tuple((self.start(start), self.end(end)) for start, end in pairs)

        spans = tuple(
            replace(
                span,
                start=self.start(span.start),
                end=self.end(span.end),
                parts=tuple(replace(p, start=self.start(p.start), end=self.end(p.end)) for p in span.parts),
            )
            for span in note.spans
        )
        return replace(note, text=text, spans=spans, sentences=both(note.sentences), dates=both(note.dates))
