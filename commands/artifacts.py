"""Make artifacts of a run: render its notes, images and genomes, export it to other formats."""

from __future__ import annotations

import typer

app = typer.Typer()
