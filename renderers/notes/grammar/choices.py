"""Choices, each keyed by the author and by what is being said: never by its position, nor by what else is said."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from typing import TypeVar, cast

from ...noise import Noise
from .author import Author, preferred

Option = TypeVar("Option")


MASK = 2**64 - 1


@lru_cache(maxsize=4096)
def hash_slot(slot: str) -> int:
    return int.from_bytes(hashlib.blake2b(slot.encode(), digest_size=8).digest(), "little")


def mix(state: int) -> float:
    """A uniform number in [0, 1) out of 64 bits.

    The output function of SplitMix64 (G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number
    generators", OOPSLA 2014).
    """
    state &= MASK
    state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & MASK
    state = (state ^ state >> 27) * 0x94D049BB133111EB & MASK
    return ((state ^ state >> 31) >> 11) * 2.0**-53


class Choices:
    """The choices of one note. Two notes with the same noise choose alike for the same fact, whatever else differs."""

    def __init__(self, noise: Noise, author: Author, scope: str, variables: Iterable[str] = ()) -> None:
        self._noise, self._author, self._scope = noise, author, scope
        self._ranks = {variable: rank for rank, variable in enumerate(variables)}
        self._keys: dict[str, int] = {}

    def chance(self, key: str, slot: str) -> float:
        """A uniform number in [0, 1) for one choice about one fact."""
        secret = self._keys.get(key)
        if secret is None:
            first = self._noise.uniform(f"{self._scope}/{key}")[0]
            secret = self._keys[key] = int(first * 2**64)
        return mix(secret + hash_slot(slot))

    def flip(self, key: str, slot: str, share: float) -> bool:
        return self.chance(key, slot) < share

    def pick(self, key: str, slot: str, options: tuple[Option, ...]) -> Option:
        """One of the options that this author uses. Two variables get the same one only where there are too few."""
        kept = self._preferred(options)
        return kept[(int(self.chance("note", slot) * len(kept)) + self.rank(key)) % len(kept)]

    def _preferred(self, options: tuple[Option, ...]) -> tuple[Option, ...]:
        return cast(tuple[Option, ...], preferred(self._author, options))

    def rank(self, key: str) -> int:
        """The place of a fact's variable among all, the same whatever is told."""
        return self._ranks.get(key.partition("@")[0], 0)

    def rotate(self, slot: str, number: int, options: tuple[Option, ...]) -> Option:
        """One of the options that this author uses, another for each number as long as there are others."""
        kept = self._preferred(options)
        return kept[(int(self.chance("note", slot) * len(kept)) + number) % len(kept)]

    def any(self, key: str, slot: str, options: tuple[Option, ...]) -> Option:
        """One of all the options."""
        return options[int(self.chance(key, slot) * len(options))]
