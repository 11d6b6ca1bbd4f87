"""A run on disk: shards in parallel, resumed after an interruption, and the manifest that says how to make it again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...causal.language import Expression
from ...causal.model.model import Model, Schedule
from ...errors import check_whole, fail
from ..entrants import count_patients, select_entrants
from .build import describe_build
from .fingerprint import combine
from .inventory import FileEntry, describe_bytes
from .job import JobFolder, Receipt
from .manifest import MODEL, RunManifest
from .room import check_room, estimate_run
from .shard import Job, read_fingerprints, write_shard
from .workers import PROCESSES, RAY, check_engine, check_workers

SHARD_SIZE = 10_000
LESS = "fewer patients, --every or --keep for a smaller truth, or a folder on another disk"


@dataclass(frozen=True)
class RunSummary:
    """What a finished run amounts to."""

    folder: Path
    patients: int
    drawn: int
    worlds: tuple[str, ...]
    rows: Mapping[str, int]
    dataset_sha256: str


def write_run(
    job: Job,
    folder: Path,
    *,
    patients: int,
    where: Expression | None = None,
    workers: int | None = None,
    engine: str = PROCESSES,
    shard_size: int = SHARD_SIZE,
    progress: Callable[[int], None] = lambda patients: None,
) -> RunSummary:
    """Simulate into `folder`, in shards of `shard_size` patients; an interrupted run goes on from its finished shards.

    The model is kept beside the data, as Turtle. `progress` is told of each finished shard's patients. Raises
    NosographError where the folder holds another run or cannot be written.
    """
    patients, workers, engine = count_patients(patients), check_workers(workers), check_engine(engine)
    if engine == RAY and job.device != "cpu":
        raise fail("Ray gives a part no other device than the CPU", value=job.device, fix="--device cpu")
    shard_size = check_whole(shard_size, "the size of a shard", least=1, fix="--shard-size 10000")
    identity = describe_run(job, patients=patients, where=where, shard_size=shard_size)
    source = job.model.to_turtle().encode()
    job = replace(job, model=replace(job.model, rdf=None))  # workers need no graph
    drawn = 0

    def shards() -> Iterator[NDArray[np.int64]]:  # a tensor would go to workers as an open file
        nonlocal drawn
        size = estimate_run(job, patients=patients, where=where)
        check_room(folder, size, what=f"{patients:,} patients", fix=LESS)
        for entrants in select_entrants(job.model, count=patients, seed=job.seed, where=where, batch=shard_size):
            drawn = entrants.drawn
            yield entrants.numbers.numpy()

    def summarise(receipts: Iterable[Receipt]) -> tuple[dict[str, Any], dict[str, bytes]]:
        held = summarise_shards(folder, receipts, identity=identity, tables=job.tables, drawn=drawn)
        if source:
            held["files"][MODEL] = describe_bytes(source)
        return held, {MODEL: source} if source else {}

    asked = {"clinic": None, **identity}  # a run without a clinic says nothing of one
    run = JobFolder(folder, asked, noun="run", another="the folder holds another run", schema=RunManifest)
    manifest = run.complete(
        partial(write_shard, job),
        shards(),
        summarise=summarise,
        workers=workers,
        engine=engine,
        progress=lambda receipt: progress(receipt.counts["patients"]),
    )
    return RunSummary(
        folder=folder,
        patients=manifest["patients"],
        drawn=manifest["drawn"],
        worlds=tuple(world["name"] for world in manifest["worlds"]),
        rows=manifest["rows"],
        dataset_sha256=manifest["dataset_sha256"],
    )


def summarise_shards(
    folder: Path, receipts: Iterable[Receipt], *, identity: Mapping[str, Any], tables: tuple[str, ...], drawn: int
) -> dict[str, Any]:
    """The manifest of a run whose shards are all there, but for the model's file."""
    rows = dict.fromkeys(tables, 0)
    files: dict[str, FileEntry] = {}
    shards = 0
    for receipt in receipts:
        rows = {name: rows[name] + receipt.counts["rows"][name] for name in tables}
        files.update(receipt.listed)
        shards += 1
    head = json.dumps([identity["worlds"], identity["keep"], identity["every"]])
    prints = ((name, (read_fingerprints(folder, index, name) for index in range(shards))) for name in tables)
    return {**identity, "drawn": drawn, "rows": rows, "dataset_sha256": combine(prints, head=head), "files": files}


def describe_run(job: Job, *, patients: int, where: Expression | None, shard_size: int) -> dict[str, Any]:
    """What makes a run this run and no other: no clock times, no host, not the number of workers."""
    return {
        "nosograph": version("nosograph"),
        "model": {
            "id": job.model.id,
            "version": job.model.version,
            "sha256": hash_model(job.model),
            "parameters": {p.name: p.value for p in job.model.parameters.values() if p.formula is None},
        },
        "seed": job.seed,
        "patients": patients,
        "worlds": [
            {"name": world.name, "interventions": [i.text for i in world.interventions]} for world in job.worlds
        ],
        "steps": job.steps,
        "where": str(where) if where is not None else None,
        "keep": list(job.layout.keep) if job.layout.keep is not None else None,
        "every": job.layout.every,
        **({"clinic": asdict(job.practice.clinic)} if job.practice is not None else {}),
        "shard_size": shard_size,
        "made_with": {**describe_build(), "device": job.device},
    }


def hash_model(model: Model) -> str:
    """SHA-256 of what the model says, whatever document or format it came from."""
    parts = [repr((model.id, model.version, model.clock, str(model.population)))]
    parameters = model.parameters.values()
    parts += [repr((p.name, p.value if p.formula is None else str(p.formula), p.unit)) for p in parameters]
    for v in model.variables.values():
        expressions = {key: str(expression) for key, expression in v.expressions.items()}
        schedule = (v.when.every, v.when.first, v.when.at) if isinstance(v.when, Schedule) else ()
        claims = sorted((c.cause, *((e.source, e.checked or "", e.says) for e in c.evidence)) for c in v.claims)
        nature = (v.name, v.kind, v.concept, v.unit, v.of, v.occurs, v.ends, v.competes, v.any_of, v.recorded)
        levels = (v.declared_levels, v.ordered) if v.declared_levels or v.ordered else ()
        parts.append(repr((nature, *levels, expressions, schedule, claims)))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
