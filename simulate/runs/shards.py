"""The tables of a run on disk, shard by shard: the one way to their files, each checked when it is first read."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ...causal.model.model import Model
from ...errors import NosographError, fail
from ..arrow import read_words
from .contents import Contents, build_schemas
from .inventory import Inventory
from .manifest import count_shards
from .tables import name_part

Numbers = NDArray[np.int64]
BATCH = 2**16  # rows that are decoded at once


class Shards:
    """The shards of a run. Its length is their number, and each table has one file a shard, of the same patients.

    The first reading of a file in a process checks its SHA-256, its columns and what its rows say. Everything raises
    NosographError, with the file, for what is not as `simulate` writes it.
    """

    def __init__(self, inventory: Inventory, *, model: Model, manifest: Mapping[str, Any]) -> None:
        self.inventory = inventory
        self.manifest = manifest
        self.schemas = build_schemas(model, manifest)
        self.contents = Contents(model, manifest)
        self._checked: set[tuple[str, int]] = set()
        self._bounds: dict[int, tuple[int, int]] = {}
        self._patients: tuple[int, Numbers] | None = None  # of the shard that was last asked for

    def __len__(self) -> int:
        return count_shards(self.manifest)

    def read(self, table: str, shard: int, columns: Sequence[str] | None = None) -> pa.Table:
        """A shard's rows of a table, sorted by patient, world and time; all its columns by default."""
        held = self._open(table, shard)
        with self._explain(table, shard):
            found = held.read(columns=list(columns) if columns is not None else None)
            found.validate(full=True)
        self._check_names(table, shard, found)
        return found

    def batches(
        self, table: str, shard: int, columns: Sequence[str] | None = None, *, size: int = BATCH
    ) -> Iterator[pa.RecordBatch]:
        """The same in batches of up to `size` rows, one in memory at a time."""
        held = self._open(table, shard)
        yield from self._iterate(held, table, shard, columns, size)

    def select(self, table: str, patients: Sequence[int] | Numbers) -> pa.Table:
        """The rows of `patients`, who are in the run; shards that hold none of them are not read."""
        chosen = pa.array(patients, pa.int64())
        parts = []
        for shard in self.find(patients):
            for batch in self.batches(table, shard):
                kept = batch.filter(pc.is_in(batch.column("patient"), value_set=chosen))
                parts += [kept] if len(kept) else []
        return pa.Table.from_batches(parts, schema=self.schemas[table]).unify_dictionaries()

    def find(self, patients: Sequence[int] | Numbers) -> list[int]:
        """The shards that hold any of `patients`."""
        left = np.unique(np.asarray(patients, dtype=np.int64))
        found = []
        while len(left):
            shard = bisect_right(range(len(self)), int(left[0]), key=lambda index: self.bounds(index)[0]) - 1
            found += [shard] if shard >= 0 else []
            beyond = np.searchsorted(left, self.bounds(shard)[1], side="right") if shard >= 0 else 0
            left = left[max(int(beyond), 1) :]
        return list(dict.fromkeys(found))

    def bounds(self, shard: int) -> tuple[int, int]:
        """The first and the last patient of a shard."""
        if shard not in self._bounds:
            self.patients(shard)
        return self._bounds[shard]

    def patients(self, shard: int) -> Numbers:
        """The numbers of a shard's patients, ascending."""
        if self._patients is None or self._patients[0] != shard:
            worlds = len(self.manifest["worlds"])
            column = self.read("patients", shard, ["patient"]).combine_chunks().column("patient").chunk(0)
            numbers: Numbers = read_words(column).view(np.int64)[::worlds]
            self._bounds[shard] = (int(numbers[0]), int(numbers[-1]))
            self._patients = (shard, numbers)
        return self._patients[1]

    def check(self, table: str, shard: int) -> int:
        """Read all of a file; how many rows it has."""
        return sum(len(batch) for batch in self.batches(table, shard))

    def locate(self, table: str, shard: int) -> Path:
        """Where a file lies, or should."""
        return self.inventory.folder / table / name_part(shard)

    def _open(self, table: str, shard: int) -> pq.ParquetFile:
        """The file, checked. Raises NosographError where the run has no such table."""
        if table not in self.schemas:
            fix = f"one of {', '.join(self.schemas)}"
            raise fail("the run has no such table", value=table, file=str(self.inventory.folder), fix=fix)
        path = self.inventory.find(f"{table}/{name_part(shard)}")
        with self._explain(table, shard):
            held = pq.ParquetFile(path)
            schema = held.schema_arrow
        if (table, shard) not in self._checked:
            if not schema.equals(self.schemas[table]):
                raise self._refuse(table, shard, "its columns are not those of the model", schema)
            self._check_rows(held, table, shard)
            self._checked.add((table, shard))
        return held

    def _check_rows(self, held: pq.ParquetFile, table: str, shard: int) -> None:
        """Raise NosographError where rows are not as `simulate` writes them."""
        keys = self.contents.keys(table)
        batches = self._iterate(held, table, shard, keys, BATCH)
        count = held.metadata.num_rows
        if table == "patients":
            before = self.bounds(shard - 1)[1] if shard and (shard - 1) in self._bounds else -1
            size = self.manifest["shard_size"]
            number = min(size, self.manifest["patients"] - shard * size)
            problem = self.contents.check_patients(batches, count=count, number=number, before=before)
        else:
            problem = self.contents.check(table, batches, count=count, patients=self.patients(shard))
        if problem:
            raise self._refuse(table, shard, problem)

    def _iterate(
        self, held: pq.ParquetFile, table: str, shard: int, columns: Sequence[str] | None, size: int
    ) -> Iterator[pa.RecordBatch]:
        chosen = list(columns) if columns is not None else None
        batches = held.iter_batches(batch_size=size, columns=chosen, use_threads=False)
        while True:
            with self._explain(table, shard):
                batch = next(batches, None)
                if batch is not None:
                    batch.validate(full=True)
            if batch is None:
                return
            self._check_names(table, shard, batch)
            yield batch

    def _check_names(self, table: str, shard: int, rows: pa.Table | pa.RecordBatch) -> None:
        problem = self.contents.check_names(table, rows)
        if problem:
            raise self._refuse(table, shard, problem)

    @contextmanager
    def _explain(self, table: str, shard: int) -> Iterator[None]:
        """What Parquet's reader raises for a damaged file becomes a NosographError."""
        try:
            yield
        except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
            raise self._refuse(table, shard, "it cannot be read", error) from error

    def _refuse(self, table: str, shard: int, problem: str, value: object = "") -> NosographError:
        shown = " ".join(str(value).split())[:200]
        file = str(self.locate(table, shard))
        problem = f"this is not the run's table `{table}`: {problem}"
        return fail(problem, value=shown, file=file, fix=self.inventory.fix)
