"""The grammar: a plan of facts becomes a note, and every fact has its place in the words."""

from __future__ import annotations

from .author import Author, find_author
from .note import Note, Part, Span
from .write import write_note

__all__ = ["Author", "Note", "Part", "Span", "find_author", "write_note"]
