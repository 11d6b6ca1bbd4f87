"""Files as manifests and receipts list them: with their size and SHA-256."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TypedDict


class FileEntry(TypedDict):
    """What a manifest says of a file."""

    bytes: int
    sha256: str


def describe_file(path: Path) -> FileEntry:
    """The entry of a file that is there. Raises OSError."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return {"bytes": file.tell(), "sha256": digest}


def describe_bytes(content: bytes) -> FileEntry:
    """The entry of a file that is to hold `content`."""
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
