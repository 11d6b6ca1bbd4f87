"""The page of the format says what is so: its two tables are one cohort."""

from __future__ import annotations

import re
from pathlib import Path

from nosograph.causal.model.load import load_model
from nosograph.simulate.data.people import read_people

PAGE = Path(__file__).parents[3] / "docs" / "data.md"


def test_the_tables_of_the_page_say_the_same(tmp_path: Path) -> None:
    tables = re.findall(r"```csv\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(tables) == 2
    model, found = load_model("alzheimers"), []
    for text in tables:
        (tmp_path / "people.csv").write_text(text, encoding="utf-8")
        people = read_people(tmp_path / "people.csv", model)
        found.append([sorted(map(_write, people.table(name).to_pylist())) for name in ("patients", "record", "events")])
    assert found[0] == found[1]
    assert [len(rows) for rows in found[0]] == [2, 7, 2]


def _write(row: dict[str, object]) -> str:
    return str([round(cell, 9) if isinstance(cell, float) else cell for cell in row.values()])
