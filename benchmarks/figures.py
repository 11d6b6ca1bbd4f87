"""Speed and memory, as ratios within one run, on the machine that is named. From the root: python benchmarks/figures.py

python benchmarks/figures.py            # minutes: everything but memory
python benchmarks/figures.py memory     # peak memory of a million patients against fifty thousand
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

os.environ.setdefault("OMP_NUM_THREADS", "1")
ROUNDS = 15
PATIENTS = 20_000


def describe_machine() -> str:
    model = next((line.split(":")[1].strip() for line in read_lines("/proc/cpuinfo") if "model name" in line), "?")
    return f"{model}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def read_lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).is_file() else []


def ratio(of: Callable[[], object], to: Callable[[], object], *, rounds: int = ROUNDS) -> float:
    """The median, over rounds in which both run one after the other, of what `of` takes over what `to` takes."""

    def seconds(work: Callable[[], object]) -> float:
        started = time.perf_counter()
        work()
        return time.perf_counter() - started

    of(), to()
    return median(seconds(of) / seconds(to) for _ in range(rounds))


def measure_sampling() -> None:
    import torch

    from nosograph.causal.model.load import load_model
    from nosograph.causal.model.world import parse_world
    from nosograph.causal.program.noise import draw_normal
    from nosograph.causal.program.plan import noise_sites
    from nosograph.causal.program.sampling import draw_site, sample

    torch.set_num_threads(1)
    model = load_model("alzheimers")
    everybody = torch.arange(PATIENTS)
    journeys = sample(model, patients=PATIENTS)
    values = sum(tensor.numel() for tensor in journeys.values.values())
    sites = noise_sites(model, steps=model.clock.steps)
    noise = sum(len(site.steps) * max(1, len(site.levels)) for site in sites) * PATIENTS
    steps = model.clock.steps + 1
    show(
        "a keyed normal / a torch.randn one",
        ratio(
            lambda: draw_normal(seed=0, name="x", patients=everybody, steps=steps),
            lambda: torch.randn(steps, PATIENTS),
        ),
        "at most 1.2",
    )

    def run() -> object:
        return sample(model, patients=PATIENTS)

    show(
        f"sampling {PATIENTS:,} x 10 years / as many normals as values ({values / 1e6:.0f} M)",
        ratio(run, lambda: torch.randn(values)),
        "at most 3.5",
    )
    show(f"the same / as many normals as noise drawn ({noise / 1e6:.0f} M)", ratio(run, lambda: torch.randn(noise)))
    show(
        "the same / its keyed noise alone",
        ratio(run, lambda: [draw_site(site, seed=0, patients=everybody) for site in sites]),
    )
    worlds = [parse_world(f"w{i}: lecanemab = 1 from {i} months", model=model) for i in range(12)]
    show(
        "twelve worlds / one",
        ratio(lambda: sample(model, patients=PATIENTS, worlds=worlds), run, rounds=3),
        "at most 12",
    )


def measure_writing() -> None:
    import torch

    from nosograph.causal.model.load import load_model
    from nosograph.causal.program.sampling import sample
    from nosograph.simulate.runs.shard import write_table
    from nosograph.simulate.runs.tables import build_tables

    torch.set_num_threads(1)
    model = load_model("alzheimers")
    journeys = sample(model, patients=10_000)
    tables = build_tables(journeys, model=model)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.parquet"

        def write_ours() -> None:
            for table in build_tables(journeys, model=model).values():
                write_table(table, path)

        def write_plain() -> None:
            for table in tables.values():
                write_table(table, path)

        show(
            "rate of building and writing the tables / pyarrow's of writing them",
            1 / ratio(write_ours, write_plain, rounds=5),
            "at least 0.7",
        )


def run_simulation(folder: Path, *arguments: str) -> tuple[float, int]:
    """Seconds, and peak memory in bytes, of a run of its own."""
    code = (
        "import resource, sys, time\nfrom nosograph.commands import app\nstarted = time.perf_counter()\n"
        "try:\n    app(sys.argv[1:], standalone_mode=False)\nfinally:\n"
        "    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)\n"
        "    peak = max(resource.getrusage(who).ru_maxrss for who in whose)\n"
        "    print(time.perf_counter() - started, peak * 1024)"
    )
    command = [sys.executable, "-c", code, "simulate", "alzheimers", "--out", str(folder), *arguments]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1]
    seconds, peak = printed.split()
    return float(seconds), int(peak)


def measure_memory() -> None:
    with tempfile.TemporaryDirectory() as folder:
        _, few = run_simulation(Path(folder) / "few", "-n", "50000", "--every", "12")
        _, many = run_simulation(Path(folder) / "many", "-n", "1000000", "--every", "12")
    show(f"peak memory, a million ({many / 2**30:.2f} GiB) / fifty thousand", many / few, "at most 1.2")


def measure_waiting() -> None:
    for title, arguments, limit in (
        ("nosograph --help", ["--help"], "under 0.5 s"),
        ("nosograph model check alzheimers", ["model", "check", "alzheimers"], "under 2 s"),
    ):
        command = [sys.executable, "-c", "from nosograph.commands import main; main()", *arguments]
        taken = []
        for _ in range(6):
            started = time.perf_counter()
            subprocess.run(command, capture_output=True, check=True)
            taken.append(time.perf_counter() - started)
        show(f"{title}, seconds", median(taken[1:]), limit)


def show(title: str, figure: float, limit: str = "") -> None:
    print(f"| {title} | {figure:.2f} | {limit} |", flush=True)


if __name__ == "__main__":
    print(describe_machine())
    print("\n| figure | measured | asked |\n|---|---|---|")
    chosen = [measure_memory] if "memory" in sys.argv[1:] else [measure_sampling, measure_writing, measure_waiting]
    for measure in chosen:
        measure()
