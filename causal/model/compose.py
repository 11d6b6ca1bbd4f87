"""From a source to one graph: the union of the document's own graph and those of its imports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from rdflib import Graph, URIRef
from rdflib.namespace import RDF

from ...errors import NosographError, Problem, fail, nearest
from ...ontology.document import IDENTIFIER, Document, Places, read_document, validate_document
from ...ontology.files import RDF_FORMATS, read_graph
from ...ontology.knowledge import KnowledgeGraph
from ...ontology.mapping import find_imports, find_root, resolve_imports, to_data, to_graph
from ...ontology.shapes import check_shapes
from ...ontology.vocabulary import NG, local_name, new_graph, variable_iri
from .concepts import check_terms

FORMATS = (".yaml", ".yml", *RDF_FORMATS)
CATALOG = Path(__file__).parents[1] / "catalog"
MAXIMUM_DEPTH = 30  # documents that import each other in a chain
Source = str | Path | Graph


@dataclass(frozen=True)
class Composition:
    """`graph` is the union; `places` the lines of each document by model id; `own` the root document's graph alone."""

    graph: Graph
    root: URIRef
    places: Mapping[str, Places]
    own: Graph
    problems: tuple[Problem, ...] = ()  # with concepts and units: they do not stop other checks


def list_catalog() -> tuple[str, ...]:
    """The names of the models that ship with Nosograph."""
    return tuple(sorted(item.name.removesuffix(".yaml") for item in CATALOG.iterdir() if item.name.endswith(".yaml")))


def locate_model(source: str | Path) -> Path:
    """The file of a catalog name or a path. Raises NosographError, with the nearest name, if there is no such file."""
    text = str(source)
    path = Path(source)
    if IDENTIFIER.fullmatch(text) and text in list_catalog():
        return (CATALOG / f"{text}.yaml").resolve()
    if path.suffix in FORMATS:
        if path.is_file():
            return path
        raise fail("file not found", fix=_nearest_file(path), value=text)
    if path.is_file():
        raise fail(f"unknown file extension: a model file ends in {', '.join(FORMATS)}", fix=f"{text}.yaml", value=text)
    near = nearest(text, list_catalog())
    known = near or f"a path, or one of the catalog: {', '.join(list_catalog()) or '(empty)'}"
    raise fail(f"unknown model '{text}'", fix=known, value=text)


def _nearest_file(path: Path) -> str:
    try:
        siblings = [item.name for item in path.parent.iterdir() if item.suffix in FORMATS]
    except OSError:
        siblings = []
    near = nearest(path.name, siblings)
    return str(path.parent / near) if near else "the path of a model, or a catalog name"


def compose(source: Source, *, knowledge: KnowledgeGraph | None = None) -> Composition:
    """Read a model and its imports. Raises NosographError for a file that cannot be read, for missing or circular
    imports, and for two models with the same id. `knowledge` holds the known concepts (default: the ontologies that
    ship); mistakes in concepts and units are collected in `problems`."""
    composer = _Composer(knowledge)
    loaded = (
        composer.load_graph(new_graph() + source) if isinstance(source, Graph) else composer.load(locate_model(source))
    )
    union = new_graph()
    for document in composer.finished.values():
        union += document.graph
    places = {local_name(document.root): document.places for document in composer.finished.values()}
    return Composition(union, loaded.root, places, loaded.graph, tuple(composer.problems))


@dataclass(frozen=True)
class _Loaded:
    graph: Graph
    root: URIRef
    places: Places
    names: Mapping[str, URIRef]  # all variables declared or imported


@dataclass
class _Composer:
    knowledge: KnowledgeGraph | None
    problems: list[Problem] = field(default_factory=list)
    finished: dict[str, _Loaded] = field(default_factory=dict)  # by file
    open: list[str] = field(default_factory=list)
    models: dict[URIRef, str] = field(default_factory=dict)  # the file of each model

    def load(self, path: Path) -> _Loaded:
        key = str(path.resolve())
        if key in self.open:
            circle = [Path(item).stem for item in (*self.open[self.open.index(key) :], key)]
            raise fail("circular imports", value=" -> ".join(circle), fix="remove one of them")
        if len(self.open) >= MAXIMUM_DEPTH:
            raise fail(f"more than {MAXIMUM_DEPTH} imports in a chain", value=path.name, fix="fewer, shorter documents")
        if key not in self.finished:
            self.open.append(key)
            loaded = self.read(path) if path.suffix in (".yaml", ".yml") else self.read_rdf(path)
            self.open.pop()
            self.register(loaded.root, key)
            self.finished[key] = loaded
        return self.finished[key]

    def register(self, root: URIRef, key: str) -> None:
        other = self.models.setdefault(root, key)
        if other != key:
            raise fail(
                f"two files contain a model with the id '{local_name(root)}'",
                fix="change the id in one of them",
                value=f"{Path(other).name} and {Path(key).name}",
                file=key,
            )

    def read(self, path: Path) -> _Loaded:
        document, places = read_document(path)
        document = self.check_terms(document, places)
        imports = self.load_imports(document, places, path.parent)
        names: dict[str, URIRef] = {}
        for loaded in imports:
            names |= loaded.names
        graph = to_graph(document, imported=names)
        return self.finish(graph, document, places, imports)

    def check_terms(self, document: Document, places: Places) -> Document:
        document, problems = check_terms(document, places, self.knowledge)
        self.problems += problems
        return document

    def read_rdf(self, path: Path) -> _Loaded:
        graph, places = read_graph(path)
        return self.load_graph(graph, places=places, folder=path.parent)

    def load_graph(self, graph: Graph, *, places: Places | None = None, folder: Path | None = None) -> _Loaded:
        """A graph may already contain its imports (`ng:model` points to them), or only name them."""
        places = places or Places("", {})
        try:
            root = find_root(graph)
        except NosographError as error:
            raise NosographError([replace(problem, file=places.file) for problem in error.problems]) from None
        if mistakes := check_shapes(graph, places):
            raise NosographError(mistakes)
        document = self.check_terms(validate_document(to_data(graph, root), places), places)
        held = [iri for iri in find_imports(graph, root) if (iri, RDF.type, NG.DiseaseModel) in graph]
        if len(held) == len(document.imports):
            loaded = _Loaded(graph, root, places, {n: variable_iri(root, n) for n in document.variables})
        else:
            loaded = self.finish(graph, document, places, self.load_imports(document, places, folder))
        if folder is None:
            self.finished[""] = loaded
        return loaded

    def finish(self, graph: Graph, document: Document, places: Places, imports: list[_Loaded]) -> _Loaded:
        root = find_root(graph)
        resolve_imports(graph, root, [loaded.root for loaded in imports])
        names: dict[str, URIRef] = {}
        for loaded in imports:
            names |= loaded.names
        names |= {n: variable_iri(root, n) for n, v in document.variables.items() if not (v.overrides or v.extends)}
        return _Loaded(graph, root, places, names)

    def load_imports(self, document: Document, places: Places, folder: Path | None) -> list[_Loaded]:
        imports = []
        for position, text in enumerate(document.imports):
            line = places.line(f"imports.{position}")
            try:
                imports.append(self.load(_locate_import(text, folder)))
            except NosographError as error:
                problems = [p if p.file else _place(p, places.file, line) for p in error.problems]
                raise NosographError(problems) from None
        return imports


def _place(problem: Problem, file: str, line: int) -> Problem:
    return replace(problem, node="imports", file=file, line=line)


def _locate_import(text: str, folder: Path | None) -> Path:
    """An import is a catalog name, or a path within the folder of the importing document."""
    if IDENTIFIER.fullmatch(text):
        if text in list_catalog():
            return locate_model(text)
        in_folder = folder is not None and (folder / f"{text}.yaml").is_file()
        near = f"./{text}.yaml" if in_folder else nearest(text, list_catalog())
        fix = near or "a catalog name, or a path such as ./common.yaml"
        raise fail(f"unknown import '{text}': not a model of the catalog", fix=fix, value=text)
    if folder is None:
        raise fail("a graph has no folder to search for an import", fix="a file, or a catalog name", value=text)
    home = folder.resolve()
    path = (home / text).resolve()
    if Path(text).is_absolute() or not path.is_relative_to(home):
        raise fail("an import must be inside the folder of its document", fix="./common.yaml", value=text)
    if path.suffix not in FORMATS or not path.is_file():
        raise fail("import not found", fix=_nearest_file(path), value=text)
    return path
