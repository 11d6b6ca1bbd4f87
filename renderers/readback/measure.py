"""Measure every artifact of a rendering: back to a record, by the renderer's independent path, on many cores."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

from ...errors import fail, nearest
from ...ontology.output import join_path
from ...simulate.cohort import Run
from ...simulate.runs.workers import check_workers, run_parts
from ..protocol import Artifact, Options, Renderer
from ..render import BATCH, build_renderer
from ..selection import choose_patients
from .chart import Chart, settle

ARCHIVED = ("patient", "world", "at", "modality", "path", "date")  # all that an archive knows of a document


@dataclass(frozen=True)
class Source:
    """A rendering to be measured, in one world.

    `faults`: what was put in on purpose; `steps`: the times asked for, None where all that were due are there.
    """

    run: Run
    modality: str
    world: str
    patients: tuple[int, ...]
    parts: tuple[str, ...]
    options: Mapping[str, Any]  # those that measuring needs
    faults: Mapping[str, float]
    steps: tuple[int, ...] | None

    @property
    def folder(self) -> Path:
        return self.run.folder / self.modality


@dataclass(frozen=True)
class Measured:
    """What was read of a rendering, in how many artifacts."""

    source: Source
    chart: Chart
    artifacts: int


def find_source(run: Run, *, modality: str, world: str) -> Source:
    """The run's finished rendering. Raises NosographError, with the command that makes one, where there is none of this
    very run and of `world`."""
    from ..registry import find_modality, list_modalities

    if modality not in list_modalities():
        near = nearest(modality, list_modalities()) or ", ".join(list_modalities())
        raise fail("there is no renderer of this modality", value=modality, fix=f"--through {near}")
    command = f"nosograph render {run.folder} --modality {modality}"
    file = run.folder / modality / "manifest.json"
    if not file.is_file():
        lacking = "is not finished" if file.parent.is_dir() else "has not been made"
        raise fail(f"the run's rendering as {modality} {lacking}, so none can be read", value=run.folder, fix=command)
    try:
        held = json.loads(file.read_text())
        numbers = choose_patients(run, held["patients"])
        same = held["dataset_sha256"] == run.manifest["dataset_sha256"]
        worlds, parts, steps = held["worlds"], tuple(held["parts"]), held["steps"]
        options, faults = find_modality(modality).restore(held), dict(held.get("faults", {}))
    except (ValueError, KeyError, TypeError) as error:
        raise fail("the manifest is not one of a rendering", file=str(file), fix=f"remove {file.parent}") from error
    if not same:
        raise fail(f"the {modality} are of another run", file=str(file), fix=f"remove {file.parent}, then: {command}")
    if world not in worlds:
        fix = f"remove {file.parent}, then: {command}"
        raise fail(f"the {modality} leave out the world {world!r}", value=", ".join(worlds), fix=fix)
    for part in parts:
        if not join_path(file.parent, part).is_file():
            fix = f"remove {file.parent}, then: {command}"
            raise fail("a part of the rendering is missing", value=file.parent / part, fix=fix)
    return Source(
        run=replace(run, model=replace(run.model, rdf=None)),  # workers need no graph
        modality=modality,
        world=world,
        patients=tuple(numbers),
        parts=parts,
        options=options,
        faults=faults,
        steps=None if steps is None else tuple(steps),
    )


def measure_rendering(
    source: Source, *, workers: int = 1, progress: Callable[[int], None] = lambda patients: None
) -> Measured:
    """Read all artifacts of a rendering, part by part, here or in `workers` processes; never more in memory than a part
    each and what has been read. `progress` is told of each finished part's patients. Raises NosographError."""
    sizes = [len(source.patients[start : start + BATCH]) for start in range(0, len(source.patients), BATCH)]
    chart, artifacts = Chart(), 0
    workers = min(check_workers(workers), len(source.parts))
    with closing(run_parts(PartReader(source), source.parts, workers=workers)) as parts:
        for size, (found, count) in zip(sizes, parts, strict=True):
            chart.add(found)
            artifacts += count
            progress(size)
    return Measured(source, chart, artifacts)


@dataclass(frozen=True)
class PartReader:
    """What a worker does with a part's name: what its artifacts say, and how many they are."""

    source: Source

    @cached_property
    def renderer(self) -> Renderer:
        return build_renderer(self.source.run, self.source.modality, Options(self.source.options))

    def __call__(self, part: str) -> tuple[Chart, int]:
        source = self.source
        chart, count = Chart(), 0
        for patient, lines in groupby(_read_lines(source, part), key=lambda line: int(line["patient"])):
            artifacts = [open_artifact(source.run.folder, line) for line in lines]
            read = [
                (artifact.time or 0.0, self.renderer.measure(artifact)) for artifact in artifacts
            ]  # none: as of entry
            chart.add(settle(read, patient=patient, model=source.run.model))
            count += len(artifacts)
        return chart, count


def _read_lines(source: Source, part: str) -> Iterator[dict[str, Any]]:
    file = join_path(source.folder, part)
    with file.open(encoding="utf-8") as lines:
        for number, text in enumerate(lines, 1):
            try:
                line = json.loads(text)
                ours = line["world"] == source.world
            except (ValueError, KeyError, TypeError) as error:
                raise fail("the line is of no artifact", file=str(file), line=number, fix="render again") from error
            if ours:
                yield line


def open_artifact(folder: Path, line: Mapping[str, Any]) -> Artifact:
    """An artifact as an archive hands it out: its files, and what stands on the folder, but no annotation.

    Where no files were kept it is the line's "text".
    """
    known = {key: line[key] for key in ARCHIVED if key in line}
    path = join_path(folder, *str(line["path"]).split("/"))
    time = None if line["at"] is None else float(line["at"])
    if "#" in path.name and "text" in line:
        return Artifact("", time, {".txt": str(line["text"]).encode()}, known)
    files = {_suffix(file): file.read_bytes() for file in _files_of(path)}
    if not files:
        fix = f"remove {folder / line['modality']}, and render again"
        raise fail("an artifact's file is missing", file=str(path), fix=fix)
    return Artifact(path.name.removesuffix(_suffix(path)), time, files, known)


def _files_of(path: Path) -> Sequence[Path]:
    """The file itself first, and those that differ in their suffix, but for annotations."""
    stem = path.name.removesuffix(_suffix(path))
    others = (f for f in sorted(path.parent.glob(f"{stem}.*")) if f != path and _suffix(f) != ".ann")
    return [path, *others] if path.is_file() else []


def _suffix(path: Path) -> str:
    """ ".nii.gz" of "018-months-t1.nii.gz", ".txt" of "000.50-months-letter.txt": all after the last part's point."""
    return "." + path.name.rpartition("-")[2].partition(".")[2]
