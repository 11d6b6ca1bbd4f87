"""The truth of a cohort as an xarray.Dataset: no Python objects, and nothing stored twice."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ..causal.model.model import Model, Variable

if TYPE_CHECKING:
    import xarray


def build_dataset(parts: Iterable[pa.Table], *, model: Model) -> xarray.Dataset:
    """The table `truth`, which comes in parts of whole patients, as arrays with units and concepts as attributes.

    | variable | dimensions | type | after the end of the journey |
    |---|---|---|---|
    | static | world, patient | float32, or the level's name (fixed width) | as before |
    | state, treatment, measurement | world, patient, time | float32 | NaN |
    | event | world, patient, time | float32, of 0 and 1 | NaN |
    | event, where no event ends the journey | world, patient, time | bool | |
    | anything else with levels | world, patient, time | int8: a place in the attribute `levels` | -1 |

    NaN and -1 also stand for what was not measured. More than 128 levels are int16. Names in every step would take four
    bytes a character.
    """
    import xarray

    mortal = any(variable.ends == "journey" for variable in model.variables.values())
    arrays: dict[str, list[NDArray[Any]]] = {}
    patients: list[NDArray[np.int64]] = []
    worlds: list[str] = []
    times: NDArray[np.float64] = np.empty(0)
    for part in parts:
        table = part.unify_dictionaries()
        worlds = pc.unique(table.column("world")).to_pylist()
        times = pc.unique(table.column("time")).to_numpy()
        patients.append(pc.unique(table.column("patient")).to_numpy())
        shape = (len(patients[-1]), len(worlds), len(times))
        for name in table.column_names:
            if name not in model.variables:
                continue
            variable = model.variables[name]
            cube = _read_column(table.column(name), variable, mortal=mortal).reshape(shape).swapaxes(0, 1)
            arrays.setdefault(name, []).append(np.array(cube[..., 0] if variable.kind == "static" else cube))
    data: dict[str, Any] = {}
    for name in list(arrays):
        variable, values = model.variables[name], np.concatenate(arrays.pop(name), axis=1)
        if variable.kind == "static":
            data[name] = (("world", "patient"), _name_levels(values, variable), _describe(variable))
        else:
            data[name] = (("world", "patient", "time"), values, _describe(variable))
    coordinates = {"world": worlds, "patient": np.concatenate(patients)}
    return xarray.Dataset(data, {**coordinates, "time": ("time", times, {"units": model.clock.text[2]})})


def _read_column(column: pa.ChunkedArray, variable: Variable, *, mortal: bool) -> NDArray[Any]:
    """The values of a column, a row each; see `build_dataset` for their type."""
    values = column.combine_chunks()
    if not variable.levels:
        if variable.kind == "event" and not mortal:
            return np.asarray(values.to_numpy(zero_copy_only=False))
        return np.asarray(values.cast(pa.float32()).to_numpy(zero_copy_only=False))
    places = [variable.levels.index(level) for level in values.dictionary.to_pylist()]
    codes = np.array([*places, -1], dtype=np.min_scalar_type(-len(variable.levels)))  # the last is of null
    found: NDArray[Any] = codes[values.indices.fill_null(-1).to_numpy()]
    return found


def _name_levels(values: NDArray[Any], variable: Variable) -> NDArray[Any]:
    return np.array(variable.levels)[values] if variable.levels else values


def _describe(variable: Variable) -> dict[str, Any]:
    notes: dict[str, Any] = {
        "unit": variable.unit,
        "concept": variable.concept,
        "long_name": variable.title or variable.name,
        "levels": list(variable.levels),
    }
    return {key: value for key, value in notes.items() if value}
