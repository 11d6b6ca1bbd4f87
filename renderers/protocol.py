"""What a renderer of journeys offers: images, notes or genomes of patients, and values measured in them.

How a modality tells of its renderer, its options and its chapter in the report: see `modality`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from ..causal.model.model import Kind, Model
from ..ontology.knowledge import KnowledgeGraph
from .journey import Journey
from .noise import Noise


@dataclass(frozen=True)
class Requirement:
    """What a model must have to be rendered, by concept and never by name: see `binding.bind`.

    `concepts` are CURIEs; each stands for all concepts below it, too, one that ends in a colon ("HGNC:") for its whole
    ontology, and none at all for any variable. `unit`: a variable's unit must convert to it; any will do where it is
    empty.
    """

    what: str  # completes "the model has no …": "volumes of brain structures"
    kinds: tuple[Kind, ...]
    concepts: tuple[str, ...] = ()
    unit: str = ""
    recorded: bool = True


@dataclass(frozen=True)
class Moment:
    """A journey at the end of a step, and the noise to render it with. `time` is in the clock's unit, since entry.

    What belongs to no moment is rendered at the entry (step 0, time 0).
    """

    journey: Journey
    step: int
    time: float
    noise: Noise


@dataclass(frozen=True)
class Artifact:
    """One artifact in memory. Its `time` (clock's unit) is no later than the moment that was asked for; None where it
    belongs to the patient and to no moment, as a genotype does.

    `files` are the bytes of each file by the suffix of its name (".txt"); the first is the artifact itself. `line` is
    its row in the modality's JSON Lines: labels, annotations, whatever is known of it. `counts` are of what became of
    it; the manifest has their sums.
    """

    name: str  # what it is, part of its files' names: "letter"; without a point, and once at a moment
    time: float | None
    files: Mapping[str, bytes]
    line: Mapping[str, Any] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Options:
    """How to render. `values`: of each option that the modality declares, by name, as its `check` returns it.
    `files`: whether files will be kept; where not, only the first of each artifact is needed. In measuring, an option
    that is not `to_measure` has its default."""

    values: Mapping[str, Any] = field(default_factory=dict)
    files: bool = True


class MeasuredValue(Protocol):
    """One thing that was measured in an artifact: of a variable, or of the only one with its concept.

    `value`: a number in `unit` (UCUM; empty: the variable's own), a level's name, or 1 and 0 of what is there and not
    or given and not; None for an event, whose `status` says all. `time` is in years from the artifact (negative:
    before it), give or take `precision`; None where it is the artifact's own, or the entry where the artifact has none.
    `past`: an earlier value beside the present one. `rounding`: how far the value as it is written may be from the one
    that is meant; None where it is not written but estimated. A static is as of the entry. Any object with these
    attributes will do, such as a frozen dataclass.
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
    """One modality of one model. Built anew in each worker, so it may hold what cannot be sent to one.

    A class of this kind is its own `Factory`: `__init__(self, model, *, knowledge, options)`. `binding.bind` finds the
    model's variables for a `Requirement`.
    """

    reads_truth: bool  # whether journeys come with their true states; what a clinic writes never does
    timeless: bool  # whether no artifact has a moment: each journey is rendered once, whatever times are asked for
    lines_hold_all: bool  # whether files may be left out: the artifact is one .txt file, and a line holds it as "text"
    shared_files: Mapping[str, bytes]  # by name: what the modality's folder has once, where files are kept

    def requires(self) -> tuple[Requirement, ...]:
        """All of which the model must have."""

    def plan_moments(self, journey: Journey) -> Sequence[int]:
        """The steps at whose end artifacts are due when nobody asks for others; not asked of a timeless renderer."""

    def render(self, moments: Sequence[Moment]) -> list[list[Artifact]]:
        """The artifacts of each moment; none where the journey or its record had ended (`Journey.covers`).

        A journey holds its whole record: an artifact tells what is no later than its moment. A moment's artifacts are
        the same whatever moments stand beside it: they come together for the sake of speed.
        """

    def measure(self, artifact: Artifact) -> Sequence[MeasuredValue]:
        """Back to values, by an independent path: never by peeking at the state.

        Of `line` there is only what an archive knows of a document: patient, world, at, modality, path and date.
        """


@runtime_checkable
class CohortRenderer(Protocol):
    """What a renderer has besides where there are files of the whole cohort, such as one VCF of all patients.

    Each batch leaves a piece, perhaps in another process; when all batches are done, the files are joined from the
    pieces. So nothing that grows with the cohort has to be in memory, and an interrupted rendering goes on.
    """

    def write_piece(self, rendered: Sequence[tuple[Moment, Artifact]], path: Path) -> None:
        """Write what a batch adds to the cohort's files into the new file `path`, in any format. `rendered` is all of
        the batch (a hundred patients at most), in the order of patient, world and time."""

    def join_pieces(self, pieces: Sequence[Path], folder: Path) -> None:
        """Write the files of the cohort into `folder`, which is empty: their names are those in the modality's folder.
        `pieces` are the batches' files, in the order of patients. The same pieces give the same bytes."""


class Factory(Protocol):
    """What builds a modality's renderer for a model. Raises NosographError for a model that it cannot render."""

    def __call__(self, model: Model, *, knowledge: KnowledgeGraph, options: Options) -> Renderer: ...
