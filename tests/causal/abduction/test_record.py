"""Records from files: what is read, and how each mistake is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nosograph.causal.abduction import EventReport, Observation, PatientRecord, abduct, read_record
from nosograph.causal.model.load import load_model
from nosograph.causal.model.model import Schedule
from nosograph.errors import NosographError

MODEL = load_model("alzheimers")
ROWS = """time,variable,value,unit
,age,71,a
,sex,female,
0,mmse,24,
6 months,mmse,,
1,mmse,22,
0,hippocampal_volume_mri,6100,uL
0,lecanemab,1,
18 months,aria_e,0,
1.03,dropout,1,
2,death,0,
"""


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_csv_record(tmp_path: Path) -> None:
    record = read_record(write(tmp_path / "r.csv", ROWS), model=MODEL)
    volume = next(seen for seen in record.observations if seen.variable == "hippocampal_volume_mri")
    assert volume.value == pytest.approx(6.1)  # 6100 microlitres
    assert set(record.observations) - {volume} == {
        Observation("age", 0, 71.0),
        Observation("sex", 0, 0.0),
        Observation("mmse", 0, 24.0),
        Observation("mmse", 6, None),
        Observation("mmse", 12, 22.0),
        Observation("lecanemab", 0, 1.0),
    }
    assert record.events == (
        EventReport("dropout", 13, delay=pytest.approx(0.03)),
        EventReport("aria_e", 18, False),
        EventReport("death", 24, False),
    )
    assert record.last == 24


def test_json_says_the_same(tmp_path: Path) -> None:
    data: dict[str, Any] = {
        "patient": "A17",
        "statics": {"age": 71, "sex": "female"},
        "record": [
            {"time": 0, "variable": "mmse", "value": 24},
            {"time": "6 months", "variable": "mmse"},
            {"time": 1, "concept": "LOINC:72106-8", "value": 22},
            {"time": 0, "concept": "HP:0410170", "value": 6.1, "unit": "mL"},  # of the volume: so its measurement
            {"time": 0, "variable": "lecanemab", "value": True},
        ],
        "events": [
            {"time": "18 months", "event": "aria_e", "happened": False},
            {"time": 1.03, "event": "dropout"},
        ],
        "alive_at": "2 years",
    }
    ours = read_record(write(tmp_path / "r.json", json.dumps(data)), model=MODEL)
    theirs = read_record(write(tmp_path / "r.csv", ROWS), model=MODEL)
    assert ours.patient == "A17"
    pairs = zip(*(sorted(r.observations, key=lambda o: (o.variable, o.step)) for r in (ours, theirs)), strict=True)
    assert all((a.variable, a.step, a.value) == (b.variable, b.step, pytest.approx(b.value)) for a, b in pairs)
    assert ours.events == theirs.events
    assert ours.last == theirs.last


def test_a_narrower_concept_finds_the_variable(tmp_path: Path) -> None:
    """HP:0007123, subcortical dementia, is a dementia (HP:0000726)."""
    data = {"events": [{"time": 1, "event": "HP:0007123"}], "statics": {"age": 71}}
    record = read_record(write(tmp_path / "r.json", json.dumps(data)), model=MODEL)
    assert record.events == (EventReport("dementia_diagnosis", 12),)


MISTAKES = {
    "an unknown variable": ("0,mmsee,24,", "mmse"),
    "a unit that measures another thing": ("0,amyloid_pet,60,mg", "different things"),
    "no unit": ("0,amyloid_pet,60,furlongs", "not a UCUM unit"),
    "a time off the grid": ("0.51,mmse,24,", "off the grid"),
    "no time": ("soon,mmse,24,", "not a time"),
    "a missing time": (",mmse,24,", "missing time"),
    "a time past the horizon": ("11,mmse,24,", "outside the horizon"),
    "a time before the start": ("-1,mmse,24,", "outside the horizon"),
    "a time at which nothing is measured": ("7 months,mmse,24,", "every 6 months"),
    "a time twice": ("0,mmse,24,\n0 years,mmse,25,", "duplicate time"),
    "a record after death": ("1,death,1,\n2,mmse,24,", "continues after death"),
    "a record after it was closed": ("1,dropout,1,\n2,mmse,24,", "after it was closed"),
    "an event that happens once, twice": ("1,aria_e,1,\n2,aria_e,1,", "happens only once"),
    "an event at the start": ("0,aria_e,1,", "no event can happen at the start"),
    "an event by halves": ("1,aria_e,0.5,", "must be 1 (it happened) or 0"),
    "an unknown level": (",sex,femal,", "write: female"),
    "no number": ("0,mmse,twenty,", "not a number"),
    "not a finite number": ("0,mmse,nan,", "not a finite number"),
    "a missing value of what cannot be missed": (",age,,", "only measurements can be missing"),
    "a static with a time": ("1,age,71,", "does not change over time"),
    "a row too long": ("0,mmse,24,,,x", "numbers of columns"),
    "nothing": ("", "the record is empty"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_mistake_is_named_with_its_place(tmp_path: Path, mistake: str) -> None:
    rows, named = MISTAKES[mistake]
    path = write(tmp_path / "r.csv", f"time,variable,value,unit\n{rows}\n")
    with pytest.raises(NosographError) as caught:
        read_record(path, model=MODEL)
    message = str(caught.value)
    assert named in message
    assert "write: " in message
    assert f"{path}:{1 + len(rows.splitlines())}" in message or mistake in ("nothing", "a row too long")


def test_an_unknown_concept_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "r.csv", "time,concept,value,unit\n0,HP:0002099,1,\n0,mmse,24,\n")
    with pytest.raises(NosographError, match="no variable of the model has this concept") as caught:
        read_record(path, model=MODEL)
    assert len(caught.value.problems) == 2  # and the other row's, which is no concept


@pytest.mark.parametrize(
    ("name", "text", "named"),
    [
        ("r.txt", "x", "a .csv or .json file"),
        ("r.csv", "time,variable,valeu\n", "write: value"),
        ("r.csv", "time,variable\n", "missing columns"),
        ("r.csv", "patient,time,variable,value\n1,0,mmse,24\n2,0,mmse,24\n", "one patient only"),
        ("r.json", "{", "not JSON"),
        ("r.json", '{"recrod": []}', "write: record"),
        ("r.json", '{"record": {}}', "record must be a list"),
        ("r.json", '{"record": [3]}', "expected an object"),
        ("r.json", '{"statics": [3]}', "statics must be an object"),
    ],
)
def test_files_of_another_form(tmp_path: Path, name: str, text: str, named: str) -> None:
    with pytest.raises(NosographError, match=named):
        read_record(write(tmp_path / name, text), model=MODEL)


SEEN = '{"time": 0, "variable": "mmse", "value": 24}'
ONE = f'{{"record": [{SEEN}]}}'
NINES = "9" * 400
JSON_MISTAKES = {  # what is written, what the message says, and what it becomes
    "text for a truth value": (
        '{"events": [{"time": 1, "event": "aria_e", "happened": "false"}]}', "events[0]: happened is true or false",
        '{"events": [{"time": 1, "event": "aria_e", "happened": false}]}',
    ),
    "a number for a truth value": (
        '{"events": [{"time": 1, "event": "aria_e", "happened": 0}]}', "happened is true or false",
        '{"events": [{"time": 1, "event": "aria_e", "happened": false}]}',
    ),
    "nobody knows whether it happened": (
        f'{{"record": [{SEEN}], "events": [{{"time": 1, "event": "aria_e", "happened": null}}]}}',
        "no row if it is unknown", ONE,
    ),
    "a number in quotes": (
        '{"record": [{"time": 0, "variable": "mmse", "value": "24"}]}', "record[0], mmse: not a number",
        ONE,
    ),
    "a truth value for a number": (
        '{"record": [{"time": 0, "variable": "mmse", "value": true}]}', "not a number", ONE,
    ),
    "a list for a number": ('{"statics": {"age": [71]}}', "statics, age: not a number", '{"statics": {"age": 71}}'),
    "text for 0 or 1": (
        '{"record": [{"time": 0, "variable": "lecanemab", "value": "yes"}]}', "1, 0, true or false, without quotes",
        '{"record": [{"time": 0, "variable": "lecanemab", "value": true}]}',
    ),
    "a truth value for a level": ('{"statics": {"sex": true}}', "unknown level of sex", '{"statics": {"sex": "male"}}'),
    "a time in quotes": (
        '{"record": [{"time": "0", "variable": "mmse", "value": 24}]}', "0 without quotes", ONE,
    ),
    "a truth value for a time": (
        '{"record": [{"time": false, "variable": "mmse", "value": 24}]}', "not a time", ONE,
    ),
    "a truth value for the time of death": (
        f'{{"record": [{SEEN}], "death": true}}', "death, death: not a time", ONE,
    ),
    "a number for a name": ('{"record": [{"time": 0, "variable": 5}]}', "variable is a text", ONE),
    "a list for a patient": (f'{{"patient": ["A"], "record": [{SEEN}]}}', "patient is a text", ONE),
    "a key twice": (
        '{"statics": {"age": 71, "age": 72}}', "'age' stands twice in one object", '{"statics": {"age": 71}}',
    ),
    "no number": ('{"statics": {"age": NaN}}', "JSON has no NaN", '{"statics": {"age": 71}}'),
    "a number too large": ('{"statics": {"age": 1e999}}', "not a finite number", '{"statics": {"age": 71}}'),
    "a whole number too large": (
        f'{{"statics": {{"age": {NINES}}}}}', "not a finite number", '{"statics": {"age": 71}}',
    ),
    "a whole number of too many digits": (
        f'{{"statics": {{"age": -{"9" * 5000}}}}}', f"a number has too many digits\n  found: -{'9' * 19}… (5,001",
        '{"statics": {"age": 71}}',
    ),
    "too deep": (
        '{"record": ' + "[" * 100_000 + "]" * 100_000 + "}", "lists or objects are nested too deeply for a record", ONE,
    ),
    "too deep to be shown": (
        '{"statics": {"age": ' + "[" * 100 + "]" * 100 + "}}", "lists or objects are nested too deeply for a record",
        '{"statics": {"age": 71}}',
    ),
    "a phenopacket": ('{"id": "A", "phenotypicFeatures": []}', "this is a phenopacket", ONE),
}  # fmt: skip


@pytest.mark.parametrize("mistake", JSON_MISTAKES)
def test_json_is_typed(tmp_path: Path, mistake: str) -> None:
    text, message, fixed = JSON_MISTAKES[mistake]
    with pytest.raises(NosographError) as caught:
        read_record(write(tmp_path / "r.json", text), model=MODEL)
    assert message in str(caught.value)
    assert "write: " in str(caught.value)
    assert read_record(write(tmp_path / "r.json", fixed), model=MODEL).last >= 0


def test_what_is_null_is_not_there(tmp_path: Path) -> None:
    row = {"time": 0, "variable": "mmse", "value": 24}
    full = {
        "patient": None,
        "statics": None,
        "events": None,
        "record": [{**row, "concept": None, "level": None, "unit": None}],
        "death": None,
    }
    ours = read_record(write(tmp_path / "r.json", json.dumps(full)), model=MODEL)
    assert ours == read_record(write(tmp_path / "s.json", json.dumps({"record": [row]})), model=MODEL)
    assert ours.patient == ""
    with pytest.raises(NosographError, match="the record is empty"):
        read_record(write(tmp_path / "t.json", '{"record": null}'), model=MODEL)


def test_a_record_in_utf_16(tmp_path: Path) -> None:
    (tmp_path / "R.JSON").write_bytes(json.dumps({"patient": "Zoë", "statics": {"age": 71}}).encode("utf-16"))
    assert read_record(tmp_path / "R.JSON", model=MODEL).patient == "Zoë"


def test_a_missed_value_of_what_is_never_missed() -> None:
    model = load_model(Path(__file__).parents[2] / "models" / "core_everything.yaml")
    always = next(v for v in model.variables.values() if v.kind == "measurement" and v.missing is None)
    step = always.when.at[0] if isinstance(always.when, Schedule) and always.when.at else 0
    with pytest.raises(NosographError, match="never missing"):
        abduct(model, PatientRecord("", (Observation(always.name, step, None),), (), step))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NosographError, match="cannot be read"):
        read_record(tmp_path / "none.csv", model=MODEL)
