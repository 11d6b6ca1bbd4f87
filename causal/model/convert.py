"""A document in another format: YAML, Turtle, JSON-LD, N-Triples or RDF/XML. The meaning is kept."""

from __future__ import annotations

from pathlib import Path

from ...errors import NosographError, fail, nearest
from ...ontology.files import RDF_FORMATS, write_graph
from ...ontology.mapping import to_data
from ...ontology.output import write_text
from ...ontology.vocabulary import NG
from ...ontology.yaml import write_yaml
from .compose import Source, compose

YAML = (".yaml", ".yml")


def convert(source: Source, path: str | Path) -> Path:
    """Write the document of `source` (imports stay imports) in the format given by the file extension of `path`.

    Raises NosographError for an invalid document, an unknown file extension, or a path that cannot be written.
    """
    path = Path(path)
    if path.suffix not in (*YAML, *RDF_FORMATS):
        known = (*YAML, *RDF_FORMATS)
        fix = f"a name that ends in {nearest(path.suffix, known) or ', '.join(known)}"
        raise fail("unknown file extension", fix=fix, value=path)
    composition = compose(source)
    if composition.problems:
        raise NosographError(composition.problems)
    graph = composition.own
    graph.remove((None, NG.model, None))  # the file of an import is not part of the document
    text = write_yaml(to_data(graph, composition.root)) if path.suffix in YAML else write_graph(graph, path.suffix)
    write_text(path, text)
    return path
