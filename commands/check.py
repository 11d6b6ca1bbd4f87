"""`nosograph check`: whether a run folder is as it was written."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .shared import AsJson, answer

app = typer.Typer()


@app.command("check")
def check_command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A finished run, or the cohorts of --cohorts.")],
    as_json: AsJson = False,
) -> None:
    """Hashes and schemas of everything in a run folder. Exit code 1 if something is damaged."""
    from ..renderers.check import check_run

    found = check_run(folder)
    for problem in found.problems:
        typer.echo(f"error: {problem}", err=True)
    answer(as_json, found.as_json(), lambda: typer.echo(str(found)))
    if not found.ok:
        raise typer.Exit(1)
