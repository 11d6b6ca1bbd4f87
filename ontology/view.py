"""The knowledge graph as an rdflib graph. This is slow to import, so it is imported only for rdflib or SPARQL."""

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
    """Raises NosographError if a query would use the network (SERVICE, LOAD) or is nested too deeply."""
    code = _SPARQL_TEXT.sub(" ", query)
    if word := _SPARQL_NETWORK.search(code):
        raise fail(
            f"{word[1].upper()} would use the network, which queries here never do",
            fix="load the other graph's file with `load`, then query without it",
            node="SPARQL",
        )
    depth = 0
    for bracket in re.findall(r"[][(){}]", code):
        depth += 1 if bracket in "[({" else -1
        if depth > _DEEPEST_QUERY:
            raise fail("the query is nested too deeply", node="SPARQL")


class LocalStore(OxigraphStore):
    """oxrdflib's store, without network access for queries and updates."""

    @property
    def inner(self) -> ox.Store:
        """The pyoxigraph store itself."""
        return self._inner

    def query(self, query: Any, initNs: Mapping[str, Any], initBindings: Any, queryGraph: Any, **more: object) -> Any:
        """rdflib's interface of a store. Raises NosographError if the query names a SERVICE."""
        refuse_unsafe(str(query))
        return super().query(query, initNs, initBindings, queryGraph, **more)

    def update(self, update: Any, initNs: Mapping[str, Any], initBindings: Any, queryGraph: Any, **more: object) -> Any:
        """rdflib's interface of a store. Raises NosographError if the update would LOAD or name a SERVICE."""
        refuse_unsafe(str(update))
        return super().update(update, initNs, initBindings, queryGraph, **more)


def copy_writable(store: ox.Store) -> LocalStore:
    """A writable copy of a read-only store, in a temporary folder that is removed when nothing refers to the copy.

    RocksDB's files never change, so the copy consists of hard links if the file system allows them (milliseconds).
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
