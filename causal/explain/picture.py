"""Write pictures: the same bytes each time, whatever the user's settings, and never half a file."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import fail
from ...ontology.output import write_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUFFIXES = ("svg", "png", "pdf")
FONT = "DejaVu Sans"  # comes with matplotlib


@dataclass(frozen=True)
class Drawing:
    """A picture that notebooks show; `figure` is matplotlib's."""

    figure: Figure

    def _repr_svg_(self) -> str:
        return encode_figure(self.figure, "svg").decode()


def write_picture(draw: Callable[[], Figure], path: str | Path) -> Path:
    """Write the figure made by `draw` as `.svg`, `.png` or `.pdf`. Raises NosographError for another file extension
    (before drawing), and for a path that cannot be written."""
    target = Path(path)
    suffix = target.suffix.removeprefix(".").lower()
    if suffix not in SUFFIXES:
        fix = str(target.with_suffix(".svg")) if target.name else "model.svg"
        raise fail("unknown file extension: a picture is svg, png or pdf", value=path, fix=fix)
    if not target.parent.is_dir():
        raise fail("folder not found", value=target.parent, fix="an existing folder")
    picture = encode_figure(draw(), suffix)
    write_bytes(target, picture)
    return target


def encode_figure(figure: Figure, suffix: str) -> bytes:
    """Encode the figure as svg, png or pdf, without date or program name."""
    import matplotlib.style

    nothing: dict[str, dict[str, Any]] = {
        "svg": {"Date": None, "Creator": None},
        "png": {"Software": None},
        "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    }
    settings: Any = {"svg.hashsalt": "nosograph", "svg.fonttype": "none", "pdf.fonttype": 42, "savefig.bbox": None}
    written = io.BytesIO()
    with matplotlib.style.context(["default", settings]):
        figure.savefig(
            written, format=suffix, dpi=160, metadata=nothing[suffix], facecolor="white", edgecolor="none"
        )  # fmt: skip
    return written.getvalue()


def measure_text(text: str, size: float, *, bold: bool = False) -> float:
    """The width in inches of a line of text in `size` points."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    plain = text.replace("$", r"\$")  # no mathematics in titles
    font = FontProperties(family=FONT, weight="bold" if bold else "normal")
    return float(TextPath((0, 0), plain, size=size, prop=font).get_extents().x1) / 72
