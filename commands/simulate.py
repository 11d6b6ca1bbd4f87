"""`nosograph simulate`: a cohort, or several, into a folder."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from ..causal.model.model import Model
from ..errors import fail
from .shared import AsJson, ModelName, Seed, Settings, answer, load, progress_bar

app = typer.Typer()


@app.command("simulate")
def simulate_command(
    model: ModelName,
    out: Annotated[Path, typer.Option(help="The run's folder: new, or of the same run unfinished.")],
    patients: Annotated[int, typer.Option("-n", "--patients", help="How many enter.")] = 1_000,
    do: Annotated[list[str] | None, typer.Option(help='Intervene: "lecanemab = 1 from 6 months".')] = None,
    world: Annotated[list[str] | None, typer.Option(help='A world beside: "treated: lecanemab = 1".')] = None,
    years: Annotated[float | None, typer.Option(help="A shorter horizon.")] = None,
    where: Annotated[str | None, typer.Option(help='Who enters: "age >= 65".')] = None,
    keep: Annotated[str | None, typer.Option(help="Variables of the truth to write, with commas.")] = None,
    every: Annotated[int, typer.Option(min=1, help="Write every so many steps of the truth.")] = 1,
    clinic: Annotated[
        str | None, typer.Option(help='How clinicians write it down: "listing=7, imprecise=0.1, incidental=0.5".')
    ] = None,
    settings: Settings = None,
    sample_parameters: Annotated[
        bool, typer.Option("--sample-parameters", help="Draw the uncertain parameters, once for the cohort.")
    ] = False,
    cohorts: Annotated[
        int | None, typer.Option(help="So many runs, DIR/cohort-0 and so on, with seeds from --seed on.")
    ] = None,
    seed: Seed = 0,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    shard_size: Annotated[int, typer.Option(min=1, help="Patients in a file.")] = 10_000,
    device: Annotated[str, typer.Option(help="cpu, or cuda where torch has one.")] = "cpu",
    as_json: AsJson = False,
) -> None:
    """Simulate a cohort into a folder. The same command goes on where it was interrupted."""
    started = time.monotonic()
    if workers > 1:
        from ..simulate.runs.workers import prepare_workers

        prepare_workers()
    loaded = load(model, settings)
    if sample_parameters:
        _refuse_drawn(loaded, settings or [])
    from ..simulate.cohort import simulate_one_or_many

    with progress_bar("patients", patients * (cohorts or 1)) as advance:
        summaries = simulate_one_or_many(
            loaded, out, cohorts=cohorts, sample_parameters=sample_parameters, patients=patients, seed=seed,
            do=do or (), worlds=world or (), years=years, where=where,
            keep=keep.split(",") if keep else None, every=every, workers=workers, shard_size=shard_size, device=device,
            clinic=clinic, progress=advance,
        )  # fmt: skip
    seconds = time.monotonic() - started
    total, drawn = sum(s.patients for s in summaries), sum(s.drawn for s in summaries)
    document = {
        "out": str(out),
        "patients": total,
        "drawn": drawn,
        "worlds": list(summaries[0].worlds),
        "rows": {name: sum(s.rows[name] for s in summaries) for name in summaries[0].rows},
        "seconds": round(seconds, 3),
        "patients_per_second": round(total / seconds, 1),
        "dataset_sha256": summaries[0].dataset_sha256 if cohorts is None else None,
        "cohorts": [
            {"out": str(s.folder), "seed": seed + k, "patients": s.patients, "drawn": s.drawn, "rows": dict(s.rows),
             "dataset_sha256": s.dataset_sha256}
            for k, s in enumerate(summaries if cohorts is not None else [])
        ],
    }  # fmt: skip
    worlds = ", ".join(summaries[0].worlds)
    many = f" in {cohorts} cohorts" if cohorts is not None else ""
    lines = [f"{out}: {total:,} patients{many} of {drawn:,} drawn, worlds: {worlds}; {seconds:.1f} s"]
    lines += [f"{s.folder.name if cohorts else 'dataset'} {s.dataset_sha256}" for s in summaries]
    answer(as_json, document, lambda: typer.echo("\n".join(lines)))


def _refuse_drawn(model: Model, settings: list[str]) -> None:
    """What is set would be drawn anew."""
    for setting in settings:
        name = setting.partition("=")[0].strip()
        if name in model.parameters and model.parameters[name].uncertain is not None:
            fix = "one of the two; a parameter that is to stay put has no `uncertain` in its document"
            raise fail(f"'{name}' is set, and --sample-parameters would draw it", value=setting, fix=fix)
