"""A fingerprint of a cohort's values that is the same for any shard size and any number of workers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ...causal.program.noise import compile_kernel
from ..arrow import find_valid, read_words, unpack_bits

Words = NDArray[np.uint64]


@compile_kernel
def _absorb(values: NDArray[Any], valid: NDArray[np.bool_], key: np.uint64, rows: NDArray[np.uint64]) -> None:
    """rows[i] += mix(values[i] + key): one column into the rows' sums. `mix` is the finalizer of SplitMix64 (Steele,
    Lea and Flood 2014, doi:10.1145/2660193.2660195)."""
    mixed = np.uint64(0)
    for i in range(len(rows)):
        if i == 0 or values[i] != values[i - 1] or valid[i] != valid[i - 1]:  # what stays is not mixed again
            word = key
            if valid[i]:
                word = key + (np.uint64(values[i]) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
            word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            mixed = word ^ (word >> np.uint64(31))
        rows[i] += mixed


@compile_kernel
def _gather(rows: NDArray[np.uint64], starts: NDArray[np.int64], sums: NDArray[np.uint64]) -> None:
    """sums[p] = the sum of the mixed rows of patient p, each with its place among them."""
    for p in range(len(starts)):
        stop = starts[p + 1] if p + 1 < len(starts) else len(rows)
        for i in range(starts[p], stop):
            word = rows[i] + np.uint64(i - starts[p]) * np.uint64(0x9E3779B97F4A7C15)
            word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            sums[p] += word ^ (word >> np.uint64(27))


def fingerprint_patients(table: pa.Table) -> tuple[NDArray[np.int64], Words]:
    """The patients of a table that is sorted by patient, and 64 bits for each that depend on all of its values."""
    rows = np.zeros(table.num_rows, np.uint64)
    for name in table.column_names:
        for words, valid in _bits(table.column(name)):
            _absorb(words, valid, np.uint64(_hash(name)), rows)
    patient = read_words(_join(table.column("patient"))).view(np.int64)
    starts = np.flatnonzero(np.r_[True, patient[1:] != patient[:-1]]) if len(patient) else np.empty(0, np.int64)
    sums = np.zeros(len(starts), np.uint64)
    _gather(rows, starts.astype(np.int64), sums)
    return patient[starts], sums


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def _bits(column: pa.ChunkedArray) -> Iterable[tuple[NDArray[Any], NDArray[np.bool_]]]:
    """The bits of a column's values, levels by their names, and where there is a value."""
    array = _join(column)
    valid = find_valid(array)
    if pa.types.is_dictionary(array.type):
        names = np.array([_hash(str(name)) for name in array.dictionary.to_pylist()] or [0], dtype=np.uint64)
        yield names[np.where(valid, read_words(array.indices), 0)], valid
    elif pa.types.is_boolean(array.type):
        yield unpack_bits(array.buffers()[1], array) & valid, valid
    else:
        yield read_words(array), valid


def _join(column: pa.ChunkedArray) -> pa.Array:
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = array.chunk(0) if array.num_chunks else pa.array([], array.type)
    return array


def combine(tables: Iterable[tuple[str, Iterable[tuple[NDArray[np.int64], Words]]]], *, head: str) -> str:
    """SHA-256 over `head` (the columns and worlds) and, table by table, the patients' fingerprints in their order.

    `tables` gives each table's name and its shards, in patient order.
    """
    digest = hashlib.sha256(head.encode())
    for name, shards in tables:
        digest.update(name.encode())
        for patients, words in shards:
            digest.update(np.column_stack([patients.astype(np.uint64), words]).tobytes())
    return digest.hexdigest()
