"""A rendering as it is read from a run's folder: its manifest, its lines and its files, none of which is trusted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from ..causal.model.clock import limit_of
from ..errors import fail
from ..ontology.output import join_path
from ..simulate.cohort import Run
from ..simulate.runs.documents import RunDocument, parse_document, read_document
from ..simulate.runs.inventory import Count, FileEntry, Inventory, Sha256
from ..simulate.runs.job import MANIFEST, JobManifest, tidy
from ..simulate.runs.manifest import ModelEntry, Text

BATCH = 100  # patients in a part
MOST_LINE = 2**26  # bytes of a line
LISTED = ("parts", "cohort_files", "shared_files")  # keys of a manifest that list files


class RenderingManifest(JobManifest):
    """`manifest.json` of a rendering. Beside these it has the options of its modality, which that one checks."""

    nosograph: Text
    modality: Text
    model: ModelEntry
    dataset_sha256: Sha256
    seed: Count
    patients: str
    worlds: Annotated[list[Text], Field(min_length=1)]
    steps: list[Count] | None
    files: bool
    names: dict[Text, Count]
    parts: Annotated[dict[Text, FileEntry], Field(min_length=1)]
    counts: dict[Text, Count] = Field(default_factory=dict)
    cohort_files: dict[Text, FileEntry] = Field(default_factory=dict)
    shared_files: dict[Text, FileEntry] = Field(default_factory=dict)

    @classmethod
    def list_files(cls, held: Mapping[str, Any]) -> dict[str, FileEntry]:
        return {name: entry for key in LISTED for name, entry in held.get(key, {}).items()}


DATE = r"^[1-8][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}$"


class ArtifactLine(RunDocument):
    """What every line of a part says, whatever else its modality adds: `files` are those beside the artifact's path,
    `date` is a document's, if it has one."""

    patient: Count
    world: Text
    at: float | None
    modality: Text
    path: Text
    date: Annotated[str, Field(pattern=DATE)] | None = None
    files: dict[Text, FileEntry] = Field(default_factory=dict)


@dataclass(frozen=True)
class RenderedRun:
    """A finished rendering of a run."""

    run: Run
    modality: str
    manifest: Mapping[str, Any]

    @property
    def folder(self) -> Path:
        return join_path(self.run.folder, self.modality)

    @property
    def inventory(self) -> Inventory:
        entries, fix = RenderingManifest.list_files(self.manifest), advise(self.run, self.modality)
        return Inventory(self.folder, entries, fix=fix, noun="rendering")

    def lines(self, part: str) -> Iterator[dict[str, Any]]:
        """The lines of a part, one after another."""
        return (line for _, line in self.numbered(part))

    def numbered(self, part: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """The same with their numbers, from 1. Raises NosographError for what is no artifact's line."""
        path, fix = self.inventory.find(part), advise(self.run, self.modality)
        last = limit_of(self.run.manifest["steps"], clock=self.run.model.clock)
        known = {"modality": {self.modality}, "world": set(self.manifest["worlds"])}
        with path.open("rb") as file:
            for number in count(1):
                text = file.readline(MOST_LINE + 1)
                if not text:
                    return
                place: dict[str, Any] = {"file": str(path), "line": number, "fix": fix}
                if len(text) > MOST_LINE:
                    raise fail(f"the line has more than {MOST_LINE:,} bytes", **place)
                line = parse_document(text, ArtifactLine, what="the line of an artifact", **place)
                if line["at"] is not None and not 0 <= line["at"] <= last:
                    raise fail("the artifact is of a time outside of the run", value=line["at"], **place)
                for key, names in known.items():
                    if line[key] not in names:
                        raise fail(f"the line is of another {key}", value=line[key], **place)
                yield number, line


def advise(run: Run, modality: str) -> str:
    """What to do about a damaged rendering."""
    return f"remove {run.folder / modality}, then: nosograph render {run.folder} --modality {modality}"


def is_rendered(run: Run, modality: str) -> bool:
    """Whether the run has a finished rendering."""
    return (run.folder / modality / MANIFEST).is_file()


def open_rendering(run: Run, modality: str) -> RenderedRun:
    """The finished rendering of a run. Raises NosographError where it is of another run, and where a file of it is
    missing or has another size than the manifest says. The rest is checked when it is read."""
    rendered = read_rendering(run, modality)
    rendered.inventory.check_sizes()
    tidy(rendered.folder)
    return rendered


def read_rendering(run: Run, modality: str) -> RenderedRun:
    """The same, but for the sizes of its files."""
    file, fix = join_path(run.folder, modality, MANIFEST), advise(run, modality)
    held = read_document(file, RenderingManifest, what="the manifest of a rendering", fix=fix)
    run_worlds = [world["name"] for world in run.manifest["worlds"]]
    last = run.manifest["steps"]
    if held["dataset_sha256"] != run.manifest["dataset_sha256"]:
        raise fail(f"the {modality} are of another run", file=str(file), fix=fix)
    if held["modality"] != modality:
        raise fail("the manifest is of another modality", value=held["modality"], file=str(file), fix=fix)
    odd = next((world for world in held["worlds"] if world not in run_worlds), None)
    if odd is not None:
        raise fail("the manifest is of a world that the run does not have", value=odd, file=str(file), fix=fix)
    if any(step > last for step in held["steps"] or ()):
        raise fail("the manifest is of times after the run's end", file=str(file), fix=fix)
    if list(held["parts"]) != [name_lines(index) for index in range(len(held["parts"]))]:
        raise fail("the manifest lists other parts than there are", file=str(file), fix=fix)
    return RenderedRun(run, modality, held)


def name_lines(index: int) -> str:
    """The name of a part."""
    return f"part-{index:05d}.jsonl"
