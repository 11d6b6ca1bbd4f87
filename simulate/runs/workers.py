"""The parts of a job, done here or in worker processes, which load what they need while their parent loads its own."""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any, TypeVar

from ...causal.program.threads import one_thread
from ...errors import check_whole, fail
from ...ontology.store import adopt_cache, find_temporary_cache

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # what tells a process, or a whole group of them, to stop
P = TypeVar("P")
R = TypeVar("R")

PROCESSES, RAY = ENGINES = ("processes", "ray")

_work: Callable[[Any], Any] | None = None  # in a worker: what it does with each part


def check_workers(workers: int | None) -> int | None:
    """`workers`, where it is a number of workers, or None. Raises NosographError elsewhere."""
    if workers is None:
        return None
    return check_whole(workers, "the number of workers", least=1, most=100_000, fix="--workers 1")


def check_engine(engine: str) -> str:
    """`engine`, where it is one. Raises NosographError elsewhere."""
    if engine not in ENGINES:
        raise fail("there is no such engine", value=engine, fix=f"--engine {' or --engine '.join(ENGINES)}")
    return engine


def prepare_workers() -> ForkServerContext:
    """The context that workers come from. Called early, it has them ready by the time there is work. Raises
    NosographError where the path of the temporary folder is too long for a socket."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["nosograph.simulate.runs.preload"])
    resource_tracker.ensure_running()  # first: it unblocks signals
    with _apart():
        try:
            forkserver.ensure_running()
        except OSError as error:
            if "path too long" not in str(error):  # an error of Python's own, without a number
                raise
            place = tempfile.gettempdir()
            fix = "set TMPDIR to a folder with a short name, such as /tmp"
            raise fail("workers cannot talk in a folder with so long a path", value=place, fix=fix) from error
    return context


@contextmanager
def _apart() -> Iterator[None]:
    """What is started inside leaves signals and words to its parent, from its first instruction on: the signals that
    stop a job are blocked in it, and in all that comes from it, and its standard error leads nowhere."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    own, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(own, 2)
        os.close(own)
        os.close(nowhere)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def run_parts(
    work: Callable[[P], R], parts: Iterable[P], *, workers: int | None = None, engine: str = PROCESSES
) -> Generator[R, None, None]:
    """`work` of each part, in their order, as they are done: here, in `workers` processes of one thread each, or on a
    Ray cluster (see `run_parts_on_ray`). Where `workers` is None: here, or on all of the cluster.

    `work` is sent to each worker once; parts are taken as they are needed, two a worker ahead. Close the iterator (or
    exhaust it) before anything is done with the parts' files: no worker is left then. Raises what `work` raises, and
    NosographError where a worker was killed.
    """
    if engine == RAY:
        from .cluster import run_parts_on_ray

        yield from run_parts_on_ray(work, parts, workers=workers)
        return
    if workers is None or workers <= 1:
        with one_thread():
            yield from map(work, parts)
        return
    context = prepare_workers()
    watched, lifeline = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(
        workers, mp_context=context, initializer=_start, initargs=(work, watched, find_temporary_cache())
    )
    waiting: deque[Future[R]] = deque()
    try:
        for part in parts:
            waiting.append(_submit(pool, part))
            if len(waiting) >= 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        fix = "fewer workers; the same command goes on from the finished parts"
        raise fail(
            "a worker was killed, perhaps because memory ran out", value=f"{workers} workers", fix=fix
        ) from error
    finally:
        lifeline.close()  # they leave what they are at
        pool.shutdown(wait=True, cancel_futures=True)
        watched.close()


def _submit(pool: ProcessPoolExecutor, part: Any) -> Future[Any]:
    """Have a part done. It starts a worker where none is free."""
    try:
        return pool.submit(_do, part)
    except (EOFError, ConnectionError) as error:
        raise BrokenProcessPool("what starts the workers is gone") from error


def _start(work: Callable[[Any], Any], watched: Connection, cache: Path | None) -> None:
    """Begin a worker, which leaves with its parent and only then."""
    global _work
    _work = work
    adopt_cache(cache)
    for number in STOPS:
        signal.signal(number, signal.SIG_IGN)
    try:
        threading.Thread(target=_leave_with_the_job, args=(watched,), daemon=True).start()
    except RuntimeError:  # no memory for a thread; the parent says that a worker is gone
        os._exit(1)


def _leave_with_the_job(watched: Connection) -> None:
    """End this worker when the process that started it has closed its end, or is gone: killed, it could not say so."""
    watched.poll(None)
    os._exit(0)


def _do(part: Any) -> Any:
    """The work of one part, on one thread: workers would crowd each other."""
    import pyarrow as pa
    import torch

    assert _work is not None
    torch.set_num_threads(1)
    pa.set_cpu_count(1)
    return _work(part)
