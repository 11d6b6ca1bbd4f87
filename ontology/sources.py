"""Files of ontologies and annotations as triples, each read by its format."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pyoxigraph as ox

from ..errors import fail
from .obo import read_obo
from .rdf import detect_format, read_rdf


def read(path: Path, *, reason: bool = False) -> Iterable[ox.Quad]:
    """The triples of a file or RF2 folder, read by suffix and content. Raises NosographError if it is unreadable."""
    if path.is_dir():
        from .rf2 import read_rf2

        return read_rf2(path)
    kind = detect_format(path)
    if kind == "owl" or reason:
        from .owl import read_owl

        return read_owl(path, reason=reason)
    return read_obo(path) if kind == "obo" else read_rdf(path)


def find_file(path: str | Path) -> Path:
    """The path of an existing file or folder. Raises NosographError if there is none."""
    found = Path(path)
    if not found.exists():
        raise fail("there is no such file", value=found, fix="the path of an ontology file or of an RF2 folder")
    return found
