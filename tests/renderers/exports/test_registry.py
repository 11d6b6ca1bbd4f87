"""Exports by name: the built-in one, one of another package, and names that are none."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nosograph.causal.model.load import load_model
from nosograph.commands import app
from nosograph.errors import NosographError
from nosograph.renderers.exports import registry
from nosograph.simulate.cohort import Run, open_run, simulate_to
from tests.renderers.distribution import install

MODELS = Path(__file__).parents[2] / "models"
PACKAGE = '''
"""A package of somebody else's, which exports the numbers of patients."""
from nosograph.renderers.selection import choose_patients

def export_numbers(run, *, patients=None, world=None, at=None, progress=lambda patients: None):
    folder = run.folder / "numbers"
    folder.mkdir()
    files = []
    for number in choose_patients(run, patients):
        files.append(folder / f"{number}.txt")
        files[-1].write_text(str(number))
        progress(1)
    return files
'''


@pytest.fixture
def other_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed distribution, as importlib.metadata sees it."""
    points = {
        "numbers": "number_lists:export_numbers",
        "phenopacket": "number_lists:lost",
        "lost": "not_there:lost",
    }
    site = install(tmp_path / "site", "number_lists", PACKAGE, group=registry.GROUP, points=points)
    monkeypatch.syspath_prepend(str(site))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exports") / "run"
    simulate_to(load_model(str(MODELS / "six.yaml")), folder, patients=5, seed=2)
    return folder


@pytest.fixture
def run(kept: Path, tmp_path: Path) -> Run:
    return open_run(shutil.copytree(kept, tmp_path / "run"))


def test_another_package_joins(other_package: None, run: Run) -> None:
    assert registry.list_formats() == [*registry.BUILT_IN, "lost", "numbers"]
    done = CliRunner().invoke(app, ["export", str(run.folder), "--to", "numbers", "--patients", "1-3", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == {"files": 3, "path": str(run.folder / "numbers")}
    assert (run.folder / "numbers" / "2.txt").read_text() == "2"


def test_a_built_in_format_stays_what_it_is(other_package: None) -> None:
    assert registry.find_exporter("phenopacket").__module__ == "nosograph.renderers.exports.phenopacket"


@pytest.mark.parametrize(
    ("name", "fix"),
    [("phenopackets", "--to phenopacket"), ("zzz", f"one of {', '.join([*registry.BUILT_IN, 'lost', 'numbers'])}")],
)
def test_a_misspelt_format_names_the_nearest(other_package: None, run: Run, name: str, fix: str) -> None:
    done = CliRunner().invoke(app, ["export", str(run.folder), "--to", name])
    assert isinstance(done.exception, NosographError)
    (problem,) = done.exception.problems
    assert (problem.problem, problem.value, problem.fix) == ("unknown format", name, fix)


def test_a_package_that_does_not_load_is_named(other_package: None) -> None:
    with pytest.raises(NosographError, match="does not load") as caught:
        registry.find_exporter("lost")
    assert "number-lists" in caught.value.problems[0].fix


def test_help_lists_the_formats() -> None:
    command = [sys.executable, "-c", "from nosograph.commands import main; main()", "export", "--help"]
    assert "phenopacket" in subprocess.run(command, capture_output=True, text=True, timeout=60).stdout
