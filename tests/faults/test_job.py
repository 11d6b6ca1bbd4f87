"""The resumable job, stopped at every one of its file operations in each way, goes on and ends equal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.harness import COUNT, FULL, INTERRUPT, KILL, NAMES, POWER, READ_ONLY, Faults, Server, read_tree


@pytest.fixture(scope="module")
def server(faults: Faults, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(faults, folder=tmp_path_factory.mktemp("said"), toy=True)
    yield made
    made.close()


MODES = [KILL, *(pytest.param(mode, marks=pytest.mark.verification) for mode in (POWER, FULL, READ_ONLY, INTERRUPT))]


@pytest.mark.parametrize("mode", MODES, ids=NAMES.__getitem__)
def test_stopped_at_every_operation_a_job_goes_on_and_ends_equal(
    faults: Faults, root: Path, server: Server, mode: int
) -> None:
    folders = root / NAMES[mode]
    folders.mkdir()
    faults.arm(COUNT)
    assert server.run("toy", str(folders / "whole")).code == 0
    count, whole = faults.count, read_tree(folders / "whole")
    assert count > 100
    assert "manifest.json" in whole
    for at in range(1, count + 1):
        folder = folders / str(at)
        faults.arm(mode, at)
        ended = server.run("toy", str(folder))
        assert "Traceback" not in ended.error, (at, ended.error)
        assert faults.count >= at
        done = (folder / "manifest.json").exists()
        codes = {KILL: {-9}, POWER: {-9}, INTERRUPT: {130}}.get(mode, {0, 2} if done else {2})
        assert ended.code in codes, (at, ended)
        if mode in (FULL, INTERRUPT):
            assert not [name for name in read_tree(folder) if "draft" in name], at
        faults.arm(COUNT)
        assert server.run("toy", str(folder)).code == 0, at
        assert read_tree(folder) == whole, at
