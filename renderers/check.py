"""Check a run folder: the hashes and schemas of everything in it, one file at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import NosographError, Problem, fail
from ..ontology.output import join_path
from ..simulate.cohort import Run, list_cohorts, read_run
from ..simulate.runs.inventory import Inventory
from ..simulate.runs.job import MANIFEST
from ..simulate.runs.manifest import MODEL, list_tables
from .pages.report import KEPT, list_reread, read_verification
from .rendering import RenderedRun, read_rendering
from .selection import choose_patients


@dataclass
class FolderCheck:
    """What was found in a folder: how many files were checked, what is wrong, and how many files are listed nowhere,
    by where they lie. These do no harm: a report and an export are such files."""

    folder: Path
    files: int = 0
    problems: list[Problem] = field(default_factory=list)
    unlisted: Counter[str] = field(default_factory=Counter)

    @property
    def ok(self) -> bool:
        return not self.problems

    def as_json(self) -> dict[str, Any]:
        keys = ("file", "line", "problem", "value", "fix")
        return {
            "ok": self.ok,
            "path": str(self.folder),
            "files": self.files,
            "problems": [{key: getattr(problem, key) for key in keys} for problem in self.problems],
            "unlisted": dict(self.unlisted),
        }

    def __str__(self) -> str:
        lines = [f"{self.folder}: {self.files:,} files checked, {len(self.problems):,} problems"]
        lines += [f"not listed: {where} ({count:,} files)" for where, count in sorted(self.unlisted.items())]
        return "\n".join(lines)


def check_run(folder: str | Path) -> FolderCheck:
    """Check everything in a run's folder, or in that of several cohorts: the run, its renderings, and what `verify`
    kept. Raises NosographError where `folder` holds no run."""
    found = FolderCheck(Path(folder))
    cohorts = list_cohorts(found.folder)
    if not cohorts and not (found.folder / MANIFEST).is_file():
        raise fail("the folder holds no finished run", value=folder, fix="nosograph simulate MODEL -n 1000 --out DIR")
    for path in cohorts or [found.folder]:
        _Checker(found, path).check()
    return found


@dataclass
class _Checker:
    """The check of one run's folder. `known`: the files that are listed somewhere."""

    found: FolderCheck
    folder: Path
    known: set[Path] = field(default_factory=set)

    def check(self) -> None:
        with self._collect(self.folder / MANIFEST):
            self._check_run(read_run(self.folder))
        for path in self.folder.rglob("*"):
            if (path.is_symlink() or not path.is_dir()) and path not in self.known:
                inside = path.relative_to(self.folder)
                where = self.folder / (inside.parts[0] + ("/*" if len(inside.parts) > 1 else ""))
                self.found.unlisted[str(where.relative_to(self.found.folder))] += 1

    @contextmanager
    def _collect(self, file: Path) -> Iterator[None]:
        """What is refused of a file is a problem of the folder's."""
        self.known.add(file)
        self.found.files += 1
        try:
            yield
        except NosographError as error:
            self.found.problems += error.problems

    def _check_run(self, run: Run) -> None:
        with self._collect(self.folder / MODEL):
            run.inventory.find(MODEL)
        for table in list_tables(run.manifest):
            self._check_table(run, table)
        for path in sorted(self.folder.iterdir()):
            if (path / MANIFEST).is_file():
                with self._collect(path / MANIFEST):
                    self._check_rendering(read_rendering(run, path.name))
        for name in (*([KEPT] if (self.folder / KEPT).exists() else []), *list_reread(run)):
            with self._collect(self.folder / name):
                read_verification(run, name)

    def _check_table(self, run: Run, table: str) -> None:
        rows, before = 0, len(self.found.problems)
        for shard in range(len(run.shards)):
            with self._collect(run.shards.locate(table, shard)):
                rows += run.shards.check(table, shard)
        listed = run.manifest["rows"][table]
        if len(self.found.problems) == before and rows != listed:
            value, fix = f"{listed:,}, and there are {rows:,}", run.inventory.fix
            raise fail(f"the manifest counts other rows of `{table}` than there are", value=value, fix=fix)

    def _check_rendering(self, rendered: RenderedRun) -> None:
        choose_patients(rendered.run, rendered.manifest["patients"])
        inventory, parts = rendered.inventory, rendered.manifest["parts"]
        for name in inventory.entries.keys() - parts.keys():
            with self._collect(rendered.folder / name):
                inventory.find(name)
        lines, before = 0, len(self.found.problems)
        for part in parts:
            with self._collect(rendered.folder / part):
                for line in rendered.lines(part):
                    self._check_artifact(rendered, line)
                    lines += 1
        if len(self.found.problems) == before and lines != sum(rendered.manifest["names"].values()):
            raise fail("the manifest counts other artifacts than there are", value=f"{lines:,}", fix=inventory.fix)

    def _check_artifact(self, rendered: RenderedRun, line: Mapping[str, Any]) -> None:
        """The files of an artifact, where it has any."""
        path = join_path(rendered.run.folder, *line["path"].split("/"))
        files = Inventory(path.parent, line.get("files", {}), fix=rendered.inventory.fix, noun="artifact")
        for name in files.entries:
            with self._collect(path.parent / name):
                files.find(name)
