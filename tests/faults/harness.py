"""Stop a command at its file operations in turn: a shim in C (faults.c) counts them, and faults at the one asked for.

Commands run in processes forked from a server that has imported everything, each in a process group of its own.
"""

from __future__ import annotations

import json
import mmap
import os
import shutil
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO

HERE = Path(__file__).parent
COUNT, KILL, POWER, FULL, READ_ONLY, INTERRUPT, TERMINATE = range(7)  # as in faults.c
NAMES = ("count", "kill", "power failure", "full disk", "read-only disk", "SIGINT", "SIGTERM")
STATE_SIZE = 4 * 8 + 4096 * (16 + 1024)
FIELDS = struct.Struct("<4q")  # mode, at, count, lock


def build_shim(folder: Path) -> Path:
    """Compile the shim; a compiler is needed."""
    shim = folder / "faults.so"
    command = ["cc", "-shared", "-fPIC", "-O2", "-Wall", "-Wno-format-truncation", "-Werror", "-o", str(shim)]
    subprocess.run([*command, str(HERE / "faults.c"), "-ldl"], check=True)
    return shim


class Faults:
    """The state that all processes under the shim share. Operations below `root` count."""

    def __init__(self, shim: Path, *, root: Path, state: Path) -> None:
        state.write_bytes(bytes(STATE_SIZE))
        self.environment = {"LD_PRELOAD": str(shim), "FAULTS_ROOT": str(root.resolve()), "FAULTS_STATE": str(state)}
        self._file = state.open("r+b")
        self._memory = mmap.mmap(self._file.fileno(), STATE_SIZE)

    def arm(self, mode: int, at: int = 0) -> None:
        """Count anew, and fault at operation `at` (from 1)."""
        self._memory[:] = bytes(STATE_SIZE)
        self._memory[: FIELDS.size] = FIELDS.pack(mode, at, 0, 0)

    @property
    def count(self) -> int:
        """How many operations there were since `arm`."""
        return int(FIELDS.unpack(self._memory[: FIELDS.size])[2])

    def close(self) -> None:
        self._memory.close()
        self._file.close()


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code (negative for a signal), and what it said."""

    code: int
    out: str
    error: str


class Server:
    """Runs commands under the shim, each forked from a process that has imported what commands need."""

    def __init__(self, faults: Faults, *, folder: Path, toy: bool = False) -> None:
        self._folder = folder
        environment = {**os.environ, **faults.environment, "OMP_NUM_THREADS": "1"}
        command = [sys.executable, str(HERE / "server.py"), *(["--toy"] if toy else [])]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True
        )
        assert self._read() == {"ready": True}

    def run(self, *argv: str, folder: Path | None = None) -> Ended:
        """Run `nosograph ARGV…` in `folder`, until it and all processes of its group have ended."""
        out, error = self._folder / "out", self._folder / "error"
        assert self._process.stdin is not None
        request = {"argv": argv, "out": str(out), "error": str(error), "folder": str(folder or self._folder)}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return Ended(int(self._read()["code"]), out.read_text(errors="replace"), error.read_text(errors="replace"))

    def _read(self) -> dict[str, int]:
        stream: IO[str] | None = self._process.stdout
        assert stream is not None
        found: dict[str, int] = json.loads(stream.readline())
        return found

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)


def read_tree(folder: Path) -> dict[str, bytes]:
    """All files and folders below `folder`, by their path in it."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b""
        for path in sorted(folder.rglob("*"))
    }


def copy_tree(source: Path, target: Path) -> None:
    """Make `target` a copy of `source`, or nothing where that is not there."""
    shutil.rmtree(target, ignore_errors=True)
    if source.exists():
        shutil.copytree(source, target)


def choose_points(count: int, wanted: int | None) -> list[int]:
    """`wanted` of the operations 1 to `count`, evenly spread; all of them for None."""
    if wanted is None or wanted >= count:
        return list(range(1, count + 1))
    return sorted({1 + round(k * (count - 1) / (wanted - 1)) for k in range(wanted)})
