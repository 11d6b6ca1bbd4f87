"""What a patient costs, part by part, and so what a billion would take: the tables of docs/scale.md. From the root:
python benchmarks/scale.py
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from figures import describe_machine

from nosograph.causal.model.load import load_model
from nosograph.causal.model.world import FACTUAL
from nosograph.renderers.render import render
from nosograph.renderers.selection import choose_patients
from nosograph.simulate.cohort import open_run
from nosograph.simulate.entrants import select_entrants
from nosograph.simulate.runs.fingerprint import combine
from nosograph.simulate.runs.inventory import describe_bytes
from nosograph.simulate.runs.job import ASIDE
from nosograph.simulate.runs.run import SHARD_SIZE, write_run
from nosograph.simulate.runs.shard import Job

BILLION = 10**9
NOTED = 200  # patients whose notes are made
STOPPED_AFTER = 3  # shards


class Stop(Exception):
    """Ends a run whose shards are looked at before they are put together."""


def take_time(work: Callable[[], Any]) -> float:
    """Processor seconds."""
    started = time.process_time()
    work()
    return time.process_time() - started


def stop_early(job: Job, folder: Path) -> float:
    """Processor seconds of a shard: of the last of some, after which the run is stopped."""
    moments = []

    def tell(patients: int) -> None:
        moments.append(time.process_time())
        if len(moments) == STOPPED_AFTER:
            raise Stop

    try:
        write_run(job, folder, patients=(STOPPED_AFTER + 1) * SHARD_SIZE, progress=tell)
    except Stop:
        return moments[-1] - moments[-2]
    raise AssertionError("it was not stopped")


def measure_size(paths: list[Path]) -> int:
    return sum(path.stat().st_size for path in paths)


def show(part: str, each: str, all_: str) -> None:
    print(f"| {part} | {each} | {all_} |", flush=True)


def show_bytes(part: str, each: float, *, of: str = "patient", times: float = BILLION) -> None:
    show(part, f"{each:,.3g} bytes a {of}", f"{each * times / 1e9:,.3g} GB")


def show_hours(part: str, seconds: float, *, of: str, times: float) -> None:
    show(part, f"{1 / seconds:,.0f} {of} a second", f"{seconds * times / 3600:,.3g} h")


def main() -> None:
    torch.set_num_threads(1)
    model = load_model("alzheimers")
    job = Job(model, (FACTUAL,), 0, model.clock.steps)
    shards = BILLION / SHARD_SIZE
    print(f"{describe_machine()}; Alzheimer's model, one world, {model.clock.steps} steps, shards of {SHARD_SIZE:,}")
    print("\n| part | each | a billion patients |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as temporary:
        show_hours(
            "shards, a core", stop_early(job, Path(temporary) / "stopped") / SHARD_SIZE, of="patients", times=BILLION
        )
        aside = Path(temporary) / "stopped" / ASIDE
        for name in job.tables:
            files = list((aside.parent / name).iterdir())
            show_bytes(f"`{name}/`", measure_size(files) / len(files) / SHARD_SIZE)
        receipts, prints = list(aside.glob("*.json")), list(aside.glob("*.npz"))
        show_bytes("receipts, while it runs", measure_size(receipts) / len(receipts), of="shard", times=shards)
        show_bytes("fingerprints, while it runs", measure_size(prints) / len(prints) / SHARD_SIZE)
        show("files", f"{len(job.tables)} a shard", f"{len(job.tables) * shards:,.0f}, {shards:,.0f} in a folder")
        measure_driver(job)
        measure_readers(job, Path(temporary) / "run")


def measure_driver(job: Job) -> None:
    """What the one process does that directs the others."""
    count = 200_000
    seconds = take_time(lambda: list(select_entrants(job.model, count=count, seed=0, batch=SHARD_SIZE)))
    show_hours("who enters, one process", seconds / count, of="patients", times=BILLION)
    numbers, words = np.arange(1_000_000), np.zeros(1_000_000, np.uint64)
    shards = [(numbers, words)] * 10
    seconds = take_time(lambda: combine([(name, shards) for name in job.tables], head="")) / (10 * len(numbers))
    show_hours("`dataset_sha256`, one process", seconds, of="patients", times=BILLION)
    files = {f"record/part-{index:05d}.parquet": describe_bytes(b"%d" % index) for index in range(40_000)}
    size = len(json.dumps({"files": files}, indent=2)) / 10_000
    show_bytes("`manifest.json`", size, of="shard", times=BILLION / SHARD_SIZE)
    tracemalloc.start()
    held = json.loads(json.dumps({"files": files}, indent=2))
    show_bytes(
        "the manifest in memory", tracemalloc.get_traced_memory()[0] / 10_000, of="shard", times=BILLION / SHARD_SIZE
    )
    tracemalloc.stop()
    del held


def measure_readers(job: Job, folder: Path) -> None:
    """What those do who read a run."""
    write_run(job, folder, patients=2_000)
    run = open_run(folder)
    show_bytes("`run.truth` in memory", run.truth.nbytes / 2_000)
    numbers = choose_patients(run, None)
    show_bytes(
        "`render`: the numbers of all patients in memory",
        (sys.getsizeof(numbers) + sum(map(sys.getsizeof, numbers))) / len(numbers),
    )
    render(run, patients="0-9", files=False)  # loads what notes need
    seed = 1
    for path in (folder / "notes").iterdir():
        path.unlink()
    (folder / "notes").rmdir()
    made: list[Any] = []
    seconds = take_time(lambda: made.append(render(run, patients=f"0-{NOTED - 1}", files=False, seed=seed)))
    notes = len(made[0])
    show("notes", f"{notes / NOTED:.1f} a patient", f"{notes / NOTED * BILLION:,.3g}")
    show_hours("notes, a core", seconds / notes, of="notes", times=notes / NOTED * BILLION)
    size = measure_size([made[0].folder / part for part in made[0].parts])
    show_bytes("notes, as lines", size / notes, of="note", times=notes / NOTED * BILLION)


if __name__ == "__main__":
    main()
