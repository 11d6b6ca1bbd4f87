"""Render a run: its artifacts as files and JSON Lines in a folder of the run, in batches, resumed, on many cores.

`DIR/notes/<world>/<patient>/<time>-<name>.txt` for people, and `DIR/notes/part-00000.jsonl`, …, a line an artifact in
the order of patient, world and time, for machines. The lines are the main store: 100,000 notes are some 50 of these
files, not 200,000 small ones. Where a line says all that the files do, there are files only for few journeys, or when
asked for.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

from ..causal.model.clock import time_of
from ..causal.program.noise import check_seed
from ..causal.program.threads import one_thread
from ..errors import fail
from ..ontology.knowledge import KnowledgeGraph
from ..ontology.output import DRAFT, join_path
from ..simulate.cohort import Run, open_run
from ..simulate.runs.inventory import FileEntry, describe_bytes
from ..simulate.runs.job import ASIDE, JobFolder, PartFiles, Receipt, locate_aside
from ..simulate.runs.room import check_room
from ..simulate.runs.workers import PROCESSES, check_engine, check_workers
from .binding import bind, check_requirements
from .cohort_files import join_pieces
from .journey import read_journeys
from .noise import Noise
from .protocol import Artifact, CohortRenderer, Moment, Options, Renderer
from .registry import find_modality
from .rendering import BATCH, RenderedRun, RenderingManifest, name_lines, open_rendering
from .selection import choose_patients, find_worlds, parse_times, write_ranges

AT_ONCE = 64  # moments that a renderer gets together
PIECE = ".piece"  # of a file of the cohort, which a batch leaves
MANY_JOURNEYS = 10_000  # before which the room on the disk is looked at
PROBED = 10  # patients by whom the bytes of all are estimated
MOST_JOURNEYS = 200  # of which files are written unasked, where lines hold all: a file costs as much as half a note


@dataclass(frozen=True)
class Task:
    """All that a part depends on but its patients. `steps`: None for the times that the renderer plans."""

    run: Run
    modality: str
    worlds: tuple[str, ...]
    steps: tuple[int, ...] | None
    seed: int
    options: Options

    @cached_property
    def renderer(self) -> Renderer:
        """Built once a process: see `build_renderer`."""
        return build_renderer(self.run, self.modality, self.options)

    def __getstate__(self) -> dict[str, Any]:
        """Sent to a worker without the renderer."""
        return {key: value for key, value in self.__dict__.items() if key != "renderer"}


@dataclass(frozen=True)
class Rendering:
    """What was rendered: `names` counts artifacts by what they are, `counts` is what their renderer counted besides.
    They are read from the lines when asked for. `cohort_files` are of the whole cohort, and lie in the folder."""

    rendered: RenderedRun

    @property
    def folder(self) -> Path:
        return self.rendered.folder

    @property
    def modality(self) -> str:
        return self.rendered.modality

    @property
    def names(self) -> Mapping[str, int]:
        found: Mapping[str, int] = self.rendered.manifest["names"]
        return found

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(self.rendered.manifest["parts"])

    @property
    def counts(self) -> Mapping[str, int]:
        return dict(self.rendered.manifest.get("counts", {}))

    @property
    def cohort_files(self) -> tuple[str, ...]:
        return tuple(self.rendered.manifest.get("cohort_files", {}))

    def __len__(self) -> int:
        return sum(self.names.values())

    def __repr__(self) -> str:
        counted = ", ".join(f"{count:,} {name}" for name, count in self.names.items())
        return f"{self.modality}: {len(self):,} artifacts in {self.folder}: {counted or 'nothing'}"

    def lines(self) -> Iterator[dict[str, Any]]:
        """Everything that is known of each artifact, by patient, world and time."""
        for part in self.parts:
            yield from self.rendered.lines(part)

    def artifacts(self) -> Iterator[dict[str, Any]]:
        """patient, world, at (clock's unit; None for what has no moment), modality and path of each artifact
        ("…/part-00000.jsonl#7": its line 7, from 0). In the lines themselves paths begin in the run's folder."""
        for line in self.lines():
            held = {key: line[key] for key in ("patient", "world", "at", "modality")}
            yield {**held, "path": str(self.folder.parent / line["path"])}


def render(
    run: Run | str | Path,
    *,
    modality: str = "notes",
    patients: str | Iterable[int] | None = None,
    at: str | Sequence[str] | None = None,
    world: str | Sequence[str] | None = None,
    seed: int = 0,
    files: bool | None = None,
    workers: int | None = None,
    engine: str = PROCESSES,
    progress: Callable[[int], None] = lambda patients: None,
    **options: Any,
) -> Rendering:
    """Render `patients` ("0-11,20"; all by default) of a run, at the times `at` ("0, 18 months"; by default those that
    the renderer plans), in `world` (a name or several; all by default). `options` are those that the modality declares,
    such as `locale`, `faults` (`{"negation": 0.02}`) and `checkpoint` (a folder) of notes.

    The same arguments give the same bytes, whatever the number of `workers` and the `engine` (see `run_parts`); where
    they have been rendered already, the files are checked, and where they were interrupted, it goes on. `files` says
    whether there is a file for each artifact even where the lines hold all. `progress` is told of each finished batch's
    patients. Raises NosographError for what the run, the model or the renderer does not have, and where the run's
    folder holds another rendering.
    """
    seed, workers, engine = check_seed(seed), check_workers(workers), check_engine(engine)
    held = run if isinstance(run, Run) else _open(run)
    chosen = Options(find_modality(modality).check(options))
    renderer = build_renderer(held, modality, chosen)
    steps = None if renderer.timeless else parse_times(held, at)
    if renderer.reads_truth:
        check_truth(held, renderer, steps)
    numbers = choose_patients(held, patients)
    worlds = find_worlds(held, world)
    if files is None:
        files = not renderer.lines_hold_all or len(numbers) * len(worlds) <= MOST_JOURNEYS
    task = Task(
        run=ready_for_workers(held),
        modality=modality,
        worlds=tuple(worlds),
        steps=tuple(steps) if steps is not None else None,
        seed=seed,
        options=replace(chosen, files=files or not renderer.lines_hold_all),
    )
    batches = [numbers[start : start + BATCH] for start in range(0, len(numbers), BATCH)]
    identity = describe_rendering(task, numbers)
    folder = join_path(held.folder, modality)
    another = f"the run holds {modality} rendered with another {{key}}"
    job = JobFolder(folder, identity, noun="rendering", another=another, schema=RenderingManifest)
    job.complete(
        partial(write_batch, task),
        check_batches(task, batches, folder=folder),
        summarise=partial(summarise_batches, task, identity),
        workers=workers and min(workers, len(batches)),
        engine=engine,
        progress=lambda receipt: progress(receipt.counts["patients"]),
    )
    return Rendering(open_rendering(held, modality))


def check_batches(task: Task, batches: Sequence[Sequence[int]], *, folder: Path) -> Iterator[Sequence[int]]:
    """The batches, where the disk has room for what is made of them. Raises NosographError elsewhere."""
    journeys = sum(map(len, batches)) * len(task.worlds)
    if journeys > MANY_JOURNEYS:
        with one_thread():
            probed = sum(
                len(_compose_line(task, moment, artifact, path="", files={}))
                + (sum(map(len, artifact.files.values())) if task.options.files else 0)
                for moment, artifact in _render_patients(task, batches[0][:PROBED])
            )
        size = probed / PROBED * sum(map(len, batches))
        fix = "fewer --patients, fewer times --at, one --world, or the run on another disk"
        check_room(folder, size, what=f"{task.modality} of {journeys:,} journeys", fix=fix)
    yield from batches


def ready_for_workers(run: Run) -> Run:
    """The run as workers need it: without the model's graph, its folder as an absolute path."""
    return replace(run, folder=run.folder.absolute(), model=replace(run.model, rdf=None))


def _open(run: object) -> Run:
    if isinstance(run, str | Path):
        return open_run(run)
    raise fail(
        "what is rendered is a run on disk",
        value=repr(run),
        fix='ng.render(ng.open("run/")), after cohort.save("run/")',
    )


def build_renderer(run: Run, modality: str, options: Options) -> Renderer:
    """The renderer of a modality for the run's model. Raises NosographError where the model lacks what it needs."""
    knowledge = KnowledgeGraph.open()
    renderer = find_modality(modality).renderer()(run.model, knowledge=knowledge, options=options)
    check_requirements(renderer.requires(), modality=modality, model=run.model, knowledge=knowledge)
    return renderer


def check_truth(run: Run, renderer: Renderer, steps: Sequence[int] | None) -> None:
    """Raise NosographError where the run's truth leaves out what the renderer depicts, or the times asked for."""
    every, keep = int(run.manifest["every"]), run.manifest["keep"]
    for step in steps or ():
        if step % every:
            number, _, unit = run.model.clock.text[0].partition(" ")
            problem = f"the run's truth is written every {every} steps only"
            fix = f"a multiple of {every * float(number):g} {unit}s, or simulate with --every 1"
            raise fail(problem, value=f"{step * float(number):g} {unit}s", fix=fix)
    knowledge = KnowledgeGraph.open()
    for need in renderer.requires():
        names = [variable.name for variable in bind(need, model=run.model, knowledge=knowledge)]
        if keep is not None and not need.recorded and not set(names) & set(keep):
            raise fail(
                f"the run's truth leaves out its {need.what}",
                value=", ".join(keep),
                fix=f"simulate with --keep {names[0]}, or without --keep",
            )


def describe_rendering(task: Task, numbers: Sequence[int]) -> dict[str, Any]:
    """What makes a rendering this one and no other: no clock times, no host, not the number of workers."""
    return {
        "nosograph": version("nosograph"),
        "modality": task.modality,
        "model": task.run.manifest["model"],
        "dataset_sha256": task.run.manifest["dataset_sha256"],
        "seed": task.seed,
        "patients": write_ranges(numbers),
        "worlds": list(task.worlds),
        "steps": list(task.steps) if task.steps is not None else None,
        **find_modality(task.modality).describe(task.options.values),
        "files": task.options.files,
    }


def summarise_batches(
    task: Task, identity: Mapping[str, Any], receipts: Iterable[Receipt]
) -> tuple[dict[str, Any], Mapping[str, bytes]]:
    """The manifest of a rendering whose parts are all there, and the files that its folder has once."""
    names, counts = Counter[str](), Counter[str]()
    parts = {}
    for receipt in receipts:
        names.update(receipt.counts["names"])
        counts.update(receipt.counts["counts"])
        part = name_lines(receipt.index)
        parts[part] = receipt.listed[part]
    held = {**identity, "names": dict(sorted(names.items())), "parts": parts}
    if counts:
        held["counts"] = dict(sorted(counts.items()))
    if isinstance(task.renderer, CohortRenderer):
        folder = join_path(task.run.folder, task.modality)
        pieces = [locate_aside(folder, index, PIECE) for index in range(len(parts))]
        held["cohort_files"] = join_pieces(
            task.renderer, pieces, folder=folder, aside=join_path(folder, ASIDE, f"{DRAFT}cohort")
        )
    shared = dict(task.renderer.shared_files) if task.options.files else {}
    if shared:
        held["shared_files"] = {name: describe_bytes(content) for name, content in sorted(shared.items())}
    return held, shared


def write_batch(task: Task, files: PartFiles, patients: Sequence[int]) -> dict[str, Any]:
    """Render `patients` into `part-<index>.jsonl` and, where wanted, a file for each artifact; their counts."""
    names, counts = Counter[str](), Counter[str]()
    part = name_lines(files.index)
    cohort = task.renderer if isinstance(task.renderer, CohortRenderer) else None
    rendered: list[tuple[Moment, Artifact]] = []  # of the batch, where files of the cohort are made of it

    def write_lines(draft: Path) -> None:
        with draft.open("wb") as lines:
            for number, (moment, artifact) in enumerate(_render_patients(task, patients)):
                path, written = f"{part}#{number}", dict[str, FileEntry]()
                if task.options.files:
                    path, written = _write_artifact(task, files, moment, artifact)
                lines.write(_compose_line(task, moment, artifact, path=path, files=written))
                names[artifact.name] += 1
                counts.update(artifact.counts)
                if cohort is not None:
                    rendered.append((moment, artifact))

    files.write(part, fill=write_lines)
    if cohort is not None:
        files.write_aside(PIECE, fill=lambda draft: cohort.write_piece(rendered, draft))
    return {"patients": len(patients), "names": names, "counts": counts}


def _render_patients(task: Task, patients: Sequence[int]) -> Iterator[tuple[Moment, Artifact]]:
    """The artifacts of the patients, by patient, world and time."""
    moments = _find_moments(task, task.renderer, patients)
    while together := list(islice(moments, AT_ONCE)):
        for moment, artifacts in zip(together, task.renderer.render(together), strict=True):
            yield from ((moment, artifact) for artifact in artifacts)


def _find_moments(task: Task, renderer: Renderer, patients: Sequence[int]) -> Iterator[Moment]:
    clock = task.run.model.clock
    journeys = read_journeys(task.run, patients, worlds=task.worlds, truth=renderer.reads_truth)
    for journey in journeys:
        steps = (0,) if renderer.timeless else task.steps
        for step in steps if steps is not None else renderer.plan_moments(journey):
            noise = Noise(task.seed, task.modality, journey.patient, step)
            yield Moment(journey, step, time_of(step, clock=clock), noise)


def _write_artifact(
    task: Task, files: PartFiles, moment: Moment, artifact: Artifact
) -> tuple[str, dict[str, FileEntry]]:
    """Write an artifact's files: the path of the first, below the modality's folder, and the entries of all by name."""
    journey = moment.journey
    label = f"{label_time(task.run, moment.step)}-" if artifact.time is not None else ""
    stem = f"{label}{artifact.name}"
    assert "." not in artifact.name, f"the name of an artifact has a point: {artifact.name}"
    for suffix, content in artifact.files.items():
        files.write_bytes(journey.world, str(journey.patient), f"{stem}{suffix}", content=content)
    entries = {f"{stem}{suffix}": describe_bytes(content) for suffix, content in artifact.files.items()}
    return f"{journey.world}/{journey.patient}/{next(iter(entries))}", entries


def _compose_line(
    task: Task, moment: Moment, artifact: Artifact, *, path: str, files: Mapping[str, FileEntry]
) -> bytes:
    """Everything that is known of an artifact, as a line of JSON."""
    head: dict[str, Any] = {
        "patient": moment.journey.patient,
        "world": moment.journey.world,
        "at": artifact.time,
        "modality": task.modality,
        "path": f"{task.modality}/{path}",
        **({"files": files} if files else {}),
    }
    return json.dumps({**head, **artifact.line, **head}, ensure_ascii=False).encode() + b"\n"


def label_time(run: Run, step: int) -> str:
    """A step's time as a file's name has it, as many digits for all: "018-months"."""
    number, _, unit = run.model.clock.text[0].strip().partition(" ")
    size = float(number)
    width = len(f"{size * run.model.clock.steps:.0f}")
    told = f"{size * step:0{width}.0f}" if size.is_integer() else f"{size * step:0{width + 3}.2f}"
    return f"{told}-{unit.strip().removesuffix('s')}s"
