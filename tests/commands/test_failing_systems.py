"""Every command on a system that fails: one message, the right exit code, no process left, and the next run goes on."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle, product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from nosograph.commands.failures import explain

SIX = str(Path(__file__).parents[1] / "models" / "six.yaml")
MAIN = [sys.executable, "-c", "from nosograph.commands import main; main()"]
SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
COMMANDS = {
    "simulate": ["simulate", SIX, "-n", "3000", "--shard-size", "100", "--out", "new"],
    "simulate, two workers": ["simulate", SIX, "-n", "3000", "--shard-size", "100", "--out", "new", "--workers", "2"],
    "render": ["render", "run"],
    "render, two workers": ["render", "run", "--workers", "2"],
    "export": ["export", "annotated"],
    "report": ["report", "run"],
    "verify": ["verify", SIX, "-n", "2000"],
    "verify a run": ["verify", "run"],
    "ask": ["ask", SIX, "P(death @ 1 year | risk == 1)", "-n", "500"],
    "check": ["model", "check", SIX],
    "explain": ["model", "explain", SIX],
    "draw": ["model", "draw", SIX, "-o", "six.svg"],
    "document": ["model", "document", SIX, "-o", "six.md"],
    "convert": ["model", "convert", SIX, "-o", "six.ttl"],
    "new": ["model", "new", "new.yaml"],
    "from-hpo": ["model", "from-hpo", "OMIM:132700", "-o", "rare.yaml"],
    "from-hpo --all": ["model", "from-hpo", "--all", "--report", "all.md", "--workers", "2"],
    "from-ontology": ["model", "from-ontology", "http://e.org/a", "--ontology", "own.nt", "-o", "draft.yaml"],
    "demo": ["demo"],
}
READ_ONTOLOGIES = [
    ["model", "check", "alzheimers"],
    ["render", "annotated", "--workers", "2"],
    ["model", "draw", "alzheimers", "-o", "drawn.svg"],
    COMMANDS["from-hpo"],
]
LONG = ("from-hpo --all", "demo")  # minutes: what stops them is tried, not what comes after
FILES = [name for name in COMMANDS if name not in ("verify", "ask", "check", "explain", *LONG)]  # they write some


@dataclass
class Started:
    """A command at work in `folder`; it and all that comes from it have `mark` in their environment."""

    words: list[str]
    folder: Path
    keys: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __post_init__(self) -> None:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "MARK": self.mark, **self.environment}
        keys = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, **self.keys}
        self.process = subprocess.Popen(
            [*MAIN, *self.words], cwd=self.folder, env=environment, start_new_session=True, **keys
        )

    def end(self, *, within: float = 300) -> tuple[int, str]:
        """The exit code and what stood on standard error. No process of it is left."""
        _, said = self.process.communicate(timeout=within)
        deadline = time.monotonic() + 30
        while (left := list(self._find_processes())) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not left, f"still there: {left}"
        return self.process.returncode, (said or b"").decode()

    def _find_processes(self) -> Iterator[str]:
        for path in Path("/proc").glob("[0-9]*/environ"):
            try:
                if f"MARK={self.mark}".encode() in path.read_bytes():
                    yield (path.parent / "cmdline").read_text()
            except OSError:
                continue


def check_words(said: str) -> None:
    """One message, and no trace of how Python got there."""
    for sign in ("Traceback", "Exception ignored", "Exception in", "Error in", "Aborted"):
        assert sign not in said, said
    assert said.count("error: ") == 1, said


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two finished runs, and an ontology."""
    folder = tmp_path_factory.mktemp("made")
    cause = "<http://purl.obolibrary.org/obo/RO_0003303>"
    (folder / "own.nt").write_text(f"<http://e.org/a> {cause} <http://e.org/b> .")
    code, said = Started(["simulate", SIX, "-n", "60", "--out", "run"], folder).end()
    assert code == 0, said
    code, said = Started(["simulate", "alzheimers", "-n", "10", "--years", "1", "--out", "annotated"], folder).end()
    assert code == 0, said
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path


def check_next(name: str, folder: Path) -> None:
    """The same command goes on, or begins again. (`model new` replaces no file; if it wrote one, that is whole.)"""
    if name in LONG:
        return
    if name == "new" and (written := folder / "new.yaml").exists():
        code, said = Started(["model", "check", "new.yaml"], folder).end()
        assert code == 0, said
        written.unlink()
    code, said = Started(COMMANDS[name], folder).end()
    assert code in ((0, 1) if name.startswith("verify") else (0,)), said


def stop(name: str, folder: Path, number: signal.Signals, *, after: float, group: bool, times: int = 1) -> None:
    started = Started(COMMANDS[name], folder)
    time.sleep(after)
    for _ in range(times):
        (os.killpg if group else os.kill)(started.process.pid, number)
        time.sleep(0.05)
    sent = time.monotonic()
    code, said = started.end(within=60)
    if code in (0, 1, -number):  # it was done before, or Python had not begun
        return
    assert code == SIGNALS[number], said
    check_words(said)
    assert f"stopped by {number.name}" in said
    assert time.monotonic() - sent < 30


def test_an_interrupted_run_says_so_in_a_line_and_goes_on(folder: Path) -> None:
    """Told to the whole group, twice, with two workers."""
    name = "simulate, two workers"
    started = Started(COMMANDS[name], folder)
    receipts = folder / "new" / ".unfinished"
    while not list(receipts.glob("[0-9]*.json")):
        assert started.process.poll() is None
        time.sleep(0.02)
    for _ in range(2):
        os.killpg(started.process.pid, signal.SIGINT)
    code, said = started.end(within=60)
    assert code == 130, said
    check_words(said)
    assert [line for line in said.splitlines() if line.strip()] == [
        "error: stopped by SIGINT; the same command goes on, or begins again"
    ]
    check_next(name, folder)


OUTPUTS: dict[str, tuple[str, int]] = {
    "full": ("exec {command} > /dev/full", 2),
    "closed": ("exec {command} >&-", 2),
    "nobody reads": ("{command} | head -c 0; exit ${{PIPESTATUS[0]}}", 0),
    "full for messages": ("exec {command} 2> /dev/full", 0),
    "closed for messages": ("exec {command} 2>&-", 0),
    "all closed": ("exec {command} <&- >&- 2>&-", 2),
}


def run_in_shell(words: list[str], line: str, folder: Path) -> tuple[int, str]:
    command = 'python -c "from nosograph.commands import main; main()" "$@"'.replace("python", sys.executable)
    done = subprocess.run(
        ["bash", "-c", line.format(command=command), "nosograph", *words], cwd=folder, capture_output=True, text=True,
        check=False, timeout=600,
    )  # fmt: skip
    return done.returncode, done.stderr


@pytest.mark.parametrize("how", OUTPUTS)
def test_output_that_cannot_be_written(how: str, tmp_path: Path) -> None:
    line, expected = OUTPUTS[how]
    code, said = run_in_shell(["model", "explain", SIX, "--json"], line, tmp_path)
    assert code == expected, said
    assert "Traceback" not in said
    assert said.count("error: the output cannot be written") == (expected == 2 and how != "all closed")


def limit(kind: int, size: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(kind, (size, size))


def test_files_that_may_not_grow(folder: Path) -> None:
    keys = {"preexec_fn": limit(resource.RLIMIT_FSIZE, 3000)}
    code, said = Started(COMMANDS["simulate"], folder, keys).end()
    assert code == 2, said
    check_words(said)
    assert "becomes too large" in said
    check_next("simulate", folder)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (MemoryError(), "memory ran out"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 8 bytes"), "memory ran out"),
        (RuntimeError("std::bad_alloc"), "memory ran out"),
        (ImportError("libtorch_cpu.so: failed to map segment from shared object"), "memory ran out"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "memory ran out"),
        (OSError(errno.ENOSPC, "No space left on device", "a"), "No space left"),
        (OSError("Corruption: block checksum mismatch"), "ontology store is damaged"),
    ],
)  # fmt: skip
def test_what_a_failing_system_raises_is_known(error: Exception, told: str) -> None:
    try:
        raise ValueError("because of it") from error
    except ValueError as raised:
        found = explain(raised)
    assert found is not None
    assert told in found.problem


def test_a_mistake_of_ours_is_no_failing_system() -> None:
    for error in (KeyError("x"), FileNotFoundError(errno.ENOENT, "gone"), RuntimeError("shapes differ")):
        assert explain(error) is None


MOMENTS = (0.5, 2.0, 6.0)  # seconds after the start: imports, reading, work


ALL = os.environ.get("FAILING_SYSTEMS") == "all"


def pair(names: Iterable[str], conditions: Iterable[Any]) -> list[tuple[str, Any]]:
    """Each command with each condition if $FAILING_SYSTEMS is "all" (half an hour); otherwise with one, in turn."""
    return list(product(names, conditions) if ALL else zip(names, cycle(conditions), strict=False))


# tests/faults fills the disk of the others, and makes it read-only, at 25 of their operations
ON_DISKS = FILES if ALL else ["draw", "document", "convert", "new", "from-hpo"]


MEMORY = (120, 220, 350, 700, 1600)  # megabytes of addresses


@pytest.mark.verification
@pytest.mark.parametrize(("name", "after"), pair(COMMANDS, MOMENTS))
def test_signals_end_every_command(name: str, after: float, folder: Path) -> None:
    """Each command at each moment; the three signals in turn, to the process alone and to its whole group."""
    turn = list(COMMANDS).index(name) + MOMENTS.index(after)
    stop(name, folder, list(SIGNALS)[turn % 3], after=after, group=turn % 2 == 0, times=1 + turn % 2)
    check_next(name, folder)


@pytest.mark.verification
@pytest.mark.parametrize(("name", "how"), pair([name for name in COMMANDS if name not in LONG], OUTPUTS))
def test_output_of_every_command_that_cannot_be_written(name: str, how: str, folder: Path) -> None:
    line, expected = OUTPUTS[how]
    code, said = run_in_shell(COMMANDS[name], line, folder)
    assert code == expected or (expected == 0 and code == 1 and name.startswith("verify")), said
    assert "Traceback" not in said
    check_next(name, folder)


@pytest.mark.verification
@pytest.mark.parametrize(("name", "size"), pair([name for name in COMMANDS if name not in LONG], MEMORY))
def test_memory_runs_out(name: str, size: int, folder: Path) -> None:
    code, said = Started(COMMANDS[name], folder, {"preexec_fn": limit(resource.RLIMIT_AS, size << 20)}).end()
    if code == 2:
        check_words(said)
        assert "memory" in said
        check_next(name, folder)
    else:
        assert code in ((0, 1) if name.startswith("verify") else (0,)), said


@pytest.mark.verification
@pytest.mark.parametrize(("name", "size"), pair(FILES, [0, 3000]))
def test_files_of_every_command_may_not_grow(name: str, size: int, folder: Path) -> None:
    code, said = Started(COMMANDS[name], folder, {"preexec_fn": limit(resource.RLIMIT_FSIZE, size)}).end()
    if code:
        assert code == 2, said
        check_words(said)
    check_next(name, folder)


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """A small disk of its own on `folder`, which keeps what is there. Skips where it may not be mounted."""
    held = folder.with_name(f"{folder.name}-held")
    shutil.copytree(folder, held)
    mount = ["mount", "-t", "tmpfs", "-o", "size=8M", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("no disk may be mounted here")
    try:
        shutil.copytree(held, folder, dirs_exist_ok=True)
        subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.verification
@pytest.mark.parametrize("name", ON_DISKS)
def test_a_disk_that_is_read_only(name: str, folder: Path) -> None:
    with mounted(folder, "ro"):
        code, said = Started(COMMANDS[name], folder).end()
    assert code == 2, said
    check_words(said)
    assert "read-only" in said.lower()
    check_next(name, folder)


@pytest.mark.verification
@pytest.mark.parametrize("name", ON_DISKS)
def test_a_disk_that_is_full(name: str, folder: Path) -> None:
    with mounted(folder, "rw"):
        filler = folder / "filler"
        with suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        code, said = Started(COMMANDS[name], folder).end()
        assert code == 2, said
        check_words(said)
        assert "full" in said
        filler.unlink()
        if not name.startswith("simulate"):  # more than the small disk takes
            check_next(name, folder)


@pytest.mark.verification
@pytest.mark.parametrize("words", READ_ONTOLOGIES, ids=" ".join)
def test_a_cache_that_cannot_be_written(words: list[str], folder: Path) -> None:
    """Nor the home folder, where numba and matplotlib keep things: one warning, one reading, nothing left."""
    with TemporaryDirectory() as temporary:  # its path is short: workers need that
        environment = {"NOSOGRAPH_CACHE": "/proc/x", "HOME": "/proc/x", "TMPDIR": temporary}
        environment |= {"XDG_CACHE_HOME": "/proc/x", "XDG_CONFIG_HOME": "/proc/x"}
        code, said = Started(words, folder, environment=environment).end()
        left = list(Path(temporary).glob("nosograph-*"))
    assert code == 0, said
    assert not left
    assert said.count("the cache cannot be written") == 1, said
    assert "Matplotlib" not in said


def test_workers_need_a_temporary_folder_with_a_short_path(tmp_path: Path) -> None:
    temporary = tmp_path / ("long" * 20)
    temporary.mkdir()
    words = [*COMMANDS["simulate, two workers"], "-n", "10"]
    code, said = Started(words, tmp_path, environment={"TMPDIR": str(temporary)}).end()
    assert code == 2, said
    check_words(said)
    assert "TMPDIR" in said
