"""One shard of a run: simulate its patients, write its tables whole or not at all."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor

from ...causal.model.model import Model
from ...causal.model.world import World
from ...causal.program.sampling import sample
from ..listing.clinic import ClinicPractice, build_listing
from .fingerprint import fingerprint_patients
from .tables import LISTING, TABLES, WHOLE, Layout, build_tables

ASIDE = ".unfinished"  # inside the run's folder: what is not yet a whole run


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

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of the tables that are written."""
        return TABLES if self.practice is None else (*TABLES, LISTING)


@dataclass(frozen=True)
class Receipt:
    """What a finished shard leaves behind: its files with their SHA-256, and counts of rows."""

    index: int
    files: Mapping[str, str]
    rows: Mapping[str, int]
    patients: int


def write_shard(job: Job, index: int, numbers: Tensor, folder: Path) -> Receipt:
    """Simulate `numbers` and write `<table>/part-<index>.parquet` for each table under `folder`."""
    journeys = sample(job.model, patients=numbers, seed=job.seed, worlds=job.worlds, steps=job.steps, device=job.device)
    tables = build_tables(journeys, model=job.model, layout=job.layout)
    if job.practice is not None:
        tables[LISTING] = build_listing(journeys, model=job.model, practice=job.practice, seed=job.seed)
    del journeys
    aside = folder / ASIDE
    files: dict[str, str] = {}
    prints: dict[str, Any] = {}
    for name, table in tables.items():
        target = folder / name / f"part-{index:05d}.parquet"
        target.parent.mkdir(exist_ok=True)
        draft = aside / f"{name}-{index:05d}-{os.getpid()}.parquet"  # a worker whose run was killed may write yet
        write_table(table, draft)
        with draft.open("rb") as file:
            files[f"{name}/{target.name}"] = hashlib.file_digest(file, "sha256").hexdigest()
        prints[f"{name}.patients"], prints[f"{name}.words"] = fingerprint_patients(table)
        os.replace(draft, target)
    receipt = Receipt(index, files, {name: table.num_rows for name, table in tables.items()}, len(numbers))
    write_whole(aside / f"{index:05d}.npz", lambda path: np.savez(path, **prints))
    write_whole(
        aside / f"{index:05d}.json",
        lambda path: path.write_text(json.dumps({"files": files, "rows": receipt.rows, "patients": receipt.patients})),
    )
    return receipt


def write_table(table: pa.Table, path: Path) -> None:
    """Parquet, the same bytes for the same table."""
    dictionaries = [f.name for f in table.schema if pa.types.is_dictionary(f.type)] + ["patient", "time"]
    pq.write_table(table, path, compression="zstd", compression_level=1, use_dictionary=dictionaries)


def write_whole(path: Path, write: Any) -> None:
    """Let `write` fill a draft beside `path`, then give it its name."""
    draft = path.with_name(f"draft-{os.getpid()}-{path.name}")
    write(draft)
    os.replace(draft, path)


def read_receipt(folder: Path, index: int) -> Receipt | None:
    """The receipt of a shard that was finished before, if its files are still there."""
    path = folder / ASIDE / f"{index:05d}.json"
    if not path.is_file():
        return None
    found = json.loads(path.read_text())
    if not all((folder / name).is_file() for name in found["files"]):
        return None
    return Receipt(index, found["files"], found["rows"], found["patients"])


def work_alone() -> None:
    """One thread a worker: bits do not depend on how torch splits a tensor, and workers don't crowd each other."""
    torch.set_num_threads(1)
    pa.set_cpu_count(1)
    threading.Thread(target=_leave_with_the_run, daemon=True).start()


def _leave_with_the_run() -> None:
    """End this worker when the process that started it is gone: killed, it could not say so, and we would wait on."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
