"""All commands under one name."""

from __future__ import annotations

import typer

from . import artifacts, ask, check, demo, models, report, simulate, verify

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
