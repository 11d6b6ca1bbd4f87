"""A second language is a folder of files: notes are written and read in its words, and what it lacks is named."""

from __future__ import annotations

import itertools
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from nosograph.causal.model.load import load_model
from nosograph.errors import NosographError
from nosograph.ontology.knowledge import KnowledgeGraph
from nosograph.renderers.noise import Noise
from nosograph.renderers.notes.facts import NotePlan
from nosograph.renderers.notes.grammar import write_note
from nosograph.renderers.notes.lexicon import Lexicon, build_lexicon
from nosograph.renderers.notes.plan import plan_notes
from nosograph.renderers.notes.reading.reader import build_reader
from nosograph.renderers.notes.systems import SYSTEMS
from nosograph.renderers.notes.words import locale as locales
from nosograph.renderers.notes.words.grammar import DocumentWords, LanguageWords, PhraseWords
from nosograph.renderers.notes.words.locale import Words, list_locales, load_words
from nosograph.renderers.notes.words.reading import AssertionWords, NameWords, ReadingWords
from nosograph.renderers.notes.words.usage import UsageWords
from tests.renderers.notes.conftest import Clinic

FILES: tuple[type[Words], ...] = (
    LanguageWords, DocumentWords, PhraseWords, UsageWords, AssertionWords, NameWords, ReadingWords,
)  # fmt: skip
NUMBERS = itertools.count()
MONTHS = {
    "January": "Gennaio", "February": "Febbraio", "March": "Marzo", "April": "Aprile", "May": "Maggio",
    "June": "Giugno",
    "July": "Luglio", "August": "Agosto", "September": "Settembre", "October": "Ottobre", "November": "Novembre",
    "December": "Dicembre",
}  # fmt: skip

Edit = Callable[[str, str, str], None]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A made-up locale beside the English one: so far a copy of it."""
    shutil.copytree(locales.FOLDER / "en", tmp_path / "en")
    made = tmp_path / f"xx{next(NUMBERS)}"  # a name of its own: words are kept by the names of their locales
    shutil.copytree(tmp_path / "en", made)
    monkeypatch.setattr(locales, "FOLDER", tmp_path)
    return made


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def plan_in(locale: str, clinic: Clinic) -> tuple[Lexicon, list[NotePlan]]:
    """Plans of the first patients in a locale's words."""
    lexicon = build_lexicon(load_model("alzheimers"), knowledge=KnowledgeGraph.open(), locale=locale)
    practice = replace(clinic.practice, lexicon=lexicon)
    journeys = [journey for journey in clinic.journeys if journey.world == "factual"][:6]
    return lexicon, [plan for journey in journeys for plan in plan_notes(journey, practice=practice, seed=0)]


def test_every_file_of_english_is_known() -> None:
    assert list_locales() == ("en",)
    assert {path.name for path in (locales.FOLDER / "en").iterdir()} == {kind.file for kind in FILES}
    for kind in FILES:
        assert isinstance(load_words(kind, "en"), kind)


def test_every_system_and_topic_has_words() -> None:
    assert tuple(load_words(PhraseWords, "en").systems.names) == SYSTEMS


def test_notes_are_written_and_read_in_the_words_of_another_folder(folder: Path, clinic: Clinic) -> None:
    for english, other in MONTHS.items():
        edit(folder / "language.yaml", english, other)
        edit(folder / "reading.yaml", f"[{english.lower()}", f"[{other.lower()}")
    edit(folder / "language.yaml", "short_months: [Jan, Feb, Mar", "short_months: [Gen, Feb, Mar")
    edit(folder / "reading.yaml", "[gennaio, jan]", "[gennaio, gen]")
    edit(folder / "documents.yaml", "Memory clinic letter", "Lettera dell'ambulatorio")
    edit(folder / "usage.yaml", "[Centiloids, CL]", "[Centiloidi, CL]")
    lexicon, plans = plan_in(folder.name, clinic)
    english, originals = plan_in("en", clinic)
    assert lexicon.locale == folder.name
    assert "Centiloidi" in lexicon["amyloid_pet"].written_units
    reader, letters, months, right, expected = build_reader(lexicon), 0, 0, 0, 0
    english_month = re.compile(rf"\b({'|'.join(set(MONTHS) - {'May'})})\b")
    for plan, original in zip(plans, originals, strict=True):
        noise = Noise(0, "notes", plan.patient, plan.step)
        note, old = write_note(plan, lexicon=lexicon, noise=noise), write_note(original, lexicon=english, noise=noise)
        assert not english_month.search(note.text)
        months += any(month in note.text for month in MONTHS.values())
        letters += note.text.lower().startswith("lettera dell'ambulatorio")
        assert [span.fact for span in note.spans] == [span.fact for span in old.spans]
        scores = {f.variable: f.value for f in plan.facts if f.variable == "mmse" and f.time == plan.time}
        read = {
            reading.value
            for reading in reader.read(note.text, date=plan.date_of(plan.time))
            if reading.variable == "mmse" and not reading.past and (reading.time is None or abs(reading.time) < 0.01)
        }
        expected += len(scores)
        right += sum(value in read for value in scores.values())
    assert letters >= 6
    assert months > len(plans) / 2
    assert expected >= 6
    assert right == expected


def test_a_locale_that_is_not_there_names_those_that_are(folder: Path) -> None:
    with pytest.raises(NosographError, match=rf"(?s)not written in this locale.*found: yy.*write: en or {folder.name}"):
        load_words(LanguageWords, "yy")
    for outside in ("..", "../en", ""):
        with pytest.raises(NosographError, match="not written in this locale"):
            load_words(LanguageWords, outside)


@pytest.mark.parametrize("kind", FILES)
def test_a_file_that_is_missing_is_named(folder: Path, kind: type[Words]) -> None:
    (folder / kind.file).unlink()
    with pytest.raises(NosographError, match=rf"{folder.name}/{kind.file}: the locale lacks a file"):
        load_words(kind, folder.name)


@pytest.mark.parametrize(
    ("kind", "old", "new", "problem"),
    [
        (LanguageWords, "  definite: \"the\"\n", "", r"articles\.definite: the key is missing"),
        (LanguageWords, "  definite: \"the\"\n", "  definit: \"der\"\n", r"articles\.definit: there is no such key"),
        (LanguageWords, ", December]", "]", r"dates\.months: .*at least 12"),
        (PhraseWords, "\"{x} {was} {n} {when}\"", "\"{x} {war} {n} {when}\"", r"values\.earlier: .*has a slot \{war\}"),
        (DocumentWords, "  clinic: \"clinic\"\n", "", r"settings\.clinic: the key is missing"),
        (DocumentWords, "salutations:\n", "salutation:\n", r"salutation: there is no such key"),
        (UsageWords, "onset: \"age at \"", "onset: [age at]", r"labels\.onset: .*string"),
        (ReadingWords, "parts_names: '[,;:.]", "parts_names: '[,;:.", r"assignment\.parts_names: .*regular expression"),
        (AssertionWords, "ends: [", "ends: [[deep],", r"ends\.0: .*string"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_file_is_named_with_its_line(
    folder: Path, kind: type[Words], old: str, new: str, problem: str
) -> None:
    edit(folder / kind.file, old, new)
    with pytest.raises(NosographError, match=rf"{folder.name}/{kind.file}:\d+: {problem}"):
        load_words(kind, folder.name)


def test_choices_that_need_another_phrase_are_named(folder: Path) -> None:
    """An author who never says "we" needs an opening without it."""
    path = folder / "documents.yaml"
    text = path.read_text(encoding="utf-8")
    start = text.index("  direct:\n", text.index("openings:"))
    body = text[start : text.index("  summary:\n", start)]
    path.write_text(text.replace(body, '  direct:\n    - "{we} {saw} this {who}"\n'), encoding="utf-8")
    with pytest.raises(NosographError, match=r"documents\.yaml:\d+: openings.*without \{we\}"):
        load_words(DocumentWords, folder.name)
