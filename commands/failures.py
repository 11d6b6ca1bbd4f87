"""What a system that fails looks like from inside: memory that ran out, a disk that refuses."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator

from ..errors import Problem

NO_MEMORY = Problem(
    "memory ran out",
    fix="smaller shards (--shard-size), fewer patients (-n) or --workers, or a higher limit (ulimit -v)",
)
_SIGNS = (  # how it is said by what does not raise MemoryError: torch, C++, the dynamic loader, threads
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
    "out of memory",
    "bad_alloc",
    "failed to map segment",
    "can't start new thread",
    "without exception set",  # C that could not even make the exception
    "without setting an exception",
)
_SYSTEM = {  # the errors that come from the machine's state, not from what a program asks of it
    getattr(errno, name)
    for name in (
        "ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM", "EIO", "EFBIG", "EMFILE", "ENFILE", "EAGAIN", "ESTALE", "ENXIO",
        "ENODEV", "ETIMEDOUT",
    )
}  # fmt: skip


def explain(error: BaseException) -> Problem | None:
    """What to say of an exception that nobody foresaw, where it is the system that fails; None for any other."""
    chain = list(_unroll(error))
    if any(map(_is_memory, chain)):
        return NO_MEMORY
    for each in chain:
        if isinstance(each, OSError) and each.errno in _SYSTEM:
            named = os.fsdecode(each.filename) if isinstance(each.filename, str | bytes) else ""
            return Problem(f"the system refuses: {each.strerror}", value=named, fix="another place, or more room")
        if isinstance(each, OSError) and str(each).startswith("Corruption"):
            from ..ontology.store import locate_cache

            return Problem("the cached ontology store is damaged", fix=f"remove the folder {locate_cache()}")
    return None


def _unroll(error: BaseException | None) -> Iterator[BaseException]:
    """The exception, and those that it came out of."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _is_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    return isinstance(error, RuntimeError | ImportError | OSError | SystemError) and any(
        sign in str(error).lower() for sign in _SIGNS
    )
