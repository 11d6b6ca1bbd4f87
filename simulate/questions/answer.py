"""Answers: a value, its interval, how it was found, and what it rests on."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import fail
from .timelines import Timelines

if TYPE_CHECKING:
    from ...causal.explain.picture import Drawing

Interval = tuple[float, float]

COUPLING = (
    "It is about one person in two worlds at once, so it depends on how the model couples the noise of the worlds: "
    "the same draw in both. No data can test that choice, and another coupling with the same effects gives another "
    "number."
)


@dataclass(frozen=True)
class Answer:
    """An answer. `value` is a number, or numbers by name; `interval` is its 95% interval in the same form, or None
    where it is exact. `method` says how it was found, `note` what must be known to read it, and `details` holds what
    else was found on the way. `effective_sample_size` is that of an abduction, None otherwise. `timelines` are those of
    one person in both worlds, None for a population.
    """

    question: str
    value: float | Mapping[str, Any] | None
    interval: Interval | Mapping[str, Interval] | None
    method: str
    note: str = ""
    effective_sample_size: float | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    timelines: Timelines | None = field(default=None, repr=False)

    def with_details(self, **details: Any) -> Answer:
        return replace(self, details={**self.details, **details})

    def plot(self, path: str | Path | None = None) -> Drawing | Path:
        """One person's timelines in both worlds: a drawing that shows itself in a notebook, or the file at `path`
        (.png, .svg or .pdf). Raises NosographError for an answer about a population, which has none."""
        from ...causal.explain.picture import Drawing
        from .picture import draw_twins, figure_twins

        if self.timelines is None:
            raise fail("an answer about a population has no timelines", value=self.question, fix="--patient 42")
        return Drawing(figure_twins(self.timelines)) if path is None else draw_twins(self.timelines, path)

    def to_json(self) -> dict[str, Any]:
        """The answer as a document; what is not finite, or not defined, is null."""
        document = {"question": self.question, "value": self.value, "interval": self.interval, "method": self.method}
        if self.effective_sample_size is not None:
            document["effective_sample_size"] = self.effective_sample_size
        plain = _plain({**document, "note": self.note, **self.details})
        assert isinstance(plain, dict)
        return plain

    def __str__(self) -> str:
        lines = [self.question]
        if isinstance(self.value, Mapping):
            lines += [f"    {line}" for line in _list(self.value, self.interval)]
        else:
            lines.append(f"    {_show(self.value)}{_between(self.interval)}")
        lines += [f"    {line}" for line in _list(self.details, None)]
        if self.effective_sample_size is not None:
            lines.append(f"    effective sample size {self.effective_sample_size:,.0f}")
        return "\n".join([*lines, f"How: {self.method}", *([f"Note: {self.note}"] if self.note else [])])

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


def _list(values: Mapping[str, Any], intervals: Any) -> list[str]:
    """`name  value`, one line each; `intervals` by the same names, or None."""
    lines = []
    for name, value in values.items():
        words = name.replace("_", " ") if intervals is None and " " not in name else name
        if isinstance(value, Mapping):
            parts = ", ".join(f"{key} {_show(inner)}" for key, inner in value.items())
            lines.append(f"{words}: {parts}{_between(intervals[name], of='difference') if intervals else ''}")
        else:
            lines.append(f"{words}: {_show(value)}{_between(intervals[name] if intervals else None)}")
    return lines


def _between(interval: Any, *, of: str = "") -> str:
    kind = f"{of}, 95% interval" if of else "95% interval"
    return "" if interval is None else f" ({kind} {_show(interval[0])} to {_show(interval[1])})"


def _show(value: Any) -> str:
    if isinstance(value, list):
        return f"{_show(value[0])} … {_show(value[-1])} ({len(value)} values, all in --json)"
    if isinstance(value, tuple):
        return " to ".join(_show(part) for part in value)
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def _plain(value: Any) -> Any:
    """The value in what JSON has."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
