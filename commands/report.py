"""`nosograph report`: a run as a page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .shared import AsJson, answer, say

app = typer.Typer()


@app.command("report")
def report_command(folder: Annotated[Path, typer.Argument(metavar="DIR")], as_json: AsJson = False) -> None:
    """A self-contained HTML page of a run."""
    from ..renderers.pages.report import write_report
    from ..simulate.cohort import open_run

    path = write_report(open_run(folder))
    answer(as_json, {"report": str(path)}, lambda: say(path))
