"""Twins side by side: the same where the record is the same, only what differs where it is not; and safe as HTML."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from nosograph.renderers.notes.chapter import tell_notes
from nosograph.renderers.notes.compare import compare_notes, cut, draw_difference
from nosograph.renderers.notes.grammar import write_note
from nosograph.renderers.notes.grammar.numbers import show_number
from nosograph.renderers.notes.standoff import LabelledNote, Mention, label_note

HOSTILE = '<script>alert("1")</script><img src=x onerror=alert(1)> & "quoted"'


def note(text: str, sentences: list[str], facts: list[tuple[str, str, float | None, str]], world: str) -> LabelledNote:
    """A note by hand: sentences and (key, words, value, status) by their words in the text."""
    spans = []
    for key, words, value, status in facts:
        start = text.index(words)
        name = key.partition("@")[0]
        spans.append(
            Mention(
                start=start, end=start + len(words), fact=key, variable=name, concept="", label=name, kind="value",
                status=status, value=value, unit="mL", time=1.0,
            )
        )  # fmt: skip
    places = tuple((text.index(words), text.index(words) + len(words)) for words in sentences)
    return LabelledNote(
        patient=0, world=world, time=1.0, date="2019-03-04T09:15", entry="2018-03-04T09:15", document="letter",
        title="Clinic letter", author=1, text=text, spans=tuple(spans), sentences=places,
    )  # fmt: skip


LEFT = note(
    "CLINIC LETTER\n\n• Weight 80. Pulse 60, temperature 37.\n\nSigned",
    ["Weight 80.", "Pulse 60, temperature 37."],
    [("w@1", "Weight 80", 80.0, "present"), ("p@1", "Pulse 60", 60.0, "present"),
     ("t@1", "temperature 37", 37.0, "present")],
    "factual",
)  # fmt: skip
RIGHT = note(
    "CLINIC LETTER\n\nTREATMENT\nAspirin started.\n• Weight 70. Pulse 60.\nTemperature 37.\n\nSigned",
    ["Aspirin started.", "Weight 70.", "Pulse 60.", "Temperature 37."],
    [("a@1", "Aspirin", 1.0, "present"), ("w@1", "Weight 70", 70.0, "present"), ("p@1", "Pulse 60", 60.0, "present"),
     ("t@1", "Temperature 37", 37.0, "present")],
    "treated",
)  # fmt: skip


def said(held: LabelledNote, places) -> list[str]:
    return [held.text[start:end] for start, end in places]


def test_cut_into_sentences_and_lines() -> None:
    assert said(LEFT, cut(LEFT)) == ["CLINIC LETTER", "Weight 80.", "Pulse 60, temperature 37.", "Signed"]


def test_only_what_differs_is_told() -> None:
    """Pulse and temperature are put together otherwise, and say the same."""
    found = compare_notes(LEFT, RIGHT)
    assert said(LEFT, found.only_left) == ["Weight 80."]
    assert said(RIGHT, found.only_right) == ["TREATMENT", "Aspirin started.", "Weight 70."]
    assert {fact.fact for fact in found.facts} == {"w@1", "a@1"}


def test_no_difference() -> None:
    found = compare_notes(LEFT, replace(LEFT, world="treated"))
    assert (found.only_left, found.only_right, found.facts) == ((), (), ())
    assert "The same in both worlds" in draw_difference(found)


def test_twins_differ_where_the_intervention_reached_and_nowhere_else(clinic, noise_of) -> None:
    """Where all facts agree, all words do; where some do, the words for these; and the difference tells just the facts
    that, as written, do not agree."""
    notes: dict[tuple[int, float, str], dict[str, tuple]] = {}
    for world in ("factual", "treated"):
        for _, plan in clinic.each(world):
            written = write_note(plan, lexicon=clinic.practice.lexicon, noise=noise_of(plan))
            notes.setdefault((plan.patient, plan.time, plan.document), {})[world] = written
    same = different = 0
    for pair in notes.values():
        if len(pair) < 2:
            continue
        one, other = pair["factual"], pair["treated"]
        facts = [{fact.key: as_written(fact) for fact in held.plan.facts} for held in (one, other)]
        changed = {key for key in {*facts[0], *facts[1]} if facts[0].get(key) != facts[1].get(key)}
        found = compare_notes(label_note(one), label_note(other))
        assert {fact.fact for fact in found.facts} == changed
        for held, places in ((one, found.only_left), (other, found.only_right)):
            for start, end in places:
                told = {span.fact for span in held.spans if start <= span.start < end}
                assert not told or told & changed
        if not changed:
            assert one.text == other.text
            same += 1
        else:
            different += 1
            left, right = words_of(one), words_of(other)
            for key in (left.keys() | right.keys()) - changed:  # one summary may leave out what the other has
                assert left[key] <= right[key] or right[key] <= left[key]
    assert min(same, different) > 20


def words_of(held) -> dict[str, set[tuple[str, ...]]]:
    """What each fact is called and which value it has, in words, where it is told first and again. (The clause around
    them may look at its neighbours: a date that stood before is not said twice.)"""
    words: dict[str, set[tuple[str, ...]]] = {}
    for span in held.spans:
        said = [held.text[part.start : part.end].lower() for part in span.parts if part.what in ("term", "value")]
        words.setdefault(span.fact, set()).add(tuple(sorted(said)))
    return words


def as_written(fact) -> tuple:
    numbers = [show_number(x, fact.unit) if isinstance(x, float) else x for x in (fact.value, fact.previous)]
    return (fact.kind, fact.status, *numbers, fact.time, fact.previous_time)


class Page(HTMLParser):
    """The text of a page, and its elements."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.inside: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs) -> None:
        self.tags.append(tag)
        self.open.append(tag)
        self.inside.setdefault(tag, []).append("")
        assert not any(name.startswith("on") for name, _ in attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        for tag in set(self.open):
            self.inside[tag][-1] += data


def test_marked_in_html() -> None:
    page = Page(draw_difference(compare_notes(LEFT, RIGHT)))
    assert page.inside["ins"] == ["Weight 80.", "TREATMENT", "Aspirin started.", "Weight 70."]
    assert page.inside["mark"] == ["Weight 80", "Aspirin", "Weight 70"]
    assert LEFT.text in page.text
    assert RIGHT.text in page.text


@pytest.fixture
def hostile() -> tuple[LabelledNote, LabelledNote]:
    """Notes whose every word would break out of a page if it could."""
    text = f"{HOSTILE}\n{HOSTILE} is 3."
    start = len(HOSTILE) + 1
    span = Mention(
        start=start, end=len(text) - 1, fact="x@1", variable=HOSTILE, concept="", label=HOSTILE, kind="finding",
        status="present", value=HOSTILE, unit=HOSTILE, time=1.0, previous=HOSTILE,
    )  # fmt: skip
    left = replace(
        LEFT, text=text, spans=(span,), sentences=((start, len(text)),), world=HOSTILE, title=HOSTILE, date=HOSTILE
    )
    right = replace(
        left, world=f"{HOSTILE} treated", spans=(replace(span, value=f"{HOSTILE}!"),), text=f"{text[:-2]}4."
    )
    return left, right


def test_nothing_in_a_note_is_html(hostile) -> None:
    left, right = hostile
    drawn = draw_difference(compare_notes(left, right))
    page = Page(drawn)
    assert not {"script", "img"} & set(page.tags)
    assert left.text in page.text
    assert right.text in page.text
    assert page.text.count(HOSTILE) >= 9
    assert not re.search(r"<(script|img)", drawn)


def test_the_reports_chapter(hostile) -> None:
    assert tell_notes([], worlds=["factual"]) is None
    late = replace(LEFT, time=2.0, date="2020-03-04T09:15", world="treated")
    page = Page(tell_notes([LEFT, RIGHT, late], worlds=["factual", "treated"]))
    assert page.inside["summary"] == [
        "2019-03-04 Clinic letter: 2 facts told otherwise",
        "2020-03-04 Clinic letter, only in treated",
    ]
    assert "patient 0" in page.text
    page = Page(tell_notes(hostile, worlds=[held.world for held in hostile]))
    assert not {"script", "img"} & set(page.tags)
    assert HOSTILE in page.text
