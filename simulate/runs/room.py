"""The room on a disk: how much a job will write is said before it begins, and more than there is refused."""

from __future__ import annotations

import io
import logging
import shutil
from pathlib import Path

from ...causal.language import Expression
from ...causal.program.threads import one_thread
from ...errors import fail
from ..entrants import select_entrants
from .shard import Job, simulate_tables, write_table

WORTH_A_WORD = 1e9  # bytes
PROBED = 500  # patients: bytes a patient come out 3% high, by what each file has once
NEGLIGIBLE = 1e8  # values in the truth: they take a few seconds, and some 100 MB
_log = logging.getLogger("nosograph")


def estimate_run(job: Job, *, patients: int, where: Expression | None) -> float:
    """The bytes of a run's tables, by those of its first patients, made in memory; 0 for a small run."""
    layout = job.layout
    width = len(job.model.variables) if layout.keep is None else len(layout.keep)
    if patients * len(job.worlds) * (job.steps / layout.every + 1) * width < NEGLIGIBLE:
        return 0.0
    probed = min(patients, PROBED)
    with one_thread():
        entrants = next(iter(select_entrants(job.model, count=probed, seed=job.seed, where=where, batch=probed)))
        tables = simulate_tables(job, entrants.numbers)
    size = 0
    for table in tables.values():
        buffer = io.BytesIO()
        write_table(table, buffer)
        size += buffer.tell()
    return size / probed * patients


def check_room(folder: Path, size: float, *, what: str, fix: str) -> None:
    """Say how much is going to be written, where that is much. `size`: the bytes of all; what lies in `folder` already
    is of them. Raises NosographError where the rest is more than the disk has room for."""
    free = shutil.disk_usage(folder).free
    held = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    rest = size - held
    if rest > free:
        value = f"{describe_size(rest)} for {what}; {describe_size(free)} free in {folder}"
        raise fail("the disk has not enough room", value=value, fix=fix)
    if rest > WORTH_A_WORD:
        _log.info("%s: about %s; %s are free", what, describe_size(rest), describe_size(free))


def describe_size(size: float) -> str:
    """Bytes in words: "2.6 GB"."""
    for unit in ("bytes", "kB", "MB", "GB", "TB", "PB"):
        if size < 1000:
            return f"{size:,.3g} {unit}"
        size /= 1000
    return f"{size:,.3g} EB"
