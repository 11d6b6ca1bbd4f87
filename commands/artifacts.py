"""Make artifacts of a run: render it, and export it to other formats."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ..errors import fail, nearest
from ..renderers.exports.registry import BUILT_IN as FORMATS
from ..renderers.modality import Modality
from ..renderers.registry import BUILT_IN as MODALITIES
from ..renderers.registry import find_modality
from .modalities import find_modalities, offer_options, parse_modalities
from .shared import AsJson, Engine, Seed, Workers, answer, prepare, progress_bar, say

app = typer.Typer()
Patients = Annotated[str | None, typer.Option(help='Numbers and ranges: "0-11,20". Everybody by default.')]
OTHERS = "or one that another package brings"


class RenderGroup(TyperGroup):
    """`render DIR` renders; `render train` and its like are commands of their own (a folder so called: ./train)."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] in self.commands and args[0] != "run":  # a folder may well be called run
            return super().parse_args(ctx, args)
        modalities = find_modalities(args)
        if len(modalities) > len(MODALITIES):  # another package's has options, too
            self.commands["run"] = typer.main.get_command(build_render_app(modalities))
        return super().parse_args(ctx, ["run", *args])


def render_command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A finished run.")],
    *,
    modality: Annotated[str, typer.Option(help=f"What to render: {', '.join(MODALITIES)}, {OTHERS}.")] = "notes",
    patients: Patients = None,
    at: Annotated[str | None, typer.Option(help='Times: "0, 18 months". Those that are due by default.')] = None,
    world: Annotated[list[str] | None, typer.Option(help="A world of the run, repeatable. All by default.")] = None,
    files: Annotated[
        bool | None,
        typer.Option("--files/--no-files", help="A file for each artifact, even of very many patients."),
    ] = None,
    workers: Workers = None,
    engine: Engine = "processes",
    seed: Seed = 0,
    as_json: AsJson = False,
    typed: Mapping[str, str | Sequence[str]],
) -> None:
    """Artifacts of a run, into its folder. The same command goes on where it was interrupted."""
    started = time.monotonic()
    prepare(workers, engine)
    from ..renderers.render import render
    from ..renderers.selection import choose_patients
    from ..simulate.cohort import open_run

    run = open_run(folder)
    options = {name: find_modality(name).parse(typed) for name in parse_modalities(modality)}
    with progress_bar("patients", len(choose_patients(run, patients)) * len(options)) as advance:
        made = [
            render(
                run, modality=name, patients=patients, at=at, world=world or None, seed=seed, files=files,
                workers=workers, engine=engine, progress=advance, **given,
            )
            for name, given in options.items()
        ]  # fmt: skip
    document: dict[str, Any] = {"seconds": round(time.monotonic() - started, 3)}
    if as_json:
        document["artifacts"] = [artifact for rendering in made for artifact in rendering.artifacts()]
        document["counts"] = {rendering.modality: dict(rendering.counts) for rendering in made if rendering.counts}
        of_cohort = [str(rendering.folder / name) for rendering in made for name in rendering.cohort_files]
        document |= {"cohort_files": of_cohort} if of_cohort else {}
    answer(as_json, document, lambda: say("\n".join(map(str, made))))


def build_render_app(modalities: Sequence[Modality]) -> typer.Typer:
    """A typer of the one command, with the options of `modalities`."""
    single = typer.Typer(add_completion=False)
    single.command("run")(offer_options(render_command, modalities))
    return single


render_app = typer.Typer(cls=RenderGroup, help="Render a run; `render train` makes a learned renderer.")
render_app.command("run")(offer_options(render_command, find_modalities()))
app.add_typer(render_app, name="render")


@render_app.command("train")
def train_command(
    corpus: Annotated[Path, typer.Option(metavar="DIR", help="A folder of examples to learn from, such as RUN/notes.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="A new folder, for what is learned.")],
    modality: Annotated[str, typer.Option(help=f"What to render: {', '.join(MODALITIES)}, {OTHERS}.")] = "notes",
    steps: Annotated[int | None, typer.Option(min=1, help="Steps of training; as many as it needs by default.")] = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Make a learned renderer, from a corpus of your own: `render DIR --model` takes it."""
    chosen = find_modality(modality)
    if chosen.trainer is None:
        others = [name for name in MODALITIES if find_modality(name).trainer is not None]
        fix = f"--modality {nearest(modality, others) or ' or '.join(others)}"
        raise fail("no renderer of this modality can be trained", value=modality, fix=fix)
    trainer = chosen.trainer()
    count = steps or trainer.steps
    with progress_bar("steps", count) as advance:
        made = trainer.train(out, corpus=corpus, steps=count, seed=seed, progress=advance)
    numbers = [(name, value) for name, value in made.items() if isinstance(value, int | float)]
    told = ", ".join(f"{name} {round(value, 3):,}" for name, value in numbers)
    answer(as_json, dict(made), lambda: say(f"{out}: {told}"))


@app.command("export")
def export_command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A finished run.")],
    to: Annotated[str, typer.Option(help=f"The format: {', '.join(FORMATS)}, {OTHERS}.")] = "phenopacket",
    patients: Patients = None,
    world: Annotated[str | None, typer.Option(help="A world of the run. Its first by default.")] = None,
    at: Annotated[str | None, typer.Option(help='A time: "18 months". The last encounter by default.')] = None,
    as_json: AsJson = False,
) -> None:
    """Patients of a run in another format, in the run's folder."""
    from ..renderers.exports.registry import find_exporter
    from ..renderers.selection import choose_patients
    from ..simulate.cohort import open_run

    export = find_exporter(to)
    run = open_run(folder)
    with progress_bar("patients", len(choose_patients(run, patients))) as advance:
        files = export(run, patients=patients, world=world, at=at, progress=advance)
    path = files[0].parent
    answer(as_json, {"files": len(files), "path": str(path)}, lambda: say(f"{path}: {len(files):,} files"))
