"""The report of a run: one HTML page that loads nothing and can be mailed, printed and read on a phone."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ...causal.model.claims import count_claims
from ...causal.model.model import Evidence, Model, Variable
from ...errors import fail
from ...ontology.output import join_path
from ...simulate.cohort import Run
from ...simulate.runs.documents import read_document
from ...simulate.runs.job import add_files
from ...simulate.runs.manifest import MODEL
from ...simulate.runs.run import SHARD_SIZE
from ...simulate.verification.verify import Verification
from ..readback.verify import Reread
from ..registry import find_modality, list_modalities
from ..rendering import is_rendered
from .figures import MOST_TRACKS, draw_key, draw_timeline, show, show_unit
from .html import Markup, count_of, join, table, tag, write_page
from .kept import KeptReread, KeptVerification
from .readback import tell_through
from .results import Document, clock_unit, name_of, name_some, run_end, tell_effects, tell_events, tell_journeys
from .summaries import Static, describe_entrants, name_worlds, pick_examples

KEPT = "verification.json"
MOST_KEPT = 2**26  # bytes of a verification
CITED, CURATED, RECALLED, ASSUMED = "cited", "curated", "recalled", "assumed"


def write_report(run: Run, *, verification: Verification | None = None) -> Path:
    """Write `report.html` into the run's folder, whole or not at all; the same bytes for the same run.

    `verification` is kept beside it as `verification.json`, and shown again by later reports. Raises NosographError
    where the one that is kept cannot be read or is of another model, and where the folder cannot be written.
    """
    if verification is not None:
        keep_verification(run, verification)
    examined = read_verification(run, KEPT) if (run.folder / KEPT).exists() else None
    reread = [read_verification(run, name) for name in list_reread(run)]
    page = compose_page(run, examined, reread)
    with add_files(run.folder) as files:
        files.write_bytes("report.html", content=page.encode())
    return run.folder / "report.html"


def keep_verification(run: Run, verification: Verification) -> Path:
    """Keep a verification beside the run, for its reports. Raises NosographError where the folder cannot be written."""
    return _keep(verification.as_json(), run, name=KEPT)


def keep_reread(run: Run, found: Reread) -> Path:
    """Keep beside the run what came of its effects through a modality. Raises NosographError as `keep_verification`."""
    return _keep(found.as_json(), run, name=name_reread(found.modality))


def _keep(document: Document, run: Run, *, name: str) -> Path:
    content = (json.dumps(document, indent=2) + "\n").encode()
    check_verification(document, run, name=name)
    with add_files(run.folder) as files:
        files.write_bytes(name, content=content)
    return run.folder / name


def list_reread(run: Run) -> list[str]:
    """The names of the verifications through modalities that are kept."""
    return sorted(file.name for file in run.folder.glob("verification-*.json"))


def read_verification(run: Run, name: str) -> Document:
    """A verification that is kept beside a run, by its name. Raises NosographError where it is none, or not of the
    run's model."""
    file = join_path(run.folder, name)
    schema = KeptVerification if name == KEPT else KeptReread
    held = read_document(file, schema, what="a verification of a run", fix="remove it", most=MOST_KEPT)
    return check_verification(held, run, name=name)


def check_verification(held: Document, run: Run, *, name: str) -> Document:
    """Raise NosographError where a verification is not of the run's model, or of the modality that its name says."""
    file = str(run.folder / name)
    if held["model"] != run.model.id:
        fix = f"a verification of {run.model.id}"
        raise fail("the verification is of another model than the run", value=held["model"], file=file, fix=fix)
    if name != KEPT and name != name_reread(held["through"]["modality"]):
        raise fail("the verification is through another modality", value=name, file=file, fix="remove it")
    return held


def name_reread(modality: str) -> str:
    return f"verification-{modality}.json"


def compose_page(run: Run, examined: Document | None, reread: Sequence[Document] = ()) -> str:
    """The page as text. `reread`: the verifications through modalities."""
    sections = [
        ("effects", "Effects", tell_effects(run, examined)),
        *((f"through-{d['through']['modality']}", *tell_through(d)) for d in reread),
        ("journeys", "Journeys", tell_journeys(run)),
        ("events", "Events", tell_events(run)),
        ("entrants", "Who entered", tell_entrants(run)),
        ("patients", "Example patients", tell_examples(run)),
        *tell_modalities(run),
        ("claims", "Causal claims", tell_claims(run.model)),
        ("again", "How to make it again", tell_making(run)),
    ]
    links = [tag("a", title, href=f"#{key}") for key, title, _ in sections]
    parts = [
        tag("section", tag("h2", title, id=f"{key}-title"), body, id=key, aria_labelledby=f"{key}-title")
        for key, title, body in sections
    ]
    head = tag("header", *tell_run(run), tag("nav", *links, aria_label="Contents"))
    return write_page(f"{title_of(run.model)}: report of a run", head, tag("main", *parts))


def tell_modalities(run: Run) -> Iterator[tuple[str, str, Markup]]:
    """Name, title and chapter of each modality that the run has been rendered in and that has something to show."""
    for name in list_modalities():
        if is_rendered(run, name):
            modality = find_modality(name)
            chapter = modality.chapter()(run) if modality.chapter is not None else None
            if chapter is not None:
                yield name, modality.title, chapter


def title_of(model: Model) -> str:
    return model.title or model.id


def tell_run(run: Run) -> list[Markup]:
    model, held = run.model, run.manifest
    unit, many = model.clock.text[2], held["worlds"]
    entered = f"{len(run):,} {'patient' if len(run) == 1 else 'patients'} entered of {held['drawn']:,} drawn"
    condition = " and ".join(str(part) for part in (model.population, held["where"]) if part is not None)
    length = count_of(show(float(run_end(run))), unit)
    sentence = join(
        f"{entered}{' (' if condition else ''}",
        tag("code", condition) if condition else "",
        f"{')' if condition else ''} and were followed for {length}, in steps of {model.clock.text[0]}, in ",
        f"{count_of(len(many), 'world')}; seed {held['seed']}.",
    )
    worlds = [
        tag("li", draw_key(number), tag("strong", world["name"]), ": ", describe_world(world["interventions"]))
        for number, world in enumerate(many)
    ]
    name = join("Nosograph run of ", tag("code", model.id), f" {model.version}" if model.version else "")
    description = [tag("p", model.description, class_="soft")] if model.description else []
    return [
        tag("p", name, class_="soft"),
        tag("h1", title_of(model)),
        tag("p", sentence, class_="lead"),
        tag("ul", *worlds, class_="legend"),
        *description,
    ]


def describe_world(interventions: list[str]) -> Markup:
    return tag("code", "; ".join(interventions)) if interventions else join("as the model has it")


def tell_entrants(run: Run) -> Markup:
    found = describe_entrants(run)
    hidden = [v.name for v in run.model.variables.values() if v.kind == "static" and not v.recorded]
    world = name_worlds(run)[0]
    notes = f"What the record holds of each of the {len(run):,} at entry, in the world {world!r}: mean (standard "
    notes += "deviation), or how many had each value."
    notes += f" On no record: {name_some(hidden)}." if hidden else ""
    rows: list[list[object]] = []
    for static in found:
        rows += describe_static(static)
    return join(
        tag("p", notes), table(["", "", "number or mean", "share or deviation"], rows, numbers=2) if rows else ""
    )


def describe_static(static: Static) -> list[list[object]]:
    """Rows of the table: one for a mean, or one for each value."""
    unit = show_unit(static.variable.unit)
    title = name_of(static.variable) + (f", {unit}" if unit else "")
    if static.counts is None:
        return [[title, "mean", show(static.mean), f"({show(static.deviation)})"]]
    levels = static.variable.levels or sorted(static.counts)
    shown = [level if isinstance(level, str) else show(float(level)) for level in levels]
    counts = [static.counts[level] for level in levels]
    return [
        [title if place == 0 else "", text, f"{count:,}", f"{count / static.number:.1%}"]
        for place, (text, count) in enumerate(zip(shown, counts, strict=True))
    ]


def tell_examples(run: Run) -> Markup:
    recorded = [v for v in run.model.variables.values() if v.recorded]
    measured = [v.name for v in recorded if v.kind == "measurement"]
    shown = measured[:MOST_TRACKS] + [v.name for v in recorded if v.kind == "treatment"]
    worlds, unit = name_worlds(run), clock_unit(run)
    notes = (
        "The first patients by number, picked by nobody's eye: the record in each world (dots), treatments (bars) and "
        "what happened (diamonds; open where no record holds it). Dots and bars stop where the record closes; the "
        "shade begins where a journey ends."
    )
    notes += f" Rings are the same patient's values in the world {worlds[0]!r}." if len(worlds) > 1 else ""
    if len(measured) > MOST_TRACKS:
        notes += f" Left out: {name_some(measured[MOST_TRACKS:])}."
    parts = []
    for example in pick_examples(run):
        told = [f"{name} {show_static(run.model.variables[name], value)}" for name, value in example.statics.items()]
        figures = []
        for number, world in enumerate(worlds):
            events = [f"{name} at {show(time)}" for time, name, _ in example.timelines[number].events]
            label = f"Patient {example.patient} in the world {world}. Events, in {unit}: {', '.join(events) or 'none'}."
            figure = draw_timeline(
                example, number, model=run.model, end=run_end(run), unit=unit, shown=shown, label=label
            )
            figures.append(tag("figure", tag("figcaption", draw_key(number), tag("strong", world)), figure))
        facts = tag("p", ", ".join(told), class_="soft")
        parts.append(join(tag("h3", f"Patient {example.patient}"), facts, tag("div", *figures, class_="beside")))
    return join(tag("p", notes), *parts)


def show_static(variable: Variable, value: Any) -> str:
    unit = show_unit(variable.unit)
    return value if isinstance(value, str) else show(float(value)) + (f" {unit}" if unit else "")


def tell_claims(model: Model) -> Markup:
    """How many causal claims are cited, curated, recalled and assumed, and each of them with its evidence."""
    founded = count_claims(model.claims)
    read = founded.cited - founded.curated - founded.recalled
    counts = {CITED: read, CURATED: founded.curated, RECALLED: founded.recalled, ASSUMED: founded.assumed}
    words = {
        CITED: "cited and checked against the source",
        CURATED: "cited as a database curates them",
        RECALLED: "cited from memory",
        ASSUMED: "assumed",
    }
    if not founded.curated:
        del counts[CURATED]
    intro = (
        f"{count_of(len(model.variables), 'variable')} and {count_of(founded.claims, 'causal claim')} between them: "
    )
    intro += ", ".join(f"{count} {words[kind]}" for kind, count in counts.items()) + "."
    shares = [tag("span", class_=kind, style=f"flex:{count}") for kind, count in counts.items() if count]
    keys = [tag("li", tag("span", class_=f"key {kind}"), f"{kind}: {count}") for kind, count in counts.items()]
    bar = tag("div", *shares, class_="shares", aria_hidden="true")
    rows: list[list[object]] = []
    for claim in model.claims:
        if claim.evidence or not claim.structural:
            found = [tag("div", tell_evidence(evidence)) for evidence in claim.evidence]
            rows.append([claim.effect, claim.cause, join(*found)])
    every = tag("details", tag("summary", "Every claim"), table(["effect", "cause", "evidence"], rows))
    return join(tag("p", intro), bar if shares else "", tag("ul", *keys, class_="legend"), every if rows else "")


def tell_evidence(evidence: Evidence) -> Markup:
    if evidence.assumed:
        return join("assumption")
    source: object = evidence.source
    kind, _, local = evidence.source.partition(":")
    if kind == "PMID" and re.fullmatch(r"[0-9]+", local):
        source = tag("a", evidence.source, href=f"https://pubmed.ncbi.nlm.nih.gov/{local}/")
    elif kind.lower() == "doi":
        source = tag("a", evidence.source, href=f"https://doi.org/{quote(local, safe='/().')}")
    checked = f" ({evidence.checked})" if evidence.checked else ""
    return join(source, checked, f": {evidence.says}" if evidence.says else "")


def tell_making(run: Run) -> Markup:
    held = run.manifest
    intro = "The same command with the same versions makes the same data, whatever the number of workers; then "
    rows: list[list[object]] = [
        ["dataset_sha256", tag("code", held["dataset_sha256"])],
        ["model sha256", tag("code", held["model"]["sha256"])],
    ]
    rows += [[name, str(value)] for name, value in held["made_with"].items()]
    same = tag("code", "dataset_sha256")
    return join(
        tag("p", intro, same, " is the one below. It is run in this folder, where the model lies as model.ttl."),
        tag("pre", shlex.join(command_of(run))),
        table(["", "of this run"], rows),
    )


def command_of(run: Run) -> list[str]:
    """The command that makes the run again, from inside its folder."""
    from ...causal.model.load import load_model

    model, held = run.model, run.manifest
    words = ["nosograph", "simulate", "model.ttl", "-n", str(held["patients"]), "--seed", str(held["seed"])]
    base, *others = held["worlds"]
    for text in base["interventions"]:
        words += ["--do", text]
    for world in others:
        words += ["--world", f"{world['name']}: {'; '.join(world['interventions'])}"]
    if held["steps"] != model.clock.steps:
        words += ["--years", f"{held['steps'] * model.clock.step:.12g}"]
    for name, option in (("where", "--where"), ("every", "--every")):
        if held[name] not in (None, 1):
            words += [option, str(held[name])]
    if held["keep"]:
        words += ["--keep", ",".join(held["keep"])]
    written = load_model(run.inventory.find(MODEL)).parameters
    for name, parameter in model.parameters.items():
        if parameter.value != written[name].value:
            words += ["--set", f"{name}={parameter.value!r}"]
    words += ["--shard-size", str(held["shard_size"])] if held["shard_size"] != SHARD_SIZE else []
    return [*words, "--out", "again"]
