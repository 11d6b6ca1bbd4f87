"""Render a run: its artifacts as files and JSON Lines in a folder of the run, in batches, resumed, on many cores.

`DIR/notes/<world>/<patient>/<time>-<name>.txt` for people, and `DIR/notes/part-00000.jsonl`, …, a line an artifact in
the order of patient, world and time, for machines. The lines are the main store: 100,000 notes are some 50 of these
files, not 200,000 small ones. Where a line says all that the files do, there are files only for few journeys, or when
asked for.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

from ..errors import fail
from ..ontology.knowledge import KnowledgeGraph
from ..simulate.cohort import Run, open_run
from ..simulate.runs.shard import ASIDE, work_alone, write_whole
from ..simulate.runs.workers import prepare_workers
from .binding import bind, check_requirements
from .cohort_files import join_pieces
from .journey import read_journeys, time_of
from .noise import Noise
from .protocol import Artifact, CohortRenderer, Moment, Options, Renderer
from .registry import find_modality
from .selection import choose_patients, find_worlds, parse_times, write_ranges

BATCH = 100  # patients in a part
AT_ONCE = 64  # moments that a renderer gets together
MOST_JOURNEYS = 200  # of which files are written unasked, where lines hold all: a file costs as much as half a note


@dataclass(frozen=True)
class Task:
    """All that a batch depends on but its patients. `steps`: None for the times that the renderer plans."""

    run: Run
    modality: str
    worlds: tuple[str, ...]
    steps: tuple[int, ...] | None
    seed: int
    options: Options

    @property
    def folder(self) -> Path:
        return self.run.folder / self.modality


@dataclass(frozen=True)
class Rendering:
    """What was rendered: `names` counts artifacts by what they are, `counts` is what their renderer counted besides.
    They are read from the lines when asked for. `cohort_files` are of the whole cohort, and lie in the folder."""

    folder: Path
    modality: str
    names: Mapping[str, int]
    parts: tuple[str, ...]
    counts: Mapping[str, int] = field(default_factory=dict)
    cohort_files: tuple[str, ...] = ()

    def __len__(self) -> int:
        return sum(self.names.values())

    def __repr__(self) -> str:
        counted = ", ".join(f"{count:,} {name}" for name, count in self.names.items())
        return f"Rendering of {len(self):,} {self.modality} in {self.folder}: {counted or 'nothing'}"

    def lines(self) -> Iterator[dict[str, Any]]:
        """Everything that is known of each artifact, by patient, world and time."""
        for part in self.parts:
            with (self.folder / part).open(encoding="utf-8") as file:
                for line in file:
                    yield json.loads(line)

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
    workers: int = 1,
    progress: Callable[[int], None] = lambda patients: None,
    **options: Any,
) -> Rendering:
    """Render `patients` ("0-11,20"; all by default) of a run, at the times `at` ("0, 18 months"; by default those that
    the renderer plans), in `world` (a name or several; all by default). `options` are those that the modality declares,
    such as `locale`, `faults` (`{"negation": 0.02}`) and `checkpoint` (a folder) of notes.

    The same arguments give the same bytes, whatever the number of `workers`; where they have been rendered already,
    nothing happens, and where they were interrupted, it goes on. `files` says whether there is a file for each artifact
    even where the lines hold all. `progress` is told of each finished batch's patients. Raises NosographError for what
    the run, the model or the renderer does not have, and where the run's folder holds another rendering.
    """
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
        run=replace(held, model=replace(held.model, rdf=None)),  # workers need no graph
        modality=modality,
        worlds=tuple(worlds),
        steps=tuple(steps) if steps is not None else None,
        seed=seed,
        options=replace(chosen, files=files or not renderer.lines_hold_all),
    )
    identity = describe_rendering(task, numbers)
    try:
        finished = find_finished(task.folder, identity)
        return finished or _write(task, numbers, identity, renderer=renderer, workers=workers, progress=progress)
    except OSError as error:
        fix = "a folder that is yours, on a disk with room; the same command goes on from there"
        raise fail(f"writing failed: {error.strerror or error}", value=task.folder, fix=fix) from error


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


def find_finished(folder: Path, identity: Mapping[str, Any]) -> Rendering | None:
    """The rendering, where `folder` holds this very one; None where it can begin or go on. Raises NosographError, and
    touches nothing, where the folder holds anything else."""
    manifest, plan = folder / "manifest.json", folder / ASIDE / "plan.json"
    for path in (manifest, plan):
        if not path.is_file():
            continue
        try:
            held = json.loads(path.read_text())
        except ValueError as error:
            raise fail("the rendering's manifest is not JSON", file=str(path), fix=f"remove {folder}") from error
        different = [key for key, value in identity.items() if held.get(key) != value]
        if different:
            key = different[0]
            raise fail(
                f"the run holds {identity['modality']} rendered with another {key}",
                value=f"{held.get(key)}, now {identity[key]}",
                fix=f"the same arguments, or remove {folder} first",
            )
        if path == manifest:
            cohort_files = tuple(held.get("cohort_files", {}))
            lost = next((name for name in (*held["parts"], *cohort_files) if not (folder / name).is_file()), None)
            if lost is not None:
                raise fail(
                    "a part of the rendering is gone", value=folder / lost, fix=f"remove {folder}, and render again"
                )
            return Rendering(
                folder, identity["modality"], held["names"], tuple(held["parts"]), held.get("counts", {}), cohort_files
            )  # fmt: skip
        return None
    if folder.is_dir() and any(folder.iterdir()):
        raise fail("the folder is not empty and holds no rendering", value=folder, fix=f"move {folder} away")
    return None


def _write(
    task: Task,
    numbers: Sequence[int],
    identity: Mapping[str, Any],
    *,
    renderer: Renderer,
    workers: int,
    progress: Callable[[int], None],
) -> Rendering:
    """Write the batches that are not there yet, then the manifest, last of all."""
    aside = task.folder / ASIDE
    aside.mkdir(parents=True, exist_ok=True)
    write_whole(aside / "plan.json", lambda path: path.write_text(json.dumps(identity)))
    batches = [numbers[start : start + BATCH] for start in range(0, len(numbers), BATCH)]
    waiting: list[tuple[int, Sequence[int]]] = []
    for index, batch in enumerate(batches):
        if (aside / f"{index:05d}.json").is_file() and (task.folder / name_part(index)).is_file():
            progress(len(batch))
        else:
            waiting.append((index, batch))
    try:
        for count in _run_batches(task, waiting, workers=workers):
            progress(count)
    finally:
        for draft in [*task.folder.glob("draft-*"), *task.folder.glob("*/*/draft-*"), *aside.glob("draft-*")]:
            draft.unlink(missing_ok=True)
    receipts = [json.loads((aside / f"{index:05d}.json").read_text()) for index in range(len(batches))]
    names, counts = Counter[str](), Counter[str]()
    for receipt in receipts:
        names.update(receipt["names"])
        counts.update(receipt["counts"])
    parts = {name_part(index): receipt["sha256"] for index, receipt in enumerate(receipts)}
    if task.options.files:
        for name, content in renderer.shared_files.items():
            write_whole(task.folder / name, lambda path, content=content: path.write_bytes(content))
    held = {**identity, "names": dict(sorted(names.items())), "parts": parts}
    if counts:
        held["counts"] = dict(sorted(counts.items()))
    if isinstance(renderer, CohortRenderer):
        pieces = [aside / name_piece(index) for index in range(len(batches))]
        held["cohort_files"] = join_pieces(renderer, pieces, folder=task.folder, aside=aside / "cohort")
    write_whole(task.folder / "manifest.json", lambda path: path.write_text(json.dumps(held, indent=2) + "\n"))
    shutil.rmtree(aside)
    cohort_files = tuple(held.get("cohort_files", {}))
    return Rendering(task.folder, task.modality, held["names"], tuple(parts), held.get("counts", {}), cohort_files)


def name_part(index: int) -> str:
    return f"part-{index:05d}.jsonl"


def name_piece(index: int) -> str:
    return f"{index:05d}.piece"


def _run_batches(task: Task, batches: Sequence[tuple[int, Sequence[int]]], *, workers: int) -> Iterator[int]:
    """Write batches here, or in `workers` processes of one thread each; how many patients, as each is finished."""
    if workers == 1 or len(batches) < 2:
        yield from (write_batch(task, index, patients) for index, patients in batches)
        return
    with ProcessPoolExecutor(workers, mp_context=prepare_workers(), initializer=work_alone) as pool:
        waiting: set[Future[int]] = set()
        try:
            for index, patients in batches:
                waiting.add(pool.submit(write_batch, task, index, patients))
                if len(waiting) >= 2 * workers:
                    done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in done)
            for future in waiting:
                yield future.result()
        except BrokenProcessPool as error:
            fix = "fewer workers; the same command goes on from the finished parts"
            raise fail("a worker was killed, perhaps because memory ran out", value=task.folder, fix=fix) from error
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def write_batch(task: Task, index: int, patients: Sequence[int]) -> int:
    """Render `patients`: their files, then `part-<index>.jsonl`, then the batch's receipt. How many patients it was."""
    renderer = build_renderer(task.run, task.modality, task.options)
    names, counts = Counter[str](), Counter[str]()
    digest = hashlib.sha256()
    part = task.folder / name_part(index)
    draft = part.with_name(f"draft-{os.getpid()}-{part.name}")
    cohort = renderer if isinstance(renderer, CohortRenderer) else None
    rendered: list[tuple[Moment, Artifact]] = []  # of the batch, where files of the cohort are made of it
    with draft.open("wb") as file:
        moments = _find_moments(task, renderer, patients)
        number = 0
        while together := list(islice(moments, AT_ONCE)):
            for moment, artifacts in zip(together, renderer.render(together), strict=True):
                for artifact in artifacts:
                    line = _write_artifact(task, moment, artifact, place=f"{part.name}#{number}")
                    file.write(line)
                    digest.update(line)
                    names[artifact.name] += 1
                    counts.update(artifact.counts)
                    number += 1
                    if cohort is not None:
                        rendered.append((moment, artifact))
    if cohort is not None:
        piece = task.folder / ASIDE / name_piece(index)
        write_whole(piece, lambda path: cohort.write_piece(rendered, path))
    os.replace(draft, part)
    receipt = json.dumps({"names": names, "counts": counts, "sha256": digest.hexdigest()})
    write_whole(task.folder / ASIDE / f"{index:05d}.json", lambda path: path.write_text(receipt))
    return len(patients)


def _find_moments(task: Task, renderer: Renderer, patients: Sequence[int]) -> Iterator[Moment]:
    clock = task.run.model.clock
    journeys = read_journeys(task.run, patients, worlds=task.worlds, truth=renderer.reads_truth)
    for journey in journeys:
        steps = (0,) if renderer.timeless else task.steps
        for step in steps if steps is not None else renderer.plan_moments(journey):
            noise = Noise(task.seed, task.modality, journey.patient, step)
            yield Moment(journey, step, time_of(step, clock), noise)


def _write_artifact(task: Task, moment: Moment, artifact: Artifact, *, place: str) -> bytes:
    """Write an artifact's files, where they are wanted; its line."""
    journey = moment.journey
    path = place
    if task.options.files:
        folder = task.folder / journey.world / str(journey.patient)
        folder.mkdir(parents=True, exist_ok=True)
        label = f"{label_time(task.run, moment.step)}-" if artifact.time is not None else ""
        stem = f"{label}{artifact.name}"
        for suffix, content in artifact.files.items():
            write_whole(folder / f"{stem}{suffix}", lambda draft, content=content: draft.write_bytes(content))
        path = f"{journey.world}/{journey.patient}/{stem}{next(iter(artifact.files))}"
    head = {
        "patient": journey.patient,
        "world": journey.world,
        "at": artifact.time,
        "modality": task.modality,
        "path": f"{task.modality}/{path}",
    }
    return json.dumps({**head, **artifact.line, **head}, ensure_ascii=False).encode() + b"\n"


def label_time(run: Run, step: int) -> str:
    """A step's time as a file's name has it, as many digits for all: "018-months"."""
    number, _, unit = run.model.clock.text[0].strip().partition(" ")
    size = float(number)
    width = len(f"{size * run.model.clock.steps:.0f}")
    told = f"{size * step:0{width}.0f}" if size.is_integer() else f"{size * step:0{width + 3}.2f}"
    return f"{told}-{unit.strip().removesuffix('s')}s"
