"""The knowledge graph as rdflib sees it. Slow to import, and so only where rdflib or SPARQL is asked for."""

from __future__ import annotations

import re
import shutil
import tempfile
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyoxigraph as ox
from oxrdflib import OxigraphStore
from rdflib import Graph
from rdflib.graph import DATASET_DEFAULT_GRAPH_ID

from ..errors import fail

_DEEPEST_QUERY = 100
_SPARQL_TEXT = re.compile(
    r"<[^<>\"{}|^`\\\s]*>"  # IRIs
    r"|\"\"\".*?\"\"\"|'''.*?'''|\"(?:[^\"\\\r\n]|\\.)*\"|'(?:[^'\\\r\n]|\\.)*'"  # strings
    r"|\\."  # an escaped character of a name: what follows \# is no comment
    r"|\#[^\r\n]*",  # comments
    re.DOTALL,
)
_SPARQL_NETWORK = re.compile(r"(?<![\w:?$@.-])(service|load)(?![\w:-])", re.IGNORECASE)


def refuse_unsafe(query: str) -> None:
    """Raises NosographError where a query would reach the network (SERVICE, LOAD) or is nested without end."""
    code = _SPARQL_TEXT.sub(" ", query)
    if word := _SPARQL_NETWORK.search(code):
        raise fail(
            f"{word[1].upper()} would reach the network, and queries here never do",
            fix="load the other graph's file with `load`, then query without it",
            node="SPARQL",
        )
    depth = 0
    for bracket in re.findall(r"[][(){}]", code):
        depth += 1 if bracket in "[({" else -1
        if depth > _DEEPEST_QUERY:
            raise fail("a query nested too deeply", node="SPARQL")


class LocalStore(OxigraphStore):
    """oxrdflib's store, whose queries and updates cannot reach the network."""

    @property
    def inner(self) -> ox.Store:
        """The pyoxigraph store itself."""
        return self._inner

    def query(self, query: Any, initNs: Mapping[str, Any], initBindings: Any, queryGraph: Any, **more: object) -> Any:
        """As rdflib asks of a store. Raises NosographError where the query names a SERVICE."""
        refuse_unsafe(str(query))
        return super().query(query, initNs, initBindings, queryGraph, **more)

    def update(self, update: Any, initNs: Mapping[str, Any], initBindings: Any, queryGraph: Any, **more: object) -> Any:
        """As rdflib asks of a store. Raises NosographError where the update would LOAD or name a SERVICE."""
        refuse_unsafe(str(update))
        return super().update(update, initNs, initBindings, queryGraph, **more)


def copy_writable(store: ox.Store) -> LocalStore:
    """A writable copy of a read-only store, in a temporary folder that goes when nobody holds the copy any more.

    RocksDB's files never change, so that the copy is made of hard links where the file system allows it (milliseconds).
    """
    folder = Path(tempfile.mkdtemp(prefix="nosograph-"))
    try:
        store.backup(str(folder / "store"))
        copy = LocalStore(store=ox.Store(str(folder / "store")))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    weakref.finalize(copy, shutil.rmtree, folder, ignore_errors=True)
    return copy


def view(store: LocalStore) -> Graph:
    """The whole store as one rdflib graph."""
    return Graph(store, identifier=DATASET_DEFAULT_GRAPH_ID, bind_namespaces="none")
