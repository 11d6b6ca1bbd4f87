"""Ways to damage a file of a run folder that keep most of its structure, chosen by hypothesis."""

from __future__ import annotations

import copy
import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

# what may stand in a JSON document in place of anything
ODD: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(
        [
            None, True, False, 0, -1, 1, 2, 10**15, 2**63, 2**64, 10**400, -0.0, 0.5, 1e-320, 1e300, float("nan"),
            float("inf"), "", ".", "..", "/", "../../../x", "/abs", "a/b", "a\\b", "nul\0", "\ud800", "factual",
            "treated", "notes", "part-00000.jsonl", "patients/part-00000.parquet", "0-10", "9" * 5_000, "x" * 10_000,
            [], {}, [[]], {"": 0}, [0], ["x"], "\u202e", "0 <= 1", "2020-01-01T00:00", "doi:10.1/x", "present", "value",
        ]
    ),
    st.integers(-(2**65), 2**65),
    st.floats(),
    st.text(max_size=12),
    st.recursive(st.none() | st.integers(0, 9), lambda inner: st.lists(inner, max_size=3), max_leaves=5),
)  # fmt: skip


def find_places(held: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of everything in a document."""
    keys = held.keys() if isinstance(held, dict) else range(len(held)) if isinstance(held, list) else ()
    return [path, *(place for key in keys for place in find_places(held[key], (*path, key)))]


def change_document(draw: Any, document: Any) -> Any:
    """A document with a few of its values, keys or types changed."""
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 3]))):
        path = draw(st.sampled_from(find_places(document)))
        how = draw(st.sampled_from(["replace", "replace", "remove", "rename", "copy", "deepen"]))
        if not path:
            document = draw(ODD) if draw(st.booleans()) else [document]
            continue
        document = copy.deepcopy(document)
        parent = document
        for key in path[:-1]:
            parent = parent[key]
        if how == "replace":
            parent[path[-1]] = draw(ODD)
        elif how == "remove":
            del parent[path[-1]]
        elif how == "rename" and isinstance(parent, dict):
            parent[draw(st.text(max_size=8) | st.sampled_from(["../x", "truth/part-00009.parquet"]))] = parent.pop(
                path[-1]
            )
        elif how == "copy":
            other: Any = document
            for key in draw(st.sampled_from(find_places(document))):
                other = other[key]
            parent[path[-1]] = copy.deepcopy(other)
        else:
            for _ in range(draw(st.sampled_from([1, 5, 150]))):
                parent[path[-1]] = [parent[path[-1]]]
    return document


def write_json(document: Any) -> bytes:
    return json.dumps(document).encode()


def change_bytes(draw: Any, content: bytes) -> bytes:
    """Bytes cut, emptied, flipped, doubled, or with something in between."""
    place = draw(st.integers(0, max(len(content) - 1, 0)))
    how = draw(st.sampled_from(["cut", "empty", "flip", "flip", "double", "insert", "deep", "zero"]))
    if how == "cut":
        return content[:place]
    if how == "empty":
        return b""
    if how == "flip":
        held = bytearray(content)
        for _ in range(draw(st.integers(1, 8))):
            held[draw(st.integers(0, len(held) - 1))] ^= draw(st.integers(1, 255))
        return bytes(held)
    if how == "insert":
        return content[:place] + draw(st.binary(max_size=20)) + content[place:]
    if how == "deep":
        return b"[" * 100_000 + content
    return content + content if how == "double" else b"\0" * len(content)


def change_table(draw: Any, table: pa.Table) -> pa.Table:
    """A table with other values, rows, columns or types."""
    name = draw(st.sampled_from(table.column_names))
    place, column = table.column_names.index(name), table.column(name)
    how = draw(
        st.sampled_from(
            ["value", "value", "value", "null", "drop", "rename", "type", "rows", "order", "repeat", "none"]
        )
    )
    if how in ("value", "null"):
        values = column.to_pylist()
        for _ in range(draw(st.integers(1, 3))):
            if values:
                values[draw(st.integers(0, len(values) - 1))] = None if how == "null" else draw(_value_of(column.type))
        return table.set_column(place, name, pa.array(values, column.type))
    if how == "drop":
        return table.drop_columns([name])
    if how == "rename":
        return table.rename_columns([draw(st.text(max_size=5)) if n == name else n for n in table.column_names])
    if how == "type":
        kind = draw(st.sampled_from([pa.string(), pa.float64(), pa.int32(), pa.list_(pa.int64())]))
        return table.set_column(place, name, pa.nulls(len(table), kind))
    if how == "rows":
        return table.slice(draw(st.integers(0, len(table))), draw(st.integers(0, len(table))))
    if how == "order":
        return table.take(pa.array(list(range(len(table)))[::-1]))
    return table.slice(0, 0) if how == "none" else pa.concat_tables([table, table])


def _value_of(kind: pa.DataType) -> st.SearchStrategy[Any]:
    if pa.types.is_boolean(kind):
        return st.booleans()
    if pa.types.is_integer(kind):
        return st.integers(-(2**63), 2**63 - 1) | st.integers(-1, 40)
    if pa.types.is_floating(kind):
        return st.floats(width=32)
    return st.sampled_from(["factual", "treated", "", "x", "../x", "HP:0000001", "female", "as is"]) | st.text(
        st.characters(exclude_categories=["Cs"]), max_size=5
    )


def list_again(manifest: Path, key: str, name: str, content: bytes) -> bytes:
    """The manifest of somebody who has changed a file on purpose: its size and SHA-256 are right."""
    held = json.loads(manifest.read_bytes())
    held[key][name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    return write_json(held)


def write_parquet(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return bytes(sink.getvalue())
