"""Arrow columns from NumPy arrays, without `pa.array`, which would import pandas, for nearly a second."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def name_codes(codes: NDArray[np.int32], names: Sequence[str], valid: pa.Buffer | None = None) -> pa.DictionaryArray:
    """A column of the names that the codes stand for; a name that stands twice is one level. `valid`: null bitmap."""
    levels = list(dict.fromkeys(names))
    if len(levels) < len(names):
        codes = np.array([levels.index(name) for name in names], dtype=np.int32)[codes]
    return pa.DictionaryArray.from_arrays(number_column(codes, valid), text_column(levels))


def number_column(values: NDArray[Any], valid: pa.Buffer | None = None) -> pa.Array:
    """An Arrow column of numbers or truth values; `valid` is its null bitmap."""
    values = np.ascontiguousarray(values)
    buffer = pack_bits(values) if values.dtype == np.bool_ else pa.py_buffer(values)
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), [valid, buffer])


def text_column(words: Sequence[str]) -> pa.Array:
    """An Arrow column of words."""
    encoded = [word.encode() for word in words]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    return pa.Array.from_buffers(pa.string(), len(encoded), [None, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))])


def pack_bits(valid: NDArray[np.bool_]) -> pa.Buffer:
    return pa.py_buffer(np.packbits(valid, bitorder="little"))
