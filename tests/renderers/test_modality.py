"""What a modality declares: options, chapter, training, artifacts without a moment, files of a whole cohort."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import nosograph as ng
from nosograph.commands import app
from nosograph.errors import NosographError
from nosograph.renderers import registry
from nosograph.renderers.modality import Modality, Option
from nosograph.renderers.pages.report import write_report
from nosograph.renderers.readback.chart import settle
from nosograph.renderers.readback.measure import find_source, measure_rendering, open_artifact
from nosograph.renderers.render import BATCH
from nosograph.simulate.cohort import Run, open_run, simulate_to
from nosograph.simulate.runs.inventory import describe_file
from tests.renderers.distribution import install

MODEL = """
id: inherited
version: 1.0.0
clock: {step: 1 month, horizon: 6 months, unit: year}
variables:
  allele: {kind: static, mechanism: Bernoulli(0.3)}
  treated: {kind: treatment, start: Bernoulli(0.5), mechanism: "treated[-1]"}
  severity:
    kind: state
    start: Normal(allele, 1)
    mechanism: severity[-1]
    caused_by: {allele: {source: assumption}}
  severity_rated: {kind: measurement, of: severity, when: every 6 months, mechanism: "Normal(severity, 1)"}
"""
PACKAGE = '''
"""A package of somebody else's, which writes a genotype of each patient and one table of the cohort."""
from types import SimpleNamespace

from nosograph.errors import fail
from nosograph.renderers.modality import Modality, Option, Trainer
from nosograph.renderers.protocol import Artifact, Requirement


class AlleleRenderer:
    reads_truth = False
    timeless = True
    lines_hold_all = False
    shared_files = {}

    def __init__(self, model, *, knowledge, options):
        self.depth = options.values["depth"]

    def requires(self):
        return (Requirement("genotype", ("static",)),)

    def plan_moments(self, journey):
        raise AssertionError("it has no moments")

    def render(self, moments):
        return [[self.write(moment)] for moment in moments]

    def write(self, moment):
        assert (moment.step, moment.time) == (0, 0.0)
        reads = [int(2 * u) for u in moment.noise.uniform("reads", self.depth)]
        text = f"{moment.journey.statics['allele']} {reads}"
        return Artifact("genotype", None, {".txt": text.encode()}, {"reads": reads})

    def measure(self, artifact):
        assert artifact.time is None
        value = float(artifact.files[".txt"].split()[0])
        return [SimpleNamespace(variable="allele", concept="", value=value, unit="", status="present", time=None,
                                precision=0.0, past=False, rounding=0.0)]

    def write_piece(self, rendered, path):
        names = [f"{moment.journey.patient}/{moment.journey.world}" for moment, _ in rendered]
        reads = [artifact.line["reads"] for _, artifact in rendered]
        rows = [names, *zip(*reads)]  # a row a site, as in a VCF
        path.write_text("".join("\\t".join(map(str, row)) + "\\n" for row in rows))

    def join_pieces(self, pieces, folder):
        opened = [piece.open() for piece in pieces]
        with (folder / "cohort.tsv").open("w") as table:
            for rows in zip(*opened, strict=True):
                table.write("\\t".join(row.rstrip("\\n") for row in rows) + "\\n")
        (folder / "cohort.count").write_text(str(len(pieces)))
        for file in opened:
            file.close()


class RudeRenderer(AlleleRenderer):
    def join_pieces(self, pieces, folder):
        (folder / "manifest.json").write_text("mine")


def parse_depth(text):
    if not text.isdigit():
        raise fail("a depth is a whole number", value=text, fix="--depth 3")
    return int(text)


def tell(run):
    return f"<b>{len(run)} genotypes</b>"


def train(out, *, corpus, steps, seed, progress):
    progress(steps)
    out.mkdir()
    return {"folder": str(out), "steps": steps, "seed": seed, "learned": sorted(path.name for path in corpus.iterdir())}


ALLELES = Modality(
    "alleles",
    "Alleles & reads",
    renderer=lambda: AlleleRenderer,
    chapter=lambda: tell,
    trainer=lambda: Trainer(40, train),
    options=(
        Option("depth", "--depth", "Reads of each site.", metavar="COUNT", default=2, parse=parse_depth,
               describe=lambda depth: {"reads": depth}),
    ),
)
RUDE = Modality("rude", "Rude", renderer=lambda: RudeRenderer, options=ALLELES.options)
'''


@pytest.fixture
def other_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed distribution, as importlib.metadata sees it."""
    points = {"alleles": "allele_tables:ALLELES", "rude": "allele_tables:RUDE"}
    site = install(tmp_path / "site", "allele_tables", PACKAGE, group=registry.GROUP, points=points)
    monkeypatch.syspath_prepend(str(site))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("modality")
    (folder / "inherited.yaml").write_text(MODEL)
    model = ng.load(str(folder / "inherited.yaml"))
    simulate_to(model, folder / "run", patients=2 * BATCH + 30, seed=2, worlds=["given: treated = 1"])
    return folder / "run"


@pytest.fixture
def run(kept: Path, tmp_path: Path) -> Run:
    return open_run(shutil.copytree(kept, tmp_path / "run"))


def digest(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


# Options


def test_options_reach_the_renderer_and_the_manifest(other_package: None, run: Run) -> None:
    made = ng.render(run, modality="alleles", patients="0-4", depth=5)
    assert {len(line["reads"]) for line in made.lines()} == {5}
    assert json.loads((made.folder / "manifest.json").read_text())["depth"] == {"reads": 5}
    with pytest.raises(NosographError, match="another depth"):
        ng.render(run, modality="alleles", patients="0-4")
    shutil.rmtree(made.folder)
    assert {len(line["reads"]) for line in ng.render(run, modality="alleles", patients="0-4").lines()} == {2}


@pytest.mark.parametrize(
    ("modality", "option", "fix"),
    [("alleles", "depht", "depth"), ("alleles", "faults", "one of depth"), ("notes", "fault", "faults")],
)
def test_an_option_that_a_modality_does_not_have_is_refused(
    other_package: None, run: Run, modality: str, option: str, fix: str
) -> None:
    with pytest.raises(NosographError, match=f"{modality} cannot be rendered with this option") as caught:
        ng.render(run, modality=modality, **{option: 3})
    assert (caught.value.problems[0].value, caught.value.problems[0].fix) == (option, fix)
    assert not (run.folder / modality).exists()


def test_the_command_takes_the_options_of_the_modality_that_it_names(other_package: None, run: Run) -> None:
    arguments = ["render", str(run.folder), "--patients", "0-4", "--depth", "3", "--json"]
    done = CliRunner().invoke(app, [*arguments, "--modality", "alleles"])
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert document["cohort_files"] == [str(run.folder / "alleles" / name) for name in ("cohort.count", "cohort.tsv")]
    assert len(document["artifacts"]) == 10
    refused = CliRunner().invoke(app, [*arguments, "--modality=notes"])
    assert refused.exit_code == 2
    assert "--depth" in refused.output
    refused = CliRunner().invoke(app, [*arguments, "--fault", "negation=0.1", "--modality", "alleles"])
    assert isinstance(refused.exception, NosographError)
    assert refused.exception.problems[0].value == "--fault"
    refused = CliRunner().invoke(app, [*arguments[:-2], "deep", "--modality", "alleles"])
    assert isinstance(refused.exception, NosographError)
    assert refused.exception.problems[0].problem == "a depth is a whole number"


def test_no_modality_is_rendered_where_one_refuses_an_option(other_package: None, run: Run) -> None:
    done = CliRunner().invoke(
        app, ["render", str(run.folder), "--patients", "0-4", "--modality", "alleles,notes", "--depth", "3"]
    )
    assert isinstance(done.exception, NosographError)
    assert not (run.folder / "alleles").exists()


def test_help_tells_of_the_options_by_modality(other_package: None, tmp_path: Path) -> None:
    def help_of(*arguments: str) -> str:
        command = [sys.executable, "-c", "from nosograph.commands import main; main()", "render", *arguments, "--help"]
        path = os.pathsep.join([str(tmp_path / "site"), os.environ.get("PYTHONPATH", "")])
        environment = {**os.environ, "COLUMNS": "200", "PYTHONPATH": path}
        return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment).stdout

    told = help_of()
    for words in ("Options of notes", "--fault", "--locale", "--model", "KIND=SHARE"):
        assert words in told
    assert "--depth" not in told
    told = help_of("--modality", "alleles")
    for words in ("Options of alleles", "--depth", "COUNT", "Reads of each site.", "Options of notes"):
        assert words in told


def test_the_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom nosograph.commands import app\n"
        "assert '--fault' in CliRunner().invoke(app, ['render', '--help']).output\n"
        "heavy = {'torch', 'pandas', 'pyarrow', 'numpy', 'spacy', 'transformers', 'google'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "options",
    [
        (Option("seed", "--grain", ""),),
        (Option("grain", "--seed", ""),),
        (Option("parts", "--grain", ""),),
        (Option("grain", "--grain", ""), Option("grain", "--other", "")),
        (Option("grain", "--grain", ""), Option("other", "--grain", "")),
    ],
)
def test_a_name_that_is_taken_is_refused(options: tuple[Option, ...]) -> None:
    with pytest.raises(NosographError, match="taken"):
        Modality("grains", "Grains", renderer=lambda: NotImplemented, options=options)


# The chapter, and training


def test_the_report_has_the_chapter_of_each_modality_that_was_rendered(other_package: None, run: Run) -> None:
    assert "Alleles" not in write_report(run).read_text()
    ng.render(run, modality="alleles", patients="0-4")
    page = write_report(run).read_text()
    assert '<a href="#alleles">Alleles &amp; reads</a>' in page
    assert f"&lt;b&gt;{len(run)} genotypes&lt;/b&gt;" in page  # what is no Markup is escaped
    (run.folder / "alleles" / "manifest.json").unlink()
    assert "Alleles" not in write_report(run).read_text()


def test_a_modality_that_offers_training_is_trained(other_package: None, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "one.txt").write_text("1")
    arguments = ["render", "train", "--corpus", str(corpus), "--out", str(tmp_path / "out"), "--seed", "3"]
    done = CliRunner().invoke(app, [*arguments, "--modality", "alleles", "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found == {"folder": str(tmp_path / "out"), "steps": 40, "seed": 3, "learned": ["one.txt"]}
    refused = CliRunner().invoke(app, [*arguments, "--modality", "rude"])
    assert isinstance(refused.exception, NosographError)
    assert refused.exception.problems[0].fix == "--modality notes"


# Artifacts without a moment


def test_what_has_no_moment_is_rendered_once_for_each_journey(other_package: None, run: Run) -> None:
    made = ng.render(run, modality="alleles", patients="0-20", at="0, 3 months")
    lines = list(made.lines())
    assert [(line["patient"], line["world"]) for line in lines] == [
        (patient, world) for patient in range(21) for world in ("factual", "given")
    ]
    assert {line["at"] for line in lines} == {artifact["at"] for artifact in made.artifacts()} == {None}
    assert {Path(line["path"]).name for line in lines} == {"genotype.txt"}
    assert [line["reads"] for line in lines[::2]] == [line["reads"] for line in lines[1::2]]  # twins share them
    assert json.loads((made.folder / "manifest.json").read_text())["steps"] is None


def test_what_has_no_moment_is_measured_as_of_the_entry(other_package: None, run: Run) -> None:
    made = ng.render(run, modality="alleles", patients="0-20")
    artifact = open_artifact(run.folder, next(made.lines()))
    assert (artifact.name, artifact.time) == ("genotype", None)
    chart = measure_rendering(find_source(run, modality="alleles", world="factual")).chart
    statics = run.table("patients").to_pandas().query("world == 'factual'").set_index("patient")["allele"]
    assert [(patient, value) for patient, _, value, _ in chart.statics] == list(statics.loc[:20].items())
    assert settle([], patient=0, model=run.model).statics == []


# Files of a whole cohort


def test_files_of_the_cohort_are_joined_from_all_batches(other_package: None, run: Run, tmp_path: Path) -> None:
    made = ng.render(run, modality="alleles", depth=3)
    assert made.cohort_files == ("cohort.count", "cohort.tsv")
    names, *sites = [row.split("\t") for row in (made.folder / "cohort.tsv").read_text().splitlines()]
    lines = list(made.lines())
    assert names == [f"{line['patient']}/{line['world']}" for line in lines]
    assert [list(map(int, site)) for site in sites] == [[line["reads"][site] for line in lines] for site in range(3)]
    assert (made.folder / "cohort.count").read_text() == "3"
    held = json.loads((made.folder / "manifest.json").read_text())["cohort_files"]
    assert held == {name: describe_file(made.folder / name) for name in made.cohort_files}
    assert not (made.folder / ".unfinished").exists()
    first = digest(made.folder)
    assert ng.render(run, modality="alleles", depth=3).cohort_files == made.cohort_files
    shutil.move(made.folder, tmp_path / "alone")
    assert digest(ng.render(run, modality="alleles", depth=3, workers=2).folder) == first
    (made.folder / "cohort.tsv").unlink()
    with pytest.raises(NosographError, match="missing"):
        ng.render(run, modality="alleles", depth=3)


def test_an_interrupted_rendering_goes_on_to_the_same_files(other_package: None, run: Run, tmp_path: Path) -> None:
    made = ng.render(run, modality="alleles")
    first = digest(made.folder)
    shutil.rmtree(made.folder)

    def stops() -> Iterator[None]:
        yield
        raise KeyboardInterrupt

    stopping: Any = stops()
    with pytest.raises(KeyboardInterrupt):
        ng.render(run, modality="alleles", progress=lambda _: next(stopping))
    assert not (made.folder / "manifest.json").exists()
    assert not (made.folder / "cohort.tsv").exists()
    assert digest(ng.render(run, modality="alleles").folder) == first


def test_a_cohorts_file_cannot_take_the_manifests_name(other_package: None, run: Run) -> None:
    with pytest.raises(NosographError, match="name that is taken"):
        ng.render(run, modality="rude", patients="0-4")
