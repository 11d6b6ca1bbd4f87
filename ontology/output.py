"""Writes files whole or not at all."""

from __future__ import annotations

from pathlib import Path

from ..errors import fail


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all: under another name first, then renamed. Raises NosographError if this fails."""
    aside = path.with_name(f".{path.name}.part")
    try:
        aside.write_text(text, encoding="utf-8")
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise fail(f"the file cannot be written: {error.strerror}", fix="a folder that exists", value=path) from None
