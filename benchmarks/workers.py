"""Two local workers against one: the whole command, in turn. From the root: python benchmarks/workers.py

python benchmarks/workers.py                            # 20,000, 100,000 and 400,000 patients, and notes of 2,000
python benchmarks/workers.py 20000 --rounds 9 --notes 0
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

os.environ.setdefault("OMP_NUM_THREADS", "1")

from figures import describe_machine

NOSOGRAPH = [sys.executable, "-c", "from nosograph.commands import main; main()"]
SPIN = [sys.executable, "-c", "sum(i * i for i in range(20_000_000))"]


def measure(command: list[str], *, at_once: int = 1) -> float:
    """Seconds of a command, or of several of it at once."""
    started = time.perf_counter()
    running = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(at_once)]
    codes = [process.wait() for process in running]
    if any(codes):
        raise SystemExit(f"failed: {command}")
    return time.perf_counter() - started


def compare(title: str, arguments: list[str], *, makes: Path, rounds: int) -> None:
    """A row of the table: medians over rounds in which one worker and two are measured one after the other. `makes`:
    the folder that the command makes, which is removed after each."""
    taken = []
    for number in range(rounds + 1):
        pair = []
        for workers in ("1", "2"):
            pair.append(measure([*NOSOGRAPH, *arguments, "--workers", workers]))
            shutil.rmtree(makes)
        taken += [pair] if number else []  # the first warms up
    one, two = (median(pair[i] for pair in taken) for i in (0, 1))
    ratio = median(pair[0] / pair[1] for pair in taken)
    print(f"| {title} | {one:.1f} s | {two:.1f} s | {ratio:.2f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("patients", nargs="*", type=int, default=[20_000, 100_000, 400_000])
    parser.add_argument("--notes", type=int, default=2_000, help="patients whose notes are made")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    print(describe_machine())
    ceiling = 2 * median(measure(SPIN) / measure(SPIN, at_once=2) for _ in range(asked.rounds))
    print(f"two processes of pure arithmetic at once do {ceiling:.2f} times the work of one: more cannot be had here")
    print("\n| command | one worker | two | ratio |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "run"
        simulate = ["simulate", "alzheimers", "--out", str(folder)]
        for patients in asked.patients:
            compare(f"simulate -n {patients:,}", [*simulate, "-n", str(patients)], makes=folder, rounds=asked.rounds)
        if asked.notes:
            measure([*NOSOGRAPH, *simulate, "-n", str(asked.notes)])
            compare(
                f"render, notes of {asked.notes:,}", ["render", str(folder)], makes=folder / "notes",
                rounds=asked.rounds,
            )  # fmt: skip


if __name__ == "__main__":
    main()
