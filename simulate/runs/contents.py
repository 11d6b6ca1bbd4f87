"""What the tables of a run may hold, by its model and its manifest: columns, names, and the order of rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ...causal.model.duration import TOLERANCE
from ...causal.model.model import Model, Variable
from ...causal.program.journeys import times
from ..arrow import find_valid, read_words
from ..listing.clinic import HOW
from .manifest import list_tables

NAME = pa.dictionary(pa.int32(), pa.string())
HEAD = {"patient": pa.int64(), "world": NAME}
DATED = {**HEAD, "time": pa.float64()}
CONCEPT = re.compile(r"[A-Za-z][\w.-]*:[\w.-]+", re.ASCII)
Rows = Iterable[pa.RecordBatch]
Numbers = NDArray[np.int64]


def build_schemas(model: Model, manifest: Mapping[str, Any]) -> dict[str, pa.Schema]:
    """The columns of each table of a run, in order: see the builders in `tables` and `listing`."""
    keep = manifest["keep"]
    variables = model.variables.values()
    columns = {
        "patients": {**HEAD, **{v.name: _type_of(v) for v in variables if v.kind == "static" and v.recorded}},
        "record": {**DATED, "variable": NAME, "concept": NAME, "value": pa.float32(), "level": NAME, "unit": NAME},
        "events": {**DATED, "event": NAME, "recorded": pa.bool_()},
        "truth": {**DATED, **{v.name: _type_of(v) for v in variables if keep is None or v.name in keep}},
        "listing": {**DATED, **dict.fromkeys(("concept", "variable", "term", "how"), NAME)},
    }  # fmt: skip
    return {table: pa.schema(list(columns[table].items())) for table in list_tables(manifest)}


def _type_of(variable: Variable) -> pa.DataType:
    if variable.levels:
        return NAME
    counted = bool(variable.any_of) and variable.occurs == "repeatedly"  # how many of its components in each step
    return pa.bool_() if variable.kind == "event" and not counted else pa.float32()


class Contents:
    """Checks of rows. Each says what is wrong in words, and nothing where all is well."""

    def __init__(self, model: Model, manifest: Mapping[str, Any]) -> None:
        self.model = model
        self.worlds = [str(world["name"]) for world in manifest["worlds"]]
        steps = int(manifest["steps"])
        self.at = times(range(0, steps + 1, int(manifest["every"])), model=model)
        self.end = float(times([steps], model=model)[0]) + TOLERANCE * model.clock.dt
        self.observed = {
            v.name: v for v in model.variables.values() if v.recorded and v.kind in ("measurement", "treatment")
        }

    def keys(self, table: str) -> list[str] | None:
        """The columns whose rows are checked when a file is first read; None for all."""
        return ["patient", "world", "time"] if table == "truth" else None

    def check_names(self, table: str, rows: pa.Table | pa.RecordBatch) -> str:
        """Whether what is named is what the model and the manifest have."""
        for name in rows.column_names:
            column = rows.column(name)
            if pa.types.is_dictionary(column.type):
                for chunk in column.chunks if isinstance(column, pa.ChunkedArray) else [column]:
                    for word in chunk.dictionary.to_pylist():
                        if word is None or not self._knows(table, name, word):
                            return f"there is no such {name}: {word!r}"
        return ""

    def _knows(self, table: str, column: str, word: str) -> bool:
        variables = self.model.variables
        if column == "world":
            return word in self.worlds
        if table in ("patients", "truth"):
            return word in variables[column].levels
        if table == "events":
            return word in variables and variables[word].kind == "event"
        if table == "record":
            found = self.observed.values()
            known = {
                "variable": self.observed,
                "concept": {v.concept for v in found},
                "unit": {v.unit for v in found},
                "level": {level for v in found for level in v.levels},
            }
            return word in known[column]
        return {
            "variable": word in variables,
            "how": word in HOW,
        }.get(column, CONCEPT.fullmatch(word) is not None)

    def check_patients(self, batches: Rows, *, count: int, number: int, before: int) -> str:
        """Whether the rows are `number` ascending patients after `before`, each in every world, with all statics."""
        worlds = len(self.worlds)
        if count != number * worlds:
            return f"it has {count:,} rows, not {number:,} patients in {worlds} worlds"
        last, done = before, 0
        for batch in batches:
            if any(column.null_count for column in batch.columns):
                return "a value is missing"
            place = np.arange(done, done + len(batch))
            patient = read_words(batch.column("patient")).view(np.int64)
            least = np.where(place % worlds == 0, 1, 0)
            if (np.diff(patient, prepend=last) < least).any() or (
                np.diff(patient, prepend=last)[least == 0] != 0
            ).any():
                return "its patients are not in ascending order, each once in every world"
            if problem := self._check_worlds(batch, place % worlds):
                return problem
            last, done = int(patient[-1]), done + len(batch)
        return ""

    def _check_worlds(self, batch: pa.RecordBatch, expected: Numbers) -> str:
        column = batch.column("world")
        places = np.array([self.worlds.index(word) for word in column.dictionary.to_pylist()], dtype=np.int64)
        return "" if np.array_equal(places[read_words(column.indices)], expected) else "its worlds are in another order"

    def check(self, table: str, batches: Rows, *, count: int, patients: Numbers) -> str:
        """Whether the rows are of `patients`, in order, within the run, and say what their variables can."""
        if table == "truth":
            return self._check_grid(batches, count, patients)
        last = -1
        for batch in batches:
            problem = self._check_dated(batch, patients, last)
            if not problem and table == "record":
                problem = self._check_record(batch)
            if not problem and table == "events":
                problem = "a value is missing" if any(column.null_count for column in batch.columns) else ""
            if not problem and table == "listing":
                problem = "a value is missing" if batch.column("how").null_count else ""
            if problem:
                return problem
            last = int(batch.column("patient")[-1].as_py()) if len(batch) else last
        return ""

    def _check_grid(self, batches: Rows, count: int, patients: Numbers) -> str:
        steps, worlds, done = len(self.at), len(self.worlds), 0
        if count != len(patients) * worlds * steps:
            return f"it has {count:,} rows, not {len(patients):,} patients in {worlds} worlds at {steps} times"
        for batch in batches:
            place = np.arange(done, done + len(batch))
            if any(batch.column(name).null_count for name in ("patient", "world", "time")):
                return "a value is missing"
            if not np.array_equal(
                read_words(batch.column("patient")).view(np.int64), patients[place // (worlds * steps)]
            ):
                return "its patients are in another order"
            if not np.allclose(
                read_words(batch.column("time")).view(np.float64), self.at[place % steps], rtol=1e-9, atol=1e-9
            ):
                return "its times are others than the run's"
            if problem := self._check_worlds(batch, place // steps % worlds):
                return problem
            done += len(batch)
        return ""

    def _check_dated(self, batch: pa.RecordBatch, patients: Numbers, last: int) -> str:
        if any(batch.column(name).null_count for name in ("patient", "world", "time")):
            return "a value is missing"
        patient, time = (
            read_words(batch.column("patient")).view(np.int64),
            read_words(batch.column("time")).view(np.float64),
        )
        if (np.diff(patient, prepend=last) < 0).any() or not np.isin(patient, patients).all():
            return "its patients are others than the run's, or in another order"
        return "" if ((time >= 0) & (time <= self.end)).all() else "a time lies outside of the run"

    def _check_record(self, batch: pa.RecordBatch) -> str:
        """Whether each row has a number or a level, as its variable does, and that variable's own concept and unit."""
        column = batch.column("variable")
        if column.null_count or batch.column("concept").null_count or batch.column("unit").null_count:
            return "a value is missing"
        variables = [self.observed[name] for name in column.dictionary.to_pylist()]
        which = read_words(column.indices)
        named = np.array([bool(v.levels) for v in variables], dtype=bool)[which]
        value, level = batch.column("value"), batch.column("level")
        if not np.array_equal(find_valid(level), named) or not np.array_equal(find_valid(value), ~named):
            return "a row has another kind of value than its variable"
        if not np.isfinite(read_words(value).view(np.float32)[~named]).all():
            return "a value is not a finite number"
        for other, allowed in (
            (batch.column("concept"), [{v.concept} for v in variables]),
            (batch.column("unit"), [{v.unit} for v in variables]),
            (level, [set(v.levels) for v in variables]),
        ):
            words = other.dictionary.to_pylist()
            fits = np.array([[word in own for word in words] for own in allowed], dtype=bool).reshape(
                len(allowed), len(words)
            )
            valid = find_valid(other)
            if not fits[which[valid], read_words(other.indices)[valid]].all():
                return "a row tells of its variable what is another one's"
        return ""


def _read_keys(batch: pa.RecordBatch) -> tuple[Numbers, NDArray[np.float64]]:
    """Patients and times of rows."""
    return read_words(batch.column("patient")).view(np.int64), read_words(batch.column("time")).view(np.float64)
