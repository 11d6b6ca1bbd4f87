"""A job over numbered parts in a folder: locked while it runs, resumed from its finished parts, ended by a manifest.

While it runs, the folder holds `.unfinished/`: a lock, the plan (which job this is), drafts, and a receipt for each
finished part. The order of writing makes every stop harmless: the plan comes first; a part's files get their names
when all are whole, and its receipt after them; the manifest comes last, when all that it lists is on the disk. Until
then everything can be done again; from then on nothing is ever deleted but what a job leaves in `.unfinished/`.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import NosographError, fail
from ...ontology.locks import hold_file
from ...ontology.output import DRAFT, Drafts, Fill, explain_os_errors, join_path, remove, sync_all, write_bytes
from .documents import RunDocument, read_document
from .inventory import Count, FileEntry, Inventory, Sha256, describe_file
from .workers import PROCESSES, run_parts

ASIDE = ".unfinished"  # in the job's folder: what is not yet part of a whole
LOCK, PLAN, MANIFEST = "lock", "plan.json", "manifest.json"
RECEIPT = ".json"  # how the name of a part's receipt ends
OWN = re.compile(rf"{re.escape(DRAFT)}.+|[0-9]{{5,}}\..+|{re.escape(PLAN)}")  # names of what a job leaves aside


@dataclass(frozen=True)
class Receipt:
    """What a finished part leaves behind. `files`: by name below the folder; `counts`: what the job's own work tells of
    the part, in JSON."""

    index: int
    files: Mapping[str, FileEntry]
    counts: Mapping[str, Any]

    def to_json(self) -> str:
        """The receipt as a document, which says its own SHA-256: a damaged one counts for nothing."""
        held = {"index": self.index, "files": self.files, "counts": self.counts}
        return json.dumps({**held, "sha256": _hash_document(held)})

    @property
    def listed(self) -> dict[str, FileEntry]:
        """The files that stay, by name."""
        return {name: entry for name, entry in self.files.items() if not name.startswith(f"{ASIDE}/")}


class PartFiles(Drafts):
    """The files of one part, and what its receipt says of them."""

    def __init__(self, folder: Path, index: int) -> None:
        super().__init__(folder, aside=join_path(folder, ASIDE))
        self.index = index
        self.files: dict[str, FileEntry] = {}

    def write(self, *names: str, fill: Fill) -> Path:
        """Let `fill` write the draft of the file `names` (see `join_path`); its path."""
        draft = super().write(*names, fill=fill)
        self.files["/".join(names)] = describe_file(draft)
        return draft

    def write_aside(self, suffix: str, *, fill: Fill) -> None:
        """Let `fill` write a file that is only needed until the job is finished: see `locate_aside`."""
        self.write(ASIDE, f"{self.index:05d}{suffix}", fill=fill)


def locate_aside(folder: Path, index: int, suffix: str) -> Path:
    """A part's own file that lies aside."""
    return join_path(folder, ASIDE, f"{index:05d}{suffix}")


Work = Callable[[PartFiles, Any], Mapping[str, Any]]  # writes a part's files from its inputs; the receipt's counts
Summarise = Callable[[Iterable[Receipt]], tuple[Mapping[str, Any], Mapping[str, bytes]]]
Progress = Callable[[Receipt], None]


@dataclass(frozen=True)
class PartMaker:
    """Make a part, or find it made: what a worker does, on any machine that has the folder."""

    folder: Path
    work: Work

    def __call__(self, part: tuple[int, Any]) -> Receipt:
        index, inputs = part
        check_seen(join_path(self.folder, ASIDE, PLAN))
        held = read_receipt(self.folder, index)
        if held is not None and _is_whole(self.folder, held):
            return held
        with PartFiles(self.folder, index) as files:
            counts = self.work(files, inputs)
        receipt = Receipt(index, files.files, counts)
        with PartFiles(self.folder, index) as after:
            after.write_aside(RECEIPT, fill=lambda path: path.write_text(receipt.to_json()))
        return receipt


def check_seen(path: Path) -> None:
    """Raise NosographError where this machine does not see a file that the one that directs the work has seen."""
    if not path.is_file():
        fix = "a folder that all machines see under this path, such as one on a network disk"
        raise fail("a file of the job is not seen on this machine", value=f"{path} on {platform.node()}", fix=fix)


class ReceiptDocument(RunDocument):
    """A receipt as it is read."""

    index: Count
    files: dict[str, FileEntry]
    counts: dict[str, Any]
    sha256: Sha256


def read_receipt(folder: Path, index: int) -> Receipt | None:
    """The receipt of a part that was finished; None where there is none that is sound, and the part is made again."""
    path = locate_aside(folder, index, RECEIPT)
    if not path.is_file():
        return None
    try:
        held = read_document(path, ReceiptDocument, what="a receipt", fix="")
    except NosographError:
        return None
    if held.pop("sha256") != _hash_document(held) or held["index"] != index:
        return None
    return Receipt(index, held["files"], held["counts"])


def _hash_document(held: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(held, sort_keys=True).encode()).hexdigest()


def _is_whole(folder: Path, receipt: Receipt) -> bool:
    """Whether all files of a part are there as they were written."""
    for name, entry in receipt.files.items():
        path = join_path(folder, *name.split("/"))
        if not path.is_file() or path.stat().st_size != entry["bytes"] or describe_file(path) != entry:
            return False
    return True


class JobManifest(RunDocument):
    """A job's manifest as it is read."""

    @classmethod
    def list_files(cls, held: Mapping[str, Any]) -> dict[str, FileEntry]:
        """The files that a sound manifest lists, by name below its folder."""
        return dict(held["files"])


@dataclass(frozen=True)
class JobFolder:
    """A job and its folder.

    `identity` says in JSON which job this is: everything that its files depend on, all of it also in the manifest.
    `noun` is what messages call its outcome ("run"), `another` what they say where the folder holds another one, with
    {key} for what differs; `schema` is that of its manifest.
    """

    folder: Path
    identity: Mapping[str, Any]
    noun: str
    another: str
    schema: type[JobManifest]

    @property
    def aside(self) -> Path:
        return join_path(self.folder, ASIDE)

    def complete(
        self,
        work: Work,
        parts: Iterable[Any],
        *,
        summarise: Summarise,
        workers: int | None = None,
        engine: str = PROCESSES,
        progress: Progress,
    ) -> dict[str, Any]:
        """Do what is missing of the job; its manifest. Where it was finished before, its files are checked, and
        nothing else happens.

        `work` is done for the inputs of each part, here or by `workers` of the `engine` (see `run_parts`); `summarise`
        makes the manifest, and the files that come with it, of all receipts in order. `progress` is told of each
        finished part. Raises NosographError where the folder holds anything else, a file of the finished job has
        changed, another process is writing in the folder, or the disk refuses.
        """
        with explain_os_errors(self.folder, what="folder"):
            held = self.find_manifest()
            if held is not None:
                tidy(self.folder)
                return held
            with hold_folder(self.folder):
                held = self.find_manifest()  # another process may have finished it just now
                if held is None:
                    held = self._make(
                        work, parts, summarise=summarise, workers=workers, engine=engine, progress=progress
                    )
                with suppress(OSError):  # the manifest is there; the next command tidies
                    _clear(self.aside)
            return held

    def find_manifest(self) -> dict[str, Any] | None:
        """The manifest, where the folder holds this very job finished, each file with its size and SHA-256; None where
        it can begin or go on.

        Raises NosographError, and touches nothing, where the folder holds anything else.
        """
        if os.path.lexists(self.folder / MANIFEST):
            fix = f"another folder, or remove {self.folder} first"
            path = join_path(self.folder, MANIFEST)
            held = read_document(path, self.schema, what=f"the manifest of a {self.noun}", fix=fix)
            self._check_identity(held, "")
            fix = f"remove {self.folder}, then the same command again"
            Inventory(self.folder, self.schema.list_files(held), fix=fix, noun=self.noun).check()
            return held
        if self.folder.exists() and not self.folder.is_dir():
            raise fail("there is a file of this name", value=self.folder, fix="a new folder")
        plan = _read_plan(self.aside / PLAN)
        if plan is not None:
            self._check_identity(plan, ", unfinished")
        elif not self._is_fresh():
            problem = f"the folder is not empty and holds no {self.noun}"
            raise fail(problem, value=self.folder, fix=f"a new folder, or move {self.folder} away")
        return None

    def _check_identity(self, held: Mapping[str, Any], state: str) -> None:
        found = _find_difference(held, json.loads(json.dumps(self.identity)), ())
        if found is not None:
            path, theirs, ours = found
            raise fail(
                self.another.format(key=path[0]) + state,
                value=f"{self.folder}: {'.'.join(path)} is {theirs} there, {ours} here",
                fix=f"the same arguments to go on, another folder, or remove {self.folder} first",
            )

    def _is_fresh(self) -> bool:
        """Whether no job has begun here: nothing but what comes before the first plan."""
        if not self.folder.exists():
            return True
        if any(path.name != ASIDE for path in self.folder.iterdir()):
            return False
        return not self.aside.exists() or all(
            path.name == LOCK or OWN.fullmatch(path.name) for path in self.aside.iterdir()
        )

    def _make(
        self,
        work: Work,
        parts: Iterable[Any],
        *,
        summarise: Summarise,
        workers: int | None,
        engine: str,
        progress: Progress,
    ) -> dict[str, Any]:
        try:
            _clear(self.aside, drafts=_read_plan(self.aside / PLAN) is not None)
            write_bytes(self.aside / PLAN, json.dumps(self.identity).encode())
            count = 0
            maker = PartMaker(self.folder.absolute(), work)
            with closing(run_parts(maker, enumerate(parts), workers=workers, engine=engine)) as receipts:
                for receipt in receipts:
                    count += 1
                    progress(receipt)
            manifest, files = summarise(self._read_receipts(count))
            for name, content in files.items():
                write_bytes(join_path(self.folder, name), content, aside=self.aside)
            self._sync(count)
            document = json.dumps(manifest, indent=2) + "\n"
            write_bytes(self.folder / MANIFEST, document.encode(), aside=self.aside)
            return dict(manifest)
        except BaseException:
            with suppress(OSError):  # the first error is the one to tell
                self._abandon()
            raise

    def _read_receipts(self, count: int) -> Iterator[Receipt]:
        """All receipts in order, one in memory at a time."""
        for index in range(count):
            receipt = read_receipt(self.folder, index)
            if receipt is None:
                raise fail("a finished part's receipt is missing", value=locate_aside(self.folder, index, RECEIPT))
            yield receipt

    def _sync(self, count: int) -> None:
        """Have all files of all parts on the disk, and the names of their folders."""
        folders = {self.folder}
        for receipt in self._read_receipts(count):
            paths = [self.folder / name for name in receipt.listed]
            sync_all(paths)
            for path in paths:
                folders.update(parent for parent in path.parents if parent.is_relative_to(self.folder))
        sync_all([*folders, self.folder.parent])

    def _abandon(self) -> None:
        """Leave nothing half-written; of a job without a finished part nothing at all."""
        if (self.folder / MANIFEST).exists():
            return
        _clear(self.aside, drafts=True)
        if all(path.name == ASIDE for path in self.folder.iterdir()):
            _clear(self.aside)


def tidy(folder: Path) -> None:
    """Remove what a stopped process left aside in the folder of a finished job, unless another one is writing there.
    Where that can't be done, it does no harm."""
    aside = folder / ASIDE
    if aside.is_dir() and not aside.is_symlink():
        with suppress(OSError, NosographError), hold_folder(folder):
            _clear(aside)


def _clear(aside: Path, *, drafts: bool = False) -> None:
    """Remove what a job left aside, or only its drafts. Whatever else lies there stays."""
    for path in aside.iterdir():
        if path.name.startswith(DRAFT) if drafts else OWN.fullmatch(path.name):
            remove(path)


@contextmanager
def add_files(folder: Path) -> Iterator[Drafts]:
    """Files that join those of a finished job, while no other process writes there: see `Drafts`.

    Raises NosographError where another process does, or the disk refuses.
    """
    aside = join_path(folder, ASIDE)
    with explain_os_errors(folder, what="folder"), hold_folder(folder):
        _clear(aside)
        with Drafts(folder, aside=aside, durable=True) as files:
            yield files


def _read_plan(path: Path) -> dict[str, Any] | None:
    """Which job is unfinished; None where nothing says so."""
    if not path.is_file():
        return None
    try:
        return read_document(path, RunDocument, what="a plan", fix="")
    except NosographError:
        return None


def _find_difference(held: Any, asked: Any, path: tuple[str, ...]) -> tuple[tuple[str, ...], Any, Any] | None:
    """Where a document differs from what is asked, and both values; None where it says all that is asked."""
    if not path or (isinstance(held, dict) and isinstance(asked, dict)):
        for key in asked if not path else {**asked, **held}:
            found = _find_difference(held.get(key), asked.get(key), (*path, key))
            if found is not None:
                return found
        return None
    return None if held == asked else (path, held, asked)


@contextmanager
def hold_folder(folder: Path) -> Iterator[None]:
    """Hold the folder against every other process of this machine. The system frees it when this process ends, however
    it ends. A folder that is empty afterwards is removed. Raises NosographError where another process holds it."""
    aside = join_path(folder, ASIDE)
    lock = aside / LOCK
    with ExitStack() as held:
        handle = None
        while handle is None:
            aside.mkdir(parents=True, exist_ok=True)
            try:
                handle = held.enter_context(hold_file(lock, wait=False))
            except FileNotFoundError:  # another process has just finished, and removed the folder: try again
                continue
            except BlockingIOError as error:
                value = f"{folder}, by process {lock.read_text(errors='replace')[:20].strip() or 'unknown'}"
                fix = "wait until it has ended, then the same command again"
                raise fail("another process is writing in the folder", value=value, fix=fix) from error
        try:
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
            yield
        finally:
            with suppress(OSError):  # whatever of it stays does no harm
                lock.unlink()
                aside.rmdir()
                folder.rmdir()
