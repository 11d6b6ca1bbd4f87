"""A patient's notes over the years, in two worlds side by side: `python benchmarks/story.py > docs/story.md`."""

from __future__ import annotations

import argparse
import html
import tempfile
from pathlib import Path

from nosograph.causal.model.load import load_model
from nosograph.renderers.notes.compare import compare_notes
from nosograph.renderers.notes.standoff import LabelledNote, read_jsonl
from nosograph.renderers.render import render
from nosograph.simulate.cohort import open_run, simulate_to

HEAD = """# A patient's story

Patient {patient} of `nosograph simulate {model} --world "{world}" --seed {seed}`,
as the notes tell it: on the left as it was, on the right the exact twin. **Bold** is what only one of the two worlds
says; where both say the same, it is told once. Written by `python benchmarks/story.py`; nobody edited a word.
"""


def tell(patient: int, *, model: str, world: str, seed: int) -> list[str]:
    """The page, paragraph by paragraph."""
    with tempfile.TemporaryDirectory() as folder:
        simulate_to(load_model(model), Path(folder) / "run", patients=patient + 1, seed=seed, worlds=[world])
        rendering = render(open_run(Path(folder) / "run"), patients=[patient], seed=seed)
        notes = [note for part in rendering.parts for note in read_jsonl(rendering.folder / part)]
    name = world.partition(":")[0]
    worlds = {
        side: {(note.time, note.title): note for note in notes if note.world == side} for side in ("factual", name)
    }
    told = [HEAD.format(patient=patient, model=model, world=world, seed=seed)]
    for key in sorted({*worlds["factual"], *worlds[name]}):
        left, right = worlds["factual"].get(key), worlds[name].get(key)
        any_note = left or right
        assert any_note is not None
        told.append(f"\n## {any_note.date[:10]}: {any_note.title}\n")
        told.append(_lay_out(left, right, name))
    return told


def _lay_out(left: LabelledNote | None, right: LabelledNote | None, name: str) -> str:
    if left is not None and right is not None and left.text == right.text:
        return f"<table><tr><th>in both worlds</th></tr><tr><td>{_mark(left, ())}</td></tr></table>"
    only: tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]] = ((), ())
    if left is not None and right is not None:
        difference = compare_notes(left, right)
        only = difference.only_left, difference.only_right
    cells = [
        _mark(note, places) if note is not None else "<i>no such note</i>"
        for note, places in zip((left, right), only, strict=True)
    ]
    head = f"<tr><th width='50%'>factual</th><th width='50%'>{html.escape(name)}</th></tr>"
    return f"<table>{head}<tr valign='top'><td>{cells[0]}</td><td>{cells[1]}</td></tr></table>"


def _mark(note: LabelledNote, places: tuple[tuple[int, int], ...]) -> str:
    marked, at = "", 0
    for start, end in sorted(places):
        marked += html.escape(note.text[at:start]) + "<b>" + html.escape(note.text[start:end]) + "</b>"
        at = end
    return (marked + html.escape(note.text[at:])).strip().replace("\n", "<br>")


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--patient", type=int, default=2)
    arguments.add_argument("--model", default="alzheimers")
    arguments.add_argument("--world", default="treated: lecanemab = 1 from 6 months")
    arguments.add_argument("--seed", type=int, default=0)
    chosen = arguments.parse_args()
    print("\n".join(tell(chosen.patient, model=chosen.model, world=chosen.world, seed=chosen.seed)))
