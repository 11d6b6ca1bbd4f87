"""The command line: what people type. Each command is one call that a notebook can make too."""

from __future__ import annotations

import logging
import sys

import typer

from ..errors import NosographError
from . import artifacts, ask, check, demo, models, report, simulate, verify
from .shared import report_problems

app = typer.Typer(
    name="nosograph",
    help="A disease, written as a cited causal graph, becomes patients; DoWhy finds the effects again.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(models.app, name="model")
for command in (simulate, verify, ask, report, check, demo, artifacts):
    app.add_typer(command.app)


def main() -> None:
    """Run the command line: exit code 0 for done, 1 for a check that failed, 2 for bad input."""
    logging.basicConfig(stream=sys.stderr, format="%(message)s")
    logging.getLogger(__package__.partition(".")[0]).setLevel(
        logging.INFO
    )  # the first build of the knowledge graph takes a while
    try:
        app()
    except NosographError as error:
        report_problems(error.problems)
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(0)
