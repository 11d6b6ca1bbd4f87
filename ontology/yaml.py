"""YAML 1.2 (core schema) as a tree of nodes with their lines. Only text, numbers, truth values, lists and mappings are
constructed; duplicate keys, tags and very deep nesting are refused.

https://yaml.org/spec/1.2.2/#103-core-schema. The scanner is PyYAML's, whose own schema is 1.1: it reads `no` as False
and `1e-5` as text, so plain scalars are resolved here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from ..errors import NosographError, fail

MAXIMUM_CHARACTERS = 4_000_000
MAXIMUM_DEPTH = 20
MAXIMUM_NODES = 200_000
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

NULL = {"", "~", "null", "Null", "NULL"}
TRUTH = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]{1,300}|0x[0-9a-fA-F]{1,200}")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


class Written(float):
    """A number that remembers how it was written: the version 1.10 is not the number 1.1."""

    text: str

    def __new__(cls, value: float, text: str) -> Written:
        number = super().__new__(cls, value)
        number.text = text
        return number


@dataclass(slots=True)
class Node:
    """`value` is None, text, a truth value, a number, a list of nodes, or a mapping from text to nodes."""

    value: Any
    line: int
    size: int = 1
    key_lines: dict[str, int] = field(default_factory=dict)  # of a mapping

    def plain(self) -> Any:
        """The value without lines, as `json` would read it."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def find_lines(self, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], int]]:
        """Every path of keys and list positions below this node, with its line."""
        if isinstance(self.value, dict):
            for key, node in self.value.items():
                yield (*path, key), self.key_lines[key]
                yield from node.find_lines((*path, key))
        elif isinstance(self.value, list):
            for position, node in enumerate(self.value):
                yield (*path, str(position)), node.line
                yield from node.find_lines((*path, str(position)))


def read_yaml(text: str, *, file: str = "") -> Node:
    """Read one YAML document. Raises NosographError, with the line, for what is not YAML or not allowed here."""
    if len(text) > MAXIMUM_CHARACTERS:
        raise fail(f"the document is longer than {MAXIMUM_CHARACTERS:,} characters", fix="several documents", file=file)
    try:
        return _YamlReader(file).read(yaml.parse(text, Loader=LOADER))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = ", ".join(part for part in (error.context, error.problem) if part)
        if error.context_mark is not None and mark is not None and error.context_mark.line < mark.line:
            problem += f" (it began in line {error.context_mark.line + 1})"
        lines = text.splitlines()
        line = min(mark.line + 1, len(lines)) if mark is not None else 0
        shown = lines[line - 1].strip() if line else ""
        raise fail(
            f"this is not YAML: {problem}", fix=_suggest(problem, shown), value=shown, file=file, line=line
        ) from None
    except (yaml.reader.ReaderError, UnicodeEncodeError) as error:  # the latter: half characters (surrogates)
        raise fail(f"this is not YAML: {error.reason}", fix="plain UTF-8 text", file=file) from None


def _suggest(problem: str, shown: str) -> str:
    key, colon, rest = shown.partition(": ")
    if "mapping values" in problem and colon:
        quoted = rest.replace("'", "''")
        return f"{key}: '{quoted}'"
    if "cannot start any token" in problem:
        return "spaces, not tabs, to indent; quotation marks around text that starts with @, %, ` or a tab"
    return "key: value, with spaces to indent, and quotation marks around text that holds : # [ ] { } or ,"


def resolve_scalar(text: str) -> Any:
    """The value of a plain scalar in the core schema."""
    if text in NULL:
        return None
    if text in TRUTH:
        return TRUTH[text]
    if INTEGER.fullmatch(text):
        return Written(float(int(text, 0)) if text[:2] in ("0o", "0x") else float(text), text)
    if FLOAT.fullmatch(text):
        return Written(float(text.lower().replace(".inf", "inf").replace(".nan", "nan")), text)
    return text


def _find_line(event: Any) -> int:
    line: int = event.start_mark.line + 1
    return line


class _YamlReader:
    """Makes nodes from the parser's events. An alias is the same node as its anchor, so a YAML bomb costs no memory;
    its size counts at each use, so that no walk of the tree takes long."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.anchors: dict[str, Node] = {}

    def error(self, problem: str, event: Any, *, fix: str = "", value: str = "") -> NosographError:
        return fail(problem, fix=fix, value=value, file=self.file, line=_find_line(event))

    def read(self, events: Iterator[Any]) -> Node:
        root: Node | None = None
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise self.error("a second document starts here", event, fix="one document in a file")
                root = self.node(next(events), events, 0)
        return root if root is not None else Node(None, 1)

    def node(self, event: Any, events: Iterator[Any], depth: int) -> Node:
        if depth > MAXIMUM_DEPTH:
            raise self.error(f"nested deeper than {MAXIMUM_DEPTH}", event, fix="the keys of a disease model only")
        line = _find_line(event)
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self.anchors:
                raise self.error(f"nothing before this is named &{event.anchor}", event, value=f"*{event.anchor}")
            known = self.anchors[event.anchor]
            return Node(known.value, line, known.size, known.key_lines)
        if event.tag is not None and not (isinstance(event, yaml.ScalarEvent) and event.tag == "!"):
            raise self.error(
                "tags have no place in a document", event, fix="the value without its tag", value=str(event.tag)
            )
        if isinstance(event, yaml.ScalarEvent):
            plain = event.style is None or event.style == ""
            node = Node(resolve_scalar(event.value) if plain and event.implicit[0] else event.value, line)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self.sequence(line, events, depth)
        else:
            node = self.mapping(line, events, depth)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        if node.size > MAXIMUM_NODES:
            raise self.error(f"more than {MAXIMUM_NODES:,} values once its aliases are written out", event)
        return node

    def sequence(self, line: int, events: Iterator[Any], depth: int) -> Node:
        items: list[Node] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            items.append(self.node(event, events, depth + 1))
        return Node(items, line, 1 + sum(item.size for item in items))

    def mapping(self, line: int, events: Iterator[Any], depth: int) -> Node:
        items: dict[str, Node] = {}
        lines: dict[str, int] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            if not isinstance(event, yaml.ScalarEvent):
                raise self.error("a key must be text", event, fix="key: value")
            key = event.value
            if key in items:
                raise self.error(
                    f"the key {key!r} occurs twice, first in line {lines[key]}", event, fix="each key once", value=key
                )
            lines[key] = _find_line(event)
            items[key] = self.node(next(events), events, depth + 1)
        return Node(items, line, 1 + sum(item.size for item in items.values()), lines)


def write_yaml(data: dict[str, Any]) -> str:
    """Plain data as YAML; `read_yaml` reads the same data back."""
    text: str = yaml.safe_dump(
        _unwrap(data), default_flow_style=None, sort_keys=False, allow_unicode=True, width=118, indent=2
    )
    return text


def _unwrap(data: Any) -> Any:
    """Whole numbers as integers, and only types that the YAML writer knows."""
    if isinstance(data, dict):
        return {str(key): _unwrap(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_unwrap(item) for item in data]
    if isinstance(data, float):
        return int(data) if data.is_integer() and abs(data) < 1e15 else float(data)
    return data
