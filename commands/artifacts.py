"""Make artifacts of a run: render its notes, export it to other formats."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ..errors import fail
from .shared import AsJson, Seed, answer, progress_bar

app = typer.Typer()


class RenderGroup(TyperGroup):
    """`render DIR` renders; `render train` and its like are commands of their own (a folder so called: ./train)."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        named = bool(args) and args[0] in self.commands and args[0] != "run"  # a folder may well be called run
        return super().parse_args(ctx, args if named else ["run", *args])


render_app = typer.Typer(cls=RenderGroup, help="Notes of a run; `render train` makes a renderer of them.")
app.add_typer(render_app, name="render")


@render_app.command("run")
def render_command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A finished run.")],
    modality: Annotated[str, typer.Option(help="What to render: notes.")] = "notes",
    patients: Annotated[str | None, typer.Option(help='Numbers and ranges: "0-11,20". Everybody by default.')] = None,
    at: Annotated[str | None, typer.Option(help='Times: "0, 18 months". Those that are due by default.')] = None,
    world: Annotated[list[str] | None, typer.Option(help="A world of the run, repeatable. All by default.")] = None,
    model: Annotated[Path | None, typer.Option(help="The folder of a learned renderer.")] = None,
    fault: Annotated[list[str] | None, typer.Option(help="A fault on purpose and its share: negation=0.02.")] = None,
    locale: Annotated[str, typer.Option(help="The language of notes.")] = "en",
    files: Annotated[
        bool | None, typer.Option("--files/--no-files", help="A file for each note, even where there are very many.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Artifacts of a run, into its folder. The same command goes on where it was interrupted."""
    started = time.monotonic()
    if workers > 1:
        from ..simulate.runs.workers import prepare_workers

        prepare_workers()
    from ..renderers.notes.faults.insert import parse_faults
    from ..renderers.render import render
    from ..renderers.selection import choose_patients
    from ..simulate.cohort import open_run

    run, faults = open_run(folder), parse_faults(fault or [])
    names = [name.strip() for name in modality.split(",")]
    with progress_bar("patients", len(choose_patients(run, patients)) * len(names)) as advance:
        made = [
            render(
                run, modality=name, patients=patients, at=at, world=world or None, checkpoint=model, faults=faults,
                locale=locale, seed=seed, files=files, workers=workers, progress=advance,
            )
            for name in names
        ]  # fmt: skip
    document: dict[str, Any] = {"seconds": round(time.monotonic() - started, 3)}
    if as_json:
        document["artifacts"] = [artifact for rendering in made for artifact in rendering.artifacts()]
        document["counts"] = {rendering.modality: dict(rendering.counts) for rendering in made if rendering.counts}
    answer(as_json, document, lambda: typer.echo("\n".join(map(str, made))))


@render_app.command("train")
def train_command(
    corpus: Annotated[Path, typer.Option(help="A folder of notes with their facts, as render writes them.")],
    out: Annotated[Path, typer.Option(help="A new folder, for the checkpoint.")],
    modality: Annotated[str, typer.Option(help="What to render: notes.")] = "notes",
    steps: Annotated[int | None, typer.Option(min=1, help="Steps of training; as many as it needs by default.")] = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Make a learned renderer, from a corpus of your own: `render DIR --model` takes it."""
    if modality != "notes":
        raise fail("no learned renderer of this modality is trained here", value=modality, fix="--modality notes")
    from ..renderers.notes.learned.train import STEPS, train_rewriter

    count = steps or STEPS
    with progress_bar("steps", count) as advance:
        made = train_rewriter(out, corpus=corpus, steps=count, seed=seed, progress=advance)
    document = {**asdict(made), "folder": str(made.folder)}
    text = f"{made.folder}: {made.parameters:,} parameters, {made.pairs:,} pairs, loss {made.loss:.3f} nats a token"
    answer(as_json, document, lambda: typer.echo(text))


@app.command("export")
def export_command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A finished run.")],
    to: Annotated[str, typer.Option(help="The format: phenopacket.")] = "phenopacket",
    patients: Annotated[str | None, typer.Option(help='Numbers and ranges: "0-11,20". Everybody by default.')] = None,
    world: Annotated[str | None, typer.Option(help="A world of the run. Its first by default.")] = None,
    at: Annotated[str | None, typer.Option(help='A time: "18 months". The last encounter by default.')] = None,
    as_json: AsJson = False,
) -> None:
    """Patients of a run in another format, a file each, in the run's folder."""
    if to != "phenopacket":
        raise fail("there is no such format yet", value=to, fix="--to phenopacket")
    from ..renderers.exports.phenopacket import export_phenopackets
    from ..renderers.selection import choose_patients
    from ..simulate.cohort import open_run

    run = open_run(folder)
    with progress_bar("patients", len(choose_patients(run, patients))) as advance:
        files = export_phenopackets(run, patients=patients, world=world, at=at, progress=advance)
    path = files[0].parent
    answer(as_json, {"files": len(files), "path": str(path)}, lambda: typer.echo(f"{path}: {len(files):,} files"))
