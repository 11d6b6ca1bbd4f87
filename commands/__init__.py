"""The command line: what people type. Each command is one call that a notebook can make too."""

from __future__ import annotations

import logging
import sys
import traceback
from typing import Any

from ..errors import NosographError, Problem, escape_unprintable
from .failures import NO_MEMORY, explain
from .limits import is_limited, run_apart
from .signals import Listener, Stopped
from .streams import guard_streams

NAME = __package__.partition(".")[0]
BUG = "this is a mistake in nosograph: please report it, with the lines above"


def main() -> None:
    """Run the command line, as all that this process does. The exit code is 0 for done, 1 for a check that failed, 2
    for bad input or a system that fails, 3 for a mistake of ours, and 128 + its number for a signal that stops it."""
    code = run_apart(_main) if is_limited() else _main()
    if code is None:
        streams = guard_streams()
        code = _report(NO_MEMORY)
        streams.find_problem()
    sys.exit(code)


def _main() -> int:
    streams = guard_streams(is_limited())  # first: no other file may get their numbers
    listener = Listener()
    try:
        listener.start()
        code = run(listener)
        problem = streams.find_problem()
        code = _report(problem) if problem is not None else code
    except Stopped:  # before or after all else
        code = 128 + (listener.stopped_by or 0)
    listener.end()
    return code


def run(listener: Listener | None = None) -> int:
    """Run the command that `sys.argv` holds; its exit code. What went wrong is told. `listener` knows of signals."""
    try:
        code = _run()
    except BaseException as error:
        if listener is None or not listener.stopped_by:
            return _tell(error)
    if listener is None or not listener.stopped_by:
        return code
    _report(Problem(f"stopped by {listener.stopped_by.name}; the same command goes on, or begins again"))
    return 128 + listener.stopped_by


def _run() -> int:
    from .shared import PrintableFormatter  # all else is imported here: that can fail, or be stopped, too
    from .tree import app

    handler = logging.StreamHandler()
    handler.setFormatter(PrintableFormatter())
    logging.basicConfig(handlers=[handler])
    logging.getLogger(NAME).setLevel(logging.INFO)  # the first build of the knowledge graph takes a while
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it would tell where its fonts are listed
    try:
        app()
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else 0
    return 0


def _tell(error: BaseException) -> int:
    """Say what went wrong; the exit code. What nobody foresaw is shown as Python does."""
    if isinstance(error, NosographError):
        return _report(*error.problems)
    problem = explain(error)
    if problem is not None:
        return _report(problem)
    traceback.print_exception(error)
    sys.stderr.write(f"{BUG}\n")
    return 3


def _report(*problems: Problem) -> int:
    try:
        from .shared import report_problems

        report_problems(problems)
    except (MemoryError, ImportError, OSError):  # not even for that is there memory
        sys.stderr.write(escape_unprintable("".join(f"error: {problem}\n" for problem in problems)))
    return 2


def __getattr__(name: str) -> Any:
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .tree import app

    return app
