"""`nosograph demo`: simulate, verify and report, in one go."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from .shared import AsJson, Seed, answer, load, progress_bar, say

app = typer.Typer()


@app.command("demo")
def demo(
    out: Annotated[Path, typer.Option(help="The run's folder.")] = Path("nosograph-demo"),
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """The main job, small: a thousand Alzheimer's patients in two worlds, verified and reported."""
    started = time.monotonic()
    loaded = load("alzheimers")
    from ..renderers.pages.report import write_report
    from ..simulate.cohort import open_run, simulate_to
    from ..simulate.verification.verify import verify

    say("Simulating 1,000 patients over ten years, as they were and had all been given lecanemab …", err=True)
    with progress_bar("patients", 1_000) as advance:
        simulate_to(loaded, out, patients=1_000, seed=seed, worlds=["treated: lecanemab = 1"], progress=advance)
    say("DoWhy examines the declared effects on the record of 20,000 more …", err=True)
    found = verify(loaded, seed=seed)
    report = write_report(open_run(out), verification=found)
    seconds = time.monotonic() - started
    document = {"out": str(out), "report": str(report), "seconds": round(seconds, 1), "verified": found.passed}

    def finish() -> None:
        say(f"{found}\n")
        say(f"{seconds:.0f} s. Everything is in {out}/; open {report}")

    answer(as_json, document, finish)
    if not found.passed:
        raise typer.Exit(1)
