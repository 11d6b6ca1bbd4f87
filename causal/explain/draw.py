"""A model's causal graph as a picture. Kinds differ in colour (Okabe & Ito 2008, colour-blind safe) and in shape."""

from __future__ import annotations

import itertools
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..language import reads
from ..model.compose import Source
from ..model.load import as_model
from ..model.model import Claim, Model, Variable
from .layers import FLAT, Arrangement, Edge, Point, arrange
from .picture import FONT, Drawing, measure_text, write_picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

Item = TypeVar("Item")
KINDS = {  # kind -> outline and fill
    "static": ("#5b5b5b", "#ececec"),
    "state": ("#0072b2", "#d6e9f5"),
    "event": ("#c04e00", "#fbdfcd"),
    "treatment": ("#00795a", "#cdebe1"),
    "measurement": ("#a87400", "#fdf0cf"),
}
CITED, ASSUMED, MEASURED = ("#2b2b2b", "solid"), ("#8c8c8c", (0, (1, 1.6))), ("#a87400", "solid")
SIZE = 8.5  # points
LINE = 0.155  # inches from one line of text to the next
PADDING = (0.15, 0.085)
SLANT = 0.13  # inches: inset of a shape's corner or slope
WRAP = 24  # characters
LONGEST = 2  # most lines of a label
MARGIN = 0.3
LEGEND = 0.66
HEAD = (0.042, 0.11)  # half an arrow head's width, and its length


def draw(model: Model | Source) -> Drawing:
    """The causal graph of a model, a catalog name or a path, as a picture for notebooks."""
    return Drawing(figure_model(as_model(model)))


def draw_model(model: Model, path: str | Path) -> Path:
    """Write the causal graph as `.svg`, `.png` or `.pdf`, the same bytes each time. Raises NosographError if not."""
    return write_picture(lambda: figure_model(model), path)


def figure_model(model: Model) -> Figure:
    """The causal graph as a matplotlib figure, without pyplot. Variables and claims carry ids: `variable-NAME` and
    `claim-CAUSE-EFFECT`.
    """
    from matplotlib.figure import Figure

    labels, edges = {v.name: _label(v) for v in model.variables.values()}, _sort_edges(model)
    ends = Counter(end for cause, effect in edges for end in ((cause, "out"), (effect, "in")))
    sizes = {
        name: _measure_box(label, model.variables[name].kind, max(ends[name, "in"], ends[name, "out"]))
        for name, label in labels.items()
    }
    layout = arrange(sizes, list(edges))
    width = max(layout.width, 6.8) + 2 * MARGIN
    title = textwrap.wrap(model.title or model.id, width=int(7 * width))
    height = layout.height + LEGEND + 0.24 * len(title) + 3.6 * MARGIN
    figure = Figure(figsize=(width, height), dpi=100, facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(-(width - layout.width) / 2, (width + layout.width) / 2)
    axes.set_ylim(-LEGEND - 2.3 * MARGIN, height - LEGEND - 2.3 * MARGIN)
    for edge, claims in edges.items():
        _draw_edge(axes, edge, claims, layout, lagged=_is_lagged(model.variables[edge[1]], edge[0]))
    for name, label in labels.items():
        _draw_variable(axes, model.variables[name], label, layout.centers[name], sizes[name])
    for i, line in enumerate(title):
        y = layout.height + MARGIN + 0.24 * (len(title) - 1 - i)
        _write_text(axes, layout.width / 2, y, line, size=12, weight="bold")
    _draw_legend(axes, center=layout.width / 2, top=-1.5 * MARGIN)
    return figure


def _label(variable: Variable) -> list[str]:
    """The title if it is short, else the name, split into lines."""
    title = textwrap.wrap(variable.title, WRAP)
    return title if 0 < len(title) <= LONGEST else textwrap.wrap(variable.name.replace("_", " "), WRAP)


def _measure_box(label: Sequence[str], kind: str, edges: int) -> Point:
    """Width and height in inches of a variable's shape: room for its label and for `edges` edges on one side."""
    text = max(measure_text(line, SIZE) for line in label)
    slopes = {"event": 2, "treatment": 2, "measurement": 0.5}.get(kind, 0.3) * SLANT
    width = max(text + 2 * PADDING[0] + slopes, FLAT + 0.11 * max(edges - 1, 3))
    return width, LINE * len(label) + 2 * PADDING[1]


def _sort_edges(model: Model) -> dict[Edge, list[Claim]]:
    """The claims by cause and effect: first those that act within a step, then those from an earlier kind to a later
    one, so that feedback to later steps is drawn upwards."""
    edges: dict[Edge, list[Claim]] = {}
    for claim in model.claims:
        edges.setdefault((claim.cause, claim.effect), []).append(claim)
    kinds = ["static", "state", "measurement", "treatment", "event"]

    def precedence(edge: Edge) -> tuple[int, bool]:
        cause, effect = (model.variables[name] for name in edge)
        lag = min((read.steps_back for read in effect.reads if read.name == cause.name), default=0)
        return lag, kinds.index(cause.kind) > kinds.index(effect.kind)

    return {edge: edges[edge] for edge in sorted(edges, key=precedence)}


def _is_lagged(effect: Variable, cause: str) -> bool:
    """Whether every read of the cause looks back in time, except in the start."""
    running = [text for key, text in effect.expressions.items() if key != "start"]
    found = [read for read in reads(*running) if read.name == cause]
    return bool(found) and all(read.steps_back > 0 for read in found)


def _shape(kind: str, center: Point, size: Point, **look: Any) -> Patch:
    """The shape of a kind, in the given box."""
    from matplotlib.patches import FancyBboxPatch, Polygon

    (x, y), (w, h), s = center, (size[0] / 2, size[1] / 2), SLANT
    if kind == "state":
        return FancyBboxPatch(
            (x - w, y - h), 2 * w, 2 * h, boxstyle=f"round,pad=0,rounding_size={min(h, 0.17)}", **look
        )
    corners = {
        "static": [(-w, -h), (w, -h), (w, h), (-w, h)],
        "event": [(s - w, -h), (w - s, -h), (w, 0), (w - s, h), (s - w, h), (-w, 0)],
        "treatment": [(-w, -h), (w - s, -h), (w, h), (s - w, h)],
        "measurement": [(-w, -h), (w, -h), (w, h - s), (w - s, h), (-w, h)],
    }[kind]
    return Polygon([(x + dx, y + dy) for dx, dy in corners], closed=True, **look)


def _draw_variable(axes: Axes, variable: Variable, label: Sequence[str], center: Point, size: Point) -> None:
    latent = variable.kind == "state" or not variable.recorded
    shape = _draw_shape(axes, variable.kind, center, size, latent=latent)
    shape.set_gid(f"variable-{variable.name}")
    for i, line in enumerate(label):
        _write_text(axes, center[0], center[1] + LINE * ((len(label) - 1) / 2 - i), line)


def _draw_shape(axes: Axes, kind: str, center: Point, size: Point, *, latent: bool) -> Patch:
    outline, fill = KINDS[kind]
    style: Any = (0, (4, 2)) if latent else "solid"
    shape = _shape(kind, center, size, facecolor=fill, edgecolor=outline, linewidth=1.3, linestyle=style, zorder=3)
    axes.add_patch(shape)
    return shape


def _write_text(axes: Axes, x: float, y: float, text: str, **look: Any) -> None:
    look = {"size": SIZE, "ha": "center", "weight": "normal", **look}
    axes.text(x, y, text, va="center", family=FONT, color="black", parse_math=False, zorder=4, **look)


def _draw_edge(axes: Axes, edge: Edge, claims: Sequence[Claim], layout: Arrangement, *, lagged: bool) -> None:
    points = layout.routes[edge]
    gid = f"claim-{edge[0]}-{edge[1]}"
    _draw_route(axes, points, look=_look_of(claims), lagged=lagged, gid=gid)


def _look_of(claims: Sequence[Claim]) -> tuple[str, Any]:
    if any(not evidence.assumed for claim in claims for evidence in claim.evidence):
        return CITED
    return MEASURED if any(claim.structural for claim in claims) else ASSUMED


def _draw_route(axes: Axes, points: Sequence[Point], *, look: tuple[str, Any], lagged: bool, gid: str = "") -> None:
    """An edge through `points` (see Arrangement.routes); its head is open if it acts in a later step."""
    from matplotlib.patches import PathPatch, Polygon
    from matplotlib.path import Path as Outline

    color, style = look
    (x, y), before = points[-1], points[-2]
    back = HEAD[1] if before[1] > y else -HEAD[1]
    route = [*points[:-1], (x, y + back)]
    vertices, codes = [route[0]], [Outline.MOVETO]
    for i, (a, b) in enumerate(itertools.pairwise(route)):
        if i % 2:
            vertices, codes = [*vertices, b], [*codes, Outline.LINETO]
        else:
            middle = (a[1] + b[1]) / 2
            vertices = [*vertices, (a[0], middle), (b[0], middle), b]
            codes = [*codes, *[Outline.CURVE4] * 3]
    line = PathPatch(Outline(vertices, codes), fill=False, edgecolor=color, linestyle=style, linewidth=1.1, zorder=1)
    line.set_gid(gid or None)
    axes.add_patch(line)
    head = [(x, y), (x - HEAD[0], y + back), (x + HEAD[0], y + back)]
    axes.add_patch(
        Polygon(head, closed=True, facecolor="white" if lagged else color, edgecolor=color, linewidth=0.9, zorder=2)
    )


def _draw_legend(axes: Axes, *, center: float, top: float) -> None:
    """Two rows: the kinds of variables, and the kinds of edges."""
    boxes = [(kind, kind, kind == "state") for kind in KINDS] + [("static", "not recorded", True)]
    for x, (kind, words, latent) in _spread([words for _, words, _ in boxes], boxes, center=center, key=0.36):
        _draw_shape(axes, kind, (x + 0.15, top - 0.1), (0.3, 0.17), latent=latent)
        _write_text(axes, x + 0.36, top - 0.1, words, ha="left")
    lines = [(CITED, False, "cited"), (ASSUMED, False, "assumed"), (MEASURED, False, "is measured as")]
    lines.append((CITED, True, "acts in a later step"))
    for x, (look, lagged, words) in _spread([words for _, _, words in lines], lines, center=center, key=0.16):
        _draw_route(axes, [(x + 0.06, top - 0.34), (x + 0.06, top - 0.64)], look=look, lagged=lagged)
        _write_text(axes, x + 0.16, top - 0.49, words, ha="left")


def _spread(words: Sequence[str], items: Sequence[Item], *, center: float, key: float) -> Iterator[tuple[float, Item]]:
    """The left end of each entry of a centred row; an entry is a symbol of width `key`, and words."""
    widths = [key + measure_text(text, SIZE) + 0.28 for text in words]
    x = center - (sum(widths) - 0.28) / 2
    for width, item in zip(widths, items, strict=True):
        yield x, item
        x += width
