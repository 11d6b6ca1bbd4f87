"""Each command, stopped at file operations in turn and given again, ends as if it had never been stopped.

At 25 points each, spread over its operations; at every one with FAULTS_POINTS=all (hours).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import pytest

from tests.faults.harness import (
    COUNT,
    FULL,
    INTERRUPT,
    KILL,
    NAMES,
    POWER,
    READ_ONLY,
    TERMINATE,
    Ended,
    Faults,
    Server,
    choose_points,
    copy_tree,
    read_tree,
)

POINTS = None if os.environ.get("FAULTS_POINTS") == "all" else int(os.environ.get("FAULTS_POINTS", "25"))
MODEL = str(Path(__file__).parents[1] / "models" / "six.yaml")
MODES = (KILL, FULL, POWER, READ_ONLY, INTERRUPT, TERMINATE)  # in turn
STOPPED = {KILL: {-9}, POWER: {-9}, INTERRUPT: {130}, TERMINATE: {143, -15}}  # exit codes; -15: no command, a call
EFFECT = "treated -> severity_rated @ 12 months"


@dataclass(frozen=True)
class Case:
    """A command of the run `run`, and what must have been done before it."""

    argv: tuple[str, ...]
    before: tuple[tuple[str, ...], ...] = ()

    @property
    def is_job(self) -> bool:
        return self.argv[0] in ("simulate", "render")

    def read(self, work: Path, ended: Ended) -> object:
        """What must be the same: all files; of a store, whose files are not, their folder and what was found there."""
        if self.argv[0] == "store":
            return sorted(path.name for path in (work / "cache").iterdir()), ended.out
        return read_tree(work)


SIMULATE = ("simulate", MODEL, "-n", "60", "--shard-size", "20", "--world", "treated: treated = 1", "--out", "run")
ALZHEIMERS = ("simulate", "alzheimers", "-n", "24", "--shard-size", "12", "--years", "0.5", "--out", "run")
NOTES = ("render", "run", "--modality", "notes", "--world", "factual", "--seed", "1")
CASES = {
    "simulate": Case(SIMULATE),
    "simulate, two workers": Case((*SIMULATE, "--workers", "2")),
    "render": Case(NOTES, (ALZHEIMERS,)),
    "render, two workers": Case((*NOTES, "--workers", "2"), (ALZHEIMERS,)),
    "export": Case(("export", "run", "--to", "phenopacket", "--patients", "0-9"), (ALZHEIMERS,)),
    "report": Case(("report", "run"), (SIMULATE,)),
    "verify": Case(("verify", "run", "--effect", EFFECT), (SIMULATE,)),
    "the ontology's store": Case(("store", "cache")),
    "from-hpo --all": Case(("model", "from-hpo", "--all", "--report", "all.json")),
}


def find_torn(work: Path, ready: Path, whole: object) -> list[str]:
    """The files of the whole that are there, but neither whole nor as they were before."""
    if not isinstance(whole, dict):
        return []
    before, now = read_tree(ready), read_tree(work)
    return [name for name, content in now.items() if name in whole and content not in (whole[name], before.get(name))]


@pytest.fixture(scope="module")
def server(faults: Faults, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(faults, folder=tmp_path_factory.mktemp("said"))
    yield made
    made.close()


@pytest.mark.verification
@pytest.mark.parametrize("name", CASES)
def test_a_command_stopped_at_its_operations_goes_on_and_ends_equal(
    faults: Faults, server: Server, root: Path, tmp_path: Path, name: str
) -> None:
    case, work, ready = CASES[name], root / "work", tmp_path / "ready"
    copy_tree(tmp_path / "empty", work)
    work.mkdir()

    def run(*argv: str, mode: int = COUNT, at: int = 0) -> Ended:
        faults.arm(mode, at)
        ended = server.run(*argv, folder=work)
        assert "Traceback" not in ended.error, (NAMES[mode], at, ended.error)
        return ended

    for argv in case.before:
        assert run(*argv).code == 0
    copy_tree(work, ready)
    first = run(*case.argv)
    assert first.code in (0, 1), first
    count, code, whole = faults.count, first.code, case.read(work, first)
    assert count > 3
    for at, mode in zip(choose_points(count, POINTS), cycle(MODES), strict=False):
        copy_tree(ready, work)
        ended = run(*case.argv, mode=mode, at=at)
        if faults.count < at:  # workers don't always do the same operations in the same order
            assert ended.code == code, (NAMES[mode], at, ended)
        else:
            allowed = STOPPED.get(mode, {2}) | (set() if mode in (KILL, POWER) else {code})  # done but for tidying
            assert ended.code in allowed, (NAMES[mode], at, ended)
        if mode != POWER or not case.is_job:  # files of a job are on the disk when its manifest is
            assert find_torn(work, ready, whole) == [], (NAMES[mode], at, ended)
        again = run(*case.argv)
        assert again.code == code, (NAMES[mode], at, ended, again)
        assert case.read(work, again) == whole, (NAMES[mode], at, ended)
