"""The runs of five words that the grammar writes: a sentence of a small model that has any other is not kept."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import numpy as np

WIDTH = 5
FILE = "phrases.safetensors"

_WORD = re.compile(r"<([a-z]+)\d>|[\w'’-]+|[^\w\s]")


def list_phrases(text: str) -> Iterator[str]:
    """Each run of `WIDTH` words of a sentence with slots (without their numbers), from "^" before it to "$" after."""
    words = ["^", *(f"<{found[1]}>" if found[1] else found[0].lower() for found in _WORD.finditer(text)), "$"]
    for start in range(max(len(words) - WIDTH + 1, 1)):
        yield " ".join(words[start : start + WIDTH])


def hash_phrases(phrases: Iterable[str]) -> frozenset[int]:
    """Each phrase as 64 bits of its BLAKE2b hash."""
    return frozenset(_hash(phrase) for phrase in phrases)


def find_strange(text: str, *, like: str, known: Collection[int]) -> list[str]:
    """The phrases of a text that are neither known nor in the text that it rewords."""
    own = set(list_phrases(like))
    return [phrase for phrase in list_phrases(text) if phrase not in own and _hash(phrase) not in known]


def save_phrases(known: Collection[int], folder: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"phrases": np.array(sorted(known), dtype=np.uint64)}, folder / FILE)


def load_phrases(folder: Path) -> frozenset[int]:
    from safetensors.numpy import load_file

    return frozenset(load_file(folder / FILE)["phrases"].tolist())


def _hash(phrase: str) -> int:
    return int.from_bytes(hashlib.blake2b(phrase.encode(), digest_size=8).digest(), "big")
