"""One shard of a run: simulate its patients, write its tables."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...causal.model.model import Model
from ...causal.model.world import World
from ...causal.program.noise import check_seed
from ...causal.program.sampling import sample
from ..listing.clinic import ClinicPractice, build_listing
from .fingerprint import fingerprint_patients
from .job import PartFiles, locate_aside
from .tables import LISTING, TABLES, WHOLE, Layout, build_tables, name_part

PRINTS = ".npz"  # a shard's fingerprints, which lie aside until the run is finished


@dataclass(frozen=True)
class Job:
    """All that a shard depends on but its patients."""

    model: Model
    worlds: tuple[World, ...]
    seed: int
    steps: int
    layout: Layout = WHOLE
    device: str = "cpu"
    practice: ClinicPractice | None = None  # the clinic, where its imperfection is asked for

    def __post_init__(self) -> None:
        check_seed(self.seed)

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of the tables that are written."""
        return TABLES if self.practice is None else (*TABLES, LISTING)


def write_shard(job: Job, files: PartFiles, numbers: NDArray[np.int64]) -> dict[str, Any]:
    """Simulate `numbers` and write `<table>/part-<index>.parquet` for each table; the counts of rows and patients."""
    tables = simulate_tables(job, torch.from_numpy(numbers))
    prints: dict[str, Any] = {}
    for name, table in tables.items():
        files.write(name, name_part(files.index), fill=partial(write_table, table))
        prints[f"{name}.patients"], prints[f"{name}.words"] = fingerprint_patients(table)
    files.write_aside(PRINTS, fill=lambda path: np.savez(path, **prints))
    return {"rows": {name: table.num_rows for name, table in tables.items()}, "patients": len(numbers)}


def simulate_tables(job: Job, numbers: Tensor) -> dict[str, pa.Table]:
    """The tables of the patients of these numbers."""
    journeys = sample(job.model, patients=numbers, seed=job.seed, worlds=job.worlds, steps=job.steps, device=job.device)
    tables = build_tables(journeys, model=job.model, layout=job.layout)
    if job.practice is not None:
        tables[LISTING] = build_listing(journeys, model=job.model, practice=job.practice, seed=job.seed)
    return tables


def read_fingerprints(folder: Path, index: int, table: str) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """The fingerprints of a finished shard's patients, in one table: see `fingerprint_patients`."""
    with np.load(locate_aside(folder, index, PRINTS)) as held:
        return held[f"{table}.patients"], held[f"{table}.words"]


def write_table(table: pa.Table, file: Path | BinaryIO) -> None:
    """Parquet, the same bytes for the same table."""
    dictionaries = [f.name for f in table.schema if pa.types.is_dictionary(f.type)] + ["patient", "time"]
    pq.write_table(table, file, compression="zstd", compression_level=1, use_dictionary=dictionaries)
