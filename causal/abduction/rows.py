"""The rows of a patient's record, as they stand in a CSV or JSON file: see docs/records.md."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import NosographError, fail, list_some, nearest
from ...ontology.tables import TextTable, read_table, read_text
from ..model.composites import list_components
from ..model.model import Model

COLUMNS = ("patient", "world", "time", "variable", "concept", "value", "level", "unit")
KEYS = ("patient", "statics", "record", "events", "alive_at", "death")
ROW_KEYS = {
    "record": ("time", "variable", "concept", "value", "level", "unit"),
    "events": ("time", "event", "happened"),
}
EXAMPLES = {"variable": '"mmse"', "concept": '"HP:0000726"', "unit": '"mL"', "event": '"death"'}
DEEPEST = 100  # lists and objects in one another in a JSON file; a record has four
_HEADER = "time,variable,value,unit"


@dataclass(frozen=True)
class RecordRow:
    """An entry as written in the file. In JSON (`typed`) numbers, truth values and text are told apart; a CSV cell is
    text, with `decimal` as the mark of its numbers. `place` is where it stands in JSON, `line` where in CSV."""

    time: object = None
    variable: str = ""
    concept: str = ""
    value: object = None
    level: object = None
    unit: str = ""
    line: int = 0
    place: str = ""
    event: bool | None = None  # True: must be an event; False: must not be
    typed: bool = False
    decimal: str = "."


def read_rows(path: Path, *, model: Model) -> tuple[str, list[RecordRow]]:
    """The patient's name and the rows of a CSV or JSON file. Raises NosographError for a file of another form."""
    suffix = path.suffix.lower()
    if suffix == ".json":
        return _read_json(read_text(path), str(path), model)
    if suffix in (".csv", ".tsv"):
        return _read_table(read_table(path, known=COLUMNS))
    raise fail(
        "unknown file extension: a record is a .csv or .json file", value=path, fix=f"{path.stem}.csv, exported as text"
    )


def _read_table(table: TextTable) -> tuple[str, list[RecordRow]]:
    columns = set(table.columns)
    if "time" not in columns or not {"value", "level"} & columns or not {"variable", "concept"} & columns:
        found = table.delimiter.join(table.columns)
        raise fail("missing columns", file=table.file, line=table.line, value=found, fix=_HEADER)
    decimal = table.find_decimal_mark(("time", "value"))
    rows = []
    seen: dict[str, dict[str, int]] = {"patient": {}, "world": {}}
    for row in table.rows():
        cells: dict[str, Any] = dict(row.cells)
        for name, values in seen.items():
            values.setdefault(cells.pop(name, ""), row.line)
        rows.append(RecordRow(**cells, line=row.line, decimal=decimal))
    for name, values in seen.items():
        if len(values) > 1:
            line = list(values.values())[1]
            found = ", ".join(value or "(empty)" for value in list(values)[:3])
            raise fail(
                f"a record must have one {name} only", file=table.file, line=line, value=found, fix=f"one {name}"
            )
    return next(iter(seen["patient"]), ""), rows


def _read_json(text: str, file: str, model: Model) -> tuple[str, list[RecordRow]]:
    data = _parse_json(text, file)
    _check_keys(data, KEYS, file)
    data = {key: value for key, value in data.items() if value is not None}
    patient = data.get("patient", "")
    if isinstance(patient, bool) or not isinstance(patient, str | int):
        raise fail("patient is a text", file=file, value=json.dumps(patient)[:80], fix='"patient": "A17"')
    statics = data.get("statics", {})
    if not isinstance(statics, Mapping):
        fix = '"statics": {"age": 71}'
        raise fail("statics must be an object of names and values", file=file, value=json.dumps(statics)[:80], fix=fix)
    rows = [RecordRow(variable=name, value=value, typed=True, place="statics") for name, value in statics.items()]
    for key, keys in ROW_KEYS.items():
        entries = data.get(key, [])
        if not isinstance(entries, list):
            fix = f'"{key}": [{{"time": 0, …}}]'
            raise fail(f"{key} must be a list", file=file, value=json.dumps(entries)[:80], fix=fix)
        for number, entry in enumerate(entries):
            place = f"{key}[{number}]"
            _check_keys(entry, keys, file, place)
            rows.append(_read_entry(entry, place, file, event=key == "events"))
    for key, happened in (("alive_at", False), ("death", True)):
        if key in data:
            name = _ending(model, key, file)
            rows.append(RecordRow(time=data[key], variable=name, value=happened, typed=True, place=key))
    return str(patient), rows


def _parse_json(text: str, file: str) -> Any:
    def refuse_constant(name: str) -> object:
        raise fail(f"JSON has no {name}", file=file, value=name, fix="null, or a number")

    def read_whole(digits: str) -> int:
        try:
            return int(digits)
        except ValueError:  # more digits than Python reads
            value = f"{digits[:20]}… ({len(digits):,} signs)"
            fix = "a number of a few digits, or a text in double quotes"
            raise fail("a number has too many digits", file=file, value=value, fix=fix) from None

    def build(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                raise fail(f"the key {key!r} stands twice in one object", file=file, fix=f"one {json.dumps(key)}")
            found[key] = value
        return found

    try:
        data = json.loads(text, object_pairs_hook=build, parse_constant=refuse_constant, parse_int=read_whole)
    except json.JSONDecodeError as error:
        fix = '{"record": [{"time": 0, "variable": "mmse", "value": 24}]}'
        raise fail(f"not JSON: {error.msg}", file=file, line=error.lineno, fix=fix) from None
    except RecursionError:
        raise _too_deep(file) from None
    level = [data]
    for _ in range(DEEPEST):
        nested = (held.values() if isinstance(held, dict) else held for held in level if isinstance(held, dict | list))
        level = [inner for values in nested for inner in values]
    if level:  # it was read, but to show it may need more of the stack than is left
        raise _too_deep(file)
    return data


def _too_deep(file: str) -> NosographError:
    return fail("lists or objects are nested too deeply for a record", file=file, fix='{"record": []}')


def _check_keys(data: object, keys: tuple[str, ...], file: str, place: str = "") -> None:
    if not isinstance(data, Mapping):
        fix = f"keys {', '.join(keys)}"
        raise fail("expected an object", node=place, file=file, value=json.dumps(data)[:80], fix=fix)
    if "phenotypicFeatures" in data:
        fix = '{"record": [{"time": 0, "concept": "HP:0001250", "value": true}]}'
        raise fail("this is a phenopacket, and a record has rows with times", file=file, fix=fix)
    for key in data:
        if key not in keys:
            raise fail(f"unknown key {key!r}", node=place, file=file, fix=nearest(key, keys) or list_some(keys))


def _read_entry(entry: Mapping[str, Any], place: str, file: str, *, event: bool) -> RecordRow:
    """An object of `record` or `events`; a key that is null is one that is not there, except `happened`."""
    cells: dict[str, Any] = {key: value for key, value in entry.items() if value is not None or key == "happened"}
    for key, example in EXAMPLES.items():
        if key in cells and not isinstance(cells[key], str):
            value = json.dumps(cells[key])[:80]
            raise fail(f"{key} is a text", node=place, file=file, value=value, fix=f'"{key}": {example}')
    if event:
        cells["value"] = happened = cells.pop("happened", True)
        if not isinstance(happened, bool):
            fix = '"happened": true or "happened": false, without quotes; no row if it is unknown'
            value = json.dumps(happened)[:80]
            raise fail("happened is true or false", node=place, file=file, value=value, fix=fix)
        named = cells.pop("event", "")
        cells["concept" if ":" in named else "variable"] = named
    return RecordRow(**cells, event=event, typed=True, place=place)


def _ending(model: Model, key: str, file: str) -> str:
    names = [v.name for v in model.variables.values() if v.ends == "journey"]
    for v in model.variables.values():  # a composite of all that ends the journey
        if v.any_of and set(list_components(model.variables, v.name)) == set(names):
            return v.name
    if len(names) == 1 or "death" in names:
        return "death" if "death" in names else names[0]
    if not names:
        raise fail("no event ends the journey in this model", file=file, node=key, fix=f"remove {key}")
    fix = f'"events": [{{"time": …, "event": "{names[0]}", "happened": {str(key == "death").lower()}}}]'
    raise fail(f"several events end the journey: {', '.join(names)}", file=file, node=key, fix=fix)
