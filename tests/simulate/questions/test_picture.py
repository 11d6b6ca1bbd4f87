"""The picture of twins: everything in it and told apart, the same bytes each time, nothing over anything else."""

import subprocess
import sys
from dataclasses import replace
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb

from nosograph.errors import NosographError
from nosograph.simulate.questions.picture import choose_variables, draw_twins, figure_twins, measure_change
from nosograph.simulate.questions.timelines import (
    Band,
    TimelineEvent,
    TimelineIntervention,
    Timelines,
    TimelineVariable,
)

TIMES = np.arange(25) / 12
WORLDS = ("factual", "treated")


def exact(values):
    values = np.asarray(values, dtype=float)
    return Band(values, values, values)


def spread(values, width):
    values = np.asarray(values, dtype=float)
    return Band(values - width, values, values + width)


def make_timelines(*, variables=5, worlds=WORLDS, title="Patient 7 of six, seed 0"):
    """Variable i is moved by the other worlds by i / 10 of its range; v0 is not, and is observed."""
    made = []
    for i in range(variables):
        bands = {name: spread(TIMES + k * i * TIMES / 10, 0.05) for k, name in enumerate(worlds)}
        seen = ((0.0, 0.1), (1.0, 0.9)) if i == 0 else ()
        made.append(TimelineVariable(f"v{i}", f"Variable {i}", "[Centiloid]", bands, seen))
    levels = {name: exact(np.where(k + 1 <= TIMES, 2, 0)) for k, name in enumerate(worlds)}
    made.append(TimelineVariable("pressure", "Blood pressure", "", levels, (), ("low", "normal", "very_high")))
    given = {name: exact(np.full(len(TIMES), float(k > 0))) for k, name in enumerate(worlds)}
    made.append(TimelineVariable("drug", "Drug, given by what is on record", "1", given))
    events = (
        TimelineEvent("factual", "fall", "A fall", time=1.5),
        TimelineEvent(worlds[-1], "fall", "A fall", time=None),
        *(
            TimelineEvent(w, "death", "Death", probability=TIMES / (9 + k), ends="journey")
            for k, w in enumerate(worlds)
        ),
    )
    interventions = tuple(TimelineIntervention(w, f"drug = {k}", 0.5, 1.5) for k, w in enumerate(worlds[1:], 1))
    return Timelines(title, "year", TIMES, tuple(made), events, interventions)


def draw_panels(timelines):
    figure = figure_twins(timelines)
    FigureCanvasAgg(figure).draw()
    return figure, {axes.get_gid(): axes for axes in figure.axes}


def lines_of(axes, color):
    return [line for line in axes.lines if to_rgb(line.get_color()) == to_rgb(color) and len(line.get_xdata()) > 2]


def test_panels_and_their_order():
    _, panels = draw_panels(make_timelines())
    assert set(panels) == {
        "lanes",
        *(f"variable-v{i}" for i in range(5)),
        "variable-pressure",
        "variable-drug",
        "event-death",
    }
    names = [v.name for v in choose_variables(make_timelines())]
    assert set(names[:2]) == {"pressure", "drug"}  # these go from one end to the other
    assert names[2:] == ["v4", "v3", "v2", "v1", "v0"]


def test_eight_variables_at_most_and_not_those_about_which_nothing_is_told():
    assert len(choose_variables(make_timelines(variables=12))) == 8
    same = {name: exact(TIMES) for name in WORLDS}
    silent = TimelineVariable("silent", "", "", same)
    timelines = make_timelines()
    assert "silent" not in [
        v.name for v in choose_variables(replace(timelines, variables=(silent, *timelines.variables)))
    ]
    assert choose_variables(replace(timelines, variables=(silent,))) == [silent]


def test_change_is_a_share_of_what_is_shown():
    bands = {"factual": exact([0.0, 0.0, 4.0]), "treated": exact([0.0, 1.0, np.nan])}
    assert measure_change(TimelineVariable("x", "", "", bands)) == pytest.approx(0.25)
    gone = {"factual": exact([np.nan] * 3), "treated": exact([np.nan] * 3)}
    assert measure_change(TimelineVariable("x", "", "", gone)) == 0


def test_lines_bands_evidence_and_windows_are_where_they_should_be():
    _, panels = draw_panels(make_timelines())
    axes = panels["variable-v0"]
    factual, treated = (lines_of(axes, color) for color in ("#222222", "#0072b2"))
    assert len(factual) == 1
    np.testing.assert_allclose(factual[0].get_ydata(), TIMES)
    assert factual[0].get_linestyle() != treated[0].get_linestyle()
    vertices = np.concatenate([path.vertices for band in axes.collections for path in band.get_paths()])
    assert vertices[:, 1].min() == pytest.approx(-0.05)
    assert vertices[:, 1].max() == pytest.approx(2.05)
    (points,) = [line for line in axes.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(points.get_xydata(), [(0.0, 0.1), (1.0, 0.9)])
    starts = sorted(
        line.get_xdata()[0] for line in axes.lines if len(line.get_xdata()) == 2 and line.get_marker() != "o"
    )
    np.testing.assert_allclose(starts, [0.5, 1.5])
    (window,) = axes.patches
    assert window.get_extents().transformed(axes.transData.inverted()).intervalx == pytest.approx([0.5, 1.5])
    (bar,) = panels["lanes"].patches
    assert (bar.get_x(), bar.get_x() + bar.get_width()) == pytest.approx((0.5, 1.5))
    (fall,) = [line for line in panels["lanes"].lines if line.get_marker() not in ("None", "")]
    assert fall.get_xdata()[0] == pytest.approx(1.5)
    np.testing.assert_allclose(lines_of(panels["event-death"], "#222222")[0].get_ydata(), TIMES / 9)


def test_categories_have_their_names_and_steps():
    _, panels = draw_panels(make_timelines())
    assert [text.get_text() for text in panels["variable-pressure"].get_yticklabels()] == ["low", "normal", "very high"]
    assert [text.get_text() for text in panels["variable-drug"].get_yticklabels()] == ["no", "yes"]
    for name in ("variable-pressure", "variable-drug"):
        assert all(line.get_drawstyle() == "steps-post" for line in lines_of(panels[name], "#222222"))
    assert all(line.get_drawstyle() == "default" for line in lines_of(panels["variable-v1"], "#222222"))


def test_a_death_is_marked_and_time_after_the_last_is_not_shown():
    alive = np.where(TIMES < 0.5, 1.0 + TIMES, np.nan)
    bands = {"factual": exact(alive), "treated": exact(np.where(TIMES < 1.0, 1.0 + TIMES / 2, np.nan))}
    events = tuple(
        TimelineEvent(w, "death", "Death", time=t, ends="journey") for w, t in (("factual", 0.48), ("treated", 0.99))
    )
    timelines = Timelines("x", "year", TIMES, (TimelineVariable("x", "X", "", bands),), events)
    _, panels = draw_panels(timelines)
    axes = panels["variable-x"]
    crosses = {line.get_xdata()[0]: line.get_ydata()[0] for line in axes.lines if line.get_marker() == "x"}
    assert crosses == pytest.approx({0.48: 1 + 5 / 12, 0.99: 1 + 11 / 24})
    assert 1.0 <= axes.get_xlim()[1] < 1.2


def test_worlds_differ_in_color_and_in_dashes_or_marker():
    _, panels = draw_panels(make_timelines(worlds=("factual", "a", "b", "c", "d")))
    lines = [line for line in panels["variable-v1"].lines if len(line.get_xdata()) > 2]
    assert len(lines) == 5
    assert len({to_rgb(line.get_color()) for line in lines}) == 5
    assert len({str(line._unscaled_dash_pattern) for line in lines}) == 5


@pytest.mark.parametrize("variables", [0, 9])
@pytest.mark.parametrize(
    "worlds", [WORLDS, ("factual", "a world with quite a long name of its own", "never", "policy")]
)
def test_words_lie_apart_and_inside(variables, worlds):
    timelines = make_timelines(variables=variables, worlds=worlds)
    long = "A title that is much too long to stand over a panel of this picture, whoever reads it"
    timelines = replace(
        timelines, variables=(*timelines.variables[:-1], replace(timelines.variables[-1], title=long, unit="mL"))
    )
    figure, _ = draw_panels(timelines)
    renderer = figure.canvas.get_renderer()
    ticks = {t.label1 for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) for t in axis.get_major_ticks()}
    drawn = {t.label1 for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) for t in axis._update_ticks()}
    texts = [t for t in figure.findobj(matplotlib.text.Text) if t.get_visible() and t.get_text().strip()]
    texts = [t for t in texts if t not in ticks or t in drawn]
    whole = figure.bbox
    boxes = [(t.get_text(), t.get_window_extent(renderer)) for t in texts]
    for words, box in boxes:
        assert box.x0 >= whole.x0, words
        assert box.x1 <= whole.x1, words
        assert box.y0 >= whole.y0, words
        assert box.y1 <= whole.y1, words
    for i, (one, a) in enumerate(boxes):
        for other, b in boxes[i + 1 :]:
            wide, tall = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
            assert wide <= 1 or tall <= 1, (one, other)


@pytest.mark.parametrize("suffix", ["svg", "png", "pdf"])
def test_same_bytes_each_time_whatever_the_settings(suffix, tmp_path):
    before = matplotlib.rcParams.copy()
    first = draw_twins(make_timelines(variables=1), tmp_path / f"a.{suffix}").read_bytes()
    assert matplotlib.rcParams.copy() == before
    settings = {"font.size": 30.0, "axes.facecolor": "black", "lines.linewidth": 9.0, "font.family": ["serif"],
                "savefig.bbox": "tight", "svg.fonttype": "path", "axes.grid": True, "text.color": "red"}  # fmt: skip
    with matplotlib.rc_context(settings):
        second = draw_twins(make_timelines(variables=1), tmp_path / f"b.{suffix.upper()}").read_bytes()
    assert first == second
    assert len(first) > 5000
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"a.{suffix}", f"b.{suffix.upper()}"]


def test_no_pyplot():
    code = (
        "import sys, numpy as np\nfrom nosograph.simulate.questions.picture import figure_twins\n"
        "from nosograph.simulate.questions.timelines import *\nv = np.arange(3.0)\n"
        "figure_twins(Timelines('x', 'hour', v, (TimelineVariable('x', '', '', {'factual': Band(v, v, v)}),)))\n"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_titles_are_escaped_and_no_mathematics(tmp_path):
    title = "Mrs. <b>X</b> & $co$ _y_"
    timelines = make_timelines(title=title, worlds=("factual", "given <i> $1$"))
    text = TimelineIntervention("given <i> $1$", "drug = where(x[-1] < 2 and $y$ > 1, 1, 0)", 0.2, 2.0)
    path = draw_twins(replace(timelines, interventions=(text,)), tmp_path / "twins.svg")
    assert "<b>" not in path.read_text()
    texts = {"".join(element.itertext()) for element in ElementTree.parse(path).iter() if element.tag.endswith("text")}
    assert {title, "given <i> $1$", text.text} <= texts


def test_other_formats_and_missing_folders_are_named(tmp_path):
    with pytest.raises(NosographError, match="svg, png or pdf"):
        draw_twins(make_timelines(), tmp_path / "twins.jpg")
    with pytest.raises(NosographError, match="nowhere"):
        draw_twins(make_timelines(), tmp_path / "nowhere" / "twins.svg")
