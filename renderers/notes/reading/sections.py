"""The sections of a note by their headings: whose facts they hold, and of when."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..words.reading import SectionWords


@dataclass(frozen=True)
class NoteSection:
    """A part of a note, [start, end). `kind`: family, past, plan, or empty: no heading says more."""

    start: int
    end: int
    kind: str


_LINE = re.compile(r"[^\n]*(?:\n|$)")


def find_sections(text: str, *, words: SectionWords) -> list[NoteSection]:
    """The sections in order, from the first heading on. One ends with the next heading, or behind an empty line once
    it holds something."""
    found: list[NoteSection] = []
    start, kind, filled, blank = 0, "", False, True
    for line in _LINE.finditer(text):
        said = line.group().strip()
        if not said:
            if kind and filled:
                found.append(NoteSection(start, line.start(), kind))
                start, kind = line.start(), ""
            blank = True
            continue
        heading = _read_heading(said, words, after_blank=blank)
        if heading is not None:
            found.append(NoteSection(start, line.start(), kind))
            start, (kind, filled) = line.start(), heading
        else:
            filled = True
        blank = False
        for inner in words.inline.finditer(text, line.start(), line.end()):
            name = next(key for key, value in inner.groupdict().items() if value is not None)
            found.append(NoteSection(start, inner.start(), kind))
            start, kind, filled = inner.start(), "" if name == "other" else name.rstrip("_"), True
    found.append(NoteSection(start, len(text), kind))
    return found


def _read_heading(line: str, words: SectionWords, *, after_blank: bool) -> tuple[str, bool] | None:
    """The kind that a line opens, and whether more stands on it; None for a line that is no heading."""
    for kind, pattern in words.headings.items():
        match = pattern.match(line)
        if match:
            return kind, bool(line[match.end() :].strip(" :-–*"))
    match = words.any_heading.match(line)
    if match:
        return "", bool(line[match.end() :].strip())
    bare = after_blank and words.bare_heading.fullmatch(line)
    return ("", False) if bare else None
