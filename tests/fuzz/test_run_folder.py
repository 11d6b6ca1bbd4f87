"""Whatever is changed in the files of a run folder, its readers answer, or refuse it with a NosographError."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nosograph.causal.effects.columns import columns
from nosograph.causal.effects.dowhy import Refutation
from nosograph.causal.effects.estimate import Estimate
from nosograph.causal.effects.examine import DECIDING, Examination
from nosograph.causal.model.load import load_model
from nosograph.causal.model.model import Model
from nosograph.renderers.check import check_run
from nosograph.renderers.exports.phenopacket import export_phenopackets
from nosograph.renderers.journey import read_journeys
from nosograph.renderers.noise import Noise
from nosograph.renderers.pages.report import keep_verification, write_report
from nosograph.renderers.protocol import Moment, Options
from nosograph.renderers.readback.measure import find_source, measure_rendering
from nosograph.renderers.registry import find_modality
from nosograph.renderers.render import build_renderer, render
from nosograph.simulate.cohort import open_run, simulate_to
from nosograph.simulate.verification.frames import build_frame, build_history
from nosograph.simulate.verification.verify import Verification, choose_run_effects

from .cases import fuzz, refuse_politely
from .damage import change_bytes, change_document, change_table, list_again, write_json, write_parquet

pytestmark = pytest.mark.usefixtures("load_models_once")
MODELS = Path(__file__).parents[1] / "models"
DRAW = st.data()


def build_verification(model: Model) -> Verification:
    estimates = tuple(Estimate(method, -0.25, 0.02) for method in DECIDING)
    found = Examination(
        effect=model.effects[0].text, truth=-0.26, naive=Estimate("difference of means", 0.4, 0.1),
        estimates=estimates, refutations=(Refutation("placebo treatment", 0.01, True),), identifiable=True,
        confounded=True, recovered=True, naive_misses=True, reason="", adjustment=("age",), rows=900, left_out=0.1,
    )  # fmt: skip
    return Verification((found,), model.id, 12, 0)


def build_reread(verification: Verification) -> dict[str, Any]:
    """`verification-notes.json`, as `Reread.as_json` writes it."""
    document, own = verification.as_json(), verification.as_json()["effects"][0]
    costs = [{"method": one["method"], "difference": 0.01, "width_ratio": 1.2} for one in own["estimates"]]
    document["effects"][0]["through"] = {**own, "cost": costs, "read": ["age"], "taken": ["death"]}
    counts = dict.fromkeys(("recorded", "read", "wrong", "missed", "invented"), 9)
    accuracy = [{"variable": "age", "unit": "a", **counts, "rmse": 0.5}]
    reading = {"modality": "notes", "patients": 4, "artifacts": 9, "counts": {"readings": 9}, "accuracy": accuracy}
    return {**document, "through": {**reading, "caveats": ["few"]}}


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the Alzheimer's model, with notes and what `verify` kept."""
    folder = tmp_path_factory.mktemp("runs") / "clinic"
    model = load_model("alzheimers")
    simulate_to(model, folder, patients=12, worlds=["treated: lecanemab = 1"], years=2, shard_size=8)
    run = open_run(folder)
    render(run, patients="0-3", files=True)
    kept = build_verification(model)
    keep_verification(run, kept)
    (folder / "verification-notes.json").write_bytes(write_json(build_reread(kept)))
    return folder


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a model of phenotypes, with what a clinic wrote down."""
    folder = tmp_path_factory.mktemp("runs") / "listed"
    simulate_to(
        load_model(MODELS / "phenotypes.yaml"), folder, patients=12, shard_size=8, clinic="listing=3, imprecise=0.3"
    )
    return folder


def report(folder: Path) -> None:
    write_report(open_run(folder))


def measure(folder: Path) -> None:
    measure_rendering(find_source(open_run(folder), modality="notes", world="factual"))


def render_again(folder: Path) -> None:
    render(folder, patients="0-3", files=True)


def render_anew(folder: Path) -> None:
    """Into another folder of the run, so that its tables are read."""
    run = open_run(folder)
    patients = [0, 1]

    renderer = build_renderer(run, "notes", Options(find_modality("notes").check({})))
    for journey in read_journeys(run, patients, worlds=["factual", "treated"], truth=True):
        steps = list(renderer.plan_moments(journey))
        renderer.render([Moment(journey, step, step / 12, Noise(0, "notes", journey.patient, step)) for step in steps])


def examine(folder: Path) -> None:
    """What `verify` makes of the record, but for DoWhy."""
    run = open_run(folder)
    for effect in choose_run_effects(run, None):
        build_frame(run, columns(run.model, effect), world="factual")
        build_history(run, until=effect.at, world="factual")


def read_truth(folder: Path) -> None:
    assert open_run(folder).truth is not None


def check(folder: Path) -> None:
    check_run(folder)


def export(folder: Path) -> None:
    export_phenopackets(open_run(folder))


@contextmanager
def changed(folder: Path, contents: dict[str, bytes]) -> Iterator[None]:
    """The folder with other files for a while."""
    kept = {name: (folder / name).read_bytes() for name in contents}
    try:
        for name, content in contents.items():
            (folder / name).write_bytes(content)
        yield
    finally:
        for name, content in kept.items():
            (folder / name).write_bytes(content)


def read(data: Any, folder: Path, contents: dict[str, bytes], *readers: Callable[[Path], None]) -> None:
    with changed(folder, contents):
        refuse_politely(lambda: data.draw(st.sampled_from(readers))(folder))


@fuzz("runs", of=7)
@given(data=DRAW)
def test_the_manifest_of_a_run(data: Any, clinic: Path) -> None:
    held = json.loads((clinic / "manifest.json").read_bytes())
    content = write_json(change_document(data.draw, held))
    if data.draw(st.integers(0, 9)) == 0:
        content = change_bytes(data.draw, content)
    read(data, clinic, {"manifest.json": content}, check, report, measure, render_again, examine)


@fuzz("runs", of=7)
@given(data=DRAW)
def test_tables(data: Any, clinic: Path) -> None:
    names = [name for name in json.loads((clinic / "manifest.json").read_bytes())["files"] if name != "model.ttl"]
    read_table(data, clinic, names, check, report, examine, render_anew, read_truth)


@fuzz("runs", of=7)
@given(data=DRAW)
def test_what_a_clinic_listed(data: Any, listed: Path) -> None:
    names = [name for name in json.loads((listed / "manifest.json").read_bytes())["files"] if name != "model.ttl"]
    read_table(data, listed, names, check, export)


def read_table(data: Any, folder: Path, names: list[str], *readers: Callable[[Path], None]) -> None:
    name = data.draw(st.sampled_from(names))
    if data.draw(st.integers(0, 3)):
        content = write_parquet(change_table(data.draw, pq.read_table(folder / name)))
    else:
        content = change_bytes(data.draw, (folder / name).read_bytes())
    contents = {name: content}
    if data.draw(st.integers(0, 4)):
        contents["manifest.json"] = list_again(folder / "manifest.json", "files", name, content)
    read(data, folder, contents, *readers)


@fuzz("runs", of=7)
@given(data=DRAW)
def test_the_manifest_of_a_rendering(data: Any, clinic: Path) -> None:
    held = json.loads((clinic / "notes" / "manifest.json").read_bytes())
    content = write_json(change_document(data.draw, held))
    read(data, clinic, {"notes/manifest.json": content}, check, report, measure, render_again)


@fuzz("runs", of=7)
@given(data=DRAW)
def test_lines_of_a_rendering(data: Any, clinic: Path) -> None:
    part = clinic / "notes" / "part-00000.jsonl"
    lines = part.read_bytes().splitlines()
    if data.draw(st.integers(0, 4)):
        place = data.draw(st.integers(0, min(3, len(lines) - 1)))
        lines[place] = write_json(change_document(data.draw, json.loads(lines[place])))
        content = b"\n".join(lines) + b"\n"
    else:
        content = change_bytes(data.draw, part.read_bytes())
    contents = {"notes/part-00000.jsonl": content}
    if data.draw(st.integers(0, 4)):
        contents["notes/manifest.json"] = list_again(clinic / "notes" / "manifest.json", "parts", part.name, content)
    read(data, clinic, contents, check, report, measure)


@fuzz("runs", of=7)
@given(data=DRAW)
def test_verifications(data: Any, clinic: Path) -> None:
    name = data.draw(st.sampled_from(["verification.json", "verification-notes.json"]))
    content = write_json(change_document(data.draw, json.loads((clinic / name).read_bytes())))
    if data.draw(st.integers(0, 9)) == 0:
        content = change_bytes(data.draw, content)
    read(data, clinic, {name: content}, report, check)


@fuzz("runs", of=7)
@given(data=DRAW)
def test_what_an_unfinished_job_left(data: Any, unfinished: Path) -> None:
    """A resumed job ends as one that nobody stopped, or refuses the folder: whatever was changed in its folder."""
    whole = json.loads((unfinished.parent / "whole.json").read_bytes())
    names = sorted(str(p.relative_to(unfinished)) for p in unfinished.rglob("*") if p.is_file() and p.name != "lock")
    name = data.draw(st.sampled_from(names))
    content = (unfinished / name).read_bytes()
    if name.endswith(".json") and data.draw(st.booleans()):
        content = write_json(change_document(data.draw, json.loads(content)))
    else:
        content = change_bytes(data.draw, content)
    copy = unfinished.parent / "copy"
    shutil.copytree(unfinished, copy)
    try:
        (copy / name).write_bytes(content)
        if refuse_politely(lambda: resume(copy)) is not None:
            assert json.loads((copy / "manifest.json").read_bytes()) == whole
            assert check_run(copy).ok
    finally:
        shutil.rmtree(copy)


TINY = MODELS / "six.yaml"


def resume(folder: Path) -> object:
    return simulate_to(load_model(TINY), folder, patients=30, shard_size=10)


@pytest.fixture(scope="module")
def unfinished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was stopped after two of its three shards; beside it, the manifest of the whole."""
    folder = tmp_path_factory.mktemp("jobs") / "unfinished"
    resume(folder.parent / "whole")
    (folder.parent / "whole.json").write_bytes((folder.parent / "whole" / "manifest.json").read_bytes())
    done: list[int] = []

    def stop(patients: int) -> None:
        done.append(patients)
        if len(done) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate_to(load_model(TINY), folder, patients=30, shard_size=10, progress=stop)
    return folder
