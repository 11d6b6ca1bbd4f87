"""What every renderer of journeys offers: an image, a note or a genome from a moment, and values back from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from ..causal.model.model import Kind, Model
from ..ontology.knowledge import KnowledgeGraph
from .journey import Journey
from .noise import Noise


@dataclass(frozen=True)
class Requirement:
    """What a model must have to be rendered, by concept and never by name: see `journey.bind`.

    `concepts` are CURIEs, each with all below it; one that ends in a colon ("HGNC:") stands for its whole ontology, and
    none for any variable. `unit` is one that a variable's must convert to, or empty.
    """

    what: str  # in words, for messages: "volumes of brain structures"
    kinds: tuple[Kind, ...]
    concepts: tuple[str, ...] = ()
    unit: str = ""
    recorded: bool = True


@dataclass(frozen=True)
class Moment:
    """A journey at the end of a step, and the noise to render it with. `time` is in the clock's unit, since entry."""

    journey: Journey
    step: int
    time: float
    noise: Noise


@dataclass(frozen=True)
class Artifact:
    """One artifact in memory, whose `time` (clock's unit) is no later than the moment that was asked for.

    `files` are the bytes of each file by the suffix of its name (".txt"); the first is the artifact itself. `line` is
    its row in the modality's JSON Lines: labels, annotations, whatever is known of it. `counts` are of what became of
    it; the manifest has their sums.
    """

    name: str  # what it is, part of its files' names: "letter"
    time: float
    files: Mapping[str, bytes]
    line: Mapping[str, Any] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Options:
    """How to render: what people may choose, the same for every modality. A renderer refuses what it does not offer."""

    locale: str = "en"
    checkpoint: Path | None = None  # a learned renderer's folder
    faults: Mapping[str, float] = field(default_factory=dict)  # kind of fault -> its share
    files: bool = True  # whether files will be kept: where not, only the first of each artifact is needed


class Reading(Protocol):
    """One thing that was measured in an artifact: of a variable, or of the only one with its concept.

    `value`: a number in `unit` (UCUM; empty: the variable's own), a level's name, or 1 and 0 of what is there and not
    or given and not; None for an event, whose `status` says all. `time` is in years from the artifact (negative:
    before it), None where it is the artifact's own, give or take `precision`; `past`: an earlier value beside the
    present one. `rounding`: how far the value as it is written may be from the one that is meant; None where it is not
    written but estimated. A static is as of the entry.
    """

    @property
    def variable(self) -> str: ...
    @property
    def concept(self) -> str: ...
    @property
    def value(self) -> float | str | None: ...
    @property
    def unit(self) -> str: ...
    @property
    def status(self) -> Literal["present", "absent", "uncertain"]: ...
    @property
    def time(self) -> float | None: ...
    @property
    def precision(self) -> float: ...
    @property
    def past(self) -> bool: ...
    @property
    def rounding(self) -> float | None: ...


class Renderer(Protocol):
    """One modality of one model. Built anew in each worker, so it may hold what cannot be sent to one."""

    modality: str  # also its folder in the run
    reads_truth: bool  # whether journeys come with their true states; what a clinic writes never does
    lines_hold_all: bool  # whether a line says all that the files do (the artifact as "text"): they may be left out
    shared_files: Mapping[str, bytes]  # by name: what the modality's folder has once, where files are kept

    def requires(self) -> tuple[Requirement, ...]:
        """All of which the model must have."""

    def plan_moments(self, journey: Journey) -> Sequence[int]:
        """The steps at whose end artifacts are due when nobody asks for others."""

    def render(self, moments: Sequence[Moment]) -> list[list[Artifact]]:
        """The artifacts of each moment; none where the journey or its record had ended.

        A moment's are the same whatever moments stand beside it: they come together for the sake of speed.
        """

    def measure(self, artifact: Artifact) -> Sequence[Reading]:
        """Back to values, by an independent path: never by peeking at the state.

        Of `line` there is only what an archive knows of a document: patient, world, at, modality, path and date.
        """


class Factory(Protocol):
    """What the registry holds for a modality. Raises NosographError for options that it does not offer."""

    def __call__(self, model: Model, *, knowledge: KnowledgeGraph, options: Options) -> Renderer: ...
