"""`nosograph ask`: truth in other worlds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import fail
from ..simulate.questions.measures import list_measures
from .shared import AsJson, ModelName, Seed, Settings, answer, load, say

app = typer.Typer()
MEASURES = list_measures().values()
BY_NAME = ", ".join(measure.name for measure in MEASURES if measure.mediator in ("variable", "optional"))
AT_VALUE = ", ".join(measure.name for measure in MEASURES if measure.mediator == "value")


@app.command("ask")
def ask_command(
    model: ModelName,
    question: Annotated[
        str | None,
        typer.Argument(help='"P(dementia @ 10 years | apoe4 == 2)", "E[cdr_sb @ 18 months]", or an effect.'),
    ] = None,
    patient: Annotated[int | None, typer.Option(help="A simulated patient, by number; with --do.")] = None,
    effect: Annotated[str | None, typer.Option(help='Of a population: "lecanemab -> cdr_sb @ 18 months".')] = None,
    record: Annotated[Path | None, typer.Option(help="Somebody known by a record (.csv, .json); with --do.")] = None,
    do: Annotated[list[str] | None, typer.Option(help='The other world: "lecanemab = 1 from 6 months".')] = None,
    given: Annotated[str | None, typer.Option(help='A subgroup at entry: "apoe4 == 2 and age > 70".')] = None,
    measure: Annotated[
        str, typer.Option(help="\n\n".join(f"{measure.usage}: {measure.help}." for measure in MEASURES))
    ] = "ate",
    mediator: Annotated[str | None, typer.Option(help=f'{BY_NAME}: a name; {AT_VALUE}: "tau = 1".')] = None,
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

    if question is not None and effect is not None:
        raise fail("two questions at once", value=effect, fix="one of them")
    found = ask(
        loaded, question or effect, patient=patient, record=record, do=do or (), given=given, measure=measure,
        mediator=mediator, outcome=outcome, patients=patients, seed=seed,
    )  # fmt: skip
    if picture is not None:
        found.plot(picture)
    document = {**found.to_json(), **({"picture": str(picture)} if picture is not None else {})}
    answer(as_json, document, lambda: say(found))
