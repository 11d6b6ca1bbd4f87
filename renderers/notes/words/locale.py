"""A locale is a folder of YAML files beside this one: all the words that notes are written and read with.

A second language is such a folder, with the same files and keys as `en`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ....errors import NosographError, Problem, fail, nearest
from ....ontology.yaml import Node, read_yaml

FOLDER = Path(__file__).parent


def join_lines(value: object) -> object:
    """A pattern that is written in several lines, as one: line breaks and the spaces after them are no part of it."""
    return re.sub(r"\n\s*", "", value) if isinstance(value, str) else value


def expand(pattern: str, fragments: Mapping[str, str]) -> str:
    """A pattern with the fragments that its `{names}` stand for; a KeyError for one that there is not."""
    return re.sub(r"\{([a-z]\w*)\}", lambda found: fragments[found[1]], pattern)


Table = Annotated[tuple[str, ...], Field(min_length=1)]
"""Words or phrases to choose from. Their order counts: choices are by position."""
Fragment = Annotated[str, BeforeValidator(join_lines)]
"""A part of a pattern."""
Pattern = Annotated[re.Pattern[str], BeforeValidator(join_lines)]


class WordSection(BaseModel):
    """Some words that belong together; every key must be there, and no other."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Words(WordSection):
    """The words of a whole file."""

    file: ClassVar[str]


Kind = TypeVar("Kind", bound=Words)


def list_locales() -> tuple[str, ...]:
    """The locales that there are."""
    return tuple(sorted({path.parent.name for path in FOLDER.glob("*/*.yaml")}))


def load_words(kind: type[Kind], locale: str) -> Kind:
    """The words of a kind in a locale, read once.

    Raises NosographError for a locale that is not there (with those that are), and for a file that is missing, is no
    YAML, lacks a key, has one too many or holds something else than words (with file, line and key).
    """
    return cast(Kind, _read_words(kind, locale))


@lru_cache(maxsize=256)
def _read_words(kind: type[Words], locale: str) -> Words:
    known = list_locales()
    if locale not in known:
        raise fail("notes are not written in this locale", value=locale, fix=" or ".join(known))
    path = FOLDER / locale / kind.file
    name = f"{locale}/{kind.file}"
    if not path.is_file():
        raise fail("the locale lacks a file", file=name, fix=f"{name}, with the keys of en/{kind.file}")
    tree = read_yaml(path.read_text(encoding="utf-8"), file=name)
    try:
        return kind.model_validate(tree.plain())
    except ValidationError as error:
        raise NosographError(_explain(one, tree, name) for one in error.errors()) from None


def _explain(error: Any, tree: Node, file: str) -> Problem:
    """A mistake with the place where it is, or where what is missing should be."""
    path = tuple(str(part) for part in error["loc"])
    lines = dict(tree.find_lines())
    line = next((lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in lines), 1)
    key = ".".join(path)
    if error["type"] == "missing":
        fix = f"{path[-1]}: as in en/{file.partition('/')[2]}, in this language"
        return Problem("the key is missing", node=key, file=file, line=line, fix=fix)
    if error["type"] == "extra_forbidden":
        held = tree
        for part in path[:-1]:
            held = held.value[part] if isinstance(held.value, dict) else held.value[int(part)]
        fix = nearest(path[-1], [k for k in held.value if k != path[-1]])
        return Problem("there is no such key", node=key, file=file, line=line, fix=fix)
    return Problem(error["msg"], node=key, value=str(error["input"])[:200], file=file, line=line)
