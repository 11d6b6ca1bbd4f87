"""Simulate a cohort, verify its effects, ask of it, report it; and the demo, which does all of it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..causal.model.model import Model
from ..errors import fail
from .shared import AsJson, ModelName, Seed, Settings, answer, load, progress_bar

if TYPE_CHECKING:
    from ..simulate.cohort import Run

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
    from ..simulate.cohorts import simulate_one_or_many

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


@app.command("verify")
def verify_command(
    source: Annotated[str, typer.Argument(metavar="MODEL_OR_DIR", help="A model, or the folder of a run.")],
    effect: Annotated[list[str] | None, typer.Option(help='"lecanemab -> cdr_sb_rated @ 18 months"')] = None,
    patients: Annotated[int | None, typer.Option("-n", "--patients", help="Of a fresh cohort (20,000).")] = None,
    through: Annotated[
        str | None, typer.Option(help="On what is read of a modality that DIR has been rendered in: notes.")
    ] = None,
    settings: Settings = None,
    seed: Seed = 0,
    workers: Annotated[int, typer.Option(min=1, help="Processes that read; with --through.")] = 1,
    as_json: AsJson = False,
) -> None:
    """DoWhy examines effects on the record alone; the truth comes from worlds. Exit code 1 if one is missed."""
    if through is not None and workers > 1:
        from ..simulate.runs.workers import prepare_workers

        prepare_workers()
    from ..simulate.cohort import count_patients, open_run
    from ..simulate.verification.verify import PATIENTS, verify

    run = open_run(source) if Path(source).is_dir() else None
    if run is not None and (patients is not None or settings):
        raise fail("a run has its patients and parameters already", value=source, fix=f"nosograph verify {source}")
    if through is not None:
        if run is None:
            problem = "what is read are the artifacts of a run, and this is no folder of one"
            raise fail(problem, value=source, fix=f"nosograph verify DIR --through {through}")
        return _verify_through(run, through, effects=effect, workers=workers, as_json=as_json)
    count = count_patients(PATIENTS if patients is None else patients)
    found = verify(run or load(source, settings), effects=effect or None, patients=count, seed=seed)
    if run is not None:
        from ..renderers.pages.report import keep_verification

        keep_verification(run, found)
    answer(as_json, found.as_json(), lambda: typer.echo(str(found)))
    if not found.passed:
        raise typer.Exit(1)


def _verify_through(run: Run, modality: str, *, effects: list[str] | None, workers: int, as_json: bool) -> None:
    """The same on what is read of a modality, beside the record."""
    from ..renderers.pages.report import keep_reread
    from ..renderers.readback.verify import count_to_read, verify_through
    from ..simulate.verification.verify import choose_run_effects

    chosen = choose_run_effects(run, effects or None)
    with (
        progress_bar("patients read", count_to_read(run, modality)) as reading,
        progress_bar("effects", len(chosen)) as examining,
    ):
        found = verify_through(
            run, modality=modality, effects=chosen, workers=workers, reading=reading, examining=examining
        )
    keep_reread(run, found)
    answer(as_json, found.as_json(), lambda: typer.echo(str(found)))
    if not found.passed:
        raise typer.Exit(1)


@app.command("ask")
def ask_command(
    model: ModelName,
    patient: Annotated[int | None, typer.Option(help="A simulated patient, by number; with --do.")] = None,
    effect: Annotated[str | None, typer.Option(help='Of a population: "lecanemab -> cdr_sb @ 18 months".')] = None,
    record: Annotated[Path | None, typer.Option(help="Somebody known by a record (.csv, .json); with --do.")] = None,
    do: Annotated[list[str] | None, typer.Option(help='The other world: "lecanemab = 1 from 6 months".')] = None,
    given: Annotated[str | None, typer.Option(help='A subgroup at entry: "apoe4 == 2 and age > 70".')] = None,
    measure: Annotated[
        str,
        typer.Option(
            help='ate, att, "quantile 0.9", risk, survival, rmst, nde, nie, cde, strata, necessity, sufficiency, both.'
        ),
    ] = "ate",
    mediator: Annotated[str | None, typer.Option(help='nde, nie, strata: a name; cde: "tau = 1".')] = None,
    outcome: Annotated[str | None, typer.Option(help='Of one person: "cdr_sb @ 18 months".')] = None,
    picture: Annotated[Path | None, typer.Option(help="FILE.png or FILE.svg: one person's twins.")] = None,
    patients: Annotated[int, typer.Option("-n", "--patients", help="How many are simulated for an effect.")] = 20_000,
    settings: Settings = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Truth in other worlds: of a simulated patient, of a population or a subgroup, of somebody known by a record."""
    loaded = load(model, settings)
    from ..simulate.questions.ask import ask

    found = ask(
        loaded, effect, patient=patient, record=record, do=do or (), given=given, measure=measure, mediator=mediator,
        outcome=outcome, patients=patients, seed=seed,
    )  # fmt: skip
    if picture is not None:
        found.plot(picture)
    document = {**found.to_json(), **({"picture": str(picture)} if picture is not None else {})}
    answer(as_json, document, lambda: typer.echo(str(found)))


@app.command("report")
def report_command(folder: Annotated[Path, typer.Argument(metavar="DIR")], as_json: AsJson = False) -> None:
    """A self-contained HTML page of a run."""
    from ..renderers.pages.report import write_report
    from ..simulate.cohort import open_run

    path = write_report(open_run(folder))
    answer(as_json, {"report": str(path)}, lambda: typer.echo(str(path)))


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

    typer.echo("Simulating 1,000 patients over ten years, as they were and had all been given lecanemab …", err=True)
    with progress_bar("patients", 1_000) as advance:
        simulate_to(loaded, out, patients=1_000, seed=seed, worlds=["treated: lecanemab = 1"], progress=advance)
    typer.echo("DoWhy examines the declared effects on the record of 20,000 more …", err=True)
    found = verify(loaded, seed=seed)
    report = write_report(open_run(out), verification=found)
    seconds = time.monotonic() - started
    document = {"out": str(out), "report": str(report), "seconds": round(seconds, 1), "verified": found.passed}

    def finish() -> None:
        typer.echo(f"{found}\n")
        typer.echo(f"{seconds:.0f} s. Everything is in {out}/; open {report}")

    answer(as_json, document, finish)
    if not found.passed:
        raise typer.Exit(1)
