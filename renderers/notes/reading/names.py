"""Finds names and cues in text: phrases of words, the longest first, in one pass.

Words are compared as they are spelt alike: without capitals, hyphens, possessives, plurals and the differences between
British and American spelling. Work grows with the text's length, whatever number of phrases.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ..words.reading import MatchWords

_TOKEN = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?|\d+|[^\w\s]|_")
_HYPHENS = "-‐‑"
_LONGEST = 40  # letters of a word that is spelt in several ways
_SHORT = 3  # letters of a word that has no plural
_KEPT = 100_000  # words whose spelling is kept


@dataclass(frozen=True, slots=True)
class SpelledWord:
    """A word, a run of digits or a sign: text[start:end], and what it is compared by."""

    start: int
    end: int
    norm: str


class Speller:
    """What words are compared by, from a locale's rules; what it has worked out is kept."""

    def __init__(self, words: MatchWords) -> None:
        self._words = words
        self._known: dict[str, str] = {}
        self._cues: dict[str, tuple[str, ...]] = {}

    def split(self, text: str, start: int = 0, end: int | None = None) -> list[SpelledWord]:
        """The tokens of text[start:end] for names, without the hyphens inside words."""
        return [
            SpelledWord(match.start(), match.end(), self.normalize(match.group()))
            for match in _TOKEN.finditer(text, start, len(text) if end is None else end)
            if match.group() not in _HYPHENS or not _is_inside(text, match.start(), match.end())
        ]

    def normalize(self, word: str) -> str:
        """The same for words that differ only in capitals, spelling, number or a possessive."""
        known = self._known.get(word)
        if known is None:
            if len(self._known) > _KEPT:
                self._known.clear()
            known = self._known[word] = self._normalize(word)
        return known

    def _normalize(self, word: str) -> str:
        low = word.lower().replace("’", "'").removesuffix("'s")
        if not low.isalpha() or len(low) > _LONGEST:
            return low
        for pattern, spelling in self._words.spellings:
            low = pattern.sub(spelling, low)
        for pattern, ending in self._words.endings if len(low) > _SHORT else ():
            if pattern.search(low):
                low = pattern.sub(ending, low, count=1)
                break
        return self._words.same_words.get(low, low)

    def split_cues(self, text: str, start: int = 0, end: int | None = None) -> list[SpelledWord]:
        """The tokens of text[start:end] for cues, spelt as they are but for capitals and hyphens; "isn't" is two."""
        found: list[SpelledWord] = []
        for match in _TOKEN.finditer(text, start, len(text) if end is None else end):
            word = match.group()
            if word in _HYPHENS and _is_inside(text, match.start(), match.end()):
                continue
            parts = self._cues.get(word)
            if parts is None:
                if len(self._cues) > _KEPT:
                    self._cues.clear()
                parts = self._cues[word] = self._part(word.lower().replace("’", "'"))
            found += (SpelledWord(match.start(), match.end(), part) for part in parts)
        return found

    def _part(self, word: str) -> tuple[str, ...]:
        if word in self._words.contractions:
            return tuple(self._words.contractions[word].split())
        for ending, full in self._words.contracted.items():
            if word.endswith(ending) and word != ending:
                return word.removesuffix(ending), full
        return (word,)


def _is_inside(text: str, start: int, end: int) -> bool:
    return start > 0 and text[start - 1].isalnum() and text[end : end + 1].isalnum()


_Kind = TypeVar("_Kind")


@dataclass(slots=True)
class _PhraseNode(Generic[_Kind]):
    next: dict[str, _PhraseNode[_Kind]] = field(default_factory=dict)
    found: list[_Kind] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PhraseMatch(Generic[_Kind]):
    """A phrase, [first, last) in the tokens, and what has been added for it."""

    first: int
    last: int
    found: Sequence[_Kind]


class PhraseFinder(Generic[_Kind]):
    """A trie of phrases. `skipped` are words that may stand inside a phrase and are no part of it; a phrase's part that
    is a key of `classes` stands for one to `many` of the words there."""

    def __init__(self, *, skipped: Iterable[str] = (), classes: dict[str, frozenset[str]] | None = None) -> None:
        self._root: _PhraseNode[_Kind] = _PhraseNode()
        self._skipped = frozenset(skipped)
        self._classes = classes or {}

    def add(self, parts: Sequence[str], what: _Kind) -> None:
        node = self._root
        for part in parts:
            node = node.next.setdefault(part, _PhraseNode())
        if node is not self._root:
            node.found.append(what)

    def find(
        self, tokens: Sequence[str], *, fits: Callable[[int, int, list[_Kind]], list[_Kind]] | None = None
    ) -> Iterator[PhraseMatch[_Kind]]:
        """The longest phrases, in order and without overlap. `fits` keeps what counts of a phrase's place."""
        at = 0
        while at < len(tokens):
            best: PhraseMatch[_Kind] | None = None
            for last, found in self._walk(tokens, at):
                kept = fits(at, last, found) if fits else found
                if kept and (best is None or last > best.last):
                    best = PhraseMatch(at, last, kept)
            if best is None:
                at += 1
            else:
                yield best
                at = best.last

    def find_all(self, tokens: Sequence[str]) -> Iterator[PhraseMatch[_Kind]]:
        """The longest phrase at each place, in order; none that lies within another."""
        end = 0
        for at in range(len(tokens)):
            last, found = max(self._walk(tokens, at), key=lambda one: one[0], default=(at, []))
            if found and last > end:
                yield PhraseMatch(at, last, found)
                end = last

    def _walk(self, tokens: Sequence[str], at: int) -> Iterator[tuple[int, list[_Kind]]]:
        first = self._root.next.get(tokens[at])
        stack = [(first, at + 1, 0)] if first is not None else []
        steps = 0
        while stack and steps < 400:
            steps += 1
            node, place, skips = stack.pop()
            if node.found:
                yield place, node.found
            if place >= len(tokens):
                continue
            token = tokens[place]
            if token in self._skipped and skips < 2 and node.next:
                stack.append((node, place + 1, skips + 1))
            for name, members in self._classes.items():
                inner = node.next.get(name)
                if inner is not None and token in members:
                    end = place + 1
                    while end < len(tokens) and end - place < 4 and tokens[end] in members:
                        end += 1
                    stack += [(inner, stop, 0) for stop in range(place + 1, end + 1)]
            following = node.next.get(token)
            if following is not None:
                stack.append((following, place + 1, 0))


def unfold(phrase: str) -> list[str]:
    """The phrases that one with alternatives stands for: "(is|was) not (yet|) seen" is four."""
    match = re.search(r"\(([^()]*)\)", phrase)
    if match is None:
        return [" ".join(phrase.split())]
    before, after = phrase[: match.start()], phrase[match.end() :]
    return [whole for choice in match[1].split("|") for whole in unfold(f"{before}{choice}{after}")]
