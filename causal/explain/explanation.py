"""Explanations: titled sections of lines, shown as text, as JSON and in notebooks."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

WIDTH = 110


@dataclass(frozen=True)
class Section:
    """A title and lines of text; indentation marks details of the line above. `facts`: the same for programs."""

    title: str
    lines: tuple[str, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Explanation:
    """An explanation in sections. `str()` is plain text; notebooks show HTML."""

    title: str
    sections: tuple[Section, ...]

    def __str__(self) -> str:
        text = [self.title, "=" * len(self.title)]
        for section in self.sections:
            text += ["", section.title, "-" * len(section.title), *map(_wrap, section.lines)]
        return "\n".join(text)

    def to_json(self) -> dict[str, Any]:
        """Titles, lines and facts as plain data."""
        sections = [{"title": s.title, "lines": list(s.lines), **s.facts} for s in self.sections]
        return {"title": self.title, "sections": sections}

    def _repr_html_(self) -> str:
        parts = [f"<h3>{html.escape(self.title)}</h3>"]
        for section in self.sections:
            parts.append(f"<h4>{html.escape(section.title)}</h4>")
            for line in section.lines:
                indent = 0.75 * (len(line) - len(line.lstrip()))
                parts.append(f'<div style="margin-left: {indent:g}em">{html.escape(line.lstrip())}</div>')
        return "<div>" + "\n".join(parts) + "</div>"


def _wrap(line: str) -> str:
    indent = " " * (len(line) - len(line.lstrip()))
    return textwrap.fill(
        line.lstrip(),
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent + "    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
