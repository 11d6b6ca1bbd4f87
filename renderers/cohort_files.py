"""Files of a whole cohort, such as one VCF of all patients: each batch leaves a piece, from which they are joined."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from ..errors import fail
from ..ontology.output import sync
from ..simulate.runs.inventory import FileEntry, describe_file
from .protocol import CohortRenderer


def join_pieces(renderer: CohortRenderer, pieces: Sequence[Path], *, folder: Path, aside: Path) -> dict[str, FileEntry]:
    """Let a renderer join the batches' pieces in the folder `aside`, and move the files into `folder`: their entries.

    Raises NosographError where a file has a name that the rendering uses itself.
    """
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    renderer.join_pieces(pieces, aside)
    entries = {}
    for path in sorted(aside.iterdir()):
        target = folder / path.name
        if path.name == "manifest.json" or path.match("part-*.jsonl") or path.is_dir() or target.is_dir():
            raise fail("a file of the cohort has a name that is taken", value=target, fix="another name")
        entries[path.name] = describe_file(path)
        os.replace(path, target)
        sync(target)
    return entries
