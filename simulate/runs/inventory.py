"""Files as manifests and receipts list them, with size and SHA-256; and what is read of them, held to that."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict  # pydantic reads the one of `typing` only from Python 3.12 on

from ...errors import fail
from ...ontology.output import join_path

Count = Annotated[int, Field(ge=0, le=2**63 - 1)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class FileEntry(TypedDict):
    """What a manifest says of a file."""

    bytes: Count
    sha256: Sha256


def describe_file(path: Path) -> FileEntry:
    """The entry of a file that is there. Raises OSError."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return {"bytes": file.tell(), "sha256": digest}


def describe_bytes(content: bytes) -> FileEntry:
    """The entry of a file that is to hold `content`."""
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


@lru_cache(maxsize=2**18)
def _hash_once(path: Path, inode: int, size: int, changed: int) -> str:
    """SHA-256 of a file, computed once a process as long as it stays the same."""
    return describe_file(path)["sha256"]


@dataclass(frozen=True)
class Inventory:
    """The files of a folder that its manifest lists, by name below it.

    A file that is missing, has changed or lies behind a link out of the folder is refused when it is first read.
    `fix`: what messages then advise; `noun`: what the files are of.
    """

    folder: Path
    entries: Mapping[str, FileEntry]
    fix: str
    noun: str = "run"

    def check_sizes(self) -> None:
        """Raise NosographError where a file is missing or has another size."""
        for name in self.entries:
            self._locate(name)

    def check(self) -> None:
        """Raise NosographError where a file is missing, or has another size or SHA-256."""
        for name in self.entries:
            self.find(name)

    def find(self, name: str) -> Path:
        """The path of a file that has its size and SHA-256. Raises NosographError."""
        path = self._locate(name)
        state = path.stat()
        if _hash_once(path, state.st_ino, state.st_size, state.st_mtime_ns) != self.entries[name]["sha256"]:
            raise fail("the file has changed since it was written: its SHA-256 differs", file=str(path), fix=self.fix)
        return path

    def _locate(self, name: str) -> Path:
        path = join_path(self.folder, *name.split("/"))
        if not path.is_file():
            raise fail(f"a file of the {self.noun} is missing", file=str(path), fix=self.fix)
        size, listed = path.stat().st_size, self.entries[name]["bytes"]
        if size != listed:
            value = f"{size:,} bytes, {listed:,} in the manifest"
            raise fail("the file has changed since it was written", value=value, file=str(path), fix=self.fix)
        return path
