"""The knowledge graph as an rdflib graph. This is slow to import, so it is imported only for rdflib or SPARQL."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyoxigraph as ox
from oxrdflib import OxigraphStore
from rdflib import Graph
from rdflib.graph import DATASET_DEFAULT_GRAPH_ID

from ..errors import NosographError, fail

LONGEST_QUERY = 5_000  # characters; of twice as many, oxigraph's parser and evaluator fill the stack and crash
_MOST_NESTED = 200  # opening brackets, and negations: what nests with few characters
_NETWORK = re.compile("service|load", re.IGNORECASE)
_OTHER_LETTERS = str.maketrans("eioaEIOA", "xxxxXXXX")
_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})")


def refuse_unsafe(query: str, *, prefixes: Mapping[str, str] | None = None, update: bool = False) -> None:
    """Raises NosographError if a query or update would use the network (SERVICE, LOAD) or is too long or nested.

    Oxigraph, which runs it, is the judge: in a copy, whatever reads "service" or "load" is spelt otherwise. Names,
    texts and comments may be spelt in any way, a keyword may not, so the copy parses only if no such keyword stands
    there. And a copy without such keywords uses no network.

    Raises SyntaxError, as oxigraph does, for a mistake in a line after the last such word.
    """
    _refuse_large(query)
    if len(_NETWORK.findall(_ESCAPE.sub(_unescape, query))) != len(_NETWORK.findall(query)):
        raise _refuse_network(fix="the letters themselves, without \\u escapes")
    if not _NETWORK.search(query):
        return
    copy = _spell_otherwise(query)
    spelt = {_spell_otherwise(prefix): iri for prefix, iri in (prefixes or {}).items()}
    empty = ox.Store()
    try:
        empty.update(copy, prefixes=spelt) if update else empty.query(copy, prefixes=spelt)
    except SyntaxError as error:
        place = re.match(r"error at (\d+):", str(error))
        if place and not _NETWORK.search("\n".join(query.split("\n")[int(place[1]) - 1 :])):
            raise
        raise _refuse_network(fix="valid SPARQL without SERVICE and LOAD; `load` loads another graph's file") from error


def _spell_otherwise(text: str) -> str:
    return _NETWORK.sub(lambda word: word[0].translate(_OTHER_LETTERS), text)


def _refuse_large(query: str) -> None:
    if len(query) > LONGEST_QUERY:
        problem = f"the query is longer than {LONGEST_QUERY:,} characters"
        raise fail(problem, fix="several queries", value=f"{len(query):,} characters", node="SPARQL")
    if any("\ud800" <= sign <= "\udfff" for sign in query):
        raise fail("the query holds half a character (a surrogate)", fix="whole characters", node="SPARQL")
    if sum(map(query.count, "([{")) > _MOST_NESTED or query.count("!") > _MOST_NESTED:  # wherever they stand
        raise fail(f"the query has more than {_MOST_NESTED} brackets or !", fix="a shorter query", node="SPARQL")


def _refuse_network(*, fix: str) -> NosographError:
    return fail("SERVICE and LOAD would use the network, which queries here never do", fix=fix, node="SPARQL")


def _unescape(escape: re.Match[str]) -> str:
    code = int(escape[1] or escape[2], 16)
    return chr(code) if code <= sys.maxunicode else escape[0]


class LocalStore(OxigraphStore):
    """oxrdflib's store, without network access for queries and updates.

    Whatever the store itself cannot run is refused: rdflib would else run it by its own means, which have a network.
    """

    @property
    def inner(self) -> ox.Store:
        """The pyoxigraph store itself."""
        return self._inner

    def query(self, query: Any, initNs: Mapping[str, Any], initBindings: Any, queryGraph: Any, **more: object) -> Any:
        """rdflib's interface of a store. Raises NosographError as `refuse_unsafe`, and for a prepared query."""
        with _refuse_rdflib(query):
            refuse_unsafe(query, prefixes={**dict(self.namespaces()), **initNs})
            return super().query(query, initNs, initBindings, queryGraph, **more)

    def update(self, update: Any, initNs: Mapping[str, Any], initBindings: Any, queryGraph: Any, **more: object) -> Any:
        """rdflib's interface of a store. Raises NosographError as `refuse_unsafe`, and for a prepared update."""
        with _refuse_rdflib(update):
            refuse_unsafe(update, prefixes={**dict(self.namespaces()), **initNs}, update=True)
            return super().update(update, initNs, initBindings, queryGraph, **more)


@contextmanager
def _refuse_rdflib(query: object) -> Iterator[None]:
    """NotImplementedError would tell rdflib to run a query itself."""
    try:
        if not isinstance(query, str):
            raise NotImplementedError("a prepared query")
        yield
    except NotImplementedError as error:
        fix = "the query as text, for the whole graph, without further arguments"
        raise fail(f"such a query is not run here: {error}", fix=fix, node="SPARQL") from error


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
