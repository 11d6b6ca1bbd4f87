"""Standard output and error that are full, closed, or read by nobody."""

from __future__ import annotations

import errno
import io
import os
import sys
from dataclasses import dataclass
from typing import Any, TextIO

from ..errors import Problem


class Output(io.FileIO):
    """A standard stream. Where it cannot be written, that is remembered, and nothing stops: neither here nor when
    Python flushes it in the end."""

    failure: OSError | None = None

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError as error:
            self.failure = self.failure or error
            return memoryview(data).nbytes


@dataclass(frozen=True)
class Streams:
    """Standard output, as this process writes it."""

    output: Output

    def find_problem(self) -> Problem | None:
        """What kept the output from being written; None where all went well, or nobody wanted to read on."""
        sys.stdout.flush()
        failure = self.output.failure
        if failure is None or failure.errno == errno.EPIPE:
            return None
        return Problem(f"the output cannot be written: {failure.strerror}", fix="another place for standard output")


def guard_streams(alone: bool = False) -> Streams:
    """Put an `Output` in the place of standard output and error: for the whole life of the process. `alone`: only we
    write on standard error, no library that is not written in Python."""
    closed = _open_closed()
    output = Output(1, "w", closefd=False)
    if 1 in closed:
        output.failure = OSError(errno.EBADF, "it is closed")
    if sys.stdout is sys.__stdout__:  # otherwise somebody in this process reads it
        sys.stdout = _wrap(output, sys.stdout)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _wrap(Output(_move_away(2) if alone else 2, "w", closefd=False), sys.stderr, line_buffering=True)
    return Streams(output)


def _open_closed() -> list[int]:
    """Open what is closed of the first three, so that no file of ours gets its number; which these were."""
    closed = []
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
            closed.append(number)
    return closed


def _move_away(number: int) -> int:
    """Another number for an open file; its own leads nowhere."""
    moved, nowhere = os.dup(number), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)
    return moved


def _wrap(raw: Output, held: TextIO | None, *, line_buffering: bool = False) -> TextIO:
    if held is None:
        return io.TextIOWrapper(io.BufferedWriter(raw), "utf-8", "backslashreplace", line_buffering=True)
    line_buffering = line_buffering or raw.isatty()
    return io.TextIOWrapper(io.BufferedWriter(raw), held.encoding, held.errors, line_buffering=line_buffering)
