"""What a keyed normal costs beside `torch.randn`: `python benchmarks/noise.py`. One thread, the least of many runs."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch

from nosograph.causal.program.noise import draw_normal, draw_uniform, draw_uniform64

PATIENTS, STEPS, RUNS = 20_000, 121, 25


def least_seconds(run: Callable[[], object]) -> float:
    """The least of RUNS timings: what is above it is the machine's other work."""
    run()
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    torch.set_num_threads(1)
    patients = np.arange(PATIENTS)
    floor = least_seconds(lambda: torch.randn(STEPS, PATIENTS))
    print(f"torch.randn, float32, {STEPS} x {PATIENTS}: {floor / (STEPS * PATIENTS) * 1e9:.2f} ns a draw")
    for draw in (draw_normal, draw_uniform, draw_uniform64):
        seconds = least_seconds(lambda draw=draw: draw(seed=0, name="x", patients=patients, steps=STEPS))  # type: ignore[misc]
        print(f"{draw.__name__} / torch.randn: {seconds / floor:.2f}")
    one = least_seconds(lambda: [draw_normal(seed=0, name="x", patients=patients, steps=1) for _ in range(STEPS)])
    print(f"draw_normal one step a call / torch.randn: {one / floor:.2f}")


if __name__ == "__main__":
    main()
