"""Effects through a modality: known errors of reading move estimates and intervals as closed forms say."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import nosograph as ng
from nosograph import commands
from nosograph.causal.model.load import load_model
from nosograph.errors import NosographError
from nosograph.renderers import registry
from nosograph.renderers.pages.readback import tell_accuracy
from nosograph.renderers.pages.report import keep_reread, write_report
from nosograph.renderers.readback.chart import settle
from nosograph.renderers.readback.measure import find_source, measure_rendering
from nosograph.renderers.readback.record import build_read, keep_part
from nosograph.renderers.readback.verify import Reread, verify_through
from nosograph.simulate.cohort import Run, open_run, simulate_to
from nosograph.simulate.runs.inventory import describe_file
from nosograph.simulate.verification.frames import build_frame
from tests.renderers.distribution import install

MODELS = Path(__file__).parents[2] / "models"
PATIENTS, SCALE, BLUR = 1_000, 1.3, 3.0
MODEL = """
id: linear
version: 1.0.0
clock: {step: 1 month, horizon: 1 year, unit: year}
variables:
  x: {kind: static, mechanism: "Normal(0, 1)"}
  given:
    kind: treatment
    start: Bernoulli(expit(x / 2))
    mechanism: given[-1]
    caused_by: {x: {source: assumption}}
  y:
    kind: state
    start: x + 2 * given
    mechanism: y[-1]
    caused_by: {x: {source: assumption}, given: {source: assumption}}
  y_rated: {kind: measurement, of: y, when: every 6 months, mechanism: "Normal(y, 1)"}
effects: ["given -> y_rated @ 6 months"]
"""
PACKAGE = f'''
"""Somebody else's modality, which writes the record down as numbers and misreads it by a known error."""
import zlib
from types import SimpleNamespace

import numpy as np
from nosograph.renderers.readback.measure import ARCHIVED
from nosograph.renderers.modality import Modality
from nosograph.renderers.protocol import Artifact, Requirement


class Exact:
    reads_truth = False
    timeless = False
    lines_hold_all = True
    shared_files = {{}}

    def __init__(self, model, *, knowledge, options):
        self.options = options

    def requires(self):
        return (Requirement("anything", ("static", "measurement", "treatment")),)

    def plan_moments(self, journey):
        return sorted({{row.step for row in journey.rows}})

    def render(self, moments):
        return [[self.write(moment)] for moment in moments]

    def write(self, moment):
        told = dict(moment.journey.statics) if moment.step == 0 else {{}}
        told |= {{row.variable: row.value for row in moment.journey.rows if row.step == moment.step}}
        text = "\\n".join(f"{{name}} {{value!r}}" for name, value in told.items())
        return Artifact("sheet", moment.time, {{".txt": text.encode()}}, {{"text": text, "secret": told}})

    def measure(self, artifact):
        assert set(artifact.line) <= set(ARCHIVED), "it peeks"
        rng = np.random.default_rng(zlib.crc32(f"{{artifact.line['patient']}} {{artifact.time}}".encode()))
        found = []
        for line in artifact.files[".txt"].decode().splitlines():
            name, value = line.split()
            value = self.misread(name, float(value), rng)
            found.append(SimpleNamespace(variable=name, concept="", value=value, unit="", status="present", time=None,
                                         precision=0.0, past=False, rounding=None))
        return found

    def misread(self, name, value, rng):
        return value


class Blurred(Exact):
    def misread(self, name, value, rng):
        return value + rng.normal(0, {BLUR} ** 0.5) if name == "y_rated" else value


class Scaled(Exact):
    def misread(self, name, value, rng):
        return value * {SCALE} if name == "y_rated" else value


class Foggy(Exact):
    def misread(self, name, value, rng):
        return value + rng.normal() if name == "x" else value


EXACT, BLURRED, SCALED, FOGGY = (
    Modality(kind.__name__.lower(), kind.__name__, lambda kind=kind: kind) for kind in (Exact, Blurred, Scaled, Foggy)
)
'''
MODALITIES = ("exact", "blurred", "scaled", "foggy")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> object:
    """An installed distribution, as importlib.metadata sees it."""
    points = {name: f"misreadings:{name.upper()}" for name in MODALITIES}
    site = install(tmp_path_factory.mktemp("site"), "misreadings", PACKAGE, group=registry.GROUP, points=points)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(site))
        yield site


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A small run without any rendering."""
    folder = tmp_path_factory.mktemp("through") / "cohort"
    (folder.parent / "linear.yaml").write_text(MODEL)
    model = load_model(str(folder.parent / "linear.yaml"))
    simulate_to(model, folder, patients=PATIENTS, years=0.5, seed=5, worlds=["all: given = 1"])
    return open_run(folder)


@pytest.fixture(scope="module")
def run(plain: Run, package: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The same, rendered in each modality."""
    folder = shutil.copytree(plain.folder, tmp_path_factory.mktemp("rendered") / "cohort")
    for modality in MODALITIES:
        ng.render(folder, modality=modality, world="factual")
    return open_run(folder)


@pytest.fixture
def copy(run: Run, tmp_path: Path) -> Run:
    return open_run(shutil.copytree(run.folder, tmp_path / "cohort"))


@pytest.fixture(scope="module")
def tables(run: Run) -> dict[str, Reread]:
    return {name: verify_through(run, modality=name, truth_patients=20_000) for name in MODALITIES}


def frame_of(run: Run, modality: str) -> np.ndarray:
    """x, given and the outcome as they were read."""
    measured = measure_rendering(find_source(run, modality=modality, world="factual"))
    read = build_read(measured, keep_part(run, measured.source))
    from nosograph.causal.effects.columns import columns

    (effect,) = run.model.effects
    frame = build_frame(read, columns(run.model, effect), world="factual")
    return frame[["x", "given@0", "y_rated@6"]].to_numpy()


# What reading error does to an effect


def test_what_is_read_without_error_costs_nothing(tables: dict[str, Reread]) -> None:
    found = tables["exact"]
    assert found.passed
    (own,), (read,) = found.record.examinations, found.through.examinations
    assert read.rows == own.rows == PATIENTS
    for one, other in zip(own.estimates, read.estimates, strict=True):
        assert other.estimate == pytest.approx(one.estimate, abs=1e-6)
        assert other.interval == pytest.approx(one.interval, abs=1e-6)
    assert own.truth == read.truth == pytest.approx(2.0, abs=1e-5)
    assert {one.variable: (one.recorded, one.read, one.missed, one.invented) for one in found.accuracy} == {
        "x": (PATIENTS, PATIENTS, 0, 0),
        "given": (PATIENTS, PATIENTS, 0, 0),
        "y_rated": (2 * PATIENTS, 2 * PATIENTS, 0, 0),
    }
    assert all(one.rmse == pytest.approx(0, abs=1e-6) and one.wrong is None for one in found.accuracy)


def test_classical_error_in_the_outcome_widens_and_does_not_bias(tables: dict[str, Reread]) -> None:
    """The residual variance is 1 in the record and 1 + BLUR as read: widths grow by the root of that, where the outcome
    is modelled (weighting alone leaves in it what x explains). Five standard
    errors, of a ratio of two deviations over 1,000 people and of the mean of independent errors: 1e-6 false alarms."""
    found = tables["blurred"]
    (own,), (read,) = found.record.examinations, found.through.examinations
    for one, other in zip(own.estimates, read.estimates, strict=True):
        if one.method.startswith("propensity weighting"):
            continue
        width, wide = (high - low for low, high in (one.interval, other.interval))
        assert wide / width == pytest.approx((1 + BLUR) ** 0.5, rel=5 * (2 * PATIENTS) ** -0.5 * 2)
        assert abs(other.estimate - one.estimate) < 5 * BLUR**0.5 * width / 3.92
    assert read.recovered
    costs = found.as_json()["effects"][0]["through"]["cost"]
    assert [cost["width_ratio"] for cost in costs] == [pytest.approx(2, abs=0.25)] * 2
    (rated,) = (one for one in found.accuracy if one.variable == "y_rated")
    assert rated.rmse == pytest.approx(BLUR**0.5, rel=5 * (4 * PATIENTS) ** -0.5)


def test_a_multiplied_outcome_multiplies_the_effect_and_is_missed(tables: dict[str, Reread]) -> None:
    found = tables["scaled"]
    (own,), (read,) = found.record.examinations, found.through.examinations
    for one, other in zip(own.estimates, read.estimates, strict=True):
        assert other.estimate == pytest.approx(SCALE * one.estimate, rel=1e-5)
        assert np.ptp(other.interval) == pytest.approx(SCALE * np.ptp(one.interval), rel=1e-4)
    assert found.record.passed
    assert not found.passed
    assert read.recovered is False


def test_error_in_a_confounder_leaves_confounding(tables: dict[str, Reread], run: Run) -> None:
    """Least squares by NumPy on what was read, and the textbook's direction: part of the confounding stays."""
    (own,), (read,) = tables["foggy"].record.examinations, tables["foggy"].through.examinations
    x, given, y = frame_of(run, "foggy").T
    assert np.var(x) == pytest.approx(2, rel=0.2)
    design = np.column_stack([np.ones_like(x), given, x])
    expected = np.linalg.lstsq(design, y, rcond=None)[0][1]
    assert read.estimates[0].estimate == pytest.approx(expected, abs=1e-4)
    assert own.estimates[0].estimate < read.estimates[0].estimate < read.naive.estimate  # type: ignore[union-attr]


def test_the_document_has_both_tables(tables: dict[str, Reread], copy: Run) -> None:
    found = tables["scaled"]
    held = json.loads(keep_reread(copy, found).read_text())
    assert held == json.loads(json.dumps(found.as_json()))
    (effect,) = held["effects"]
    assert (held["passed"], held["record_passed"]) == (False, True)
    assert effect["recovered"]
    assert effect["through"]["recovered"] is False
    assert effect["through"]["modality"] == "scaled"
    assert set(effect["through"]["read"]) == {"x", "given", "y_rated"}
    assert effect["through"]["taken"] == []
    assert len(found.to_pandas()) == 2 * (1 + len(effect["estimates"]))
    page = write_report(copy).read_text()
    assert "Effects through scaled" in page
    assert "Effects through exact" not in page
    assert "reading moves it by" in str(found)
    assert found._repr_html_().startswith("<pre>")


def test_a_missed_effect_exits_with_1(copy: Run) -> None:
    done = CliRunner().invoke(commands.app, ["verify", str(copy.folder), "--through", "scaled", "--json"])
    assert done.exit_code == 1
    held = json.loads(done.stdout)
    assert held["passed"] is False
    assert held["effects"][0]["recovered"]
    assert json.loads((copy.folder / "verification-scaled.json").read_text())["passed"] is False


# Renderings that are not whole


def problem_of(call: object) -> tuple[str, str]:
    with pytest.raises(NosographError) as caught:
        call()  # type: ignore[operator]
    problem = caught.value.problems[0]
    return problem.problem, str(problem.fix)


def test_without_a_rendering_the_command_that_makes_one_is_told(plain: Run, package: Path) -> None:
    problem, fix = problem_of(lambda: ng.verify(plain, through="notes"))
    assert "has not been made" in problem
    assert fix == f"nosograph render {plain.folder} --modality notes"
    problem, fix = problem_of(lambda: ng.verify(plain, through="note"))
    assert fix == "--through notes"
    problem, _ = problem_of(lambda: ng.verify(plain.model, through="notes"))
    assert "a model" in problem
    problem, _ = problem_of(lambda: ng.verify(plain, through="exact", effects="given -> y_rated @ 1 year"))
    assert "beyond the run's end" in problem


def test_another_runs_rendering_and_a_world_that_is_left_out_are_refused(copy: Run) -> None:
    file = copy.folder / "exact" / "manifest.json"
    held = json.loads(file.read_text())
    file.write_text(json.dumps({**held, "dataset_sha256": "0" * 64}))
    assert "another run" in problem_of(lambda: ng.verify(copy, through="exact"))[0]
    file.write_text(json.dumps({**held, "worlds": ["all"]}))
    assert "leave out the world 'factual'" in problem_of(lambda: ng.verify(copy, through="exact"))[0]
    file.write_text("{")
    assert "not the manifest of a rendering" in problem_of(lambda: ng.verify(copy, through="exact"))[0]


def list_again(folder: Path) -> None:
    """List parts that were changed on purpose."""
    manifest = folder / "manifest.json"
    held = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**held, "parts": {name: describe_file(folder / name) for name in held["parts"]}}))


def test_some_patients_alone_are_examined_on_both_sides_and_said(plain: Run, package: Path, tmp_path: Path) -> None:
    """With files, too: what is read then are these."""
    folder = shutil.copytree(plain.folder, tmp_path / "cohort")
    ng.render(folder, modality="exact", patients="0-149", world="factual", files=True)
    assert len(list(folder.glob("exact/factual/*/*-sheet.txt"))) == 300
    lines = folder / "exact" / "part-00000.jsonl"
    lines.write_text(lines.read_text().replace('"text": "x ', '"text": "x 1'))  # nobody reads these
    list_again(folder / "exact")
    found = verify_through(open_run(folder), modality="exact", truth_patients=5_000)
    assert found.record.patients == found.through.patients == 150
    assert found.record.examinations[0].rows == 150
    assert "150 of the run's 1,000 patients" in found.caveats()[0]
    assert "2.6 times as wide" in found.caveats()[0]  # the root of 1000 / 150
    assert all(one.rmse == pytest.approx(0, abs=1e-6) for one in found.accuracy)


def test_what_no_artifact_tells_is_the_runs_own_and_named(copy: Run) -> None:
    for part in (copy.folder / "exact").glob("part-*.jsonl"):
        rows = [json.loads(line) for line in part.read_text().splitlines()]
        for row in rows:
            row["text"] = "\n".join(line for line in row["text"].split("\n") if not line.startswith("x "))
        part.write_text("".join(json.dumps(row) + "\n" for row in rows))
    list_again(copy.folder / "exact")
    found = verify_through(copy, modality="exact", truth_patients=5_000)
    assert found.taken == (("x",),)
    assert [one.variable for one in found.accuracy] == ["given", "y_rated"]
    assert found.through.examinations[0].estimates == found.record.examinations[0].estimates
    assert "the run's own: x" in str(found)


# Readings put together


@dataclass(frozen=True)
class Said:
    variable: str = "severity_rated"
    value: float | str | None = 20.0
    time: float | None = None
    concept: str = ""
    unit: str = ""
    status: str = "present"
    precision: float = 0.003
    past: bool = False
    rounding: float | None = 0.05


@pytest.fixture(scope="module")
def six() -> object:
    return load_model(str(MODELS / "six.yaml"))


def read(six, *documents):
    return settle(documents, patient=7, model=six)


def test_a_retold_value_is_not_doubled_and_the_one_nearest_its_visit_wins(six) -> None:
    first, again = Said(value=21.0), Said(value=21.04, time=-0.501, past=True)
    chart = read(six, (0.0, [first]), (0.5, [Said(value=19.0), again]))
    assert chart.rows == [(7, "severity_rated", 0, 21.0, 0.05), (7, "severity_rated", 6, 19.0, 0.05)]
    assert (chart.counts["retold"], chart.counts["conflicts"]) == (1, 0)
    chart = read(six, (0.0, [first]), (0.5, [replace(again, value=12.0)]))
    assert chart.rows == [(7, "severity_rated", 0, 21.0, 0.05)]
    assert chart.counts["conflicts"] == 1


def test_a_value_told_later_alone_goes_back_to_its_own_time(six) -> None:
    chart = read(six, (1.0, [Said(value=18.0, time=-0.247, past=True)]))
    assert chart.rows == [(7, "severity_rated", 9, 18.0, 0.05)]
    loose = Said(value=18.0, time=-0.54, precision=0.044, past=True)  # "in March": the middle of it
    chart = read(six, (0.5, [loose]), (0.0, [Said(value=18.0)]))
    assert chart.rows == [(7, "severity_rated", 0, 18.0, 0.05)]


def test_a_value_told_twice_in_one_document_has_one_date(six) -> None:
    """Its summary leaves the date away. Not so where no earlier document knows of that date."""
    told, again = Said(value=21.0, time=-0.5), Said(value=21.0)
    chart = read(six, (0.0, [Said(value=21.0)]), (0.5, [told, again]))
    assert [row[2:4] for row in chart.rows] == [(0, 21.0)]
    chart = read(six, (0.0, [Said(value=24.0)]), (0.5, [told, again]))
    assert [row[2:4] for row in chart.rows] == [(0, 24.0), (6, 21.0)]
    assert chart.counts["conflicts"] == 1


def test_what_cannot_be_placed_is_counted_and_left_out(six) -> None:
    chart = read(
        six, (1.0, [Said(past=True), Said(time=-2.0), Said(time=0.5), Said("height"), Said(status="uncertain")])
    )
    assert chart.rows == []
    assert chart.counts == {"readings": 5, "undated": 3, "nameless": 1, "silent": 1}


def test_a_treatment_is_told_by_its_changes(six) -> None:
    never = Said("treated", 0.0, status="absent")
    given = Said("treated", 1.0, time=-0.25)
    chart = read(six, (0.0, [never]), (0.5, [given]), (1.0, [replace(given, time=-0.75)]), (1.5, [never]))
    assert [(step, value) for _, _, step, value, _ in chart.rows] == [(0, 0.0), (3, 1.0), (18, 0.0)]
    assert chart.counts["conflicts"] == 0


def test_events_statics_and_concepts(six) -> None:
    chart = read(
        six,
        (0.0, [Said("risk", 1.0), Said("death", None, status="absent")]),
        (1.0, [Said("risk", 0.0), Said("death", None, time=-0.1), Said("", 20.0, concept="HP:1")]),
    )
    assert chart.statics == [(7, "risk", 1.0, 0.05)]
    assert chart.counts["conflicts"] == 1
    assert [(name, round(time, 3)) for _, name, time, _, _ in chart.events] == [("death", 0.9)]
    assert chart.counts["nameless"] == 1  # no variable has that concept
    assert chart.mentioned == {"risk", "death"}


def test_units_are_converted(six) -> None:
    chart = read(six, (0.0, [Said("age", 840.0, unit="mo")]))
    assert chart.statics[0][2] == pytest.approx(70.0)


# Notes, from end to end


def test_a_small_run_through_its_notes(tmp_path: Path) -> None:
    """The reader is nearly perfect on the grammar's notes, and the estimates stay within a tenth of their intervals."""
    folder, document = tmp_path / "cohort", tmp_path / "six.yaml"
    document.write_text((MODELS / "six.yaml").read_text().replace("treated", "donepezil"))  # a drug has a name
    simulate_to(load_model(str(document)), folder, patients=120, years=0.5, seed=4)
    ng.render(folder, modality="notes", workers=2)
    effect = "donepezil -> severity_rated @ 6 months"
    words = ["verify", str(folder), "--through", "notes", "--effect", effect, "--workers", "2", "--json"]
    done = CliRunner().invoke(commands.app, words)
    assert done.exit_code == 0, done.output
    held = json.loads(done.stdout)
    (effect,) = held["effects"]
    own = {one["method"]: one["interval"] for one in effect["estimates"]}
    assert effect["through"]["cost"]
    for cost in effect["through"]["cost"]:
        low, high = own[cost["method"]]
        assert abs(cost["difference"]) < 0.1 * (high - low)
    assert held["through"]["patients"] == 120
    counts = {one["variable"]: one for one in held["through"]["accuracy"]}
    for name in ("age", "risk", "severity_rated", "donepezil"):
        assert counts[name]["read"] >= 0.97 * counts[name]["recorded"]
        assert counts[name]["invented"] <= 0.03 * counts[name]["recorded"]
    assert 0 < counts["severity_rated"]["rmse"] < 0.05  # as clinicians round


@pytest.mark.verification
def test_alzheimers_through_its_notes(tmp_path: Path) -> None:
    """The declared effects come back from the notes of 1,500 patients; the pass rule's false-alarm rate is 0.001, and
    estimates from text lie within half an interval's width of those from the record."""
    folder = tmp_path / "cohort"
    simulate_to(load_model("alzheimers"), folder, patients=1_500, years=2, seed=17)
    ng.render(folder, modality="notes", workers=2)
    found = ng.verify(open_run(folder), through="notes", workers=2)
    assert found.passed, str(found)
    tested = [one for one in found.as_json()["effects"] if one["through"]["estimates"]]
    assert len(tested) == 3
    for effect in tested:
        for cost in effect["through"]["cost"]:
            (own,) = (one for one in effect["estimates"] if one["method"] == cost["method"])
            assert cost["width_ratio"] < 1.25
            assert abs(cost["difference"]) < 0.5 * (own["interval"][1] - own["interval"][0])
    for one in found.accuracy:
        assert one.read >= 0.95 * one.recorded, one


@pytest.mark.parametrize(
    ("unit", "text"),
    [("1", ">0.029<"), ("[Centiloid]", ">0.029 Centiloids<"), ("year", ">0.029 year<"), ("", ">0.029<")],
)
def test_errors_are_in_units_as_people_write_them(unit: str, text: str) -> None:
    row = {"variable": "x", "unit": unit, "recorded": 9, "read": 9, "wrong": 0, "missed": 0, "invented": 0}
    assert text in tell_accuracy({"accuracy": [{**row, "rmse": 0.029}], "counts": {}})
