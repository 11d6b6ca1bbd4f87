"""The size of a run is said before it begins, and one that the disk has no room for is refused."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import nosograph as ng
from nosograph.causal.model.load import load_model
from nosograph.causal.model.world import FACTUAL
from nosograph.errors import NosographError
from nosograph.renderers import render as render_module
from nosograph.simulate.runs import room
from nosograph.simulate.runs.room import describe_size, estimate_run
from nosograph.simulate.runs.run import write_run
from nosograph.simulate.runs.shard import Job
from nosograph.simulate.runs.tables import Layout

ALZHEIMERS = load_model("alzheimers")


class Disk(NamedTuple):
    free: int


def prepare_job(every: int = 1) -> Job:
    return Job(ALZHEIMERS, (FACTUAL,), 0, ALZHEIMERS.clock.steps, Layout(every=every))


@pytest.mark.parametrize("every", [1, 12])
def test_the_estimate_is_near_what_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, every: int) -> None:
    monkeypatch.setattr(room, "NEGLIGIBLE", 0)
    job = prepare_job(every)
    write_run(job, tmp_path / "run", patients=4_000, shard_size=2_000)
    written = sum(path.stat().st_size for path in tmp_path.rglob("*.parquet"))
    assert 0.95 < estimate_run(job, patients=4_000, where=None) / written < 1.25


def test_a_run_that_no_disk_can_hold_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(NosographError, match="not enough room") as caught:
        write_run(prepare_job(), tmp_path / "run", patients=10**15)
    problem = caught.value.problems[0]
    assert " EB for 1,000,000,000,000,000 patients; " in problem.value
    assert "--keep" in problem.fix
    assert list(tmp_path.iterdir()) == []


def test_a_large_run_is_announced_and_what_is_there_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Disk(3_000))
    (tmp_path / "held").write_bytes(bytes(2_000))
    with pytest.raises(NosographError, match="not enough room"):
        room.check_room(tmp_path, 5_001, what="", fix="")
    with caplog.at_level(logging.INFO, logger="nosograph"):
        room.check_room(tmp_path, 5_000, what="patients", fix="")
        assert not caplog.messages
        monkeypatch.setattr(room, "WORTH_A_WORD", 2_999)
        room.check_room(tmp_path, 5_000, what="patients", fix="")
    assert caplog.messages == ["patients: about 3 kB; 3 kB are free"]


def test_notes_that_the_disk_cannot_hold_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ng.simulate("alzheimers", patients=20).save(tmp_path / "run")
    held: dict[str, Any] = {path.name: path.stat().st_size for path in (tmp_path / "run").iterdir()}
    monkeypatch.setattr(render_module, "MANY_JOURNEYS", 0)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Disk(1_000))
    with pytest.raises(NosographError, match="not enough room") as caught:
        ng.render(tmp_path / "run")
    assert "notes of 20 journeys" in caught.value.problems[0].value
    assert {path.name: path.stat().st_size for path in (tmp_path / "run").iterdir()} == held


def test_sizes_are_said_in_words() -> None:
    assert [describe_size(size) for size in (0, 999, 1e3, 2.65e9, 3e18)] == [
        "0 bytes", "999 bytes", "1 kB", "2.65 GB", "3 EB",
    ]  # fmt: skip
