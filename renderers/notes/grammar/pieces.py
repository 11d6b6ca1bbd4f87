"""Pieces of text that remember which fact they tell, and the templates that they are filled into."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple


class Piece(NamedTuple):
    """Some words; the facts that they tell; and what they are of them.

    `part` is "term", "value", "previous" (an earlier value), "time" (a date or a stretch of time), "cue" (what denies,
    doubts or attributes), "date" (of the document itself) or "" (only words).
    """

    text: str
    part: str = ""
    facts: tuple[str, ...] = ()


Phrase = tuple[Piece, ...]
Slot = Phrase | str | Callable[[], Phrase | str]  # what waits to be called until a template asks for it
ARTICLE = Piece("a", "article")  # whichever agrees with what follows
CUE_SLOT = re.compile(r"<(\w+)>")
TOKEN = re.compile(r"\{(\w+)\}|\[([^\]]+)\]")


@lru_cache(maxsize=8192)
def parse(template: str) -> tuple[tuple[str, str], ...]:
    """(literal, slot) pairs: `{name}` is a slot, `{a}` an article that agrees, `[words]` a cue."""
    parts: list[tuple[str, str]] = []
    at = 0
    for match in TOKEN.finditer(template):
        if match.start() > at:
            parts.append((template[at : match.start()], ""))
        slot, cue = match.groups()
        parts.append((cue, "[") if cue else ("", slot))
        at = match.end()
    if at < len(template):
        parts.append((template[at:], ""))
    return tuple(parts)


def fill(template: str, facts: tuple[str, ...] = (), **slots: Slot) -> Phrase:
    """`template` with its slots filled. Cues in brackets belong to `facts`. A slot without a filling is a KeyError."""
    pieces: list[Piece] = []
    for literal, slot in parse(template):
        if not slot:
            pieces.append(Piece(literal))
        elif slot == "[":
            pieces.extend(fill_cue(literal, facts, slots))
        elif slot == "a":
            pieces.append(ARTICLE)
        else:
            filling = slots[slot]
            if callable(filling):
                filling = filling()
            if isinstance(filling, str):
                pieces.append(Piece(filling))
            else:
                pieces.extend(filling)
    return tuple(pieces)


def fill_cue(words: str, facts: tuple[str, ...], slots: Mapping[str, Slot]) -> Phrase:
    """A cue, in which `<name>` is a slot for words."""
    for name in CUE_SLOT.findall(words):
        words = words.replace(f"<{name}>", str(slots[name]))
    return (Piece(words, "cue", facts),)


def join_phrases(phrases: list[Phrase], *, last: str, between: str) -> Phrase:
    """Several phrases as one list."""
    pieces: list[Piece] = []
    for number, phrase in enumerate(phrases):
        if number:
            pieces.append(Piece(last if number == len(phrases) - 1 else between))
        pieces.extend(phrase)
    return tuple(pieces)


def words_of(phrase: Phrase) -> str:
    return "".join(piece.text for piece in phrase)
