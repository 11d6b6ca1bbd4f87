"""Labels beside the text: both ways and exactly, in any script, and as BRAT's own documentation has it."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nosograph.errors import NosographError
from nosograph.renderers.notes.faults.insert import KINDS, Fault, write_faulty_note
from nosograph.renderers.notes.grammar import SpanPart, write_note
from nosograph.renderers.notes.standoff import (
    CONFIGURATION,
    LabelledNote,
    Mention,
    label_note,
    read_brat,
    read_jsonl,
    read_line,
    write_brat,
    write_jsonl,
    write_line,
)

FACT = Mention(
    start=0, end=4, fact="mmse@0", variable="mmse", concept="LOINC:72106-8", label="Mini-Mental State Examination",
    kind="value", status="present", value=24.0, unit="{score}", time=0.0,
)  # fmt: skip
NOTE = LabelledNote(
    patient=7, world="factual", time=1.5, date="2019-03-04T09:15", entry="2017-09-01T10:00", document="letter",
    title="Memory clinic letter", author=3, text="MMSE 24.", spans=(FACT,), sentences=((0, 8),),
)  # fmt: skip

# letters beyond the first plane, combining marks, both directions, and whatever ends a line for anybody
LETTERS = st.text(alphabet="aé ñ\u0301µ≥𝔐😀שع中\n\r\t\x0b\x1c\x85\u2028\u2029-,;0 1", min_size=1, max_size=60)
NAMES = st.text(min_size=1, max_size=20)
VALUES = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False), NAMES)


@st.composite
def places(draw: st.DrawFn, text: str) -> tuple[int, int]:
    """A place in the text that begins and ends in words."""
    start = draw(st.integers(0, len(text) - 1))
    words = text[start : draw(st.integers(start + 1, len(text)))]
    if not words.strip():
        start, words = 0, text
    start += len(words) - len(words.lstrip())
    return start, start + len(words.strip())


@st.composite
def labelled(draw: st.DrawFn) -> LabelledNote:
    text = draw(LETTERS.filter(lambda text: text.strip()))
    spans = []
    for _ in range(draw(st.integers(0, 4))):
        start, end = draw(places(text))
        parts = tuple(SpanPart(draw(st.sampled_from(["term", "cue"])), *draw(places(text))) for _ in range(2))
        spans.append(
            Mention(
                start=start, end=end, fact=draw(NAMES), variable=draw(NAMES), label=draw(NAMES),
                concept=draw(st.sampled_from(["", "HP:0002181", "LOINC:72106-8", "a:b:c"])),
                kind=draw(st.sampled_from(["value", "finding", "event", "treatment", "history"])),
                status=draw(st.sampled_from(["present", "absent", "uncertain"])), value=draw(VALUES),
                unit=draw(NAMES), time=draw(st.floats(0, 100)), previous=draw(VALUES), parts=parts,
                fault=draw(st.sampled_from(["", *KINDS])),
            )
        )  # fmt: skip
    faults = []
    for _ in range(draw(st.integers(0, 2))):
        start, end = draw(places(text))
        faults.append(Fault(draw(st.sampled_from(KINDS)), start, end, "x@1", "x", draw(VALUES), draw(VALUES), "wrong"))
    return replace(NOTE, text=text, spans=tuple(spans), faults=tuple(faults), world=draw(NAMES))


@given(labelled())
@settings(max_examples=150, deadline=None)
def test_both_formats_give_back_what_was_written(tmp_path_factory, note: LabelledNote) -> None:
    path = tmp_path_factory.mktemp("notes") / "notes.jsonl"
    write_jsonl([note, note], path)
    assert list(read_jsonl(path)) == [note, note]
    annotations = write_brat(note)
    assert read_brat(annotations, note.text) == (note.spans, note.faults)
    assert all(line.count("\t") == 2 or line[0] == "A" for line in annotations.splitlines())


@given(labelled())
@settings(max_examples=100, deadline=None)
def test_words_in_brat_are_the_texts_fragments_with_a_space_between(note: LabelledNote) -> None:
    """As `verify_text` in BRAT's server asks it, written here from the documentation of the format."""
    for line in write_brat(note).split("\n"):
        if line.startswith("T"):
            _, place, words = line.split("\t")
            fragments = [tuple(map(int, one.split())) for one in place.partition(" ")[2].split(";")]
            assert words == " ".join(note.text[start:end] for start, end in fragments)
            assert all(end <= start for (_, end), (start, _) in pairwise(fragments))
            assert len(words.splitlines()) == 1


def test_brat_as_in_its_documentation() -> None:
    """The example of a span that a line break interrupts, from the description of the format and BRAT's issue 1042."""
    text = "North\n  America"
    note = replace(NOTE, text=text, spans=(replace(FACT, end=len(text), concept="HP:0002181", label="here"),))
    lines = write_brat(note).splitlines()
    assert lines[:3] == [
        "T1\tValue 0 5;8 15\tNorth America",
        "A1\tAssertion T1 present",
        "N1\tReference T1 HP:0002181\there",
    ]


def test_offsets_count_code_points() -> None:
    text = "𝔐😀é MMSE 24"
    note = replace(NOTE, text=text, spans=(replace(FACT, start=4, end=11),), sentences=((0, 11),))
    assert text[4:11] == "MMSE 24"
    assert "T1\tValue 4 11\tMMSE 24\n" in write_brat(note)


def test_a_span_ends_in_words() -> None:
    with pytest.raises(ValueError, match="begin and end in words"):
        write_brat(replace(NOTE, spans=(replace(FACT, end=5),)))


def test_the_grammars_notes_go_both_ways(clinic, noise_of) -> None:
    rates = dict.fromkeys(KINDS, 0.1)
    for _, plan in list(clinic.each())[:60]:
        note, faults = write_faulty_note(plan, rates=rates, practice=clinic.practice, noise=noise_of(plan))
        held = label_note(note, faults)
        assert read_line(json.loads(json.dumps(write_line(held)))) == held
        assert read_brat(write_brat(held), held.text) == (held.spans, held.faults)


def test_labels_are_the_plans(clinic, noise_of) -> None:
    """Every fact of the plan has a place, and its label says what the plan says."""
    for _, plan in list(clinic.each())[:60]:
        facts = {fact.key: fact for fact in plan.facts}
        held = label_note(write_note(plan, lexicon=clinic.practice.lexicon, noise=noise_of(plan)))
        for span in held.spans:
            fact = facts[span.fact]
            assert (span.variable, span.value, span.status, span.time, span.previous, span.fault) == (
                fact.variable, fact.value, fact.status, fact.time, fact.previous, "",
            )  # fmt: skip


def test_a_row_of_a_run_holds_more_than_the_note() -> None:
    row = {"modality": "notes", **write_line(NOTE), "path": "notes/factual/7/018-months-letter.txt"}
    assert row["at"] == 1.5
    assert read_line(row) == replace(NOTE, path="notes/factual/7/018-months-letter.txt")


def test_configuration_knows_every_kind() -> None:
    assert {"Value", "Finding", "Event", "Treatment", "History", "Fault"} <= set(CONFIGURATION.splitlines())
    assert all(kind in CONFIGURATION for kind in KINDS)


@pytest.mark.parametrize(
    ("line", "what"), [("{", "no note"), ("[]", "no note"), ('{"patient": 1}', "no note")]
)  # fmt: skip
def test_lines_that_are_none(tmp_path, line: str, what: str) -> None:
    path = tmp_path / "notes.jsonl"
    path.write_text(json.dumps(write_line(NOTE)) + "\n" + line + "\n")
    with pytest.raises(NosographError, match=what) as raised:
        list(read_jsonl(path))
    assert (raised.value.problems[0].file, raised.value.problems[0].line) == (str(path), 2)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("MMSE\n", "MOCA\n"),  # other words than the text's
        ("Value 0 4", "Value 0 x"),
        ("Value 0 4", "Nonsense 0 4"),
        ("A1\tAssertion T1 present\n", ""),
        ("A1\tAssertion T1", "A1\tAssertion T9"),
        ('{"fact"', "{fact"),
        ('"unit": "{score}", ', ""),
    ],
)
def test_annotations_that_are_none(old: str, new: str) -> None:
    written = write_brat(NOTE)
    assert old in written
    with pytest.raises(NosographError):
        read_brat(written.replace(old, new), NOTE.text, file="a.ann")
