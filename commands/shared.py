"""What all commands share: options, answers, progress bars."""

from __future__ import annotations

import json
import logging
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import Problem, escape_unprintable, fail

if TYPE_CHECKING:
    from ..causal.model.model import Model

ModelName = Annotated[str, typer.Argument(metavar="MODEL", help="A catalog name or a path (.yaml, .ttl, .jsonld, …).")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output, and nothing else.")]
Seed = Annotated[int, typer.Option(help="The seed of all noise, 0 or more.")]
Workers = Annotated[
    int | None, typer.Option(help="How many at once: 1 by default; with ray, all CPUs.", show_default=False)
]
Engine = Annotated[str, typer.Option(help="Who works: processes of this machine, or ray, a cluster ($RAY_ADDRESS).")]
Settings = Annotated[list[str] | None, typer.Option("--set", metavar="PARAMETER=VALUE", help="Another value.")]


def say(text: object, *, err: bool = False) -> None:
    """Print a line; a title or a name in it, which may be a stranger's, cannot steer the terminal."""
    typer.echo(escape_unprintable(str(text)), err=err)


class PrintableFormatter(logging.Formatter):
    """Log records as `say` prints."""

    def format(self, record: logging.LogRecord) -> str:
        return escape_unprintable(super().format(record))


def report_problems(problems: tuple[Problem, ...]) -> None:
    """Problems go to standard error; with --json, as a document to standard output as well."""
    for problem in problems:
        say(f"error: {problem}", err=True)
    if "--json" in sys.argv[1:]:
        emit({"ok": False, "errors": [problem_json(problem) for problem in problems]})


def problem_json(problem: Problem) -> dict[str, Any]:
    keys = ("file", "line", "node", "problem", "value", "fix")
    return {key: getattr(problem, key) for key in keys}


def emit(document: dict[str, Any]) -> None:
    sys.stdout.write(escape_unprintable(json.dumps(document, indent=2, ensure_ascii=False)) + "\n")


def answer(as_json: bool, document: dict[str, Any], say: Callable[[], None]) -> None:
    """The answer of a command: the document, or what a person reads."""
    emit(document) if as_json else say()


def check_yaml(out: Path) -> None:
    """Raise NosographError where a drafted model would go to a file that is not YAML."""
    if out.suffix not in (".yaml", ".yml"):
        raise fail("the model is written in YAML", value=out, fix=f"{out.with_suffix('.yaml')}")


def warn_of(kind: str, texts: list[str], out: Path) -> None:
    """On standard error: the first finding of a kind about a drafted model, and how many more `out` lists."""
    more = f"; and {len(texts) - 1} more, listed in {out}" if len(texts) > 1 else ""
    say(f"warning: {kind}: {texts[0]}{more}", err=True)


def load(name: str, settings: list[str] | None = None) -> Model:
    from ..causal.model.load import load_model

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


def prepare(workers: int | None, engine: str) -> None:
    """Have processes ready by the time there is work, where they are wanted."""
    if workers is not None and workers > 1 and engine == "processes":
        from ..simulate.runs.workers import prepare_workers

        prepare_workers()


@contextmanager
def progress_bar(unit: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on standard error with a rate and an end in sight. What rich draws of Python's random numbers is put back:
    a run in the same process goes on as without a bar."""
    state = random.getstate()
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn(unit),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    try:
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task(unit, total=total, rate="")
            started = time.monotonic()

            def advance(count: int) -> None:
                progress.advance(task, count)
                done = progress.tasks[0].completed
                progress.update(task, rate=f"{done / (time.monotonic() - started):,.0f}/s")

            yield advance
    finally:
        random.setstate(state)


def print_table(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table()  # of `Text`, in which [brackets] are no markup
    for name in rows[0] if rows else ():
        table.add_column(Text(escape_unprintable(name)))
    for row in rows:
        table.add_row(*(Text(escape_unprintable(str(value))) for value in row.values()))
    Console().print(table)
