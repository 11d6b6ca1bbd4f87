"""Commands under a limit of memory: `ulimit -v`."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable
from types import FrameType

from .signals import GRACE, STOPS

LONGER = int(GRACE) + 2  # seconds in which the child has ended, if it hears of signals at all


def is_limited() -> bool:
    """Whether the process may only have so much memory."""
    return resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY


def run_apart(command: Callable[[], int]) -> int | None:
    """The exit code of `command`, run in a child process; None where a library ended that process.

    That is what C++, Rust and OpenBLAS do when memory runs out.
    """
    told, tell = os.pipe()
    try:
        child = os.fork()
    except OSError:  # no memory for a second process
        return command()
    if child == 0:
        code = command()
        os.write(tell, bytes([code]))
        return code
    os.close(tell)
    stopped_by: list[int] = []

    def pass_on(number: int, frame: FrameType | None) -> None:
        stopped_by.append(number)
        os.kill(child, number)
        signal.alarm(LONGER)

    for number in STOPS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, pass_on)
    signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))  # OpenBLAS can wait for memory for ever
    code_told = os.read(told, 1)
    os.waitpid(child, 0)
    signal.alarm(0)
    if code_told:
        return code_told[0]
    return 128 + stopped_by[0] if stopped_by else None
