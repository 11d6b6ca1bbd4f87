"""The one writer: files appear whole or not at all. And the one way from names to paths."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from ..errors import NosographError, fail
from .locks import hold_directory, hold_file

DRAFT = ".nosograph-draft-"  # how the name of a file or folder begins that is not whole yet
SYNCED_AT_ONCE = 16  # files
Fill = Callable[[Path], object]  # writes the file, or into the folder, that it is given the path of

_REASONS = {
    errno.ENOSPC: ("the disk is full", "room on the disk, then the same command again"),
    errno.EDQUOT: ("the disk quota is used up", "room on the disk, then the same command again"),
    errno.EACCES: ("no permission", "a folder that is yours"),
    errno.EPERM: ("no permission", "a folder that is yours"),
    errno.EROFS: ("the disk is read-only", "a folder on another disk"),
    errno.ENOENT: ("there is no such folder", "a folder that exists"),
    errno.ENOTDIR: ("there is no such folder", "a folder that exists"),
    errno.EISDIR: ("a folder has this name", "another name"),
    errno.ENAMETOOLONG: ("the name is too long", "a shorter name"),
    errno.EFBIG: ("a file becomes too large", "smaller files (--shard-size), or a higher limit (ulimit -f)"),
    errno.EMFILE: ("too many files are open", "a higher limit (ulimit -n)"),
}


def write_whole(path: Path, fill: Fill, *, aside: Path | None = None) -> None:
    """Let `fill` write a draft beside `path`, or in the folder `aside`, then give it its name. When this returns, the
    file is on the disk.

    Whatever fails, `path` is as it was before, and no draft stays. One that a killed process left is written over by
    the next, since a file's draft always has the same name. Raises NosographError where `path` cannot be written.
    """
    draft = (aside or path.parent) / f"{DRAFT}{path.name}"
    with explain_os_errors(path):
        with hold_file(draft):
            try:
                fill(draft)
                sync(draft)
                os.replace(draft, path)
            except BaseException:
                with suppress(OSError):  # the first error is the one to tell
                    draft.unlink(missing_ok=True)
                raise
        sync(path.parent)


def write_folder(path: Path, fill: Fill) -> None:
    """Let `fill` write into a draft of the new folder `path`, then give it its name. When this returns, all is on the
    disk. Where another process made the folder meanwhile, nothing happens.

    Whatever fails, there is no `path`, and no draft stays; see `write_whole`. Raises OSError (see `explain_os_errors`).
    """
    draft = path.parent / f"{DRAFT}{path.name}"
    with hold_directory(draft):
        try:
            if path.is_dir():
                return
            for left in draft.iterdir():
                remove(left)
            fill(draft)
            for file in draft.rglob("*"):
                sync(file)
            sync(draft)
            draft.rename(path)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    sync(path.parent)


def remove(path: Path) -> None:
    """Remove a file, a link, or a folder with all that is in it, whichever is there. Raises OSError."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes, *, aside: Path | None = None) -> None:
    """Write a file, as `write_whole` does."""
    write_whole(path, lambda draft: draft.write_bytes(content), aside=aside)


def write_text(path: Path, text: str) -> None:
    """Write a file in UTF-8, as `write_whole` does."""
    write_bytes(path, text.encode())


def write_new(path: Path, text: str) -> None:
    """Write a new file in UTF-8, as `write_whole` does. Where it is there with this very text, nothing happens; with
    another, perhaps an edited one, it stays, and NosographError is raised."""
    content = text.encode()
    with explain_os_errors(path):
        if path.exists() and not path.is_dir():
            if path.stat().st_size == len(content) and path.read_bytes() == content:
                return
            fix = f"another name; or remove {path}, then the same command again"
            raise fail("file already exists, with another text", value=path, fix=fix)
        write_bytes(path, content)


class Drafts:
    """Files that are written in the folder `aside` one by one, and get their names below `folder` together.

    A context: at its end all of the files get their names; where it fails before, none does, and no draft stays.
    `aside` lies on the same disk. `durable`: they are on the disk before they get their names. Raises OSError (see
    `explain_os_errors`), and NosographError as `join_path`.
    """

    def __init__(self, folder: Path, *, aside: Path, durable: bool = False) -> None:
        self.folder, self.aside, self.durable = folder, aside, durable
        self._token = secrets.token_hex(8)  # processes of several machines may write in one folder
        self._drafts: dict[Path, Path] = {}  # by target

    def write(self, *names: str, fill: Fill) -> Path:
        """Let `fill` write the draft of the file `names` (see `join_path`); its path."""
        target = join_path(self.folder, *names)
        draft = self.aside / f"{DRAFT}{self._token}-{len(self._drafts)}-{target.name}"
        assert target not in self._drafts, f"two files have the name {target}"
        self._drafts[target] = draft
        fill(draft)
        return draft

    def write_bytes(self, *names: str, content: bytes) -> None:
        """Write the draft of the file `names`."""
        self.write(*names, fill=lambda draft: draft.write_bytes(content))

    def __enter__(self) -> Self:
        self.aside.mkdir(exist_ok=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        try:
            if kind is None:
                self._publish()
        finally:
            with suppress(OSError):  # the failure before it is the one to tell; or others have files there
                for draft in self._drafts.values():
                    draft.unlink(missing_ok=True)
                self.aside.rmdir()

    def _publish(self) -> None:
        if self.durable:
            sync_all(self._drafts.values())
        for parent in {target.parent: None for target in self._drafts}:
            parent.mkdir(parents=True, exist_ok=True)
        for target, draft in list(self._drafts.items()):
            os.replace(draft, target)
            del self._drafts[target]


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno != errno.EINVAL or not path.is_dir():  # some network disks cannot do it for folders
            raise
    finally:
        os.close(handle)


def sync_all(paths: Iterable[Path]) -> None:
    """The same for many: the disk takes some together in little more time than one."""
    with ThreadPoolExecutor(SYNCED_AT_ONCE) as threads:
        for _ in threads.map(sync, paths):
            pass


def join_path(folder: Path, *names: str) -> Path:
    """The path `folder`/names[0]/names[1]/…, for names that come from a document, a run or a user.

    Raises NosographError for a name that is not that of one file or folder, and where links lead out of `folder`.
    """
    for name in names:
        if name in ("", ".", "..") or any(sign in name for sign in "/\\\0"):
            raise fail("the name cannot be that of a file or folder", value=repr(name), fix="a name without / or \\")
    path = folder.joinpath(*names)
    if not path.resolve().is_relative_to(folder.resolve()):
        raise fail("a link leads out of the folder", value=path, fix=f"a folder in {folder} itself")
    return path


@contextmanager
def explain_os_errors(path: Path, *, what: str = "file") -> Iterator[None]:
    """An OSError on the way to `path`, which is a file or a folder, becomes a NosographError that says what to do."""
    try:
        yield
    except BrokenPipeError:  # nobody reads what we print: it has nothing to do with the file
        raise
    except OSError as error:
        raise _explain(error, path, what) from error


def _explain(error: OSError, path: Path, what: str) -> NosographError:
    named = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else path
    own = named.name.startswith(DRAFT)
    if error.errno == errno.ENOENT and not own and named != path and named.parent.is_dir():
        return fail("a file is missing", value=named, fix="the same command again, if something removes files here")
    reason, fix = _REASONS.get(error.errno or 0, (str(error.strerror or error), "another place"))
    return fail(f"the {what} cannot be written: {reason}", value=path if own else named, fix=fix)
