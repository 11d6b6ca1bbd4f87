"""Notes with their labels beside the text: every fact has its place, as JSON Lines and as BRAT standoff, both ways.

Offsets are [start, end) in code points of `text`, as BRAT counts them. BRAT's format is brat.nlplab.org/standoff.html;
where a span holds line breaks or tabs, which a line of it cannot, it is written in fragments as BRAT's own server does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_args

from pydantic import TypeAdapter
from pydantic_core import from_json

from ...errors import fail
from .facts import Document, FactKind, Status
from .faults.insert import KINDS, Fault
from .grammar.note import Note, SpanPart

# whatever ends a line for anybody who reads lines, and the tab that ends a column
BREAKS = re.compile("[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]+")
ENTITIES: dict[FactKind, str] = {
    "value": "Value", "finding": "Finding", "event": "Event", "treatment": "Treatment", "history": "History",
}  # fmt: skip
FAULT = "Fault"
PARTS = ("term", "value", "previous", "time", "cue")
CONFIGURATION = "\n".join(
    (
        *("[entities]", *ENTITIES.values(), FAULT, "", "[relations]", "", "[events]", "", "[attributes]"),
        "Assertion\tArg:<ENTITY>, Value:present|absent|uncertain",
        f"{FAULT}\tArg:<ENTITY>, Value:{'|'.join(KINDS)}\n",
    )
)  # a folder's annotation.conf, without which BRAT does not show what is asserted


@dataclass(frozen=True)
class Mention:
    """Words that tell a fact, as they tell it: where `fault` names a kind of fault, that is not what the record says.

    `value` is in `unit` (UCUM); times are in the clock's unit, since entry. `parts` say which words are the term, the
    value, an earlier value, a time, or the cue that denies or doubts.
    """

    start: int
    end: int
    fact: str
    variable: str
    concept: str
    label: str
    kind: FactKind
    status: Status
    value: float | str | None
    unit: str
    time: float
    previous: float | str | None = None
    previous_time: float | None = None
    parts: tuple[SpanPart, ...] = ()
    fault: str = ""


@dataclass(frozen=True)
class LabelledNote:
    """A note and its labels. `time` is in the clock's unit, since entry; `date` and `entry` are ISO 8601, to the
    minute. `path` is where the run has it, if it has."""

    patient: int
    world: str
    time: float
    date: str
    entry: str
    document: str
    title: str
    author: int
    text: str
    spans: tuple[Mention, ...]
    sentences: tuple[tuple[int, int], ...]
    faults: tuple[Fault, ...] = ()
    path: str = ""


def label_note(note: Note, faults: Iterable[Fault] = ()) -> LabelledNote:
    """A note with what its plan knows of each span, and with the faults that were put into it."""
    plan, placed = note.plan, tuple(faults)
    wrong = {fault.fact: fault.kind for fault in placed if fault.fact}
    facts = {fact.key: fact for fact in plan.facts}
    spans = [
        Mention(
            start=span.start, end=span.end, fact=span.fact, variable=facts[span.fact].variable, concept=span.concept,
            label=facts[span.fact].label, kind=span.kind, status=span.status, value=span.value, unit=span.unit,
            time=facts[span.fact].time, previous=facts[span.fact].previous,
            previous_time=facts[span.fact].previous_time, parts=span.parts, fault=wrong.get(span.fact, ""),
        )
        for span in note.spans
    ]  # fmt: skip
    return LabelledNote(
        patient=plan.patient,
        world=plan.world,
        time=plan.time,
        date=plan.date_of(plan.time).isoformat(timespec="minutes"),
        entry=plan.entry.isoformat(timespec="minutes"),
        document=plan.document,
        title=plan.title,
        author=plan.author,
        text=note.text,
        spans=tuple(spans),
        sentences=note.sentences,
        faults=placed,
    )


def write_line(note: LabelledNote) -> dict[str, Any]:
    """A note as a row of JSON Lines: its fields, with `time` under the name "at" that rows of every modality have."""
    row = {"at" if name == "time" else name: value for name, value in vars(note).items() if name != "path" or value}
    row["spans"] = [_write_mention(span) for span in note.spans]
    row["faults"] = [dict(vars(fault)) for fault in note.faults]
    return row


def _write_mention(span: Mention) -> dict[str, Any]:
    return {**vars(span), "parts": [dict(vars(part)) for part in span.parts]}


def read_line(row: Mapping[str, Any]) -> LabelledNote:
    """The note of a row; keys that no note has are passed over. A KeyError or TypeError for a row that is no note."""
    spans = [Mention(**{**span, "parts": tuple(SpanPart(**part) for part in span["parts"])}) for span in row["spans"]]
    plain = {name: row[name] for name in ("patient", "world", "date", "entry", "document", "title", "author", "text")}
    return LabelledNote(
        **plain,
        time=row["at"],
        spans=tuple(spans),
        sentences=tuple((start, end) for start, end in row["sentences"]),
        faults=tuple(Fault(**fault) for fault in row["faults"]),
        path=row.get("path", ""),
    )


def check_note(note: LabelledNote, *, file: str, line: int = 0) -> None:
    """Raise NosographError where a label says what no label can, points outside of the text, or is of another type."""

    def inside(start: object, end: object) -> bool:
        return isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= len(note.text)

    def check(value: object, known: tuple[str, ...], what: str, fix: str = "") -> None:
        if value not in known:
            raise fail(f"there is no such {what}", value=value, file=file, line=line, fix=fix or " or ".join(known))

    if not isinstance(note.text, str):
        raise fail("the text is no text", value=note.text, file=file, line=line, fix='"text": "…"')
    kinds = get_args(Document)
    check(note.document, kinds, "kind of document", "" if line else f"NAME-{kinds[0]}.txt; {' or '.join(kinds)}")
    for span in note.spans:
        check(span.kind, get_args(FactKind), "kind of fact")
        check(span.status, get_args(Status), "status")
        for part in span.parts:
            check(part.what, PARTS, "part of a mention")
    places = [
        *((span.start, span.end) for span in note.spans),
        *((part.start, part.end) for span in note.spans for part in span.parts),
        *note.sentences,
    ]
    wrong = next((place for place in places if not inside(*place)), None)
    if wrong is not None:
        raise fail(
            "a label is not at a place of the text",
            value=f"{wrong[0]}, {wrong[1]}",
            file=file,
            line=line,
            fix=f"[start, end) in characters, within 0 and {len(note.text)}",
        )
    try:
        _type_of_note().validate_json(json.dumps(asdict(note), allow_nan=False), strict=True)
    except ValueError as error:
        first = " ".join(str(error).split("\n")[1:3]).strip() or str(error)
        fix = "a file that nosograph render has written, unchanged"
        raise fail(f"the line is no note: {first}", file=file, line=line, fix=fix) from error


@cache
def _type_of_note() -> TypeAdapter[LabelledNote]:
    return TypeAdapter(LabelledNote)


def write_jsonl(notes: Iterable[LabelledNote], path: Path) -> None:
    """A line a note, in UTF-8."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for note in notes:
            file.write(json.dumps(write_line(note), ensure_ascii=False) + "\n")


def read_jsonl(path: Path) -> Iterator[LabelledNote]:
    """The notes of a file, one after another. Raises NosographError, with the line, for what is no note."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):  # `from_json` refuses what is not UTF-8
            try:
                note = read_line(from_json(line, allow_inf_nan=False))
            except (ValueError, KeyError, TypeError) as error:
                fix = "a file that nosograph render has written, unchanged"
                raise fail(f"the line is no note: {error!r}", file=str(path), line=number, fix=fix) from error
            yield note


def write_brat(note: LabelledNote) -> str:
    """The `.ann` beside a text.

    T lines are the mentions, named after the kind of fact, and the faults; A lines say what is asserted and what is
    wrong; N lines name the concept; what BRAT has no place for is JSON in a note on the mention (# lines).
    """
    lines: list[str] = []
    attributes = references = 0
    for number, span in enumerate(note.spans, 1):
        here = f"T{number}"
        lines.append(_write_place(here, ENTITIES[span.kind], note.text, span.start, span.end))
        told = [("Assertion", span.status), *([(FAULT, span.fault)] if span.fault else [])]
        for name, value in told:
            attributes += 1
            lines.append(f"A{attributes}\t{name} {here} {value}")
        if span.concept:
            references += 1
            label = " ".join(span.label.split()) or span.concept
            lines.append(f"N{references}\tReference {here} {span.concept}\t{label}")
        rest = _write_mention(span)
        for name in ("start", "end", "kind", "status", "concept", "fault"):
            del rest[name]
        lines.append(f"#{number}\tAnnotatorNotes {here}\t{json.dumps(rest)}")
    for number, fault in enumerate(note.faults, len(note.spans) + 1):
        here = f"T{number}"
        rest = dict(vars(fault))
        lines.append(_write_place(here, FAULT, note.text, rest.pop("start"), rest.pop("end")))
        attributes += 1
        lines.append(f"A{attributes}\t{FAULT} {here} {rest.pop('kind')}")
        lines.append(f"#{number}\tAnnotatorNotes {here}\t{json.dumps(rest)}")
    return "".join(f"{line}\n" for line in lines)


def _write_place(name: str, kind: str, text: str, start: int, end: int) -> str:
    """A T line. A ValueError for words that begin or end in white space, which fragments cannot keep."""
    words = text[start:end]
    if not words or words != words.strip():
        raise ValueError(f"a span must begin and end in words, and this is {words!r}")
    pieces: list[tuple[int, int]] = []
    at = start
    for match in (*BREAKS.finditer(text, start, end), None):
        stop = match.start() if match else end
        inside = text[at:stop]
        if inside.strip():
            pieces.append((at + len(inside) - len(inside.lstrip()), stop - len(inside) + len(inside.rstrip())))
        at = match.end() if match else end
    places = ";".join(f"{begin} {stop}" for begin, stop in pieces)
    return f"{name}\t{kind} {places}\t{' '.join(text[begin:stop] for begin, stop in pieces)}"


def read_brat(annotations: str, text: str, *, file: str = "") -> tuple[tuple[Mention, ...], tuple[Fault, ...]]:
    """The mentions and faults of an `.ann` that `write_brat` wrote for `text`, in the same order.

    Raises NosographError, with the line of `file`, for what is no such annotation, and for words that the text does not
    have at the place given.
    """
    places: dict[str, tuple[str, int, int]] = {}
    found: dict[str, dict[str, Any]] = {}
    for number, line in enumerate(annotations.split("\n"), 1):
        if not line:
            continue
        try:
            name, rest = line.split("\t", 1)
            if name.startswith("T"):
                places[name] = _read_place(rest, text)
                found[name] = {}
                continue
            body, _, tail = rest.partition("\t")
            what, here, *value = body.split(" ", 2)
            found[here].update(json.loads(tail) if name.startswith("#") else {what: value[0]})
        except (ValueError, KeyError, IndexError) as error:
            fix = "an .ann that nosograph has written, beside its own text"
            raise fail(f"the annotation is not read: {error}", value=line, file=file, line=number, fix=fix) from error
    kinds = {entity: kind for kind, entity in ENTITIES.items()}
    mentions, faults = [], []
    try:
        for name, (entity, start, end) in places.items():
            held = {**found[name], "start": start, "end": end}
            if entity == FAULT:
                kind = held.pop(FAULT)
                faults.append(Fault(**held, kind=kind))
            else:
                mentions.append(_read_mention(held, kinds[entity]))
    except (KeyError, TypeError) as error:
        fix = "an .ann that nosograph has written, unchanged"
        raise fail(f"the annotations lack something: {error!r}", file=file, fix=fix) from error
    return tuple(mentions), tuple(faults)


def _read_mention(held: dict[str, Any], kind: FactKind) -> Mention:
    named = {"status": held.pop("Assertion"), "concept": held.pop("Reference", ""), "fault": held.pop(FAULT, "")}
    parts = tuple(SpanPart(**part) for part in held.pop("parts"))
    return Mention(**held, **named, kind=kind, parts=parts)


def _read_place(rest: str, text: str) -> tuple[str, int, int]:
    head, words = rest.split("\t")
    kind, _, listed = head.partition(" ")
    pieces = [tuple(int(offset) for offset in piece.split(" ")) for piece in listed.split(";")]
    there = " ".join(text[start:end] for start, end in pieces)
    if there != words:
        raise ValueError(f"the text has {there!r} there")
    return kind, pieces[0][0], pieces[-1][1]
