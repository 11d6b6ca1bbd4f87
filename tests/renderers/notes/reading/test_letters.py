"""The labelled letters are sound: their labels sit on words, name what exists, and hold enough of every class.

`letters.jsonl` and `letters_sealed.jsonl` were each written and labelled by somebody who had seen neither the reader
nor the grammar, and checked by a second. The first is what the classes of assertion were developed on; the second is
read once, when nothing changes any more, and nobody looks at what went wrong there. The conventions of test_held_out.py
hold, but every mention is labelled, whoever's and whenever, with a class of the 2010 i2b2/VA challenge or ConText's
historical:

- present, absent, possible: of the patient, as of the note or at `date`.
- hypothetical: not now, might come: plans, offers, side effects explained, what to return for, what is screened for.
- conditional: only under circumstances ("headache only when coughing"), or on a condition ("if hypotensive, start
  noradrenaline", for both).
- someone_else: of a relative, a carer, a donor, a fetus; also that a relative does not have it.
- historical: it has been, and is over or not said to go on. What lasts is present under past history, too.
"""

from __future__ import annotations

import datetime
import json
import re
from collections import Counter
from pathlib import Path
from typing import get_args

import pytest

from nosograph.ontology.knowledge import KnowledgeGraph
from nosograph.renderers.notes.lexicon import PHENOTYPE
from nosograph.renderers.notes.reading.assertion import AssertionClass

FILES = sorted(Path(__file__).parent.glob("letters*.jsonl"))


@pytest.fixture(scope="module", params=FILES, ids=[path.stem for path in FILES])
def texts(request: pytest.FixtureRequest) -> list[dict]:
    return [json.loads(line) for line in request.param.read_text(encoding="utf-8").splitlines()]


def test_there_is_enough_of_every_class(texts: list[dict]) -> None:
    counts = Counter(reading["status"] for text in texts for reading in text["readings"])
    assert set(counts) == set(get_args(AssertionClass))
    assert sum(counts.values()) >= 600
    assert min(counts.values()) >= 25


def test_no_text_comes_twice(texts: list[dict]) -> None:
    plain = Counter(" ".join(re.findall(r"[a-z]+", text["text"].lower())) for text in texts)
    assert max(plain.values()) == 1


def test_labels_sit_on_whole_words_and_never_overlap(texts: list[dict]) -> None:
    for number, text in enumerate(texts):
        end = 0
        for reading in text["readings"]:
            assert end <= reading["start"] < reading["end"] <= len(text["text"]), number
            end = reading["end"]
            words = text["text"][reading["start"] : end]
            assert words == words.strip(), number


def test_dates_are_not_after_the_note(texts: list[dict]) -> None:
    for number, text in enumerate(texts):
        note = datetime.date.fromisoformat(text["date"][:10])
        for reading in text["readings"]:
            assert (reading["date"] is None) == ("precision" not in reading), number
            if reading["date"] is not None:
                assert datetime.date.fromisoformat(reading["date"][:10]) <= note, number


def test_phenotypes_are_current_terms_of_hpo(texts: list[dict]) -> None:
    knowledge = KnowledgeGraph.open()
    known = set(map(str, knowledge.descendants(PHENOTYPE)))
    terms = {r["concept"] for text in texts if text["model"] == "phenotypes" for r in text["readings"]}
    assert len(terms) >= 120
    assert terms <= known
