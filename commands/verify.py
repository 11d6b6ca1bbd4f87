"""`nosograph verify`: DoWhy examines the effects of a model, or of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import fail
from ..renderers.registry import BUILT_IN as MODALITIES
from .shared import AsJson, Engine, Seed, Settings, Workers, answer, load, prepare, progress_bar, say

if TYPE_CHECKING:
    from ..simulate.cohort import Run

app = typer.Typer()


@app.command("verify")
def verify_command(
    source: Annotated[str, typer.Argument(metavar="MODEL_OR_DIR", help="A model, or the folder of a run.")],
    effect: Annotated[list[str] | None, typer.Option(help='"lecanemab -> cdr_sb_rated @ 18 months"')] = None,
    patients: Annotated[int | None, typer.Option("-n", "--patients", help="Of a fresh cohort (20,000).")] = None,
    through: Annotated[
        str | None,
        typer.Option(help=f"On what is read of a modality that DIR has been rendered in: {', '.join(MODALITIES)}."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="On these people: a CSV or Parquet file (docs/data.md). There is no truth."),
    ] = None,
    settings: Settings = None,
    seed: Seed = 0,
    workers: Workers = None,
    engine: Engine = "processes",
    as_json: AsJson = False,
) -> None:
    """DoWhy examines effects on the record alone; the truth comes from worlds. Exit code 1 if one is missed.

    With --data: on people from elsewhere, whose truth nobody knows.
    """
    if data is not None:
        if through is not None or patients is not None:
            fix = f"nosograph verify {source} --data {data}"
            raise fail("--data has its people, and goes without --patients and --through", value=data, fix=fix)
        return _estimate(source, data, effects=effect, settings=settings, seed=seed, as_json=as_json)
    if through is not None:
        prepare(workers, engine)
    from ..simulate.cohort import open_run
    from ..simulate.entrants import count_patients
    from ..simulate.verification.verify import PATIENTS, verify

    run = open_run(source) if Path(source).is_dir() else None
    if run is not None and (patients is not None or settings):
        raise fail("a run has its patients and parameters already", value=source, fix=f"nosograph verify {source}")
    if through is not None:
        if run is None:
            fix = f"nosograph verify DIR --through {through}"
            raise fail("--through reads the artifacts of a run, and this is not a run's folder", value=source, fix=fix)
        return _verify_through(run, through, effects=effect, workers=workers, engine=engine, as_json=as_json)
    count = count_patients(PATIENTS if patients is None else patients)
    found = verify(run or load(source, settings), effects=effect or None, patients=count, seed=seed)
    if run is not None:
        from ..renderers.pages.report import keep_verification

        keep_verification(run, found)
    answer(as_json, found.as_json(), lambda: say(found))
    if not found.passed:
        raise typer.Exit(1)


def _estimate(
    source: str, data: Path, *, effects: list[str] | None, settings: list[str] | None, seed: int, as_json: bool
) -> None:
    """Effects from people, on the graph of a model."""
    from ..simulate.verification.estimation import estimate_effects

    if Path(source).is_dir():
        fix = f"nosograph verify MODEL --data {data}"
        raise fail("people are examined on a model, and this is a run's folder", value=source, fix=fix)
    found = estimate_effects(load(source, settings), data, effects=effects or None, seed=seed)
    answer(as_json, found.as_json(), lambda: say(found))


def _verify_through(
    run: Run, modality: str, *, effects: list[str] | None, workers: int | None, engine: str, as_json: bool
) -> None:
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
            run,
            modality=modality,
            effects=chosen,
            workers=workers,
            engine=engine,
            reading=reading,
            examining=examining,
        )
    keep_reread(run, found)
    answer(as_json, found.as_json(), lambda: say(found))
    if not found.passed:
        raise typer.Exit(1)
