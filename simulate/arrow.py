"""Arrow columns from NumPy arrays and back, by buffers: pyarrow's own ways would import pandas, for nearly a second."""

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


def read_words(array: pa.Array) -> NDArray[Any]:
    """The bits of an array of numbers, as unsigned integers of the same width."""
    buffer, kind = array.buffers()[1], f"uint{array.type.bit_width}"
    if buffer is None:
        return np.empty(0, kind)
    return np.frombuffer(buffer, kind, count=array.offset + len(array))[array.offset :]


def find_valid(array: pa.Array) -> NDArray[np.bool_]:
    """Where an array has a value."""
    bitmap = array.buffers()[0] if array.null_count else None
    if bitmap is None:
        return np.ones(len(array), bool)
    return unpack_bits(bitmap, array).view(bool)


def unpack_bits(bitmap: pa.Buffer, array: pa.Array) -> NDArray[np.uint8]:
    """The bits of an array, one a byte."""
    bits = np.unpackbits(np.frombuffer(bitmap, np.uint8), count=array.offset + len(array), bitorder="little")
    return bits[array.offset :]
