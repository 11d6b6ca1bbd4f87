"""The grammar: offsets, one span a fact and one fact a span, no number that is not planned, twins, and English."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.variety import Floor, measure_variety, self_bleu
from nosograph.causal.model.load import load_model
from nosograph.ontology.knowledge import KnowledgeGraph
from nosograph.renderers.journey import read_journeys
from nosograph.renderers.noise import Noise
from nosograph.renderers.notes.documents import describe_practice
from nosograph.renderers.notes.facts import Fact, NotePlan, Subject
from nosograph.renderers.notes.grammar import Note, find_author, write_note
from nosograph.renderers.notes.grammar.inflection import article, capitalise, is_plural
from nosograph.renderers.notes.grammar.numbers import show_date, show_number, show_span
from nosograph.renderers.notes.lexicon import Lexicon, LexiconTerm, build_lexicon
from nosograph.renderers.notes.plan import plan_notes
from nosograph.simulate.cohort import open_run, simulate_to

SEED = 11
RESIDUE = re.compile(r"[{}\[\]<>]|  |\s[.,;:)]|\.\.|,,|;;|\(\s|None|nan\b|@\d")
LEAF = ("term", "value", "previous", "time")


def noise_of(plan: NotePlan, seed: int = SEED) -> Noise:
    return Noise(seed, "notes", plan.patient, plan.step)


Corpus = tuple[Lexicon, list[NotePlan]]


@pytest.fixture(scope="module")
def alzheimers(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return make_corpus("alzheimers", "treated: lecanemab = 1", 16, tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def sepsis(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return make_corpus("sepsis", "treated: ventilation = 1", 80, tmp_path_factory.mktemp("run"))


@pytest.fixture(params=["alzheimers", "sepsis"])
def corpus(request: pytest.FixtureRequest) -> Corpus:
    """Plans from a simulated record, in two worlds."""
    found: Corpus = request.getfixturevalue(request.param)
    return found


def make_corpus(name: str, world: str, patients: int, folder: Path) -> Corpus:
    model, knowledge = load_model(name), KnowledgeGraph.open()
    simulate_to(model, folder / name, patients=patients, seed=SEED, worlds=[world])
    lexicon = build_lexicon(model, knowledge=knowledge)
    practice = describe_practice(model, lexicon=lexicon, knowledge=knowledge)
    journeys = read_journeys(open_run(folder / name), list(range(patients)), worlds=["factual", "treated"])
    return lexicon, [plan for journey in journeys for plan in plan_notes(journey, practice=practice, seed=SEED)]


def check_note(note: Note) -> None:
    """What holds of every note."""
    facts = {fact.key: fact for fact in note.plan.facts}
    assert {span.fact for span in note.spans} == set(facts)
    covered: set[int] = {at for start, end in note.dates for at in range(start, end)}
    for span in note.spans:
        fact = facts[span.fact]
        assert (span.concept, span.status, span.kind, span.value) == (fact.concept, fact.status, fact.kind, fact.value)
        assert 0 <= span.start < span.end <= len(note.text)
        words = note.text[span.start : span.end]
        assert words == words.strip()
        for part in span.parts:
            covered |= set(range(part.start, part.end))
            assert note.text[part.start : part.end].strip()
            if part.what in ("term", "value"):
                assert span.start <= part.start < part.end <= span.end
        if fact.kind == "value":
            shown = next(note.text[part.start : part.end] for part in span.parts if part.what == "value")
            number = re.match(r"-?\d+(\.\d+)?", shown)
            assert number
            assert isinstance(fact.value, float)
            digits = len(number.group().partition(".")[2])
            assert abs(float(number.group()) - fact.value) <= 0.5 * 10**-digits + 1e-9
    listed = {at for match in re.finditer(r"^\d+\. ", note.text, re.MULTILINE) for at in range(*match.span())}
    loose = [at for at, letter in enumerate(note.text) if letter.isdigit() and at not in covered and at not in listed]
    assert not loose, note.text[max(0, loose[0] - 40) : loose[0] + 20]
    for start, end in note.sentences:
        assert 0 <= start < end <= len(note.text)
        assert note.text[start:end] == note.text[start:end].strip()
    assert not RESIDUE.search(note.text), RESIDUE.search(note.text)
    assert note.text.endswith("\n")
    assert "\n\n\n" not in note.text


def test_every_note_of_a_record_states_its_facts_and_no_others(corpus: Corpus) -> None:
    lexicon, plans = corpus
    assert len(plans) > 200
    for plan in plans:
        check_note(write_note(plan, lexicon=lexicon, noise=noise_of(plan)))


def test_the_same_plan_gives_the_same_note_and_another_seed_another(corpus: Corpus) -> None:
    lexicon, plans = corpus
    first = [write_note(plan, lexicon=lexicon, noise=noise_of(plan)) for plan in plans[:50]]
    assert first == [write_note(plan, lexicon=lexicon, noise=noise_of(plan)) for plan in plans[:50]]
    shuffled = [replace(plan, facts=plan.facts[::-1]) for plan in plans[:50]]
    again = [write_note(plan, lexicon=lexicon, noise=noise_of(plan)) for plan in shuffled]
    assert [note.text for note in again] == [note.text for note in first]
    other = [write_note(plan, lexicon=lexicon, noise=noise_of(plan, seed=12)) for plan in plans[:50]]
    assert all(one.text != two.text for one, two in zip(first, other, strict=True))


def find_twins(plans: list[NotePlan]) -> Iterator[tuple[NotePlan, NotePlan]]:
    treated = {(plan.patient, plan.step, plan.document): plan for plan in plans if plan.world == "treated"}
    for plan in plans:
        twin = treated.get((plan.patient, plan.step, plan.document))
        if plan.world == "factual" and twin is not None and twin.author == plan.author:
            yield plan, twin


def test_twins_that_agree_are_the_same_text_and_others_share_the_words_of_shared_facts(corpus: Corpus) -> None:
    lexicon, plans = corpus
    equal = shared = kept = 0
    for one, two in find_twins(plans):
        first, second = (write_note(plan, lexicon=lexicon, noise=noise_of(plan)) for plan in (one, two))
        if one.facts == two.facts and one.subject == two.subject:
            assert first.text == second.text
            equal += 1
            continue
        same = set(one.facts) & set(two.facts)
        for fact in same:
            words = [
                {note.text[span.start : span.end].lower() for span in note.spans if span.fact == fact.key}
                for note in (first, second)
            ]
            shared += 1
            kept += bool(words[0] & words[1])
    assert equal
    assert shared
    assert kept / shared > 0.98


def test_a_changed_number_changes_only_its_own_sentence() -> None:
    lexicon, plan = make_plan(["MMSE", "heart size", "haemoglobin", "CDR", "ferritin"])
    changed = replace(plan.facts[2], value=3.25)  # it was 9.25
    twin = replace(plan, facts=(*plan.facts[:2], changed, *plan.facts[3:]))
    one, two = (write_note(p, lexicon=lexicon, noise=noise_of(p)).text for p in (plan, twin))
    assert "9.25" in one
    assert one.replace("9.25", "3.25") == two


def make_plan(
    labels: list[str], *, document: str = "letter", author: int = 3, sex: str = "female"
) -> tuple[Lexicon, NotePlan]:
    terms = {
        f"v{n}": LexiconTerm(f"v{n}", "measure", f"HP:{n:07}", label, unit="mL", written_units=("mL",))
        for n, label in enumerate(labels)
    }
    facts = tuple(
        Fact(f"v{n}@4", "value", f"v{n}", f"HP:{n:07}", label, 7.25 + n, "mL", 2.0, "present")
        for n, label in enumerate(labels)
    )
    return Lexicon(terms), NotePlan(
        document, "Clinic letter", "clinic", 1, "factual", 4, 2.0, datetime.datetime(2020, 3, 4, 9), 1.0, facts,  # type: ignore[arg-type]
        Subject(70, sex), author,
    )  # fmt: skip


LABEL = st.text(st.characters(categories=("L", "M")), min_size=1, max_size=12).filter(lambda text: text.strip() == text)
STATUS = st.sampled_from(["present", "absent", "uncertain"])


@st.composite
def findings_plan(draw: st.DrawFn) -> tuple[Lexicon, NotePlan]:
    """A rare disease's list of findings, with any Unicode labels, statuses, speakers and times."""
    labels = draw(st.lists(LABEL, min_size=1, max_size=25, unique=True))
    terms, facts = {}, []
    for number, label in enumerate(labels):
        name, status = f"v{number}", draw(STATUS)
        terms[name] = LexiconTerm(name, "finding", f"HP:{number:07}", label, binary=True)
        speaker = draw(st.sampled_from(["clinician", "patient", "informant", "radiologist"]))
        time = draw(st.sampled_from([3.0, 20.5, 30.0]))
        value = {"present": 1.0, "absent": 0.0, "uncertain": None}[status]
        facts.append(
            Fact(f"{name}@30", "finding", name, f"HP:{number:07}", label, value, "", time, status, speaker=speaker)
        )  # type: ignore[arg-type]
    document = draw(st.sampled_from(["letter", "progress", "discharge", "telephone", "imaging"]))
    sex = draw(st.sampled_from(["female", "male", ""]))
    return Lexicon(terms), NotePlan(
        document, "Note", "clinic", draw(st.integers(0, 99)), "factual", 30,  # type: ignore[arg-type]
        30.0, datetime.datetime(1990, 3, 4), 1.0, tuple(facts),
        Subject(draw(st.sampled_from([None, 8, 11, 30])), sex), draw(st.integers(0, 60)),
    )  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(findings_plan())
def test_findings_of_any_labels_have_their_places(case: tuple[Lexicon, NotePlan]) -> None:
    lexicon, plan = case
    note = write_note(plan, lexicon=lexicon, noise=noise_of(plan))
    labels = {fact.key: fact.label for fact in plan.facts}
    assert {span.fact for span in note.spans} == set(labels)
    for span in note.spans:
        words = note.text[span.start : span.end]
        assert words in (labels[span.fact], capitalise(labels[span.fact]))
        if span.status != "present":
            assert any(part.what == "cue" for part in span.parts)


def test_denied_findings_stand_with_a_denial_and_present_ones_with_none() -> None:
    denial = re.compile(r"\b(no|not|nil|denies|without|absent|neg|negative|free of|neither|none|off)\b", re.IGNORECASE)
    for author in range(20):
        for status in ("present", "absent"):
            term = LexiconTerm("v", "finding", "HP:1", "clubbing", binary=True)
            fact = Fact("v@4", "finding", "v", "HP:1", "clubbing", float(status == "present"), "", 2.0, status)  # type: ignore[arg-type]
            _, plan = make_plan(["x"], document="progress", author=author)
            note = write_note(replace(plan, facts=(fact,)), lexicon=Lexicon({"v": term}), noise=noise_of(plan))
            start, end = next(place for place in note.sentences if "clubbing" in note.text[slice(*place)].lower())
            assert bool(denial.search(note.text[start:end])) == (status == "absent"), note.text[start:end]


def test_authors_keep_their_habits_and_differ() -> None:
    noise = Noise(SEED, "notes", 1, 2)
    authors = [find_author(noise, number) for number in range(60)]
    assert authors == [find_author(Noise(SEED, "notes", 999, 7), number) for number in range(60)]
    habits = {
        tuple(value for name, value in vars(author).items() if name not in ("secret", "role")) for author in authors
    }
    assert len(habits) >= 40


def test_letters_with_enough_to_tell_have_250_words(alzheimers: Corpus) -> None:
    lexicon, plans = alzheimers
    letters = [plan for plan in plans if plan.document == "letter" and len(plan.facts) >= 14]
    counts = sorted(len(write_note(plan, lexicon=lexicon, noise=noise_of(plan)).text.split()) for plan in letters)
    assert len(counts) > 60
    assert counts[len(counts) // 20] >= 220  # the tersest twentieth
    assert counts[len(counts) // 4] >= 250


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("MMSE", "an"), ("MRI report", "an"), ("CT", "a"), ("EEG", "an"), ("84-year-old", "an"), ("80 mL", "an"),
        ("18-year-old", "an"), ("11-year-old", "an"), ("71-year-old", "a"), ("180", "a"), ("110", "a"),
        ("umbilical hernia", "an"), ("unilateral cleft", "a"), ("uric acid level", "a"), ("European", "a"),
        ("hour", "an"), ("hernia", "a"), ("ulcer", "an"), ("x-ray", "an"), ("ureter", "a"), ("unusual gait", "an"),
        ("uterus", "a"), ("amyloid-related", "an"), ("one-sided", "a"), ("ARIA-E", "an"),
    ],
)  # fmt: skip
def test_articles(phrase: str, expected: str) -> None:
    assert article(phrase) == expected


def test_articles_in_notes_agree(corpus: Corpus) -> None:
    lexicon, plans = corpus
    for plan in plans[:400]:
        text = write_note(plan, lexicon=lexicon, noise=noise_of(plan)).text
        for match in re.finditer(r"\b([Aa]n?) (\S+)", text):
            word = match.group(2)
            if word[0].isdigit() or word[0].isalpha():
                assert match.group(1).lower() == article(word), match.group()


def test_plurals() -> None:
    assert all(
        is_plural(term)
        for term in ("seizures", "white matter hyperintensities", "antibiotics", "long fingers", "spots of the iris")
    )
    assert not any(
        is_plural(term)
        for term in ("scoliosis", "arthritis", "sepsis", "nystagmus", "abnormal facial shape", "loss of teeth")
    )


def test_numbers_dates_and_spans() -> None:
    assert [show_number(x) for x in (24.0, 6.214, 53.64, 110.5, 0.4123, 0.0123, -0.0001)] == [
        "24",
        "6.21",
        "53.6",
        "110",
        "0.41",
        "0.012",
        "0",
    ]
    assert show_number(3.26, "{score}") == "3.3"
    assert show_number(-1.66, "[Centiloid]") == "-1.7"
    day = datetime.date(2026, 3, 2)
    assert show_date(day, "12th March 2026") == "2nd March 2026"
    assert show_date(day, "12/03/2026") == "02/03/2026"
    assert show_span(24 * 182.6, words=True) == "six months"
    assert show_span(24 * 365.25, words=False) == "1 year"
    assert show_span(18 * 730.5, words=True) == "18 months"
    assert show_span(1, words=True) == "one hour"


@pytest.mark.verification
def test_variety_of_a_record_reaches_its_floors(tmp_path: Path) -> None:
    """Over hundreds of notes of each type; a fixed seed, so it either holds or does not."""
    lexicon, plans = make_corpus("alzheimers", "treated: lecanemab = 1", 150, tmp_path)
    for document in ("letter", "progress", "imaging"):
        notes = [
            write_note(plan, lexicon=lexicon, noise=noise_of(plan))
            for plan in plans
            if plan.document == document and plan.world == "factual"
        ]
        told = [[note.text[start:end] for start, end in note.sentences] for note in notes]
        assert Floor().misses(measure_variety([note.text for note in notes], told)) == []


def test_self_bleu_is_one_of_equal_notes_and_near_zero_of_different_ones() -> None:
    note = ["the", "heart", "rate", "was", "low", "at", "noon"]
    assert self_bleu([note, note, note]) == pytest.approx(1.0)
    assert self_bleu([[f"{n}-{word}" for word in note] for n in range(3)]) < 1e-6
    # two of four words matched once: p1 = 1/2, p2 = 1/3, p3 and p4 nothing
    assert self_bleu([list("abcd"), list("abxy")], most=2) == pytest.approx((1 / 2 * 1 / 3) ** 0.5)
