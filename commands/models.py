"""`nosograph model …`: write, check, test, explain, draw, compare and convert disease models."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ..errors import fail
from .shared import AsJson, ModelName, Seed, Settings, answer, load, print_table, problem_json, say

app = typer.Typer(no_args_is_help=True, help="Write, check, test, explain, draw, compare and convert disease models.")


@app.command("list")
def list_models(as_json: AsJson = False) -> None:
    """The catalog."""
    from ..causal.model.check import check_model
    from ..causal.model.load import list_catalog

    rows = []
    for name in list_catalog():
        report = check_model(name)
        title = report.model.title if report.model else ""
        counts = {key: report.counts[key] for key in ("variables", "claims", "cited", "assumed")}
        rows.append({"id": name, "title": title, **counts})
    answer(as_json, {"models": rows}, lambda: print_table(rows))


@app.command("new")
def new_model(path: Path, as_json: AsJson = False) -> None:
    """Write a commented starter document that passes `check`."""
    from ..causal.model.starter import write_starter

    write_starter(path)
    answer(as_json, {"path": str(path)}, lambda: say(f"{path}: check it with `nosograph model check {path}`"))


@app.command("from-hpo")
def convert_hpo(
    disease: Annotated[
        str | None, typer.Argument(help="An OMIM, ORPHA or DECIPHER disease (OMIM:154700), or its name.")
    ] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", metavar="FILE.yaml", help="The model.")] = None,
    mix: Annotated[
        str | None, typer.Option(metavar="DISEASE=WEIGHT,…", help="A differential cohort of several diseases.")
    ] = None,
    all_diseases: Annotated[bool, typer.Option("--all", help="Try every disease, and report.")] = False,
    report: Annotated[Path | None, typer.Option(metavar="FILE", help="With --all: FILE.md or FILE.json.")] = None,
    severity_strength: Annotated[
        str, typer.Option(metavar="S", help="How strongly phenotypes come together, from 0 (none) to 0.995.")
    ] = "0.5",
    population: Annotated[
        bool, typer.Option("--population", help="Everybody, with a prevalence, instead of the affected only.")
    ] = False,
    workers: Annotated[int, typer.Option(help="With --all: processes.")] = 1,
    as_json: AsJson = False,
) -> None:
    """A model written from HPO's annotations of a disease, or of several mixed; or a survey of all of them."""
    from .rare import write_model, write_survey

    strength = read_strength(severity_strength)
    if all_diseases:
        if disease or mix or out or population:
            raise fail("--all takes every disease", fix="nosograph model from-hpo --all --report FILE.md")
        write_survey(report, workers=workers, strength=strength, as_json=as_json)
    elif report:
        raise fail("--report goes with --all", value=report, fix="-o FILE.yaml")
    elif (disease is None) == (mix is None):
        raise fail("one disease, or a mixture, is converted", fix='OMIM:154700 -o FILE, or --mix "…" -o FILE')
    elif out is None:
        raise fail("where does the model go?", fix=f"{disease or '--mix …'} -o model.yaml")
    else:
        write_model(disease, mix, out, strength=strength, population=population, as_json=as_json)


def read_strength(text: str) -> float:
    try:
        return 0.0 if text == "none" else float(text)
    except ValueError:
        raise fail("the severity's strength is a number or none", value=text, fix="--severity-strength 0.5") from None


@app.command("from-ontology")
def draft_from_ontology(
    concept: Annotated[str, typer.Argument(metavar="CURIE", help="A concept, such as MONDO:0005148, or its IRI.")],
    out: Annotated[Path | None, typer.Option("-o", "--out", metavar="FILE.yaml", help="The model.")] = None,
    ontology: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="An ontology, or an RF2 folder; repeatable.")
    ] = None,
    relations: Annotated[
        Path | None, typer.Option(metavar="FILE.yaml", help="Which other relations are causal, and how.")
    ] = None,
    depth: Annotated[int, typer.Option(help="How many axioms upstream, and downstream.")] = 2,
    reason: Annotated[
        bool, typer.Option("--reason", help="With OWL reasoning (HermiT, needs Java): what is inherited counts.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """A model's skeleton from the causal axioms around a concept: every number in it is a placeholder."""
    from .drafts import write_draft

    if out is None:
        raise fail("where does the model go?", fix=f"{concept} -o model.yaml")
    write_draft(concept, out, ontology or [], relations, depth=depth, reason=reason, as_json=as_json)


@app.command("check")
def check(model: ModelName, as_json: AsJson = False) -> None:
    """Everything that can be known without running it: errors, warnings, and how its claims are founded."""
    from ..causal.model.check import check_model

    report = check_model(model)
    counts = report.counts
    document = {
        "ok": report.ok,
        **{key: count for key, count in counts.items() if key != "structural"},
        "errors": [problem_json(problem) for problem in report.errors],
        "warnings": [problem_json(problem) for problem in report.warnings],
    }
    for heading, problems in (("error", report.errors), ("warning", report.warnings)):
        for problem in problems:
            say(f"{heading}: {problem}", err=True)
    curated = f"{counts['curated']} of them as curated by a database, " if counts["curated"] else ""
    of_them = "" if curated else " of them"
    text = (
        f"{model}: sound; {counts['variables']} variables, {counts['claims']} causal claims: {counts['cited']} cited "
        f"({curated}{counts['recalled']}{of_them} recalled, not checked), {counts['assumed']} assumed"
    )
    answer(as_json, document, lambda: say(text if report.ok else f"{model}: not sound"))
    if not report.ok:
        raise typer.Exit(2)


@app.command("test")
def falsify_command(
    model: ModelName,
    data: Annotated[Path, typer.Option(metavar="FILE", help="People: a CSV or Parquet file (docs/data.md).")],
    at: Annotated[
        list[str] | None, typer.Option(metavar="TIME", help='Look at this time ("12 months"); up to 3 by default.')
    ] = None,
    patients: Annotated[int | None, typer.Option("-n", "--patients", help="Simulated beside them (2,000).")] = None,
    permutations: Annotated[int | None, typer.Option(help="Graphs that DoWhy permutes: 20; 0 for none.")] = None,
    settings: Settings = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Does the graph survive these people? What it implies is tested on them, and simulated people stand beside.

    Exit code 1 if an implied independence is rejected.
    """
    from ..simulate.falsification.falsify import PATIENTS, PERMUTATIONS, falsify

    found = falsify(
        load(model, settings),
        data,
        at=at or None,
        patients=PATIENTS if patients is None else patients,
        permutations=PERMUTATIONS if permutations is None else permutations,
        seed=seed,
    )
    answer(as_json, found.as_json(), lambda: say(found))
    if not found.survives:
        raise typer.Exit(1)


@app.command("explain")
def explain_command(
    model: ModelName,
    variable: Annotated[str | None, typer.Argument(help="One variable; all by default.")] = None,
    do: Annotated[list[str] | None, typer.Option(help="An intervention: what exactly does it cut?")] = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """In words: each variable, its equation with numbers and units, each cause with its evidence."""
    from ..causal.explain.explain import explain

    found = explain(load(model, settings), variable, do=do or ())
    answer(as_json, found.to_json(), lambda: say(found))


@app.command("draw")
def draw_command(
    model: ModelName,
    out: Annotated[Path, typer.Option("-o", "--out", help="FILE.svg or FILE.png")],
    as_json: AsJson = False,
) -> None:
    """The causal graph as a picture."""
    from ..causal.explain.draw import draw_model

    draw_model(load(model), out)
    answer(as_json, {"path": str(out)}, lambda: say(out))


@app.command("document")
def document(
    model: ModelName,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE.md", help="The page.")],
    as_json: AsJson = False,
) -> None:
    """The model as one Markdown page: every number, equation and citation."""
    from ..causal.explain.page import write_model_page

    write_model_page(load(model), out)
    answer(as_json, {"path": str(out)}, lambda: say(out))


@app.command("diff")
def diff(a: ModelName, b: Annotated[str, typer.Argument(metavar="OTHER")], as_json: AsJson = False) -> None:
    """Where two models differ in meaning; exit code 1 if they do."""
    from ..causal.model.diff import diff_models

    differences = diff_models(load(a), load(b))
    document = {"equal": not differences, "differences": [asdict(difference) for difference in differences]}
    answer(as_json, document, lambda: say("\n".join(map(str, differences)) or "equal in meaning"))
    if differences:
        raise typer.Exit(1)


@app.command("convert")
def convert_model(
    model: ModelName,
    out: Annotated[Path, typer.Option("-o", "--out", help="FILE.yaml, .ttl or .jsonld")],
    as_json: AsJson = False,
) -> None:
    """YAML <-> Turtle <-> JSON-LD."""
    from ..causal.model.convert import convert

    convert(model, out)
    answer(as_json, {"path": str(out)}, lambda: say(out))
