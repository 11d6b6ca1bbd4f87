"""Strategies that change sound inputs: a tree of keys and values, lines of text, characters."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import strategies as st

ODD_TEXTS = (
    *(
        "",
        " ",
        "\n",
        "\0",
        "\x1b[31m",
        "\u202e",
        "\ud800",
        "é",
        "漢",
        "a" * 3_000,
        "9" * 5_000,
        "-",
        "nan",
        "inf",
        "-inf",
    ),
    *(
        "1e400",
        "0x10",
        "1_000",
        "١",
        "null",
        "true",
        "~",
        "*a",
        "&a [*a]",
        "!!python/object:os.system",
        "{{",
        "[" * 200,
    ),
    *("http://a b", "HP:0001250", "HP:1", "PMID:1", "doi:10.1000/<x>", "__class__", "../../x", "/etc/passwd", "a/b"),
    *("every 0 days", "1 fortnight", "-1 month", "1e999 years", "0 months", "v[-1]", "v[-", "(" * 100, "1/0", "5 % 2"),
    *(
        "Normal(0, -1)",
        "Bernoulli(2)",
        "Hazard(1e308*10)",
        "where(",
        "table(t; 1: 1)",
        'Categorical("a": 1)',
        "t",
        "dt",
    ),
)
ODD_VALUES: tuple[Any, ...] = (
    *ODD_TEXTS, None, True, False, 0, -1, 1.5, 1e308, 10**30, float("inf"), float("nan"), [], {}, [[]], [{}], [None],
    {"": ""}, {"a": {"a": {"a": []}}}, [1, "a", None], ["x"] * 50,
)  # fmt: skip

LONGEST = 100_000  # characters
texts = st.one_of(st.sampled_from(ODD_TEXTS), st.text(max_size=30))
values = st.one_of(st.sampled_from(ODD_VALUES), texts, st.floats(), st.integers())


def find_paths(tree: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of keys and positions to all that a tree holds."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        yield (*above, key)
        yield from find_paths(value, (*above, key))


@st.composite
def changed_trees(draw: st.DrawFn, trees: Sequence[Any], *, expressions: st.SearchStrategy[str] = texts) -> Any:
    """One of some sound trees, changed in one to four places."""
    tree = copy.deepcopy(draw(st.sampled_from(trees)))
    for _ in range(draw(st.integers(1, 4))):
        paths = list(find_paths(tree))
        if not paths:
            break
        *above, key = draw(st.sampled_from(paths))
        holder = tree
        for step in above:
            holder = holder[step]
        value = holder[key]
        match draw(
            st.sampled_from(["value", "value", "text", "expression", "key", "remove", "double", "move", "wrap"])
        ):
            case "value":
                holder[key] = copy.deepcopy(draw(values))  # a list that is changed later must not change the strategy
            case "text" if isinstance(value, str):
                holder[key] = draw(changed_texts([value]))
            case "expression" if isinstance(value, str):
                holder[key] = draw(expressions)
            case "key" if isinstance(holder, dict):
                holder[draw(st.one_of(texts, st.sampled_from([str(path[-1]) for path in paths])))] = holder.pop(key)
            case "remove":
                del holder[key]
            case "double" if isinstance(holder, list):
                holder.insert(0, copy.deepcopy(value))
            case "move":
                other = tree
                for step in draw(st.sampled_from(paths)):
                    other = other[step]
                holder[key] = copy.deepcopy(other)
            case _:
                holder[key] = draw(st.sampled_from([[copy.deepcopy(value)], {"a": copy.deepcopy(value)}]))
    return tree


@st.composite
def changed_texts(draw: st.DrawFn, sound: Sequence[str]) -> str:
    """One of some sound texts with characters, words or lines removed, doubled, moved or put in; not endless, since
    what is doubled a hundred times over and over takes minutes to read even in linear time."""
    text = draw(st.sampled_from(sound))
    for _ in range(draw(st.integers(1, 3))):
        split = draw(st.sampled_from(["", " ", "\n", "\t", ","]))
        parts = list(text) if split == "" else text.split(split)
        at = draw(st.integers(0, max(0, len(parts) - 1)))
        match draw(st.sampled_from(["remove", "double", "put", "replace", "cut", "swap"])):
            case "remove":
                del parts[at : at + draw(st.integers(1, 3))]
            case "double":
                parts[at:at] = parts[at : at + 1] * draw(st.sampled_from([1, 1, 2, 100]))
            case "put":
                parts.insert(at, draw(texts))
            case "replace":
                parts[at : at + 1] = [draw(texts)]
            case "cut":
                del parts[at:]
            case _:
                other = draw(st.integers(0, max(0, len(parts) - 1)))
                if parts:
                    parts[at], parts[other] = parts[other], parts[at]
        text = split.join(parts)[:LONGEST]
    return text


def to_bytes(text: str) -> bytes:
    """UTF-8, with half characters as they are: a file may hold any bytes."""
    return text.encode("utf-8", "surrogatepass")
