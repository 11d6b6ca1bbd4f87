"""OWL files (RDF/XML and OWL/XML) through owlready2, with its reasoner (HermiT, which needs Java) on request.

XML is checked before (see `markup`). Only owlready2's parser is used, on the file's bytes: its other loading code would
fetch what `owl:imports` names.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyoxigraph as ox

from ..errors import fail
from .markup import read_markup


def read_owl(path: Path, *, reason: bool = False) -> Iterator[ox.Quad]:
    """The triples of an OWL file in XML; with `reason`, also the subsumptions and types that HermiT infers.

    Raises NosographError if the file is not OWL, has more than plain entities, or is inconsistent (with `reason`), or
    if `reason` is set and Java is missing.
    """
    import owlready2

    markup = read_markup(path)
    if markup.root not in ("RDF", "Ontology"):
        raise fail("not an OWL file", fix="RDF/XML or OWL/XML", value=f"<{markup.root}>", file=str(path))
    world = owlready2.World()
    ontology = world.get_ontology(path.resolve().as_uri() + "#")
    try:
        with markup.open() as file:
            format = "owlxml" if markup.root == "Ontology" else "rdfxml"
            ontology.graph.parse(file, format=format, default_base=ontology.base_iri)
    except owlready2.OwlReadyOntologyParsingError as error:
        raise fail(f"not valid OWL: {error}", file=str(path)) from error
    if reason:
        _reason(world, path)
    dump = io.BytesIO()
    world.save(dump, format="ntriples")
    world.close()
    try:
        yield from ox.parse(dump.getvalue(), ox.RdfFormat.N_TRIPLES, rename_blank_nodes=True)
    except SyntaxError as error:  # an IRI with a blank, for example
        raise fail(f"not valid OWL: {error.msg}", value=(error.text or "")[:80], file=str(path)) from error


def _reason(world: Any, path: Path) -> None:
    import owlready2

    if shutil.which(owlready2.JAVA_EXE) is None:
        raise fail(
            "the OWL reasoner (HermiT) needs Java, and there is none",
            fix="install a Java runtime (for example `apt install default-jre-headless`), or load without reasoning",
            file=str(path),
        )
    try:
        owlready2.sync_reasoner_hermit(world, debug=0)
    except owlready2.OwlReadyInconsistentOntologyError as error:
        raise fail("the ontology is inconsistent, says HermiT", file=str(path)) from error
    except owlready2.OwlReadyJavaError as error:
        raise fail(f"the reasoner failed: {error}", file=str(path)) from error
