"""Choices, each keyed by the author and by what is being said: never by its position, nor by what else is said."""

from __future__ import annotations

import hashlib
from typing import TypeVar

from ...noise import Noise
from .author import Author, preferred

Option = TypeVar("Option")


class Choices:
    """The choices of one note. Two notes with the same noise choose alike for the same fact, whatever else differs."""

    def __init__(self, noise: Noise, author: Author, scope: str) -> None:
        self._noise, self._author, self._scope = noise, author, scope
        self._keys: dict[str, bytes] = {}

    def chance(self, key: str, slot: str) -> float:
        """A uniform number in [0, 1) for one choice about one fact."""
        secret = self._keys.get(key)
        if secret is None:
            first = self._noise.uniform(f"{self._scope}/{key}")[0]
            secret = self._keys[key] = repr(first).encode()
        digest = hashlib.blake2b(slot.encode(), digest_size=8, key=secret).digest()
        return int.from_bytes(digest, "little") / 2**64

    def flip(self, key: str, slot: str, share: float) -> bool:
        return self.chance(key, slot) < share

    def pick(self, key: str, slot: str, options: tuple[Option, ...]) -> Option:
        """One of the options that this author uses."""
        kept = preferred(self._author, options)
        return kept[int(self.chance(key, slot) * len(kept))]

    def any(self, key: str, slot: str, options: tuple[Option, ...]) -> Option:
        """One of all the options."""
        return options[int(self.chance(key, slot) * len(options))]
