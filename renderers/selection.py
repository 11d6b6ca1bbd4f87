"""What people ask to be rendered, checked against the run: which patients, at which times, in which worlds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np

from ..causal.model.clock import time_of
from ..causal.model.duration import parse_steps
from ..errors import fail, nearest
from ..simulate.cohort import Run


def choose_patients(run: Run, patients: str | Iterable[int] | None) -> list[int]:
    """The patient numbers that "0-11,20" (both ends included) or a list of numbers means; all where nothing is said.

    A range takes those of its numbers who are in the run. Raises NosographError for what is not written so, a number
    that is not in the run, and a range that begins or ends past its last patient or holds nobody.
    """
    held = np.concatenate([run.shards.patients(shard) for shard in range(len(run.shards))])
    if patients is None:
        return [int(number) for number in held]
    last = int(held[-1])
    parts = patients.split(",") if isinstance(patients, str) else [str(number) for number in patients]
    chosen: set[int] = set()
    for part in parts:
        match = re.fullmatch(r"\s*([0-9]{1,18})\s*(?:-\s*([0-9]{1,18})\s*)?", part)
        if match is None:
            raise fail("patients are numbers and ranges of numbers", value=part, fix="0-11,20")
        low, high = int(match[1]), int(match[2] or match[1])
        found = held[(held >= low) & (held <= high)].tolist()
        if not found or high > last:
            first = f"{held[0]}-{last}" if len(held) == last - held[0] + 1 else f"{', '.join(map(str, held[:5]))} …"
            raise fail("the run has no such patient", value=part.strip(), fix=f"of {len(held):,}: {first}")
        chosen.update(found)
    return sorted(chosen)


def parse_times(run: Run, at: str | Sequence[str] | None) -> list[int] | None:
    """The steps of "0, 18 months", or None where nothing is said. Raises NosographError off the grid or the record."""
    if at is None:
        return None
    clock = run.model.clock
    texts = [text.strip() for text in (at.split(",") if isinstance(at, str) else at)]
    texts = [f"0 {clock.text[2]}" if text == "0" else text for text in texts]
    steps = sorted(set(parse_steps(texts, clock=clock)))
    last = int(run.manifest["steps"])
    if steps[-1] > last:
        unit = clock.text[2]
        raise fail(
            "a time is off the record: the run stops before it",
            value=", ".join(texts),
            fix=f"at most {time_of(last, clock=clock):g} {unit}s",
        )
    return steps


def find_worlds(run: Run, world: str | Sequence[str] | None) -> list[str]:
    """The worlds by name, all by default. Raises NosographError for one that the run has not got."""
    known = [str(held["name"]) for held in run.manifest["worlds"]]
    wanted = known if world is None else [world] if isinstance(world, str) else list(world)
    for name in wanted:
        if name not in known:
            raise fail("the run has no such world", value=name, fix=nearest(name, known) or ", ".join(known))
    return [name for name in known if name in wanted]


def write_ranges(numbers: Sequence[int]) -> str:
    """Ascending numbers as "0-11,20"."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1][1:] = [number]
        else:
            parts.append([number])
    return ",".join("-".join(map(str, part)) for part in parts)
