"""The store of the knowledge graph: cached on disk, where many processes read it, or in memory.

A store is built under another name and then renamed, so that it is there whole or not at all; a cached store never
changes.
"""

from __future__ import annotations

import atexit
import hashlib
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain
from pathlib import Path

import pyoxigraph as ox

from ..errors import fail
from .locks import hold_directory
from .output import DRAFT, write_folder

_READERS = ("obo.py", "hpo.py", "rdf.py", "markup.py", "owl.py", "rf2.py", "sources.py", "prefixes.py")
_log = logging.getLogger("nosograph")
_UNUSED = 60 * 86_400.0  # seconds
_temporary: Path | None = None  # this process's own cache, where the usual one cannot be written
_makes_none = False  # a worker makes no cache of its own
_in_memory: dict[Path, ox.Store] = {}  # where that cannot be written either


def locate_cache() -> Path:
    """The cache folder: $NOSOGRAPH_CACHE, or `nosograph` in $XDG_CACHE_HOME or in ~/.cache."""
    if own := os.environ.get("NOSOGRAPH_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nosograph"


def key_of(released: Sequence[Path], own: Sequence[Path] = ()) -> str:
    """A name for the store that the current readers make from these files.

    Files of a package count by name, size and beginning (which has their version), so that two environments share a
    store; a user's own files and folders count by path and time of change as well.
    """
    digest = hashlib.sha256()
    for reader in _READERS:
        digest.update((Path(__file__).parent / reader).read_bytes())
    for file in released:
        with file.open("rb") as opened:
            digest.update(f"|{file.name} {file.stat().st_size}|".encode() + opened.read(4096))
    for path in own:
        for file in sorted(part for part in path.rglob("*") if part.is_file()) if path.is_dir() else [path]:
            status = file.stat()
            digest.update(f"|{file.resolve()} {status.st_size} {status.st_mtime_ns}|".encode())
    return digest.hexdigest()[:16]


def open_cached(
    folder: Path, key: str, build: Callable[[], Iterable[ox.Quad]], *, base: ox.Store | None = None
) -> ox.Store:
    """The store `key` in the cache, read-only; it is built first if it is not there yet, upon all that `base` holds,
    which is another store that this function has opened.

    If the cache cannot be written (a read-only home, a full disk), the store is built once for this process and its
    workers in the system's temporary folder, which is removed at the end; if not even that can be written, in memory.
    Raises NosographError where the store is there and cannot be read.
    """
    for place in (folder, _temporary):
        if place is not None and (place / key).is_dir():
            return _open(place / key)
    if folder / key in _in_memory:
        return _in_memory[folder / key]
    places: tuple[Callable[[], Path], ...] = (partial(_prepare_cache, folder), _make_temporary)
    for open_place in places:
        with suppress(OSError):  # pyoxigraph, too, reports a full disk as OSError
            target = open_place() / key
            write_folder(target, lambda draft: _build(draft, build, base))
            return _open(target)
    store = ox.Store()
    store.bulk_extend(chain(base or (), build()))
    _in_memory[folder / key] = store
    return store


def adopt_cache(folder: Path | None) -> None:
    """In a worker: share the temporary cache that its parent has made, and make none, which nobody would remove."""
    global _temporary, _makes_none
    _temporary, _makes_none = folder, True


def find_temporary_cache() -> Path | None:
    """The temporary cache that this process has made, or shares with its parent."""
    return _temporary


def _prepare_cache(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    _remove_old(folder)
    _log.info("reading the ontologies into %s, once; this takes some ten seconds", folder)
    return folder


def _make_temporary() -> Path:
    global _temporary
    if _temporary is None:
        if _makes_none:
            raise PermissionError
        _log.warning("the cache cannot be written, so the ontologies are read anew: set NOSOGRAPH_CACHE to a folder")
        _temporary = Path(tempfile.mkdtemp(prefix="nosograph-"))
        atexit.register(shutil.rmtree, _temporary, ignore_errors=True)
    return _temporary


def _open(target: Path) -> ox.Store:
    with suppress(OSError):  # somebody else's cache is not ours to mark
        os.utime(target)  # in use: see _remove_old
    try:
        return ox.Store.read_only(str(target))
    except (OSError, RuntimeError) as error:
        raise fail(f"the cached ontology store cannot be read: {error}", fix=f"delete the folder {target}") from error


def _build(draft: Path, build: Callable[[], Iterable[ox.Quad]], base: ox.Store | None) -> None:
    quads: Iterable[ox.Quad] = ()
    if base is not None and any(base is store for store in _in_memory.values()):
        quads = base
    elif base is not None:  # its files never change, so that the copy consists of links where there are such
        base.backup(str(draft / "base"))
        for file in (draft / "base").iterdir():
            file.rename(draft / file.name)
        (draft / "base").rmdir()
    store = ox.Store(str(draft))
    store.bulk_extend(chain(quads, build()))
    store.flush()
    del store  # closes the files


def _remove_old(folder: Path) -> None:
    """Remove what killed builds have left, and stores that nobody has opened for two months."""
    for left in folder.iterdir():
        if left.name.startswith(DRAFT):
            with suppress(OSError), hold_directory(left, wait=False):  # nobody is building it
                shutil.rmtree(left)
        elif time.time() - left.stat().st_mtime > _UNUSED:
            shutil.rmtree(left, ignore_errors=True)
