"""Worker processes, which load what they need while their parent loads its own."""

from __future__ import annotations

import multiprocessing
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext


def prepare_workers() -> ForkServerContext:
    """The context that workers come from. Called early, it has them ready by the time there is work."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["nosograph.simulate.runs.shard"])
    forkserver.ensure_running()
    return context
