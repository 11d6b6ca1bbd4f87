"""A run on disk: shards in parallel, resumed after an interruption, and the manifest that says how to make it again."""

from __future__ import annotations

import errno
import hashlib
import json
import platform
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...causal.language import Expression
from ...causal.model.model import Model, Schedule
from ...errors import fail
from ..entrants import Entrants, count_patients, select_entrants
from .fingerprint import combine
from .shard import ASIDE, Job, Receipt, read_receipt, work_alone, write_shard, write_whole
from .tables import LISTING, TABLES
from .workers import prepare_workers

SHARD_SIZE = 10_000
LIBRARIES = ("nosograph", "torch", "pyro-ppl", "numpy", "numba", "pyarrow")


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
    workers: int = 1,
    shard_size: int = SHARD_SIZE,
    progress: Callable[[int], None] = lambda patients: None,
) -> RunSummary:
    """Simulate into `folder`, in shards of `shard_size` patients; an interrupted run goes on from its finished shards.

    The model is kept beside the data, as Turtle. `progress` is told of each finished shard's patients. Raises
    NosographError where the folder holds another run or cannot be written.
    """
    count_patients(patients)
    identity = describe_run(job, patients=patients, where=where, shard_size=shard_size)
    source = job.model.to_turtle()
    job = replace(job, model=replace(job.model, rdf=None))  # workers need no graph
    with _explain_disk_errors(folder):
        finished = find_finished(folder, identity)
        if finished is not None:
            return finished
        with _leave_whole(folder):
            open_folder(folder, identity, source=source)
            batches = select_entrants(job.model, count=patients, seed=job.seed, where=where, batch=shard_size)
            receipts, drawn = write_shards(job, batches, folder, workers=workers, progress=progress)
            return finish_run(folder, identity, receipts, tables=job.tables, drawn=drawn)


def write_shards(
    job: Job, batches: Iterable[Entrants], folder: Path, *, workers: int, progress: Callable[[int], None]
) -> tuple[list[Receipt], int]:
    """Write the shards that are not there yet: the receipts of all, in order, and how many candidates were drawn."""
    receipts: dict[int, Receipt] = {}
    drawn = 0

    def missing() -> Iterator[tuple[int, Tensor]]:
        nonlocal drawn
        for index, entrants in enumerate(batches):
            drawn = entrants.drawn
            ready = read_receipt(folder, index)
            if ready is None:
                yield index, entrants.numbers
            else:
                receipts[index] = ready
                progress(ready.patients)

    for receipt in run_shards(job, missing(), folder, workers=workers):
        receipts[receipt.index] = receipt
        progress(receipt.patients)
    return [receipts[i] for i in sorted(receipts)], drawn


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
        "made_with": {
            **{name: version(name) for name in LIBRARIES},
            "python": platform.python_version(),
            "cpu_capability": torch.backends.cpu.get_cpu_capability(),
            "machine": platform.machine(),
            "device": job.device,
        },
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
        nature = (v.name, v.kind, v.concept, v.unit, v.of, v.occurs, v.ends, v.competes, v.recorded)
        parts.append(repr((nature, expressions, schedule, claims)))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def find_finished(folder: Path, identity: dict[str, Any]) -> RunSummary | None:
    """The summary, where `folder` holds this very run already; None where the run can begin or go on in it.

    Raises NosographError, and touches nothing, where the folder holds anything else.
    """
    manifest, plan = folder / "manifest.json", folder / ASIDE / "plan.json"
    if manifest.is_file():
        held = _read_json(manifest)
        asked = {"clinic": None, **identity}  # a run without a clinic says nothing of one
        if isinstance(held, dict) and {key: held.get(key) for key in asked} == asked:
            lost = next((name for name in held["files"] if not (folder / name).is_file()), None)
            if lost is not None:
                raise fail("a file of the run is gone", value=folder / lost, fix="remove the folder, and run again")
            return summarise(folder, held)
        raise fail("the folder holds another run", value=folder, fix="another --out, or remove the folder first")
    if plan.is_file():
        if _read_json(plan) != identity:
            raise fail(
                "the folder holds another run, unfinished",
                value=folder,
                fix="another --out, or the same arguments to go on",
            )
    elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise fail("the folder is not empty and holds no run", value=folder, fix="a new folder")
    return None


def open_folder(folder: Path, identity: dict[str, Any], *, source: str) -> None:
    """Make `folder` ready for this run, or for going on with it."""
    (folder / ASIDE).mkdir(parents=True, exist_ok=True)
    write_whole(folder / ASIDE / "plan.json", lambda path: path.write_text(json.dumps(identity, indent=2)))
    if source:
        write_whole(folder / "model.ttl", lambda path: path.write_text(source))


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise fail(f"the folder's {path.name} is not JSON", value=path.parent, fix="another --out") from error


def run_shards(job: Job, shards: Iterator[tuple[int, Tensor]], folder: Path, *, workers: int) -> Iterator[Receipt]:
    """Write shards here, or in `workers` processes of one thread each; receipts come as shards finish."""
    if workers == 1:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            for index, numbers in shards:
                yield write_shard(job, index, numbers, folder)
        finally:
            torch.set_num_threads(threads)
        return
    with ProcessPoolExecutor(workers, mp_context=prepare_workers(), initializer=work_alone) as pool:
        waiting: set[Future[Receipt]] = set()
        try:
            for index, numbers in shards:
                waiting.add(pool.submit(write_shard, job, index, numbers, folder))
                if len(waiting) >= 2 * workers:  # patient numbers wait in memory: no more than are needed
                    done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in done)
            for future in waiting:
                yield future.result()
        except BrokenProcessPool as error:
            raise fail(
                "a worker was killed, perhaps because memory ran out",
                value=folder,
                fix="fewer workers; the same command goes on from the finished shards",
            ) from error
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def finish_run(
    folder: Path, identity: dict[str, Any], receipts: list[Receipt], *, tables: tuple[str, ...], drawn: int
) -> RunSummary:
    """Write the manifest, last of all, and clear away what lay aside."""
    prints = [folder / ASIDE / f"{receipt.index:05d}.npz" for receipt in receipts]
    head = json.dumps([identity["worlds"], identity["keep"], identity["every"]])
    columns = ((name, (read_fingerprints(path, name) for path in prints)) for name in tables)
    held = {
        **identity,
        "drawn": drawn,
        "rows": {name: sum(receipt.rows[name] for receipt in receipts) for name in tables},
        "dataset_sha256": combine(columns, head=head),
        "files": {name: digest for receipt in receipts for name, digest in receipt.files.items()},
    }
    model = folder / "model.ttl"
    if model.is_file():
        held["files"]["model.ttl"] = hashlib.sha256(model.read_bytes()).hexdigest()
    write_whole(folder / "manifest.json", lambda path: path.write_text(json.dumps(held, indent=2) + "\n"))
    shutil.rmtree(folder / ASIDE)
    return summarise(folder, held)


def read_fingerprints(path: Path, table: str) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    with np.load(path) as held:
        return held[f"{table}.patients"], held[f"{table}.words"]


def summarise(folder: Path, held: Mapping[str, Any]) -> RunSummary:
    return RunSummary(
        folder=folder,
        patients=held["patients"],
        drawn=held["drawn"],
        worlds=tuple(world["name"] for world in held["worlds"]),
        rows=held["rows"],
        dataset_sha256=held["dataset_sha256"],
    )


@contextmanager
def _explain_disk_errors(folder: Path) -> Iterator[None]:
    """What goes wrong on the way to the disk is the user's to mend."""
    try:
        yield
    except OSError as error:
        reasons = {
            errno.ENOSPC: ("the disk is full", "room on the disk, then the same command again: it goes on from there"),
            errno.EACCES: ("the folder cannot be written", "a folder that is yours"),
            errno.EROFS: ("the folder cannot be written", "a folder on a disk that can be written"),
            errno.EPERM: ("the folder cannot be written", "a folder that is yours"),
        }
        problem, fix = reasons.get(error.errno or 0, (f"writing failed: {error.strerror or error}", "another --out"))
        raise fail(problem, value=folder, fix=fix) from error


@contextmanager
def _leave_whole(folder: Path) -> Iterator[None]:
    """Whatever stops the run, nothing half-written stays; finished shards do, for the next try."""
    try:
        yield
    except BaseException:
        _sweep(folder)
        raise


def _sweep(folder: Path) -> None:
    """Remove what is half-written: drafts, files of shards that were not finished; all of it where none was."""
    aside = folder / ASIDE
    if not aside.is_dir():
        return
    for draft in [*aside.glob("*.parquet"), *aside.glob("draft-*"), *folder.glob("draft-*")]:
        draft.unlink(missing_ok=True)
    finished = {path.stem for path in aside.glob("[0-9]*.json")}
    for part in folder.glob("*/part-*.parquet"):
        if part.stem.removeprefix("part-") not in finished:
            part.unlink(missing_ok=True)
    if not finished:
        shutil.rmtree(aside, ignore_errors=True)
        (folder / "model.ttl").unlink(missing_ok=True)
        for empty in [*(folder / name for name in (*TABLES, LISTING)), folder]:
            if empty.is_dir() and not any(empty.iterdir()):
                empty.rmdir()
