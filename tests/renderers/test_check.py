"""A damaged run folder: every command that reads the file names it, and says nothing else."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from nosograph.causal.model.load import load_model
from nosograph.commands import app
from nosograph.errors import NosographError
from nosograph.renderers.check import check_run
from nosograph.renderers.pages.report import write_report
from nosograph.renderers.readback.measure import find_source, measure_rendering
from nosograph.renderers.render import render
from nosograph.simulate.cohort import open_run, simulate_cohorts, simulate_to

pytestmark = pytest.mark.usefixtures("load_models_once")
SIX = Path(__file__).parents[1] / "models" / "six.yaml"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "whole"
    simulate_to(load_model("alzheimers"), folder, patients=12, worlds=["treated: lecanemab = 1"], years=1, shard_size=8)
    render(folder, patients="0-1", files=True)
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "run"))


def read_all(folder: Path, name: str) -> None:
    """What the commands read of a file, each by itself."""
    run = open_run(folder)
    if name.startswith("notes/"):
        measure_rendering(find_source(run, modality="notes", world="factual"))
    else:
        write_report(run)


def flip(path: Path) -> None:
    held = bytearray(path.read_bytes())
    held[len(held) // 2] ^= 1
    path.write_bytes(held)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def lead_out(path: Path) -> None:
    """The same bytes, behind a link out of the folder."""
    outside = path.parents[3] / "outside"
    shutil.move(path, outside)
    path.symlink_to(outside)


FILES = [
    *(f"{table}/part-00000.parquet" for table in ("patients", "record", "events", "truth")),
    "model.ttl",
    "notes/part-00000.jsonl",
]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", [flip, cut, empty, os.remove, lead_out])
def test_a_damaged_file_is_named(folder: Path, name: str, damage: Callable[[Path], None]) -> None:
    (folder.parent / "deep").mkdir()
    folder = Path(shutil.move(folder, folder.parent / "deep" / "run"))
    damage(folder / name)
    with pytest.raises(NosographError) as caught:
        read_all(folder, name)
    assert str(folder / name) in str(caught.value)
    assert caught.value.problems[0].fix
    assert any(str(folder / name) in str(problem) for problem in check_run(folder).problems)


def test_a_whole_folder_is_found_whole(folder: Path) -> None:
    write_report(open_run(folder))
    found = check_run(folder)
    assert (found.ok, dict(found.unlisted)) == (True, {"report.html": 1})
    listed = {path for path in folder.rglob("*") if path.is_file() and path.name != "report.html"}
    assert found.files == len(listed)


def test_files_of_artifacts_are_checked(folder: Path) -> None:
    note = next((folder / "notes" / "treated").rglob("*.txt"))
    note.write_text(note.read_text().replace("a", "b", 1))
    (problem,) = check_run(folder).problems
    assert problem.file == str(note)


@pytest.mark.parametrize("name", ["../../../escaped", "/abs", "a/b", "..", "", "x\0y", "treated "])
def test_a_world_that_leads_out_is_refused(folder: Path, name: str) -> None:
    change(folder / "manifest.json", lambda held: held["worlds"][1].update(name=name))
    for use in (render, open_run, check_and_raise):
        with pytest.raises(NosographError, match=r"manifest\.json"):
            use(folder)
    assert not list(folder.parent.glob("escaped*"))


def test_a_linked_folder_of_notes_is_refused(folder: Path, tmp_path: Path) -> None:
    shutil.move(folder / "notes", tmp_path / "notes")
    (folder / "notes").symlink_to(tmp_path / "notes")
    before = sorted(tmp_path.rglob("*"))
    for use in (lambda: render(folder, patients="0-1", files=True), lambda: check_and_raise(folder)):
        with pytest.raises(NosographError, match="a link leads out of the folder"):
            use()
    with pytest.raises(NosographError, match="a link leads out of the folder"):
        find_source(open_run(folder), modality="notes", world="factual")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda held: held.pop("seed"), "seed"),
        (lambda held: held.update(patients="12"), "patients"),
        (lambda held: held.update(patients=10**15, shard_size=1), "lists other files"),
        (lambda held: held.update(keep=["nothing"]), "nothing"),
        (lambda held: held.update(steps=10_000), "more steps"),
        (lambda held: held["model"]["parameters"].update(foreign=1.0), "foreign"),
        (lambda held: held["files"].update({"../x": {"bytes": 1, "sha256": "0" * 64}}), "lists other files"),
        (lambda held: held["files"]["model.ttl"].update(sha256="x"), "sha256"),
    ],
)  # fmt: skip
def test_a_manifest_that_does_not_fit_is_refused(folder: Path, spoil: Callable[[Any], object], told: str) -> None:
    change(folder / "manifest.json", spoil)
    with pytest.raises(NosographError, match=told) as caught:
        open_run(folder)
    assert caught.value.problems[0].file == str(folder / "manifest.json") or "model.ttl" in str(caught.value)


DOCUMENTS = ["manifest.json", "notes/manifest.json", "verification.json", "verification-notes.json"]


@pytest.mark.parametrize("text", ["", "{", "[]", "[" * 100_000, '{"a": NaN}', '{"a": "\\ud800"}', "9" * 5_000])
@pytest.mark.parametrize(
    "name", ["manifest.json", "notes/manifest.json", "verification.json", "verification-notes.json"]
)
def test_what_is_no_document_is_refused(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)
    with pytest.raises(NosographError, match=name):
        write_report(open_run(folder))


def test_the_command_tells_by_its_exit_code(folder: Path, tmp_path: Path) -> None:
    def run(*arguments: str) -> Any:
        return CliRunner().invoke(app, ["check", *arguments])

    assert run(str(folder)).exit_code == 0
    flip(folder / "truth" / "part-00000.parquet")
    told = run(str(folder), "--json")
    assert told.exit_code == 1
    document = json.loads(told.stdout)
    assert (document["ok"], len(document["problems"])) == (False, 1)
    assert isinstance(run(str(tmp_path)).exception, NosographError)


def test_all_cohorts_are_checked(tmp_path: Path) -> None:
    simulate_cohorts(load_model(SIX), tmp_path / "many", cohorts=2, patients=20)
    assert check_run(tmp_path / "many").ok
    flip(tmp_path / "many" / "cohort-1" / "record" / "part-00000.parquet")
    (problem,) = check_run(tmp_path / "many").problems
    assert "cohort-1" in problem.file


def check_and_raise(folder: Path) -> None:
    problems = check_run(folder).problems
    if problems:
        raise NosographError(problems)


def change(path: Path, spoil: Callable[[Any], object]) -> None:
    held = json.loads(path.read_bytes())
    spoil(held)
    path.write_text(json.dumps(held))
