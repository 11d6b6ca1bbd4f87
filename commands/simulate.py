"""`nosograph simulate`: a cohort, or several, into a folder."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import fail
from .shared import AsJson, Engine, ModelName, Seed, Settings, Workers, answer, load, prepare, progress_bar, say

if TYPE_CHECKING:
    from ..causal.model.model import Model
    from ..simulate.runs.run import RunSummary

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
    every: Annotated[int, typer.Option(help="Write every so many steps of the truth.")] = 1,
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
    workers: Workers = None,
    engine: Engine = "processes",
    shard_size: Annotated[int, typer.Option(help="Patients in a file.")] = 10_000,
    device: Annotated[str, typer.Option(help="cpu, or cuda where torch has one.")] = "cpu",
    as_json: AsJson = False,
) -> None:
    """Simulate a cohort into a folder. The same command goes on where it was interrupted."""
    started = time.monotonic()
    prepare(workers, engine)
    loaded = load(model, settings)
    if sample_parameters:
        _refuse_drawn(loaded, settings or [])
    from ..simulate.cohort import simulate_one_or_many

    with progress_bar("patients", patients * (cohorts or 1)) as advance:
        summaries = simulate_one_or_many(
            loaded, out, cohorts=cohorts, sample_parameters=sample_parameters, patients=patients, seed=seed,
            do=do or (), worlds=world or (), years=years, where=where,
            keep=keep.split(",") if keep else None, every=every, workers=workers, engine=engine,
            shard_size=shard_size, device=device, clinic=clinic, progress=advance,
        )  # fmt: skip
    document = _describe_runs(
        summaries, out, seed=seed, seconds=time.monotonic() - started, several=cohorts is not None
    )
    answer(as_json, document, lambda: say(_summarize(document)))


def _describe_runs(
    summaries: list[RunSummary], out: Path, *, seed: int, seconds: float, several: bool
) -> dict[str, Any]:
    """The document of the command: sums over the runs and, of several cohorts, each."""
    patients = sum(s.patients for s in summaries)
    runs = [
        {"out": str(s.folder), "seed": seed + k, "patients": s.patients, "drawn": s.drawn, "rows": dict(s.rows),
         "dataset_sha256": s.dataset_sha256}
        for k, s in enumerate(summaries)
    ]  # fmt: skip
    return {
        "out": str(out),
        "patients": patients,
        "drawn": sum(s.drawn for s in summaries),
        "worlds": list(summaries[0].worlds),
        "rows": {name: sum(s.rows[name] for s in summaries) for name in summaries[0].rows},
        "seconds": round(seconds, 3),
        "patients_per_second": round(patients / seconds, 1),
        "dataset_sha256": None if several else summaries[0].dataset_sha256,
        "cohorts": runs if several else [],
    }


def _summarize(document: dict[str, Any]) -> str:
    """The same in a few lines."""
    cohorts = document["cohorts"]
    many = f" in {len(cohorts)} cohorts" if cohorts else ""
    head = f"{document['out']}: {document['patients']:,} patients{many} of {document['drawn']:,} drawn"
    lines = [f"{head}, worlds: {', '.join(document['worlds'])}; {document['seconds']:.1f} s"]
    if not cohorts:
        return "\n".join([*lines, f"dataset {document['dataset_sha256']}"])
    return "\n".join([*lines, *(f"{Path(run['out']).name} {run['dataset_sha256']}" for run in cohorts)])


def _refuse_drawn(model: Model, settings: list[str]) -> None:
    """Raise NosographError for a parameter that is set, and that --sample-parameters would draw."""
    for setting in settings:
        name = setting.partition("=")[0].strip()
        if name in model.parameters and model.parameters[name].uncertain is not None:
            fix = "one of the two; a parameter that is to stay put has no `uncertain` in its document"
            raise fail(f"'{name}' is set, and --sample-parameters would draw it", value=setting, fix=fix)
