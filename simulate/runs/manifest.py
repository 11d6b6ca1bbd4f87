"""The manifest of a run, as it is read from a folder: its schema, and what it must have in common with the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field

from ...causal.model.model import Model
from ...causal.model.world import FACTUAL, INTERVENED, World, parse_intervention, parse_world
from ...errors import NosographError, fail
from ..entrants import parse_condition
from ..listing.clinic import Clinic, check_clinic
from .documents import RunDocument
from .inventory import Count, FileEntry, Sha256
from .job import JobManifest
from .tables import LISTING, TABLES, name_part

MODEL = "model.ttl"
Text = Annotated[str, Field(max_length=100_000)]
Positive = Annotated[int, Field(ge=1, le=2**63 - 1)]


class ModelEntry(RunDocument):
    id: Text
    version: Text
    sha256: Sha256
    parameters: dict[Text, float]


class WorldEntry(RunDocument):
    name: Text
    interventions: list[Text]


class ClinicEntry(RunDocument):
    listing: float | None
    imprecise: float
    incidental: float


class RunManifest(JobManifest):
    """`manifest.json` of a run."""

    nosograph: Text
    model: ModelEntry
    seed: Count
    patients: Positive
    worlds: Annotated[list[WorldEntry], Field(min_length=1)]
    steps: Positive
    where: Text | None
    keep: Annotated[list[Text], Field(min_length=1)] | None
    every: Positive
    clinic: ClinicEntry | None = None
    shard_size: Positive
    made_with: dict[Text, Text]
    drawn: Positive
    rows: dict[Text, Count]
    dataset_sha256: Sha256
    files: dict[Text, FileEntry]


def list_tables(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of a run's tables."""
    return TABLES if manifest.get("clinic") is None else (*TABLES, LISTING)


def count_shards(manifest: Mapping[str, Any]) -> int:
    return -(-int(manifest["patients"]) // int(manifest["shard_size"]))


def check_files(manifest: Mapping[str, Any], *, file: str, fix: str) -> None:
    """Raise NosographError where a manifest lists other files than those of its tables and its model."""
    tables, listed = list_tables(manifest), manifest["files"]
    shards = count_shards(manifest)
    if set(manifest["rows"]) != set(tables):
        raise fail(f"the manifest counts rows of other tables than {', '.join(tables)}", file=file, fix=fix)
    expected = {MODEL} if len(listed) == shards * len(tables) + 1 else set()
    expected |= {f"{table}/{name_part(index)}" for table in tables for index in range(shards if expected else 0)}
    odd = next((name for name in listed if name not in expected), None)
    if odd is not None:
        problem = f"the manifest lists other files than the {shards:,} of each table, and {MODEL}"
        raise fail(problem, value=repr(odd), file=file, fix=fix)


def check_agreement(manifest: Mapping[str, Any], model: Model, *, file: str, fix: str) -> None:
    """Raise NosographError where a manifest tells of what the model does not have."""
    held = manifest["model"]
    unlike = [
        ("another model", f"{held['id']} {held['version']}", f"{model.id} {model.version}"),
        (
            "other parameters",
            ", ".join(sorted(held["parameters"])),
            ", ".join(sorted(p.name for p in model.parameters.values() if p.formula is None)),
        ),
    ]
    for what, theirs, ours in unlike:
        if theirs != ours:
            raise fail(f"the manifest is of {what} than {MODEL}", value=theirs, file=file, fix=fix)
    if manifest["steps"] > model.clock.steps:
        raise fail("the manifest has more steps than the model", value=manifest["steps"], file=file, fix=fix)
    odd = [name for name in manifest["keep"] or () if name not in model.variables]
    if odd:
        raise fail("the manifest keeps a variable that the model does not have", value=odd[0], file=file, fix=fix)
    try:
        list_worlds(manifest, model)
        if manifest["where"] is not None:
            parse_condition(manifest["where"], model=model)
        if manifest.get("clinic") is not None:
            check_clinic(Clinic(**{key: manifest["clinic"][key] for key in ClinicEntry.model_fields}))
    except NosographError as error:
        first = error.problems[0]
        raise fail(f"in the manifest: {first.problem}", value=first.value, file=file, fix=fix) from error


def list_worlds(manifest: Mapping[str, Any], model: Model) -> tuple[World, ...]:
    """The worlds of a run, by the rules by which they are asked for. Raises NosographError for any others."""
    base, *others = manifest["worlds"]
    expected = INTERVENED if base["interventions"] else FACTUAL.name
    if base["name"] != expected:
        raise fail("the first world has another name", value=base["name"], fix=expected)
    first = World(base["name"], tuple(parse_intervention(text, model=model) for text in base["interventions"]))
    worlds = [first]
    for world in others:
        parsed = parse_world(f"{world['name']}: {'; '.join(world['interventions'])}", model=model)
        if parsed.name != world["name"] or [i.text for i in parsed.interventions] != world["interventions"]:
            raise fail("a world is not as one is written", value=world["name"], fix="treated: lecanemab = 1")
        worlds.append(parsed)
    check_names(worlds)
    return tuple(worlds)


def check_names(worlds: Sequence[World]) -> None:
    """Raise NosographError where two worlds have one name."""
    names = [world.name for world in worlds]
    for name in names:
        if names.count(name) > 1:
            raise fail("two worlds have one name", value=name, fix="a name for each world")
