"""The picture: everything in it, nothing over anything else, the same bytes each time."""

import itertools
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import networkx as nx
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.transforms import Bbox

from nosograph.causal.explain.draw import draw_model, figure_model
from nosograph.causal.explain.layers import arrange
from nosograph.causal.model.load import load_model as load_anew
from nosograph.causal.model.model import Claim, Clock, Evidence, Model, Variable
from nosograph.errors import NosographError

SIX = Path(__file__).parents[2] / "models" / "six.yaml"
load_model = cache(load_anew)
KINDS = ("static", "state", "measurement", "treatment", "event")


def make_model(edges, *, nodes, title="A stand-in", titles=()):
    """A model of nothing but claims."""
    variables = {}
    for i in range(nodes):
        claims = tuple(
            Claim(f"v{a}", f"v{b}", (Evidence("PMID:1", "recalled") if (a + b) % 2 else Evidence("assumption"),))
            for a, b in edges
            if b == i
        )
        text = titles[i] if i < len(titles) else f"Variable number {i} " + "of a rather long title" * (i % 3 == 0)
        recorded = KINDS[i % 5] != "state" and i % 7 != 0
        variables[f"v{i}"] = Variable(f"v{i}", "", KINDS[i % 5], title=text, recorded=recorded, claims=claims)
    clock = Clock(1 / 12, 10.0, 1.0, ("1 month", "10 years", "year"))
    return Model("stand_in", "", title, "1", "", clock, {}, variables)


def make_dense(seed, *, nodes=30, edges=60):
    """A random graph with cycles, no loops at a node, no edge twice."""
    rng = np.random.default_rng(seed)
    every = [(a, b) for a in range(nodes) for b in range(nodes) if a != b]
    forward = [pair for pair in every if pair[0] < pair[1] <= pair[0] + 12]
    backward = [pair for pair in every if pair[1] < pair[0] <= pair[1] + 6]
    chosen = [forward[i] for i in rng.choice(len(forward), edges - 6, replace=False)]
    return chosen + [backward[i] for i in rng.choice(len(backward), 6, replace=False)]


def star(leaves):
    return [(0, i) for i in range(1, leaves + 1)]


MODELS = {
    "six": lambda: load_model(SIX),
    "alzheimers": lambda: load_model("alzheimers"),
    "dense 1": lambda: make_model(make_dense(1), nodes=30),
    "dense 2": lambda: make_model(make_dense(2), nodes=30),
    "star": lambda: make_model(star(40), nodes=41),
    "no claims": lambda: make_model([], nodes=4),
    "one": lambda: make_model([], nodes=1),
}


@pytest.fixture(params=MODELS, scope="module")
def drawn(request):
    """A model, its figure, and the boxes of its variables in points."""
    model = MODELS[request.param]()
    figure = figure_model(model)
    FigureCanvasAgg(figure).draw()
    return model, figure, variable_boxes(figure)


def variable_boxes(figure):
    patches = [patch for patch in figure.axes[0].patches if (patch.get_gid() or "").startswith("variable-")]
    return {patch.get_gid().removeprefix("variable-"): patch.get_window_extent() for patch in patches}


def overlap(a, b):
    return min(a.x1, b.x1) - max(a.x0, b.x0) > 0 and min(a.y1, b.y1) - max(a.y0, b.y0) > 0


def edge_lines(figure):
    """The lines of the claims as points in display units, finely sampled."""
    for patch in figure.axes[0].patches:
        gid = patch.get_gid() or ""
        if gid.startswith("claim-"):
            curve = patch.get_path().transformed(patch.get_patch_transform())
            (points,) = curve.to_polygons(closed_only=False)
            fine = [a + (b - a) * s for a, b in itertools.pairwise(points) for s in np.linspace(0, 1, 12)]
            cause, effect = gid.removeprefix("claim-").split("-")
            yield cause, effect, figure.axes[0].transData.transform(np.array(fine))


def test_every_variable_and_claim_is_in_the_svg(drawn, tmp_path):
    model, _, _ = drawn
    ids = {e.get("id") for e in ElementTree.parse(draw_model(model, tmp_path / "model.svg")).iter() if e.get("id")}
    assert {f"variable-{name}" for name in model.variables} <= ids
    claims = {f"claim-{claim.cause}-{claim.effect}" for claim in model.claims}
    assert claims <= ids
    assert len([i for i in ids if i.startswith(("variable-", "claim-"))]) == len(model.variables) + len(claims)


def test_variables_do_not_overlap(drawn):
    _, figure, boxes = drawn
    assert not [pair for pair in itertools.combinations(boxes, 2) if overlap(boxes[pair[0]], boxes[pair[1]])]
    whole = Bbox.from_bounds(0, 0, *(figure.get_size_inches() * figure.dpi))
    assert all(whole.containsx(b.x0) and whole.containsx(b.x1) for b in boxes.values())
    assert all(whole.containsy(b.y0) and whole.containsy(b.y1) for b in boxes.values())


def test_edges_run_over_no_variable_and_end_at_their_own(drawn):
    model, figure, boxes = drawn
    for cause, effect, points in edge_lines(figure):
        for name, box in boxes.items():
            x, y = points.T
            inside = (x > box.x0) & (x < box.x1) & (y > box.y0 + 1) & (y < box.y1 - 1)
            assert not inside.any(), (cause, effect, name)
        for end, name in ((points[0], cause), (points[-1], effect)):
            box = boxes[name]
            assert box.x0 < end[0] < box.x1
            # the head, 0.11 inches, lies between the line's end and its effect
            assert min(abs(end[1] - box.y0), abs(end[1] - box.y1)) < (1 if name == cause else 0.12 * figure.dpi)
    assert len(list(edge_lines(figure))) == len({(claim.cause, claim.effect) for claim in model.claims})


def test_words_lie_within_their_shapes_and_apart(drawn):
    _, figure, boxes = drawn
    renderer = figure.canvas.get_renderer()
    whole = Bbox.from_bounds(0, 0, *(figure.get_size_inches() * figure.dpi))
    words = [text.get_window_extent(renderer) for text in figure.axes[0].texts]
    for text, extent in zip(figure.axes[0].texts, words, strict=True):
        assert extent.x0 > whole.x0, text
        assert extent.x1 < whole.x1, text
        touched = [box for box in boxes.values() if overlap(box, extent)]
        assert len(touched) <= 1, text
        for box in touched:
            assert extent.x0 > box.x0, text
            assert extent.x1 < box.x1, text
    for (i, a), (j, b) in itertools.combinations(enumerate(words), 2):
        inner = [Bbox.from_extents(w.x0, w.y0 + 2, w.x1, w.y1 - 2) for w in (a, b)]  # lines of a label stand close
        assert not overlap(*inner), (figure.axes[0].texts[i], figure.axes[0].texts[j])


def test_causes_stand_above_effects_where_nothing_goes_back():
    rng = np.random.default_rng(3)
    edges = [(a, b) for a in range(25) for b in range(a + 1, 25) if rng.random() < 0.12]
    boxes = variable_boxes(figure_model(make_model(edges, nodes=25)))
    assert len(edges) > 20
    assert all(boxes[f"v{a}"].y0 > boxes[f"v{b}"].y1 for a, b in edges)


def test_only_the_edge_that_closes_a_cycle_goes_up():
    sizes = dict.fromkeys("abc", (1.0, 0.3))
    layout = arrange(sizes, [("a", "b"), ("b", "c"), ("c", "a")])
    assert [layout.centers[a][1] > layout.centers[b][1] for a, b in layout.routes] == [True, True, False]
    up = layout.routes["c", "a"]
    assert up[0][1] < up[-1][1]
    assert up[0] != layout.routes["b", "c"][-1]


def test_layers_are_as_short_as_can_be():
    """The longest path decides the number of layers, and a cause with one late effect stands just above it."""
    edges = [("a", "b"), ("b", "c"), ("c", "d"), ("x", "d")]
    layout = arrange(dict.fromkeys("abcdx", (1.0, 0.3)), edges)
    heights = sorted({round(y, 6) for _, y in layout.centers.values()})
    assert len(heights) == nx.dag_longest_path_length(nx.DiGraph(edges)) + 1
    assert layout.centers["x"][1] == pytest.approx(layout.centers["c"][1])


def test_planar_graphs_are_drawn_without_crossings():
    """A balanced binary tree, its leaves given in a shuffled order."""
    tree = nx.balanced_tree(2, 3, create_using=nx.DiGraph)
    order = np.random.default_rng(5).permutation(15)
    edges = [(f"v{a}", f"v{b}") for a, b in tree.edges]
    layout = arrange({f"v{i}": (1.0, 0.3) for i in order}, edges)
    for (a, b), (c, d) in itertools.combinations(edges, 2):
        upper, lower = layout.centers[a][0] - layout.centers[c][0], layout.centers[b][0] - layout.centers[d][0]
        same_layer = layout.centers[a][1] == layout.centers[c][1]
        assert not same_layer or upper * lower >= 0


def outline_of(shape):
    """The points of a shape, its box being 1 by 1."""
    points = shape.get_patch_transform().transform(shape.get_path().vertices)
    low, high = points.min(axis=0), points.max(axis=0)
    return tuple(map(tuple, np.round((points - low) / (high - low), 1)))


def test_looks_say_kind_record_and_evidence():
    model = load_model(SIX)
    patches = figure_model(model).axes[0].patches
    found = {patch.get_gid(): patch for patch in patches if patch.get_gid()}
    shapes = [found[f"variable-{name}"] for name in ("age", "severity", "death", "treated", "severity_rated")]
    assert len({shape.get_facecolor() for shape in shapes}) == 5
    assert len({outline_of(shape) for shape in shapes}) == 5
    assert found["variable-severity"].get_linestyle() == (0, (4, 2))
    assert found["variable-age"].get_linestyle() in ("solid", "-")
    assert found["claim-age-severity"].get_linestyle() not in ("solid", "-")  # an assumption
    assert found["claim-severity-severity_rated"].get_linestyle() in ("solid", "-")
    heads = {gid: patches[list(patches).index(patch) + 1] for gid, patch in found.items() if gid.startswith("claim-")}
    white = (1.0, 1.0, 1.0, 1.0)
    assert heads["claim-treated-severity"].get_facecolor() == white  # severity reads treated[-1]
    assert heads["claim-severity-death"].get_facecolor() == white
    assert heads["claim-severity-severity_rated"].get_facecolor() != white


def test_cited_is_solid():
    model = make_model([(0, 1), (0, 2)], nodes=3)
    found = {p.get_gid(): p for p in figure_model(model).axes[0].patches if p.get_gid()}
    assert found["claim-v0-v1"].get_linestyle() in ("solid", "-")
    assert found["claim-v0-v2"].get_linestyle() not in ("solid", "-")


@pytest.mark.parametrize("suffix", ["svg", "png", "pdf"])
def test_same_bytes_each_time(suffix, tmp_path):
    first = draw_model(load_model(SIX), tmp_path / f"a.{suffix}").read_bytes()
    second = draw_model(load_model(SIX), tmp_path / f"b.{suffix.upper()}").read_bytes()
    assert first == second
    assert len(first) > 2000
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"a.{suffix}", f"b.{suffix.upper()}"]


SCRIPT = """
import sys
from nosograph.causal.model.load import load_model
from nosograph.causal.explain.draw import draw_model
from nosograph.causal.explain.variables import explain_model
import matplotlib
before = matplotlib.rcParams.copy()  # reading the backend itself would import pyplot
model = load_model(sys.argv[1])
str(explain_model(model))
draw_model(model, sys.argv[2])
assert matplotlib.rcParams.copy() == before
assert "torch" not in sys.modules and "matplotlib.pyplot" not in sys.modules
"""


def test_same_bytes_in_another_process_without_torch_or_pyplot(tmp_path):
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", SCRIPT, str(SIX), str(tmp_path / f"{seed}.svg")]
        subprocess.run(command, check=True, env=environment)
    assert (tmp_path / "1.svg").read_bytes() == (tmp_path / "2.svg").read_bytes()


def test_settings_of_the_user_change_nothing(tmp_path):
    plain = draw_model(load_model(SIX), tmp_path / "plain.svg").read_bytes()
    settings = {"svg.fonttype": "path", "savefig.bbox": "tight", "figure.facecolor": "black", "text.color": "red",
                "axes.facecolor": "black", "font.size": 30.0, "lines.linewidth": 9.0, "patch.linewidth": 9.0,
                "svg.hashsalt": "other", "font.family": ["serif"]}  # fmt: skip
    with matplotlib.rc_context(settings):
        dark = draw_model(load_model(SIX), tmp_path / "dark.svg").read_bytes()
    assert plain == dark


def test_titles_are_escaped_and_no_mathematics(tmp_path):
    titles = ["<script>&\"'", "cost $x$ _y_", "price $"]
    model = make_model([(0, 1)], nodes=3, title="A <b>bold</b> & $risky$ title", titles=titles)
    path = draw_model(model, tmp_path / "model.svg")
    assert "<script>" not in path.read_text()
    assert "<b>" not in path.read_text()
    texts = {"".join(element.itertext()) for element in ElementTree.parse(path).iter() if element.tag.endswith("text")}
    assert {*titles, "A <b>bold</b> & $risky$ title"} <= texts


@pytest.mark.parametrize("name", ["model.jpg", "model", "model.svg.gz"])
def test_other_formats_are_refused(name, tmp_path):
    with pytest.raises(NosographError, match="svg, png or pdf"):
        draw_model(load_model(SIX), tmp_path / name)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(NosographError, match="nowhere"):
        draw_model(load_model(SIX), tmp_path / "nowhere" / "model.svg")
