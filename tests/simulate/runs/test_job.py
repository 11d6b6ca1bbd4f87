"""A job in a folder: one at a time; what is damaged is made again; and nothing that is not its own is ever deleted.

That one stopped at any file operation goes on and ends equal is shown in tests/faults."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from nosograph.errors import NosographError
from nosograph.ontology.output import DRAFT
from nosograph.simulate.runs.inventory import FileEntry
from nosograph.simulate.runs.job import ASIDE, JobFolder, JobManifest, PartFiles, Receipt, hold_folder
from nosograph.simulate.runs.workers import run_parts

PARTS = ("ash", "birch", "cedar")


def work(files: PartFiles, text: str) -> dict[str, Any]:
    def write_halves(path: Path) -> None:
        with path.open("w") as file:
            file.write(text)
            file.flush()
            file.write(text.upper())

    files.write("words", f"{files.index}.txt", fill=write_halves)
    files.write("letters", text[0], f"{files.index}.txt", fill=write_halves)
    files.write_aside(".txt", fill=write_halves)
    return {"letters": len(text)}


def summarise(receipts: Iterable[Receipt]) -> tuple[dict[str, Any], Mapping[str, bytes]]:
    files: dict[str, FileEntry] = {}
    letters = 0
    for receipt in receipts:
        files.update(receipt.listed)
        letters += receipt.counts["letters"]
    return {"seed": 1, "letters": letters, "files": files}, {"about.txt": b"trees"}


class ListManifest(JobManifest):
    files: dict[str, FileEntry]


def do(
    folder: Path,
    *,
    seed: int = 1,
    workers: int | None = None,
    engine: str = "processes",
    work: Any = work,
    progress: Callable[[Receipt], None] = lambda receipt: None,
) -> dict[str, Any]:
    job = JobFolder(
        folder, {"seed": seed}, noun="list", another="the folder holds a list of another {key}", schema=ListManifest
    )
    return job.complete(work, PARTS, summarise=summarise, workers=workers, engine=engine, progress=progress)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file under `folder`; and every folder, as empty."""
    found = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*"))}
    return {name: path.read_bytes() if path.is_file() else b"" for name, path in found.items()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("job") / "job"
    do(folder)
    return contents(folder)


def test_of_a_job_without_a_finished_part_nothing_stays(tmp_path: Path) -> None:
    def fail(files: PartFiles, text: str) -> dict[str, Any]:
        files.write("words", "0.txt", fill=lambda path: path.write_text("half"))
        raise KeyError(text)

    with pytest.raises(KeyError):
        do(tmp_path / "job", work=fail)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", ["cut", "changed", "removed", "receipt", "aside"])
def test_a_damaged_part_is_made_again(tmp_path: Path, whole: dict[str, bytes], damage: str) -> None:
    folder = tmp_path / "job"
    stop_after(folder, 2)
    path = folder / "letters" / "b" / "1.txt"
    if damage == "cut":
        path.write_text("bir")
    elif damage == "changed":
        path.write_bytes(path.read_bytes()[::-1])
    elif damage == "removed":
        path.unlink()
    elif damage == "receipt":
        (folder / ASIDE / "00001.json").write_text('{"files": ')
    else:
        (folder / ASIDE / "00001.txt").write_text("")
    kept = (folder / "letters" / "a" / "0.txt").stat().st_ino
    made: list[int] = []

    def count(files: PartFiles, text: str) -> dict[str, Any]:
        made.append(files.index)
        return work(files, text)

    do(folder, work=count)
    assert made == [1, 2]
    assert (folder / "letters" / "a" / "0.txt").stat().st_ino == kept
    assert contents(folder) == whole


def stop_after(folder: Path, parts: int) -> None:
    def stop(receipt: Receipt) -> None:
        if receipt.index == parts - 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        do(folder, progress=stop)


def test_another_job_is_refused_and_left_alone(tmp_path: Path, whole: dict[str, bytes]) -> None:
    folder = tmp_path / "job"
    stop_after(folder, 1)
    before = contents(folder)
    with pytest.raises(NosographError, match="another seed, unfinished") as caught:
        do(folder, seed=2)
    assert "seed is 1 there, 2 here" in caught.value.problems[0].value
    assert contents(folder) == before
    do(folder)
    with pytest.raises(NosographError, match=r"another seed\n"):
        do(folder, seed=2)
    assert contents(folder) == whole


@pytest.mark.parametrize("plan", [None, "", "{", "[]"])
def test_a_folder_without_a_sound_plan_is_begun_afresh_if_nothing_else_is_there(
    tmp_path: Path, whole: dict[str, bytes], plan: str | None
) -> None:
    folder = tmp_path / "job"
    (folder / ASIDE).mkdir(parents=True)
    (folder / ASIDE / f"{DRAFT}plan.json").write_text("{")
    if plan is not None:
        (folder / ASIDE / "plan.json").write_text(plan)
    (folder / "mine.txt").write_text("mine")
    with pytest.raises(NosographError, match="not empty and holds no list"):
        do(folder)
    (folder / "mine.txt").unlink()
    do(folder)
    assert contents(folder) == whole


def test_a_finished_part_without_a_plan_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "job"
    stop_after(folder, 1)
    (folder / ASIDE / "plan.json").unlink()
    before = contents(folder)
    with pytest.raises(NosographError, match="holds no list"):
        do(folder)
    assert contents(folder) == before


def test_beside_a_manifest_only_what_a_job_leaves_aside_is_deleted(tmp_path: Path, whole: dict[str, bytes]) -> None:
    folder = tmp_path / "job"
    do(folder)
    own = {f"{DRAFT}mine.txt": b"mine", f"words/{DRAFT}2.txt": b"mine too", f"{ASIDE}/mine.txt": b"mine as well"}
    (folder / ASIDE / f"{DRAFT}folder").mkdir(parents=True)
    (folder / ASIDE / "plan.json").write_text('{"seed": 2}')
    (folder / ASIDE / "00001.json").write_text("{}")
    own[ASIDE] = b""
    for name, content in own.items():
        if content:
            (folder / name).write_bytes(content)
    do(folder)
    assert contents(folder) == {**whole, **own}


def test_a_file_that_a_finished_job_has_lost_is_named(tmp_path: Path) -> None:
    do(tmp_path / "job")
    (tmp_path / "job" / "words" / "1.txt").unlink()
    with pytest.raises(NosographError, match="a file of the list is missing") as caught:
        do(tmp_path / "job")
    assert caught.value.problems[0].file.endswith("words/1.txt")


def test_a_file_of_a_finished_job_that_has_changed_is_named(tmp_path: Path) -> None:
    do(tmp_path / "job")
    path = tmp_path / "job" / "words" / "1.txt"
    path.write_bytes(path.read_bytes()[::-1])  # the same size
    before = contents(tmp_path / "job")
    with pytest.raises(NosographError, match="has changed since it was written: its SHA-256 differs") as caught:
        do(tmp_path / "job")
    assert caught.value.problems[0].file == str(path)
    assert contents(tmp_path / "job") == before


# One at a time


HOLDER = """
import sys, time
from pathlib import Path
from nosograph.simulate.runs.job import hold_folder
with hold_folder(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path / "job")], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_second_process_is_refused_until_the_first_has_ended(
    tmp_path: Path, whole: dict[str, bytes], holder: subprocess.Popen[bytes]
) -> None:
    folder = tmp_path / "job"
    before = contents(folder)
    with pytest.raises(NosographError, match="another process is writing") as caught:
        do(folder)
    assert f"process {holder.pid}" in caught.value.problems[0].value
    assert contents(folder) == before
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (folder / ASIDE / "lock").exists()
    do(folder)
    assert contents(folder) == whole


def test_a_finished_job_asks_for_no_lock(
    tmp_path: Path, holder: subprocess.Popen[bytes], whole: dict[str, bytes]
) -> None:
    """Its reader need not wait for one that still tidies, and leaves what is that one's."""
    folder = tmp_path / "job"
    for name, content in whole.items():
        path = folder / name
        path.write_bytes(content) if content else path.mkdir()
    assert do(folder)["letters"] == 13
    assert (folder / ASIDE / "lock").exists()


def test_one_process_holds_a_folder_once(tmp_path: Path) -> None:
    with hold_folder(tmp_path / "job"):
        with pytest.raises(NosographError, match="another process") as caught, hold_folder(tmp_path / "job"):
            pass
        assert str(os.getpid()) in caught.value.problems[0].value
    assert not (tmp_path / "job").exists()


# Workers


def test_workers_make_the_same_and_in_order(tmp_path: Path, whole: dict[str, bytes]) -> None:
    told: list[int] = []
    do(tmp_path / "job", workers=2, progress=lambda receipt: told.append(receipt.index))
    assert told == [0, 1, 2]
    assert contents(tmp_path / "job") == whole


def end(part: int) -> int:
    if part == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return part


def name_process(part: int) -> int:
    time.sleep(60 if part > 1 else 0)
    return os.getpid()


def test_a_worker_that_is_killed_is_explained() -> None:
    with pytest.raises(NosographError, match="a worker was killed"):
        list(run_parts(end, range(5), workers=2))


def test_workers_leave_their_work_when_it_is_broken_off() -> None:
    parts = run_parts(name_process, range(9), workers=2)
    started = time.monotonic()
    first = next(parts)
    parts.close()
    assert time.monotonic() - started < 30
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)
