"""The command line: what people type. Each command is one call that a notebook can make too."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .errors import NosographError, Problem, fail

if TYPE_CHECKING:
    from .causal.model import Model

app = typer.Typer(
    name="nosograph",
    help="A disease, written as a cited causal graph, becomes patients; DoWhy finds the effects again.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
model_app = typer.Typer(no_args_is_help=True, help="Write, check, explain, draw, compare and convert disease models.")
app.add_typer(model_app, name="model")

ModelName = Annotated[str, typer.Argument(metavar="MODEL", help="A catalog name or a path (.yaml, .ttl, .jsonld, …).")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output, and nothing else.")]
Seed = Annotated[int, typer.Option(min=0, max=2**63 - 1, help="The seed of all noise.")]
Settings = Annotated[list[str] | None, typer.Option("--set", metavar="PARAMETER=VALUE", help="Another value.")]


def main() -> None:
    """Run the command line: exit code 0 for done, 1 for a check that failed, 2 for bad input."""
    logging.basicConfig(stream=sys.stderr, format="%(message)s")
    logging.getLogger(__package__).setLevel(logging.INFO)  # the first build of the knowledge graph takes a while
    try:
        app()
    except NosographError as error:
        report_problems(error.problems)
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(0)


def report_problems(problems: tuple[Problem, ...]) -> None:
    """Problems go to standard error; with --json, as a document to standard output as well."""
    for problem in problems:
        typer.echo(f"error: {problem}", err=True)
    if "--json" in sys.argv[1:]:
        emit({"ok": False, "errors": [problem_json(problem) for problem in problems]})


def problem_json(problem: Problem) -> dict[str, Any]:
    keys = ("file", "line", "node", "problem", "value", "fix")
    return {key: getattr(problem, key) for key in keys}


def emit(document: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def answer(as_json: bool, document: dict[str, Any], say: Callable[[], None]) -> None:
    """The answer of a command: the document, or what a person reads."""
    emit(document) if as_json else say()


def load(name: str, settings: list[str] | None = None) -> Model:
    from .causal.load import load_model

    return load_model(name, parameters=read_settings(settings or []))


def read_settings(settings: list[str]) -> dict[str, float]:
    values = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        try:
            values[name.strip()] = float(value)
        except ValueError:
            equals = ""
        if not equals:
            raise fail("--set takes a parameter, = and a number", value=setting, fix="--set amyloid_growth=4")
    return values


# --- model ------------------------------------------------------------------------------------------------------------


@model_app.command("list")
def list_models(as_json: AsJson = False) -> None:
    """The catalog."""
    from .causal.check import check_model
    from .causal.load import list_catalog

    rows = []
    for name in list_catalog():
        report = check_model(name)
        title = report.model.title if report.model else ""
        counts = {key: getattr(report, key) for key in ("variables", "claims", "cited", "assumed")}
        rows.append({"id": name, "title": title, **counts})
    answer(as_json, {"models": rows}, lambda: print_table(rows))


@model_app.command("new")
def new_model(path: Path, as_json: AsJson = False) -> None:
    """Write a commented starter document that passes `check`."""
    from .causal.starter import write_starter

    write_starter(path)
    answer(as_json, {"path": str(path)}, lambda: typer.echo(f"{path}: check it with `nosograph model check {path}`"))


@model_app.command("check")
def check(model: ModelName, as_json: AsJson = False) -> None:
    """Everything that can be known without running it: errors, warnings, and how its claims are founded."""
    from .causal.check import check_model

    report = check_model(model)
    counts = {key: getattr(report, key) for key in ("variables", "claims", "cited", "recalled", "assumed")}
    document = {
        "ok": report.ok,
        **counts,
        "errors": [problem_json(problem) for problem in report.errors],
        "warnings": [problem_json(problem) for problem in report.warnings],
    }
    for heading, problems in (("error", report.errors), ("warning", report.warnings)):
        for problem in problems:
            typer.echo(f"{heading}: {problem}", err=True)
    text = (
        f"{model}: sound; {report.variables} variables, {report.claims} causal claims: {report.cited} cited "
        f"({report.recalled} of them recalled, not checked), {report.assumed} assumed"
    )
    answer(as_json, document, lambda: typer.echo(text if report.ok else f"{model}: not sound"))
    if not report.ok:
        raise typer.Exit(2)


@model_app.command("explain")
def explain(
    model: ModelName,
    variable: Annotated[str | None, typer.Argument(help="One variable; all by default.")] = None,
    do: Annotated[list[str] | None, typer.Option(help="An intervention: what exactly does it cut?")] = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """In words: each variable, its equation with numbers and units, each cause with its evidence."""
    from .causal.cuts import explain_worlds
    from .causal.world import parse_intervention

    loaded = load(model, settings)
    if do:
        found = explain_worlds(loaded, [parse_intervention(text, model=loaded) for text in do])
    else:
        found = loaded.explain(variable)
    answer(as_json, found.to_json(), lambda: typer.echo(str(found)))


@model_app.command("draw")
def draw(
    model: ModelName,
    out: Annotated[Path, typer.Option("-o", "--out", help="FILE.svg or FILE.png")],
    as_json: AsJson = False,
) -> None:
    """The causal graph as a picture."""
    from .causal.draw import draw_model

    draw_model(load(model), out)
    answer(as_json, {"path": str(out)}, lambda: typer.echo(str(out)))


@model_app.command("diff")
def diff(a: ModelName, b: Annotated[str, typer.Argument(metavar="OTHER")], as_json: AsJson = False) -> None:
    """Where two models differ in meaning; exit code 1 if they do."""
    from .causal.diff import diff_models

    differences = diff_models(load(a), load(b))
    document = {"equal": not differences, "differences": [asdict(difference) for difference in differences]}
    answer(as_json, document, lambda: typer.echo("\n".join(map(str, differences)) or "equal in meaning"))
    if differences:
        raise typer.Exit(1)


@model_app.command("convert")
def convert_model(
    model: ModelName,
    out: Annotated[Path, typer.Option("-o", "--out", help="FILE.yaml, .ttl or .jsonld")],
    as_json: AsJson = False,
) -> None:
    """YAML <-> Turtle <-> JSON-LD."""
    from .causal.convert import convert

    convert(model, out)
    answer(as_json, {"path": str(out)}, lambda: typer.echo(str(out)))


# --- simulate, verify, report, demo -----------------------------------------------------------------------------------


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
    settings: Settings = None,
    seed: Seed = 0,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    shard_size: Annotated[int, typer.Option(min=1, help="Patients in a file.")] = 10_000,
    device: Annotated[str, typer.Option(help="cpu, or cuda where torch has one.")] = "cpu",
    as_json: AsJson = False,
) -> None:
    """Simulate a cohort into a folder. The same command goes on where it was interrupted."""
    started = time.monotonic()
    if workers > 1:
        from .simulate.workers import prepare_workers

        prepare_workers()
    loaded = load(model, settings)
    from .simulate.cohort import simulate_to

    with progress_bar("patients", patients) as advance:
        summary = simulate_to(
            loaded, out, patients=patients, seed=seed, do=do or (), worlds=world or (), years=years, where=where,
            keep=keep.split(",") if keep else None, every=every, workers=workers, shard_size=shard_size, device=device,
            progress=advance,
        )  # fmt: skip
    seconds = time.monotonic() - started
    document = {
        "out": str(out),
        "patients": summary.patients,
        "drawn": summary.drawn,
        "worlds": list(summary.worlds),
        "rows": dict(summary.rows),
        "seconds": round(seconds, 3),
        "patients_per_second": round(summary.patients / seconds, 1),
        "dataset_sha256": summary.dataset_sha256,
    }
    worlds = ", ".join(summary.worlds)
    text = f"{out}: {summary.patients:,} patients of {summary.drawn:,} drawn, worlds: {worlds}; {seconds:.1f} s"
    answer(as_json, document, lambda: typer.echo(f"{text}\ndataset {summary.dataset_sha256}"))


@app.command("verify")
def verify_command(
    source: Annotated[str, typer.Argument(metavar="MODEL_OR_DIR", help="A model, or the folder of a run.")],
    effect: Annotated[list[str] | None, typer.Option(help='"lecanemab -> cdr_sb_rated @ 18 months"')] = None,
    patients: Annotated[int | None, typer.Option("-n", "--patients", help="Of a fresh cohort (20,000).")] = None,
    settings: Settings = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """DoWhy examines effects on the record alone; the truth comes from worlds. Exit code 1 if one is missed."""
    from .simulate.cohort import count_patients, open_run
    from .simulate.verify import PATIENTS, verify

    run = open_run(source) if Path(source).is_dir() else None
    if run is not None and (patients is not None or settings):
        raise fail("a run has its patients and parameters already", value=source, fix=f"nosograph verify {source}")
    count = count_patients(PATIENTS if patients is None else patients)
    found = verify(run or load(source, settings), effects=effect or None, patients=count, seed=seed)
    if run is not None:
        from .renderers.report import keep_verification

        keep_verification(run, found)
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
    from .asking import ask

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
    from .renderers.report import write_report
    from .simulate.cohort import open_run

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
    from .renderers.report import write_report
    from .simulate.cohort import open_run, simulate_to
    from .simulate.verify import verify

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


# --- for people to look at --------------------------------------------------------------------------------------------


@contextmanager
def progress_bar(unit: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on standard error with a rate and an end in sight."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn(unit),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(unit, total=total, rate="")
        started = time.monotonic()

        def advance(count: int) -> None:
            progress.advance(task, count)
            done = progress.tasks[0].completed
            progress.update(task, rate=f"{done / (time.monotonic() - started):,.0f}/s")

        yield advance


def print_table(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for name in rows[0] if rows else ():
        table.add_column(name)
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    Console().print(table)
