"""Runs on disk: the same data for any shards, workers and interruptions, and nothing half-written, ever."""

from __future__ import annotations

import contextlib
import errno
import functools
import getpass
import hashlib
import json
import os
import platform
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from nosograph.causal.model.load import load_model
from nosograph.causal.model.world import FACTUAL, parse_world
from nosograph.errors import NosographError
from nosograph.simulate.cohort import open_run
from nosograph.simulate.entrants import parse_condition
from nosograph.simulate.runs import run as run_module
from nosograph.simulate.runs import shard as shard_module
from nosograph.simulate.runs.run import RunSummary, write_run
from nosograph.simulate.runs.shard import Job
from nosograph.simulate.runs.tables import Layout
from nosograph.simulate.runs.workers import STOPS, run_parts

MODEL_FILE = Path(__file__).parents[2] / "models" / "core_everything.yaml"
MODEL = load_model(MODEL_FILE)
WORLDS = (FACTUAL, parse_world("dosed: dose = 1 from 6 months", model=MODEL))
PEOPLE = 2_000


def write(folder: Path, *, seed: int = 0, patients: int = PEOPLE, every: int = 1, **keys: Any) -> RunSummary:
    job = Job(MODEL, WORLDS, seed, MODEL.clock.steps, Layout(every=every))
    return write_run(job, folder, patients=patients, **keys)


def contents(folder: Path) -> dict[str, str]:
    """Every file under `folder`, by name, with the SHA-256 of its bytes."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunSummary]:
    folder = tmp_path_factory.mktemp("runs") / "reference"
    return folder, write(folder, shard_size=777)


@pytest.mark.parametrize(("shard_size", "workers"), [(131, 1), (10_000, 1), (777, 2), (131, 2)])
def test_the_data_are_the_same_for_any_shards_and_workers(
    reference: tuple[Path, RunSummary], tmp_path: Path, shard_size: int, workers: int
) -> None:
    folder, expected = reference
    found = write(tmp_path / "run", shard_size=shard_size, workers=workers)
    assert found.dataset_sha256 == expected.dataset_sha256
    assert found.rows == expected.rows
    if shard_size == 777:
        assert contents(tmp_path / "run") == contents(folder)
    for name in ("patients", "record", "events", "truth"):
        assert open_run(tmp_path / "run").table(name).equals(open_run(folder).table(name)), name


@pytest.mark.parametrize("change", [{"seed": 1}, {"patients": PEOPLE - 1}, {"every": 2}])
def test_other_data_have_another_hash(
    reference: tuple[Path, RunSummary], tmp_path: Path, change: dict[str, Any]
) -> None:
    assert write(tmp_path / "run", shard_size=777, **change).dataset_sha256 != reference[1].dataset_sha256


def test_the_manifest_re_runs_and_names_no_time_host_or_user(reference: tuple[Path, RunSummary]) -> None:
    folder, summary = reference
    text = (folder / "manifest.json").read_text()
    held = json.loads(text)
    assert held["dataset_sha256"] == summary.dataset_sha256
    assert (held["seed"], held["patients"], held["shard_size"]) == (0, PEOPLE, 777)
    assert held["worlds"][1] == {"name": "dosed", "interventions": ["dose = 1 from 6 months"]}
    assert set(held["files"]) == set(contents(folder)) - {"manifest.json"}
    assert all(contents(folder)[name] == entry["sha256"] for name, entry in held["files"].items())
    assert all((folder / name).stat().st_size == entry["bytes"] for name, entry in held["files"].items())
    assert platform.node() not in text or len(platform.node()) < 3
    assert getpass.getuser() not in text or getpass.getuser() == "root"
    assert str(folder) not in text
    assert str(time.localtime().tm_year) not in re.sub(r"[0-9a-f]{64}", "", text)  # any digits stand in a digest
    assert "workers" not in held


def test_the_finished_run_is_found_again_and_not_run_again(
    reference: tuple[Path, RunSummary], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_module, "write_shard", lambda *_: pytest.fail("it ran again"))
    assert write(reference[0], shard_size=777) == reference[1]


def test_a_finished_run_that_has_lost_a_file_says_so(tmp_path: Path) -> None:
    write(tmp_path / "run", patients=50)
    next((tmp_path / "run" / "truth").iterdir()).unlink()
    with pytest.raises(NosographError, match="missing"):
        write(tmp_path / "run", patients=50)


def test_a_finished_run_with_a_changed_file_says_so(tmp_path: Path) -> None:
    write(tmp_path / "run", patients=50)
    path = next((tmp_path / "run" / "truth").iterdir())
    held = bytearray(path.read_bytes())
    held[1000] ^= 1
    held[1001] ^= 1
    path.write_bytes(held)
    with pytest.raises(NosographError, match="its SHA-256 differs") as caught:
        write(tmp_path / "run", patients=50)
    assert caught.value.problems[0].file == str(path)
    assert path.read_bytes() == held


def test_another_run_in_the_folder_is_refused_and_left_alone(reference: tuple[Path, RunSummary]) -> None:
    before = contents(reference[0])
    with pytest.raises(NosographError, match="another run"):
        write(reference[0], seed=1, shard_size=777)
    assert contents(reference[0]) == before


@pytest.mark.parametrize("finished", [0, 2])
def test_another_unfinished_run_is_refused_and_left_alone(tmp_path: Path, finished: int) -> None:
    interrupt(tmp_path / "run", after=finished)
    before = contents(tmp_path / "run")
    if finished == 0:  # as it is while that run goes on: a plan, and drafts
        (tmp_path / "run" / ".unfinished").mkdir(parents=True)
        (tmp_path / "run" / ".unfinished" / "plan.json").write_text("{}")
        (tmp_path / "run" / ".unfinished" / "truth-00000-9.parquet").write_text("a draft")
        before = contents(tmp_path / "run")
    with pytest.raises(NosographError, match="another run, unfinished"):
        write(tmp_path / "run", seed=1, patients=300, shard_size=100)
    assert contents(tmp_path / "run") == before


def test_a_folder_with_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(NosographError, match="not empty"):
        write(tmp_path, patients=10)
    (tmp_path / "file").write_text("")
    with pytest.raises(NosographError):
        write(tmp_path / "file", patients=10)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


class Interrupted(BaseException):
    pass


def interrupt(folder: Path, *, after: int, error: BaseException | None = None, where: str = "shard") -> None:
    """Start a run of three shards, and break it off when `after` of them are finished."""
    finished = 0
    real_shard, real_table = shard_module.write_shard, shard_module.write_table

    def break_off(*arguments: Any) -> Any:
        nonlocal finished
        if finished >= after and where == "shard":
            raise error or Interrupted
        receipt = real_shard(*arguments)
        finished += 1
        return receipt

    def break_table(table: Any, path: Path) -> None:
        if finished >= after and where == "table" and "recorded" in table.column_names:  # the events
            path.write_bytes(b"half of a ta")
            raise error or Interrupted
        real_table(table, path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_module, "write_shard", break_off)
        patch.setattr(shard_module, "write_table", break_table)
        with pytest.raises(NosographError if isinstance(error, OSError) else Interrupted):
            write(folder, patients=300, shard_size=100)


@pytest.mark.parametrize("after", [0, 1, 2])
@pytest.mark.parametrize("where", ["shard", "table"])
@pytest.mark.parametrize("code", [None, errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_whatever_stops_a_run_it_goes_on_and_ends_equal(
    tmp_path: Path, after: int, where: str, code: int | None
) -> None:
    folder = tmp_path / "run"
    interrupt(folder, after=after, where=where, error=OSError(code, os.strerror(code)) if code else None)
    left = set(contents(folder)) if folder.exists() else set()
    assert not [name for name in left if "draft" in name or (name.startswith(".unfinished/") and "parquet" in name)]
    assert {name for name in left if name.endswith(".parquet")} == {
        f"{table}/part-{index:05d}.parquet"
        for index in range(after)
        for table in ("patients", "record", "events", "truth")
    }
    assert folder.exists() == (after > 0), "of a run without a finished shard nothing stays"
    write(folder, patients=300, shard_size=100)
    write(tmp_path / "straight", patients=300, shard_size=100)
    assert contents(folder) == contents(tmp_path / "straight")


@pytest.mark.parametrize(("code", "words"), [(errno.ENOSPC, "disk is full"), (errno.EROFS, "cannot be written")])
def test_disk_errors_are_told_in_our_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, words: str
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(NosographError, match=words):
        write(tmp_path / "run", patients=10)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("suffix", ["manifest.json", "plan.json", "model.ttl", ".npz"])
def test_a_failure_at_any_small_file_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    real = os.replace

    def refuse(source: Path, target: Path) -> None:
        if str(target).endswith(suffix):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(source, target)

    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", refuse)
        with pytest.raises(NosographError, match="disk is full"):
            write(folder, patients=20)
    assert not folder.exists() or not [name for name in contents(folder) if "draft" in name]
    assert not (folder / "manifest.json").exists()
    write(folder, patients=20)
    write(tmp_path / "straight", patients=20)
    assert contents(folder) == contents(tmp_path / "straight")


def processes_of(folder: Path) -> list[str]:
    """The processes, where the system lists them, that were started with something in `folder`."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found += [path.parent.name] if str(folder) in path.read_text() else []
    return found


KILLED = """
import signal, sys, time
from pathlib import Path
from nosograph.causal.model.load import load_model
from nosograph.causal.model.world import FACTUAL, parse_world
from nosograph.simulate.runs.run import write_run
from nosograph.simulate.runs.shard import Job
from nosograph.simulate.runs.tables import Layout
from nosograph.simulate.runs.workers import STOPS, run_parts
if __name__ == "__main__":
    model = load_model(sys.argv[1])
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job has it ignored
    worlds = (FACTUAL, parse_world("dosed: dose = 1 from 6 months", model=model))
    job = Job(model, worlds, 0, model.clock.steps, Layout())
    write_run(job, Path(sys.argv[2]), patients=4_000, shard_size=200, workers=int(sys.argv[3]),
              progress=lambda patients: (print(patients, flush=True), time.sleep(0.05)))
"""


@pytest.mark.parametrize(
    ("workers", "how"),
    [
        pytest.param(1, signal.SIGKILL, marks=pytest.mark.verification),
        pytest.param(2, signal.SIGKILL, marks=pytest.mark.verification),
        (2, signal.SIGINT),
    ],
)
def test_a_run_that_was_broken_off_goes_on_and_ends_equal(tmp_path: Path, workers: int, how: signal.Signals) -> None:
    """Killed alone, or interrupted from the keyboard, which tells the workers too."""
    script, folder = tmp_path / "killed.py", tmp_path / "run"
    script.write_text(KILLED)
    command = [sys.executable, str(script), str(MODEL_FILE), str(folder), str(workers)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    assert process.stderr is not None
    for _ in range(2):
        process.stdout.readline()
    if how == signal.SIGINT:
        os.killpg(process.pid, how)
    else:
        os.kill(process.pid, how)
    process.wait(timeout=60)
    if how == signal.SIGINT:
        assert process.stderr.read().count(b"Traceback") == 1, "a worker told of the interruption, too"
        assert not [name for name in contents(folder) if "draft" in name or name.endswith("lock")]
    process.stdout.close()
    process.stderr.close()
    deadline = time.monotonic() + 20
    while (left := processes_of(tmp_path)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not left, "workers are still there"
    finished = len(list((folder / ".unfinished").glob("[0-9]*.json")))
    assert 1 <= finished < 20
    assert not (folder / "manifest.json").exists()
    with pytest.raises(NosographError, match="another run"):
        write(folder, patients=2_000, shard_size=200)
    write(folder, patients=4_000, shard_size=200)
    held = json.loads((folder / "manifest.json").read_text())
    assert held["rows"]["patients"] == 2 * 4_000
    assert set(held["files"]) == set(contents(folder)) - {"manifest.json"}
    first = write(tmp_path / "straight", patients=4_000, shard_size=200)
    assert first.dataset_sha256 == held["dataset_sha256"]
    assert contents(folder) == contents(tmp_path / "straight")


def test_workers_get_nothing_that_hangs_on_their_parent(tmp_path: Path) -> None:
    """A tensor would reach them as an open file, over a thread of the parent that complains when they are gone."""
    from multiprocessing import resource_sharer

    write(tmp_path / "run", patients=200, shard_size=100, workers=2)
    assert resource_sharer._resource_sharer._listener is None


def test_workers_are_deaf_to_what_stops_a_job(tmp_path: Path) -> None:
    """Blocked from their first instruction on, so that none is stopped before it can say that it is not to be."""
    list_blocked = functools.partial(signal.pthread_sigmask, signal.SIG_BLOCK)
    with contextlib.closing(run_parts(list_blocked, [()], workers=2)) as found:
        assert set(STOPS) <= next(found)
    assert not set(STOPS) & list_blocked(())


@pytest.mark.parametrize(
    "workers",
    [1, 2],
)
def test_what_is_wrong_with_the_model_is_told_by_workers_too(tmp_path: Path, workers: int) -> None:
    from dataclasses import replace

    from nosograph.causal.language import parse_mechanism

    burden = replace(MODEL.variables["burden"], mechanism=parse_mechanism("Normal(burden[-1], 0.1 - t)"))
    wrong = replace(MODEL, variables={**MODEL.variables, "burden": burden})
    job = Job(wrong, WORLDS, 0, MODEL.clock.steps, Layout())
    with pytest.raises(NosographError) as caught:
        write_run(job, tmp_path / "run", patients=300, shard_size=100, workers=workers)
    assert str(caught.value).startswith("burden: the scale of Normal")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("patients", [0, -3])
def test_nobody_is_refused_before_anything_is_written(tmp_path: Path, patients: int) -> None:
    with pytest.raises(NosographError, match="number of patients is"):
        write(tmp_path / "run", patients=patients)
    assert not (tmp_path / "run").exists()


def test_where_keeps_patient_numbers_and_counts_who_were_drawn(tmp_path: Path) -> None:
    condition = parse_condition("age >= 80", model=MODEL)
    summary = write(tmp_path / "run", patients=200, shard_size=77, where=condition)
    table = open_run(tmp_path / "run").patients.to_pandas()
    entered = table[table["world"] == "factual"]
    assert len(entered) == 200
    assert (entered["age"] >= 80).all()
    assert summary.drawn == entered["patient"].max() + 1
    assert summary.drawn > 500
    whole = open_run_of_everybody(tmp_path, summary.drawn)
    expected = whole[(whole["age"] >= 80)]
    assert entered["patient"].tolist() == expected["patient"].tolist()
    assert entered["age"].tolist() == expected["age"].tolist()


def open_run_of_everybody(tmp_path: Path, patients: int) -> Any:
    write(tmp_path / "all", patients=patients)
    table = open_run(tmp_path / "all").patients.to_pandas()
    return table[table["world"] == "factual"]


def test_files_can_be_read_by_any_parquet_reader(reference: tuple[Path, RunSummary]) -> None:
    for name, rows in reference[1].rows.items():
        parts = sorted((reference[0] / name).glob("*.parquet"))
        assert len(parts) == 3
        assert sum(pq.read_metadata(part).num_rows for part in parts) == rows


@pytest.mark.parametrize("break_it", [lambda p: p.unlink(), lambda p: p.write_text("{"), lambda p: p.write_text("[]")])
def test_a_folder_that_holds_no_run_is_said_to(tmp_path: Path, break_it: Callable[[Path], None]) -> None:
    write(tmp_path / "run", patients=10)
    break_it(tmp_path / "run" / "manifest.json")
    with pytest.raises(NosographError):
        open_run(tmp_path / "run")
