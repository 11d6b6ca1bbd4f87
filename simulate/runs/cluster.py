"""The parts of a job on a Ray cluster: one that is there, or one of this machine's cores for as long as the job runs.

Every machine needs the same build of nosograph, and sees the job's folder under the same path.
"""

from __future__ import annotations

import logging
import os
import platform
import random
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any, TypeVar

from ...causal.program.threads import one_thread
from ...errors import fail
from .build import describe_build

P = TypeVar("P")
R = TypeVar("R")

RETRIES = 5  # of a part whose worker or machine is lost: one that kills whoever takes it ends the job
STOPPED_WITHIN = 5.0  # seconds that cancelled parts get to end


def run_parts_on_ray(work: Callable[[P], R], parts: Iterable[P], *, workers: int | None) -> Generator[R, None, None]:
    """`work` of each part, in their order, as they are done: on `workers` CPUs of the cluster, on all of them for None.

    Parts are taken as they are needed, two a CPU ahead. A part whose worker or machine is lost is done again elsewhere,
    so `work` must be one that can be repeated. Raises what `work` raises, and NosographError where there is no cluster,
    or a machine has another build.
    """
    with _connect() as ray:
        do = ray.remote(num_cpus=1, max_retries=RETRIES)(_do)
        held, build = ray.put(work), describe_build()
        waiting: deque[Any] = deque()
        try:
            for part in parts:
                waiting.append(do.remote([held], build, part))
                while len(waiting) >= (workers or 2 * count_cpus(ray)):
                    yield ray.get(waiting[0])
                    waiting.popleft()
            while waiting:
                yield ray.get(waiting[0])
                waiting.popleft()
        except ray.exceptions.RayTaskError as error:
            raise error.cause from error
        except ray.exceptions.RayError as error:
            problem = "a part's worker was lost again and again, perhaps because memory ran out"
            fix = "more memory a CPU; the same command goes on from the finished parts"
            raise fail(problem, value=str(error).strip().partition("\n")[0], fix=fix) from error
        finally:
            _cancel(ray, waiting)


def count_cpus(ray: Any) -> int:
    """The CPUs of the cluster as it is now: machines come and go."""
    return max(1, int(ray.cluster_resources().get("CPU", 1)))


@contextmanager
def _connect() -> Iterator[Any]:
    """Ray, connected to the cluster at $RAY_ADDRESS, else to a new one of this machine's cores. A connection that the
    caller has made is used, and stays. Ray itself would also try the last cluster that was started on this machine, for
    minutes where that has ended: RAY_ADDRESS=auto asks for it."""
    try:
        import ray
    except ModuleNotFoundError as error:
        raise fail("Ray is not installed", value="--engine ray", fix="pip install 'nosograph[ray]'") from error
    if ray.is_initialized():
        yield ray
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # a cluster that is started here reports to nobody
    address = os.environ.get("RAY_ADDRESS") or "local"
    with _keep_state():
        try:
            ray.init(address, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
        except (ConnectionError, RuntimeError, ValueError, ImportError) as error:
            reason = str(error).strip().partition("\n")[0]
            fix = "RAY_ADDRESS=HOST:PORT of a cluster that runs, or no RAY_ADDRESS for this machine alone"
            raise fail("no Ray cluster can be used", value=f"{address}: {reason}", fix=fix) from error
    try:
        yield ray
    finally:
        with _keep_state():
            ray.shutdown()


@contextmanager
def _keep_state() -> Iterator[None]:
    """Put back what Ray takes for itself: Python's random numbers and, in the main thread, SIGTERM."""
    state, handler = random.getstate(), signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        random.setstate(state)
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)


def _cancel(ray: Any, waiting: Sequence[Any]) -> None:
    """Stop the parts that are still at work, and wait until they have ended."""
    for part in waiting:
        with suppress(ray.exceptions.RayError):
            ray.cancel(part, force=True)
    if waiting:
        ray.wait(list(waiting), num_returns=len(waiting), timeout=STOPPED_WITHIN)


def _do(held: Sequence[Any], build: dict[str, str], part: Any) -> Any:
    """One part, in a worker of the cluster. `held`: the reference of the work, in a list, so that Ray does not fetch it
    for each part anew."""
    other = {name: own for name, own in describe_build().items() if own != build.get(name)}
    if other:
        told = ", ".join(f"{name} {own}, not {build.get(name)}" for name, own in other.items())
        fix = "the same versions on every machine; for cpu_capability, ATEN_CPU_CAPABILITY=avx2 on every one"
        raise fail(
            "a machine of the cluster has another build, so its bytes differ",
            value=f"{platform.node()}: {told}",
            fix=fix,
        )
    work = _fetch(held[0])
    with one_thread():
        return work(part)


@lru_cache(maxsize=1)
def _fetch(reference: Any) -> Callable[[Any], Any]:
    """The work, once a worker."""
    import pyarrow as pa
    import ray

    pa.set_cpu_count(1)
    work: Callable[[Any], Any] = ray.get(reference)
    return work
