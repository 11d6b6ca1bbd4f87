"""A modality as the registry holds it: its options, and how to load its renderer, its chapter and its training.

It is read for `nosograph render --help`, so its module imports nothing heavy: the parts are loaded when they are used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import fail, list_some, nearest

if TYPE_CHECKING:
    from ..simulate.cohort import Run
    from .pages.html import Markup
    from .protocol import Factory

# Names that options cannot have: they are taken in `render`, and in the manifest
RENDER_WORDS = {
    "run", "modality", "patients", "at", "world", "seed", "files", "workers", "engine", "progress", "json", "help",
}  # fmt: skip
MANIFEST_WORDS = {
    "nosograph", "model", "dataset_sha256", "worlds", "steps", "names", "parts", "counts", "cohort_files",
    "shared_files",
}  # fmt: skip


def unchanged(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class Option:
    """A choice that a modality offers: `flag` of the command `render`, and `name` in `ng.render` and in the manifest.

    `parse` turns what was typed (a text, or the list of texts of a `repeatable` option) into a value. `check` turns a
    value, from wherever it comes, into the one that the renderer gets. Both raise NosographError. `describe` says that
    one in the manifest, as JSON: two renderings are taken for the same where it is, so it is the hash of a folder, and
    not its path. `to_measure`: the renderer needs the option to measure, too; what the manifest says is then the value.
    """

    name: str
    flag: str
    help: str
    metavar: str = "TEXT"
    repeatable: bool = False
    default: Any = None
    parse: Callable[[Any], Any] = unchanged
    check: Callable[[Any], Any] = unchanged
    describe: Callable[[Any], Any] = unchanged
    to_measure: bool = False

    @property
    def word(self) -> str:
        """The flag as a name in Python: "mask_faces" for "--mask-faces"."""
        return self.flag.removeprefix("--").replace("-", "_")


class Train(Protocol):
    def __call__(
        self, out: Path, *, corpus: Path, steps: int, seed: int, progress: Callable[[int], None]
    ) -> Mapping[str, Any]:
        """Learn from the texts, images … in the folder `corpus`, and write what a renderer needs into the new folder
        `out`. Returns what there is to say of it, as JSON: such as its size, and its loss. `progress` is told of steps.
        """


@dataclass(frozen=True)
class Trainer:
    """How a learned renderer is made. `steps`: how many it takes by default."""

    steps: int
    train: Train


@dataclass(frozen=True)
class Modality:
    """What the registry holds. `name` is also the modality's folder in a run, `title` its heading in the report.

    `renderer`, `chapter` and `trainer` load these parts: functions without arguments that import what is heavy. A
    chapter is the modality's section of a run's report, in elements of `pages.html` (any other text is escaped); it is
    asked for where the run has a finished rendering, and None says that there is nothing to show.
    """

    name: str
    title: str
    renderer: Callable[[], Factory]
    options: tuple[Option, ...] = ()
    chapter: Callable[[], Callable[[Run], Markup | None]] | None = None
    trainer: Callable[[], Trainer] | None = None

    def __post_init__(self) -> None:
        names, words = ([getattr(option, key) for option in self.options] for key in ("name", "word"))
        taken = (RENDER_WORDS | MANIFEST_WORDS).intersection(names) | RENDER_WORDS.intersection(words)
        twice = {word for held in (names, words) for word in held if held.count(word) > 1}
        if taken or twice:
            problem = "an option has a name that is taken"
            raise fail(problem, node=self.name, value=", ".join(sorted(taken | twice)), fix="another name and flag")

    def parse(self, typed: Mapping[str, str | Sequence[str]]) -> dict[str, Any]:
        """Values by the options' names, of what was typed by their flags. Raises NosographError."""
        known = {option.flag: option for option in self.options}
        found = [(self._find(flag, known), text) for flag, text in typed.items()]
        return {option.name: option.parse(text) for option, text in found}

    def check(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The value of every option, by name: as given, or the default where it is None or not given.

        Raises NosographError for a wrong value, and for an option that the modality does not have.
        """
        known = {option.name: option for option in self.options}
        for name in given:
            self._find(name, known)
        values = {name: option.default if given.get(name) is None else given[name] for name, option in known.items()}
        return {name: option.check(values[name]) for name, option in known.items()}

    def describe(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The checked values as the manifest has them."""
        return {option.name: option.describe(values[option.name]) for option in self.options}

    def restore(self, manifest: Mapping[str, Any]) -> dict[str, Any]:
        """The values to measure a rendering with, from its manifest. Raises KeyError where it lacks one."""
        return self.check({option.name: manifest[option.name] for option in self.options if option.to_measure})

    def _find(self, asked: str, known: Mapping[str, Option]) -> Option:
        if asked not in known:
            fix = nearest(asked, known) or list_some(known) if known else f"{self.name} without options"
            raise fail(f"{self.name} cannot be rendered with this option", value=asked, fix=fix)
        return known[asked]


def hash_folder(folder: Path) -> str:
    """SHA-256 over the names and bytes of a folder's files."""
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        total.update(f"{path.relative_to(folder).as_posix()} {digest}\n".encode())
    return total.hexdigest()
