"""Measure every artifact of a rendering: back to a record, by the renderer's independent path, on many cores."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

from ...errors import NosographError, fail, nearest
from ...ontology.output import join_path
from ...simulate.cohort import Run
from ...simulate.runs.inventory import FileEntry, Inventory
from ...simulate.runs.workers import PROCESSES, check_engine, check_workers, run_parts
from ..protocol import Artifact, Options, Renderer
from ..render import build_renderer, ready_for_workers
from ..rendering import BATCH, RenderedRun, is_rendered, open_rendering
from ..selection import choose_patients
from .chart import Chart, settle

ARCHIVED = ("patient", "world", "at", "modality", "path", "date")  # all that an archive knows of a document


@dataclass(frozen=True)
class Source:
    """A rendering to be measured, in one world.

    `faults`: what was put in on purpose; `steps`: the times asked for, None where all that were due are there.
    """

    rendered: RenderedRun
    world: str
    patients: tuple[int, ...]
    options: Mapping[str, Any]  # those that measuring needs
    faults: Mapping[str, float]
    steps: tuple[int, ...] | None

    @property
    def run(self) -> Run:
        return self.rendered.run

    @property
    def modality(self) -> str:
        return self.rendered.modality

    @property
    def folder(self) -> Path:
        return self.rendered.folder

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(self.rendered.manifest["parts"])


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
    if not is_rendered(run, modality):
        lacking = "is not finished" if (run.folder / modality).is_dir() else "has not been made"
        raise fail(f"the run's rendering as {modality} {lacking}, so none can be read", value=run.folder, fix=command)
    rendered = open_rendering(ready_for_workers(run), modality)
    held, file = rendered.manifest, rendered.folder / "manifest.json"
    try:
        numbers = choose_patients(run, held["patients"])
        options, faults = find_modality(modality).restore(held), check_faults(held.get("faults", {}))
    except (KeyError, NosographError) as error:
        raise fail(
            f"the manifest is not one of a rendering as {modality}: {error}", file=str(file), fix=rendered.inventory.fix
        ) from error
    worlds, steps = held["worlds"], held["steps"]
    if len(held["parts"]) != -(-len(numbers) // BATCH):
        raise fail("the manifest lists other parts than there are", file=str(file), fix=rendered.inventory.fix)
    if world not in worlds:
        fix = rendered.inventory.fix
        raise fail(f"the {modality} leave out the world {world!r}", value=", ".join(worlds), fix=fix)
    return Source(
        rendered=rendered,
        world=world,
        patients=tuple(numbers),
        options=options,
        faults=faults,
        steps=None if steps is None else tuple(steps),
    )


def measure_rendering(
    source: Source,
    *,
    workers: int | None = None,
    engine: str = PROCESSES,
    progress: Callable[[int], None] = lambda patients: None,
) -> Measured:
    """Read all artifacts of a rendering, part by part, here or by `workers` of the engine (see `run_parts`); never more
    in memory than a part each and what has been read. `progress` is told of each finished part's patients. Raises
    NosographError."""
    sizes = [len(source.patients[start : start + BATCH]) for start in range(0, len(source.patients), BATCH)]
    chart, artifacts = Chart(), 0
    workers, engine = check_workers(workers), check_engine(engine)
    workers = workers and min(workers, len(source.parts))
    with closing(run_parts(PartReader(source), source.parts, workers=workers, engine=engine)) as parts:
        for size, (found, count) in zip(sizes, parts, strict=True):
            chart.add(found)
            artifacts += count
            progress(size)
    return Measured(source, chart, artifacts)


def check_faults(held: Any) -> dict[str, float]:
    """The faults that a manifest tells of. Raises NosographError where they are none."""
    known = isinstance(held, dict) and all(isinstance(rate, int | float) and 0 <= rate <= 1 for rate in held.values())
    if not known:
        raise fail("faults are kinds and their shares", value=held, fix='{"negation": 0.02}')
    return dict(held)


@dataclass(frozen=True)
class PartReader:
    """What a worker does with a part's name: what its artifacts say, and how many they are."""

    source: Source

    @cached_property
    def renderer(self) -> Renderer:
        return build_renderer(self.source.run, self.source.modality, Options(self.source.options))

    @cached_property
    def patients(self) -> frozenset[int]:
        return frozenset(self.source.patients)

    def __call__(self, part: str) -> tuple[Chart, int]:
        source = self.source
        chart, count = Chart(), 0
        lines = (line for line in source.rendered.lines(part) if line["world"] == source.world)
        for patient, own in groupby(lines, key=lambda line: int(line["patient"])):
            if patient not in self.patients:
                file, fix = source.folder / part, source.rendered.inventory.fix
                raise fail("a line is of a patient who was not rendered", value=patient, file=str(file), fix=fix)
            artifacts = [open_artifact(source.run.folder, line) for line in own]
            read = [
                (artifact.time or 0.0, self.renderer.measure(artifact)) for artifact in artifacts
            ]  # none: as of entry
            chart.add(settle(read, patient=patient, model=source.run.model))
            count += len(artifacts)
        return chart, count


def open_artifact(folder: Path, line: Mapping[str, Any]) -> Artifact:
    """An artifact as an archive hands it out: its files, and what stands on the folder, but no annotation.

    Where no files were kept it is the line's "text".
    """
    known = {key: line[key] for key in ARCHIVED if key in line}
    path = join_path(folder, *str(line["path"]).split("/"))
    time = None if line["at"] is None else float(line["at"])
    if "#" in path.name and "text" in line:
        return Artifact("", time, {".txt": str(line["text"]).encode()}, known)
    fix = f"remove {folder / line['modality']}, and render again"
    entries: Mapping[str, FileEntry] = line.get("files", {})
    if path.name not in entries:
        raise fail("the line tells of no file of its artifact", value=path.name, file=str(path), fix=fix)
    beside = Inventory(path.parent, entries, fix=fix, noun="artifact")
    names = [path.name, *sorted(name for name in entries if name != path.name and _suffix(Path(name)) != ".ann")]
    files = {_suffix(Path(name)): beside.find(name).read_bytes() for name in names}
    return Artifact(path.name.removesuffix(_suffix(path)), time, files, known)


def _suffix(path: Path) -> str:
    """ ".nii.gz" of "018-months-t1.nii.gz", ".txt" of "000.50-months-letter.txt": all after the last part's point."""
    return "." + path.name.rpartition("-")[2].partition(".")[2]
