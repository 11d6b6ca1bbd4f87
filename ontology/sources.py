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
        return read_releases([path])
    kind = detect_format(path)
    if reason and kind not in ("owl", "xml"):
        fix = "save it as RDF/XML, or load it without reasoning"
        raise fail("the reasoner reads OWL as RDF/XML or OWL/XML only", fix=fix, file=str(path))
    if kind == "owl" or reason:
        from .owl import read_owl

        return read_owl(path, reason=reason)
    return read_obo(path) if kind == "obo" else read_rdf(path)


def read_releases(folders: Iterable[Path]) -> Iterable[ox.Quad]:
    """The triples of RF2 folders taken together. Raises NosographError if they are unreadable."""
    from .rf2 import read_rf2

    return read_rf2(*folders)


def find_file(path: str | Path) -> Path:
    """The path of an existing file or folder. Raises NosographError if there is none."""
    found = Path(path)
    if not found.exists():
        raise fail("there is no such file", value=found, fix="the path of an ontology file or of an RF2 folder")
    return found
