"""The held-out phrasings are sound: their labels sit on words, name what exists, and contradict nothing.

`held_out.jsonl` was written before any reader and without sight of the grammar; nothing is ever tuned on it. A label
may be wrong in itself (then correct it and say so in the commit), never because a reader fails on it. Conventions:

- What is labelled: in `alzheimers` and `sepsis`, the recorded variables of that model (and three findings of brain
  imaging by concept alone); in `phenotypes`, every HPO term said of the patient. Age, sex and education are not, nor
  what no variable stands for (lactate, SOFA, MAP): a reader must not take those for something that is one.
- `value` is a number; of a category that is told in words ("hypotensive") it is the level, and `kind` is "finding";
  `unit` is UCUM, as written (cc and cm³ are cm3; ng/L stays), or the model's own where the text has none.
- `status` is that of the mention at its `date`: "stopped in March" is absent from March on, "in July he was ventilated"
  present in July. A treatment that was declined or decided against is absent; one that is planned, offered or
  conditional is no reading; of two drugs of a class, one may be absent and the other present. A doubt that the author
  settles is settled.
- `date` is null for what holds as of the note. Otherwise it is the first day of the period named, or the note's date
  less the time that has passed, and `precision` (day, week, month, year) is that of the words.
"""

import datetime
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from nosograph.causal.model.load import load_model
from nosograph.ontology.knowledge import KnowledgeGraph
from nosograph.ontology.units import parse_unit

PATH = Path(__file__).with_name("held_out.jsonl")
TEXTS = [json.loads(line) for line in PATH.read_text(encoding="utf-8").splitlines()]
READINGS = [(text, reading) for text in TEXTS for reading in text["readings"]]
BY_CONCEPT_ALONE = {"HP:0410170", "HP:0002119", "HP:0030890"}
NUMBERS = {"twenty-one": 21, "twenty-two": 22, "ninety-five": 95, "ninety-six": 96, "4½": 4.5}


def mention(text, reading):
    return text["text"][reading["start"] : reading["end"]]


def test_size_and_fields():
    assert len(TEXTS) >= 300
    assert sum(text["model"] == "phenotypes" for text in TEXTS) >= 100
    for text in TEXTS:
        assert set(text) == {"text", "document", "model", "date", "readings"}
        assert text["document"] in {"letter", "progress", "imaging", "discharge", "telephone"}
        assert text["model"] in {"alzheimers", "sepsis", "phenotypes"}
    fields = {"concept", "variable", "value", "unit", "status", "kind", "date", "start", "end"}
    for _, reading in READINGS:
        assert set(reading) - {"precision"} == fields
        assert reading["status"] in {"present", "absent", "uncertain"}
        assert reading["kind"] in {"value", "finding", "event", "treatment"}


def test_every_kind_status_and_document_has_enough_to_be_scored():
    for field, least in (("status", 30), ("kind", 50)):
        assert min(Counter(reading[field] for _, reading in READINGS).values()) >= least
    assert min(Counter(text["document"] for text in TEXTS).values()) >= 30
    assert sum(not text["readings"] for text in TEXTS) >= 15


def test_no_text_comes_twice():
    plain = Counter(" ".join(re.findall(r"[a-z]+", text["text"].lower())) for text in TEXTS)
    assert [text for text, count in plain.items() if count > 1] == []


def test_offsets_slice_to_whole_words_and_never_overlap():
    for text in TEXTS:
        end = 0
        for reading in text["readings"]:
            assert end <= reading["start"] < reading["end"] <= len(text["text"])
            end = reading["end"]
            words = mention(text, reading)
            assert words == words.strip()
            around = text["text"][max(0, reading["start"] - 1) : reading["start"]], text["text"][end : end + 1]
            assert not (around[0].isalnum() and words[0].isalnum()), words
            # "130s", a rate in the hundred and thirties, is the one number that goes on
            assert not (around[1].isalnum() and words[-1].isalnum()) or around[1] == "s", words


def test_values_are_what_the_words_say():
    for text, reading in READINGS:
        if reading["kind"] != "value":
            assert reading["unit"] == ""
            assert reading["value"] in (None, "low", "normal", "high")
            continue
        parse_unit(reading["unit"])
        if reading["variable"] == "apoe4":
            assert reading["value"] in (0, 1, 2)
            continue
        words = mention(text, reading)
        number = re.sub(r"\s", "", words).replace("−", "-").replace(",", ".").removesuffix("s")
        assert reading["value"] == (NUMBERS[words] if words in NUMBERS else float(number))


def test_dates_are_real_and_not_after_the_note():
    for text in TEXTS:
        note = datetime.date.fromisoformat(text["date"])
        for reading in text["readings"]:
            assert (reading["date"] is None) == ("precision" not in reading)
            if reading["date"] is not None:
                assert datetime.date.fromisoformat(reading["date"]) <= note
                assert reading["precision"] in {"day", "week", "month", "year"}


@pytest.mark.parametrize("name", ["alzheimers", "sepsis"])
def test_variables_are_recorded_ones_of_the_model_with_its_concept_and_unit(name):
    model = load_model(name)
    variables = model.variables
    for text, reading in READINGS:
        if text["model"] != name:
            continue
        if not reading["variable"]:
            assert reading["concept"] in BY_CONCEPT_ALONE
            continue
        variable = variables[reading["variable"]]
        assert variable.recorded
        assert reading["concept"] == (variable.concept or "")
        if reading["kind"] in ("event", "treatment"):
            assert variable.kind == reading["kind"]
        else:
            assert variable.kind in ("measurement", "static")
        if reading["kind"] == "value" and variable.unit and name == "alzheimers":
            assert parse_unit(reading["unit"]).dimensions == parse_unit(variable.unit).dimensions


def test_phenotypes_are_current_terms_of_hpo():
    knowledge = KnowledgeGraph.open()
    abnormalities = set(map(str, knowledge.descendants("HP:0000118")))
    terms = {reading["concept"] for text, reading in READINGS if text["model"] == "phenotypes"}
    assert len(terms) >= 60
    for term in terms:
        knowledge.require(term)
        assert term in abnormalities
    assert all(not reading["variable"] for text, reading in READINGS if text["model"] == "phenotypes")
