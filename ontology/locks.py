"""Files and folders that one process of a machine holds. The system frees them when it ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def hold_file(path: Path, *, wait: bool = True) -> Iterator[int]:
    """The open file `path`, made where it is not there, while no other process of this machine holds it.

    Raises BlockingIOError where another one does and `wait` is False, and OSError where `path` cannot be opened.
    """
    handle = _hold(path, os.O_RDWR | os.O_CREAT, wait=wait)
    try:
        yield handle
    finally:
        os.close(handle)


@contextmanager
def hold_directory(path: Path, *, wait: bool = True) -> Iterator[None]:
    """The same for a folder."""
    handle = _hold(path, os.O_RDONLY | os.O_DIRECTORY, wait=wait)
    try:
        yield
    finally:
        os.close(handle)


def _hold(path: Path, flags: int, *, wait: bool) -> int:
    while True:
        if flags & os.O_DIRECTORY:
            path.mkdir(exist_ok=True)
        try:
            handle = os.open(path, flags | os.O_NOFOLLOW, 0o666)
        except FileNotFoundError:
            if flags & os.O_DIRECTORY and path.parent.is_dir():  # its last holder has just removed it
                continue
            raise
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            if _is_still(handle, path):
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)  # its last holder renamed or removed it: try again


def _is_still(handle: int, path: Path) -> bool:
    """Whether `path` is what was opened."""
    try:
        return os.path.samestat(os.fstat(handle), os.lstat(path))
    except FileNotFoundError:
        return False
