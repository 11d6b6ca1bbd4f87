"""Faults put in on purpose: at their rate, where the label says, beyond what could be true, and nothing else touched;
and what the record alone says against readings, case by case."""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest
from scipy.stats import binom

from nosograph.causal.model.load import load_model
from nosograph.errors import NosographError
from nosograph.ontology.knowledge import KnowledgeGraph
from nosograph.renderers.journey import Journey, RecordedEvent, RecordedValue
from nosograph.renderers.noise import Noise
from nosograph.renderers.notes.documents import ClinicalPractice, describe_practice
from nosograph.renderers.notes.facts import Fact, NotePlan, Subject
from nosograph.renderers.notes.faults.detect import agrees, find_faults, find_residue
from nosograph.renderers.notes.faults.insert import KINDS, check_rates, leave_residue, parse_faults, write_faulty_note
from nosograph.renderers.notes.faults.plan import find_opportunities, plan_faults
from nosograph.renderers.notes.grammar import write_note
from nosograph.renderers.notes.grammar.numbers import show_number
from nosograph.renderers.notes.lexicon import build_lexicon
from nosograph.renderers.notes.reading.reader import NoteReading

FACTS = ("contradiction", "side", "stale", "negation")


def test_asked_for_by_kind_and_rate() -> None:
    assert parse_faults(["negation=0.02", "residue = 1"]) == {"negation": 0.02, "residue": 1.0}
    assert parse_faults([]) == {}


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("negatoin=0.02", "negation=0.02"),
        ("negation", "negation=0.02"),
        ("negation=often", "negation=0.02"),
        ("negation=1.5", "negation=0.02"),
        ("negation=-0.1", "negation=0.02"),
        ("negation=nan", "negation=0.02"),
        ("typos=0.1", ", ".join(KINDS)),
    ],
)
def test_asked_for_wrongly(text: str, fix: str) -> None:
    with pytest.raises(NosographError) as raised:
        parse_faults([text])
    assert raised.value.problems[0].fix == fix


def test_asked_for_twice() -> None:
    with pytest.raises(NosographError, match="twice"):
        parse_faults(["stale=0.1", "stale=0.2"])
    with pytest.raises(NosographError, match="no such fault"):
        check_rates({"sate": 0.1})


def test_off_unless_asked_for(clinic, noise_of) -> None:
    for _, plan in list(clinic.each())[:40]:
        clean = write_note(plan, lexicon=clinic.practice.lexicon, noise=noise_of(plan))
        for rates in ({}, dict.fromkeys(KINDS, 0.0)):
            assert write_faulty_note(plan, rates=rates, practice=clinic.practice, noise=noise_of(plan)) == (clean, ())


@pytest.mark.parametrize("kind", FACTS)
def test_labels_say_what_is_wrong_and_what_is_true(clinic, noise_of, kind: str) -> None:
    seen = 0
    for _, plan in clinic.each():
        told, faults = plan_faults(plan, rates={kind: 1.0}, practice=clinic.practice, noise=noise_of(plan))
        right, wrong = ({fact.key: fact for fact in one.facts} for one in (plan, told))
        assert list(right) == list(wrong)
        by_fact = {fault.fact: fault for fault in faults}
        assert by_fact.keys() == {key for key in right if right[key] != wrong[key]}
        for key, fault in by_fact.items():
            seen += 1
            field = "status" if kind == "negation" else "value"
            assert (fault.kind, fault.truth, fault.told) == (
                kind,
                getattr(right[key], field),
                getattr(wrong[key], field),
            )
            assert fault.truth != fault.told
    assert seen > 100


def test_contradictions_are_no_errors_of_measurement(clinic, noise_of) -> None:
    """At least four standard deviations away, by the model's own parameters, and within what can be measured."""
    parameters = {name: parameter.value for name, parameter in clinic.practice.model.parameters.items()}
    errors = {
        "mmse": parameters["mmse_error"], "cdr_sb_rated": parameters["cdr_sb_error"],
        "amyloid_pet": parameters["pet_error"], "hippocampal_volume_mri": parameters["hippocampus_error"],
    }  # fmt: skip
    limits = {"mmse": (0, 30), "cdr_sb_rated": (0, 18), "hippocampal_volume_mri": (0, 100)}
    seen = set()
    for _, plan in clinic.each():
        _, faults = plan_faults(plan, rates={"contradiction": 1.0}, practice=clinic.practice, noise=noise_of(plan))
        for fault in faults:
            assert abs(fault.told - fault.truth) >= 0.25 * abs(fault.truth) - 0.5  # as far as rounding allows
            if fault.variable in errors:
                seen.add(fault.variable)
                assert abs(fault.told - fault.truth) >= 4 * errors[fault.variable] - 0.06
                low, high = limits.get(fault.variable, (-1e9, 1e9))
                assert low <= fault.told <= high
    assert seen == set(errors)


def test_stale_and_turned_round_are_the_records_own_values(clinic, noise_of) -> None:
    for _, plan in clinic.each():
        facts = {fact.key: fact for fact in plan.facts}
        for kind in ("stale", "side"):
            told, faults = plan_faults(plan, rates={kind: 1.0}, practice=clinic.practice, noise=noise_of(plan))
            wrong = {fact.key: fact for fact in told.facts}
            for fault in faults:
                fact = facts[fault.fact]
                assert fact.time == plan.time
                assert show_number(fact.value, fact.unit) != show_number(fact.previous, fact.unit)
                expected = (fact.previous, fact.value if kind == "side" else None)
                assert (wrong[fault.fact].value, wrong[fault.fact].previous) == expected


def test_rates_are_shares_of_opportunities(clinic, noise_of) -> None:
    """Two-sided, at a false-alarm rate of 1e-6 for each kind; the draws are independent by their keys."""
    for kind in FACTS:
        chances = count = 0
        for _, plan in clinic.each():
            noise = noise_of(plan)
            chances += len(find_opportunities(plan, kind=kind, practice=clinic.practice, noise=noise))
            count += len(plan_faults(plan, rates={kind: 0.3}, practice=clinic.practice, noise=noise)[1])
        low, high = binom.ppf([5e-7, 1 - 5e-7], chances, 0.3)
        assert chances > 100
        assert low <= count <= high


def test_one_fault_a_fact(clinic, noise_of) -> None:
    for _, plan in list(clinic.each())[:40]:
        rates = dict.fromkeys(KINDS, 1.0)
        _, faults = plan_faults(plan, rates=rates, practice=clinic.practice, noise=noise_of(plan))
        assert len({fault.fact for fault in faults}) == len(faults)


def test_faults_stand_where_the_label_says(clinic, noise_of) -> None:
    rates = dict.fromkeys(KINDS, 0.3)
    for _, plan in clinic.each():
        note, faults = write_faulty_note(plan, rates=rates, practice=clinic.practice, noise=noise_of(plan))
        facts = {fact.key: fact for fact in note.plan.facts}
        for fault in faults:
            words = note.text[fault.start : fault.end]
            if fault.kind == "residue":
                assert words == fault.told
            elif isinstance(fault.told, float):
                assert show_number(fault.told, facts[fault.fact].unit) in words
            assert words == words.strip() != ""


def test_nothing_else_is_touched(clinic, noise_of) -> None:
    """Facts that are right have the same names and values, as far as both notes have room for them in a summary; what
    tells no fact at all is the same."""
    rates = dict.fromkeys(FACTS, 0.1)
    for _, plan in clinic.each():
        clean = write_note(plan, lexicon=clinic.practice.lexicon, noise=noise_of(plan))
        note, faults = write_faulty_note(plan, rates=rates, practice=clinic.practice, noise=noise_of(plan))
        wrong = {fault.fact for fault in faults}
        one, other = words_of(note), words_of(clean)
        assert one.keys() == other.keys()
        assert all(one[key] <= other[key] or other[key] <= one[key] for key in one.keys() - wrong)
        assert plain_sentences(note) == plain_sentences(clean)
        assert faults or note == clean


def plain_sentences(note) -> list[str]:
    """The sentences that tell no fact."""
    starts = [span.start for span in note.spans]
    return [note.text[a:b] for a, b in note.sentences if not any(a <= start < b for start in starts)]


def words_of(note) -> dict[str, set[tuple[str, ...]]]:
    """What each fact is called and which value it has, in words, where it is told first and again. (The clause around
    them may look at its neighbours: a date that stood before is not said twice.)"""
    words: dict[str, set[tuple[str, ...]]] = {}
    for span in note.spans:
        said = [note.text[part.start : part.end].lower() for part in span.parts if part.what in ("term", "value")]
        words.setdefault(span.fact, set()).add(tuple(sorted(said)))
    return words


def test_residue_taken_out_leaves_the_clean_note(clinic, noise_of) -> None:
    seen = 0
    for _, plan in clinic.each():
        clean = write_note(plan, lexicon=clinic.practice.lexicon, noise=noise_of(plan))
        note, faults = leave_residue(clean, rate=0.5, noise=noise_of(plan))
        text = note.text
        for fault in reversed(faults):
            assert text[fault.start - 1] in "\n "
            text = text[: fault.start - 1] + text[fault.end :]
        assert text == clean.text
        for old, new in zip(clean.spans, note.spans, strict=True):
            assert note.text[new.start : new.end] == clean.text[old.start : old.end]
            for one, other in zip(old.parts, new.parts, strict=True):
                assert note.text[other.start : other.end] == clean.text[one.start : one.end]
        for name in ("sentences", "dates"):
            before, after = getattr(clean, name), getattr(note, name)
            assert [clean.text[a:b] for a, b in before] == [note.text[a:b] for a, b in after]
        assert {(s.start, s.end) for s in find_residue(note.text)} == {(f.start, f.end) for f in faults}
        assert find_residue(clean.text) == []
        seen += len(faults)
    assert seen > 100


def test_twins_share_the_faults_of_what_they_share(clinic, noise_of) -> None:
    rates = dict.fromkeys(FACTS, 0.2)
    faults: dict[str, dict[tuple[int, int, str], tuple[dict, dict]]] = {"factual": {}, "treated": {}}
    for world, found in faults.items():
        for _, plan in clinic.each(world):
            _, planned = plan_faults(plan, rates=rates, practice=clinic.practice, noise=noise_of(plan))
            facts = {fact.key: fact for fact in plan.facts}
            found[plan.patient, plan.step, plan.document] = facts, {fault.fact: fault for fault in planned}
    shared = 0
    for key, (facts, planned) in faults["factual"].items():
        others, again = faults["treated"].get(key, ({}, {}))
        for name, fact in facts.items():
            if others.get(name) == fact:
                assert planned.get(name) == again.get(name)
                shared += name in planned
    assert shared > 50


BRAIN = """
id: brain
title: A brain with two sides
version: 1.0.0
clock: {step: 1 year, horizon: 2 years, unit: year}
variables:
  left: {kind: state, unit: mL, start: "Normal(3, 0.3)", mechanism: "left[-1]"}
  right: {kind: state, unit: mL, start: "Normal(4, 0.3)", mechanism: "right[-1]"}
  left_volume:
    {kind: measurement, of: left, title: Volume of the left hippocampus, unit: mL, mechanism: "Normal(left, 0.1)"}
  right_volume:
    {kind: measurement, of: right, title: Volume of the right hippocampus, unit: mL, mechanism: "Normal(right, 0.1)"}
  worse_side:
    kind: measurement
    title: Side of the weakness
    mechanism: 'Categorical("left": 0.5, "right": 0.5)'
  fall: {kind: event, occurs: repeatedly, title: Fall, mechanism: Hazard(0.1)}
  aspirin: {kind: treatment, title: Aspirin, start: Bernoulli(0.5), mechanism: "aspirin[-1]"}
"""


@pytest.fixture(scope="module")
def brain(tmp_path_factory: pytest.TempPathFactory) -> ClinicalPractice:
    path = tmp_path_factory.mktemp("brain") / "brain.yaml"
    path.write_text(BRAIN)
    model, knowledge = load_model(path), KnowledgeGraph.open()
    return describe_practice(model, lexicon=build_lexicon(model, knowledge=knowledge), knowledge=knowledge)


def tell(practice: ClinicalPractice, *facts: Fact) -> NotePlan:
    return NotePlan(
        document="progress", title="Progress note", setting="clinic", patient=0, world="factual", step=1, time=1.0,
        entry=datetime.datetime(2018, 1, 1, 9), year=1.0, facts=facts, subject=Subject(70, "female"), author=1,
    )  # fmt: skip


def test_wrong_side(brain: ClinicalPractice) -> None:
    left, side = brain.lexicon["left_volume"], brain.lexicon["worse_side"]
    plan = tell(
        brain,
        Fact("left_volume@1", "value", "left_volume", "", left.label, 3.1, "mL", 1.0, "present", 3.3, 0.0),
        Fact("worse_side@1", "finding", "worse_side", "", side.label, "left", "", 1.0, "present"),
    )
    note, faults = write_faulty_note(plan, rates={"side": 1.0}, practice=brain, noise=Noise(0, "notes", 0, 1))
    volume, weakness = note.plan.facts
    assert (volume.variable, volume.value, volume.previous) == ("right_volume", 3.1, 3.3)
    assert weakness.value == "right"
    assert "left" not in note.text
    assert {(fault.fact, fault.told, fault.truth) for fault in faults} == {
        ("left_volume@1", "volume of the right hippocampus", "volume of the left hippocampus"),
        ("worse_side@1", "right", "left"),
    }


def chart() -> Journey:
    rows = [
        RecordedValue("left_volume", 0, 0.0, 3.34), RecordedValue("right_volume", 0, 0.0, 4.11),
        RecordedValue("aspirin", 0, 0.0, 1.0),
        RecordedValue("worse_side", 0, 0.0, "left"), RecordedValue("left_volume", 1, 1.0, 3.12),
        RecordedValue("right_volume", 1, 1.0, 4.02),
        RecordedValue("left_volume", 2, 2.0, 2.5),
    ]  # fmt: skip
    return Journey(0, "factual", {}, tuple(rows), (RecordedEvent("fall", 2, 1.5),), 2.0)


def read(variable: str, kind: str, value, status="present", time=None, past=False, start=0) -> NoteReading:
    return NoteReading(variable, "", kind, value, "", status, time, 0.1, start, start + 1, past)


@pytest.mark.parametrize(
    ("readings", "kinds"),
    [
        ([read("left_volume", "value", 3.1)], []),  # rounded
        ([read("left_volume", "value", 3.12)], []),
        ([read("left_volume", "value", 3.11)], ["contradiction"]),
        ([read("left_volume", "value", 3.3)], ["stale"]),
        ([read("left_volume", "value", 3.3, past=True)], []),
        ([read("left_volume", "value", 3.3, time=-1.0)], []),  # told with its date
        ([read("left_volume", "value", 2.5)], ["contradiction"]),  # nobody knows it yet
        ([read("left_volume", "value", 3.3), read("left_volume", "value", 3.1, past=True, start=9)], ["side"]),
        ([read("left_volume", "value", 4.0)], ["side"]),
        ([read("worse_side", "finding", "left")], []),
        ([read("worse_side", "finding", "right")], ["contradiction"]),
        ([read("fall", "event", None, status="absent")], []),
        ([read("fall", "event", None)], ["negation"]),  # it is yet to come
        ([read("fall", "event", None, status="uncertain")], []),
        ([read("aspirin", "treatment", 1.0)], []),
        ([read("aspirin", "treatment", 0.0, status="absent")], ["negation"]),
        ([read("unheard_of", "value", 1.0)], []),
    ],
)
def test_readings_against_the_record(brain: ClinicalPractice, readings: list[NoteReading], kinds: list[str]) -> None:
    found = find_faults(readings, "A plain text.", journey=chart(), time=1.0, practice=brain)
    assert [suspicion.kind for suspicion in found] == kinds


def test_agrees_as_far_as_it_is_written() -> None:
    assert agrees(24.0, 24.4)
    assert not agrees(24.0, 24.6)
    assert agrees(0.3, 0.2799)
    assert not agrees(0.31, 0.2799)
    assert agrees("high", "high")
    assert not agrees("high", "low")
    assert not agrees("high", 1.0)


def test_the_reader_finds_what_was_put_in(clinic, noise_of, reader) -> None:
    """The path as a whole, on few notes; its figures are `benchmarks/faults.py`'s."""
    pairs = list(clinic.each())[:50]
    for kind in KINDS:
        caught = put_in = 0
        for journey, plan in pairs:
            note, faults = write_faulty_note(plan, rates={kind: 0.5}, practice=clinic.practice, noise=noise_of(plan))
            readings = reader.read(note.text, date=plan.date)
            found = find_faults(readings, note.text, journey=journey, time=plan.time, practice=clinic.practice)
            put_in += len(faults)
            caught += sum(any(s.start < f.end and f.start < s.end for s in found) for f in faults)
        assert put_in >= 20
        assert caught >= 0.8 * put_in, kind


def test_a_level_is_told_as_another(brain: ClinicalPractice) -> None:
    fact = Fact("worse_side@1", "finding", "worse_side", "", "side of the weakness", "left", "", 1.0, "present")
    told, _ = plan_faults(
        tell(brain, fact), rates={"contradiction": 1.0}, practice=brain, noise=Noise(0, "notes", 0, 1)
    )
    assert told.facts == (replace(fact, value="right"),)
